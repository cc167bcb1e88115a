//! `settings`, of the workspace and of the user.

use std::path::Path;

use super::fields;
use super::suggest;
use crate::diagnostics::{Diagnostics, Report};
use crate::model::Settings;
use crate::schema::keys;
use crate::tree::{self, Node, Value};

/// The settings in `node` over those of the user.
pub(super) fn settings(report: &mut Report, node: Option<&Node>, user: &Settings) -> Settings {
    let mut settings = user.clone();
    let Some(node) = node.filter(|node| !matches!(node.value, Value::Null)) else { return settings };
    let Some(entries) = fields::mapping(report, node, "`settings`") else { return settings };
    for (key, entry) in entries {
        if key == "log_quota" {
            settings.log_quota = quota(report, &entry.value).unwrap_or(settings.log_quota);
        } else if let Some(meant) = suggest::closest(key, &keys::SETTINGS) {
            report
                .error("unknown_key", entry.place, format!("`settings` has no key `{key}`"))
                .label("unknown key")
                .help(format!("did you mean `{meant}`?"));
        } else if !key.starts_with("x-") {
            // Other parts of Forge read their own.
            settings.other.insert(key.clone(), entry.value.json());
        }
    }
    settings
}

/// Checks the user's own `settings.yml`.
pub(crate) fn file(text: &str, file: &Path) -> Result<Settings, Diagnostics> {
    let mut report = Report::new(file, text);
    let tree = tree::build(&mut report);
    let settings = settings(&mut report, tree.as_deref(), &Settings::default());
    report.finish()?;
    Ok(settings)
}

fn quota(report: &mut Report, node: &Node) -> Option<u64> {
    if matches!(node.value, Value::Null) {
        return None;
    }
    let text = fields::text(report, node, "log_quota")?;
    let bytes = size(&text);
    if bytes.is_none() {
        report
            .error("bad_size", node.place, format!("`{text}` is no size"))
            .help("a number of bytes, or with a unit: `500MB`, `2GiB`");
    }
    bytes
}

/// Bytes of `1048576`, `500MB`, `2 GiB`, `1G` (a power of 1024, as everywhere without the `B`).
fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let scale: u64 = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(scale).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("1024", Some(1024)),
            ("500MB", Some(500_000_000)),
            ("2 GiB", Some(2 << 30)),
            ("1g", Some(1 << 30)),
            ("0", None),
            ("-1", None),
            ("MB", None),
            ("1.5GB", None),
            ("99999999999999999999", None),
            ("99999999999TB", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }

    #[test]
    fn every_declared_setting_is_read() {
        assert_eq!(*keys::SETTINGS, ["log_quota"], "a new setting is to be read above");
    }
}
