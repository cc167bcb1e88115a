//! The command line of the app.

use std::ffi::OsString;

use forge_api::{Code, Error};

const HELP: &str = "\
Forge's desktop app. A second launch shows the first one's window. `forge` is the command line.

Usage: forge-desktop [OPTIONS]

      --background  Only the tray, no window: what a launch at login does
  -V, --version     Print the version
  -h, --help        Print this
";

/// What the user wants.
#[derive(Debug, PartialEq, Eq)]
pub enum Wish {
    Run { background: bool },
    Say(String),
}

/// # Errors
/// An argument that means nothing here.
pub fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Wish, Error> {
    let mut background = false;
    for argument in arguments {
        match argument.to_str() {
            Some("--background") => background = true,
            Some("--version" | "-V") => {
                return Ok(Wish::Say(format!("forge-desktop {}\n", env!("CARGO_PKG_VERSION"))));
            }
            Some("--help" | "-h") => return Ok(Wish::Say(HELP.to_owned())),
            // The Finder's process serial number.
            Some(number) if cfg!(target_os = "macos") && number.starts_with("-psn_") => {}
            _ => {
                let message = format!("unexpected argument `{}`", argument.display());
                return Err(Error::new(Code::Usage, message).help("`forge-desktop --help` lists the options"));
            }
        }
    }
    Ok(Wish::Run { background })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Wish, Error> {
        parse(words.iter().map(OsString::from))
    }

    #[test]
    fn what_a_launch_at_login_says_is_understood() {
        assert_eq!(parsed(&[]), Ok(Wish::Run { background: false }), "with a window");
        assert_eq!(parsed(&["--background"]), Ok(Wish::Run { background: true }), "without one");
    }

    #[test]
    fn an_argument_that_means_nothing_is_refused() {
        let error = parsed(&["--backgruond"]).expect_err("a mistake");
        assert_eq!(error.code, Code::Usage, "{error}");
        assert!(error.message.contains("--backgruond"), "named: {error}");
    }
}
