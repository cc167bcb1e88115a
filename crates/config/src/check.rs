//! From nodes to the model: every key read, every name looked up, everything that is wrong told.

mod depends;
mod env;
mod environments;
mod fields;
pub(crate) mod health;
mod names;
mod patterns;
mod policy;
pub(crate) mod ports;
mod process;
mod settings;
pub(crate) mod strings;
pub(crate) mod suggest;

use std::path::Path;

use crate::diagnostics::{Diagnostics, Report};
use crate::model::{Config, Settings};
use crate::tree;

pub(crate) use settings::file as settings_file;

/// Checks the text of a configuration. `user` holds the settings that the file's own go over.
pub(crate) fn check(text: &str, root: &Path, file: &Path, user: &Settings) -> Result<Config, Diagnostics> {
    let mut report = Report::new(file, text);
    let tree = tree::build(&mut report);
    let environments = match &tree {
        Some(tree) => environments::environments(&mut report, tree),
        None => {
            if !report.has_errors() {
                environments::empty(&mut report);
            }
            indexmap::IndexMap::new()
        }
    };
    let declared = tree.as_ref().and_then(|tree| tree.get("settings"));
    let settings = settings::settings(&mut report, declared.map(|node| &**node), user);
    let text = report.text();
    let warnings = report.finish()?;
    Ok(Config { root: root.to_path_buf(), file: file.to_path_buf(), environments, settings, warnings, text })
}
