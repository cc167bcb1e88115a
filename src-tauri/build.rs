//! What Tauri generates from its configuration.

use std::process::ExitCode;

fn main() -> ExitCode {
    const CAPABILITIES: &str = "./src-tauri/capabilities";
    println!("cargo:rerun-if-changed={CAPABILITIES}");
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
