//! Any text as `processes.yml`: a configuration or diagnostics that can be shown, and no panic.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let root = Path::new("/workspace");
    match forge_config::parse(text, root, &root.join(".forge/processes.yml")) {
        Ok(config) => {
            for name in config.environments.keys() {
                let _ = forge_config::resolve(&config, name, &forge_config::Context::default());
            }
        }
        Err(diagnostics) => {
            let _ = diagnostics.render(true, true);
        }
    }
});
