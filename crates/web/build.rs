//! A page that was built anew goes into the next program.

fn main() {
    // A debug build reads the page from the folder as it runs, and need not be built again for it.
    let embeds = std::env::var_os("PROFILE").is_some_and(|profile| profile == "release");
    println!("cargo::rerun-if-changed={}", if embeds { "../../ui/dist" } else { "build.rs" });
}
