//! How the commands speak, and how they run other programs.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::workspace;

/// One step with a heading above and its time below. A failing step ends the command at once.
pub(crate) fn section<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    heading(title);
    let begun = Instant::now();
    let outcome = work().with_context(|| title.to_owned())?;
    println!("   {title}: done in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(outcome)
}

/// The heading alone: for a last step whose own summary should be the last thing seen.
pub(crate) fn heading(title: &str) {
    println!("\n── {title} {}", "─".repeat(70_usize.saturating_sub(title.chars().count())));
}

/// Cargo, in the root.
pub(crate) fn cargo<I: IntoIterator<Item = &'static str>>(arguments: I) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace::root()).args(arguments);
    command
}

/// Runs it in the foreground, shown as it would be typed.
///
/// # Errors
/// It cannot be started, or ends with anything but 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("   $ {}", typed(command));
    run_quietly(command)
}

/// The same, without showing it.
pub(crate) fn run_quietly(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !status.success() {
        bail!("`{}` ended with {status}", typed(command));
    }
    Ok(())
}

/// What it prints on stdout.
///
/// # Errors
/// It cannot be started, ends with anything but 0, or prints no UTF-8.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` ended with {}: {}", typed(command), output.status, said.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed no UTF-8", typed(command)))
}

/// As it would be typed in the root; the path to Cargo itself is left out.
fn typed(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = match program.file_stem() {
        Some(stem) if stem == "cargo" => "cargo".to_owned(),
        _ => workspace::shown(program),
    };
    let arguments = command.get_args().map(|argument| quoted(&argument.to_string_lossy()));
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}

fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_=./:+@,".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{argument}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_shown_as_one_would_type_them() {
        let mut command = Command::new("/opt/rust/bin/cargo");
        command.args(["test", "-p", "forge-keeper", "a b"]);
        assert_eq!(typed(&command), "cargo test -p forge-keeper 'a b'", "quotes only where they are needed");
    }
}
