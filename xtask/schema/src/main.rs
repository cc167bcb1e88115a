//! Prints the JSON schema of `processes.yml` for `cargo xtask generate`.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

fn main() {
    print!("{}", forge_config::schema::schema());
}
