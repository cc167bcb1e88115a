//! `cargo xtask generate`: the files that are made from code, and the check that none has drifted from it.

use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::console::{cargo, output, run_quietly};
use crate::workspace;

const COMMANDS_HEAD: &str = "\
# Commands

Made from the program's own help by `cargo xtask generate`. What `--json` prints is described in
[json.md](json.md).
";

/// Builds what it asks, then writes the files, or with `check` fails if one is not what it would write.
pub(crate) fn run(check: bool) -> Result<()> {
    run_quietly(&mut cargo(["build", "--quiet", "--package", "forge-cli", "--package", "print-schema"]))?;
    from_built(check)
}

/// The same from programs that are built already.
pub(crate) fn from_built(check: bool) -> Result<()> {
    let files = [
        ("schema/processes.schema.json", printed("schema")?),
        ("ui/src/api/generated.ts", printed("typescript")?),
        ("docs/commands.md", commands()?),
    ];
    let mut drifted = Vec::new();
    for (name, content) in files {
        let path = workspace::root().join(name);
        if std::fs::read_to_string(&path).is_ok_and(|existing| existing == content) {
            continue;
        }
        if check {
            drifted.push(name);
            continue;
        }
        std::fs::create_dir_all(path.parent().context("a file without a folder")?)?;
        std::fs::write(&path, content).with_context(|| format!("cannot write {name}"))?;
        println!("   {name} written");
    }
    if !drifted.is_empty() {
        bail!("not what the code says: {}; run `cargo xtask generate`", drifted.join(", "));
    }
    Ok(())
}

fn printed(what: &str) -> Result<String> {
    output(Command::new(workspace::built("debug", "print-schema")).arg(what))
}

/// `forge --help`, and then each command's.
fn commands() -> Result<String> {
    let forge = workspace::built("debug", "forge");
    let help = |arguments: &[&str]| {
        // The width of help is the terminal's; without one it is the same everywhere.
        output(Command::new(&forge).args(arguments).env_remove("COLUMNS"))
            .map(|text| text.trim_end().to_owned())
    };
    let overview = help(&["--help"])?;
    let mut document = format!("{COMMANDS_HEAD}\n```text\n{overview}\n```\n");
    for command in command_names(&overview) {
        let text = help(&[command, "--help"])?;
        document.push_str(&format!("\n## forge {command}\n\n```text\n{text}\n```\n"));
    }
    Ok(document)
}

/// The names below "Commands:", indented by two.
fn command_names(overview: &str) -> Vec<&str> {
    let listed =
        overview.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_the_overview() {
        let overview = "What it is\n\nCommands:\n  start   Start\n          it\n  stop    Stop it\n  help    Help\n\nOptions:\n  -C DIR";
        assert_eq!(
            command_names(overview),
            ["start", "stop"],
            "continuation lines and options are no commands"
        );
    }
}
