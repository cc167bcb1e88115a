//! What Tauri generates from its configuration, the page among it.

use std::path::Path;
use std::process::ExitCode;

/// In place of a page that nobody has built: the program can be checked and built without one.
const NO_PAGE: &str =
    "<!doctype html><title>Forge</title><p>Built without its page: run <code>cargo xtask run</code>.";

fn main() -> ExitCode {
    const CAPABILITIES: &str = "./src-tauri/capabilities";
    println!("cargo:rerun-if-changed={CAPABILITIES}");
    // A page that was built anew belongs into the program.
    println!("cargo:rerun-if-changed=ui/dist");
    let page = Path::new("ui/dist/index.html");
    if !page.exists() && std::fs::create_dir_all("ui/dist").is_ok() {
        // Where it cannot be written, Tauri says what is missing.
        let _ = std::fs::write(page, NO_PAGE);
    }
    let attributes =
        tauri_build::Attributes::new().capabilities_path_pattern("./src-tauri/capabilities/**/*");
    match tauri_build::try_build(attributes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo:warning={error:#}");
            ExitCode::FAILURE
        }
    }
}
