//! `settings`, of the workspace and of the user.

use std::path::Path;

use super::fields::{self, Fields};
use super::suggest;
use crate::diagnostics::{Diagnostics, Report};
use crate::model::{Alerts, Settings, Theme};
use crate::schema::keys;
use crate::tree::{self, Node, Value};
use crate::url::Url;

/// The settings in `node` over those of the user.
pub(super) fn settings(report: &mut Report, node: Option<&Node>, user: &Settings) -> Settings {
    let user = user.clone();
    let Some(node) = node.filter(|node| !matches!(node.value, Value::Null)) else { return user };
    let Some(fields) = Fields::open(report, node, &keys::SETTINGS, "`settings`") else { return user };
    Settings {
        log_quota: size_of(report, &fields, "log_quota").unwrap_or(user.log_quota),
        log_quota_total: size_of(report, &fields, "log_quota_total").unwrap_or(user.log_quota_total),
        slow: fields.duration(report, "slow").unwrap_or(user.slow),
        alerts: alerts(report, &fields, user.alerts),
        nats: nats(report, &fields).or(user.nats),
        editor: fields.text(report, "editor").filter(|editor| !editor.trim().is_empty()).or(user.editor),
        theme: theme(report, &fields).unwrap_or(user.theme),
        restore: fields.boolean(report, "restore").or(user.restore),
        sampling: fields.boolean(report, "sampling").unwrap_or(user.sampling),
    }
}

fn alerts(report: &mut Report, fields: &Fields<'_>, user: Alerts) -> Alerts {
    let Some(node) = fields.get("alerts") else { return user };
    let Some(fields) = Fields::open(report, node, &keys::ALERTS, "`alerts`") else { return user };
    Alerts {
        memory_growth: size_of(report, &fields, "memory_growth").unwrap_or(user.memory_growth),
        memory_window: fields.duration(report, "memory_window").unwrap_or(user.memory_window),
        cpu: percent(report, &fields, "cpu").unwrap_or(user.cpu),
        cpu_window: fields.duration(report, "cpu_window").unwrap_or(user.cpu_window),
        open_files: percent(report, &fields, "open_files").unwrap_or(user.open_files),
        log_growth: size_of(report, &fields, "log_growth").unwrap_or(user.log_growth),
        hog_cpu: percent(report, &fields, "hog_cpu").unwrap_or(user.hog_cpu),
        hog_memory: percent(report, &fields, "hog_memory").unwrap_or(user.hog_memory),
        unhealthy: fields.duration(report, "unhealthy").unwrap_or(user.unhealthy),
    }
}

/// `90` or `90%`; a process can need more than one core.
fn percent(report: &mut Report, fields: &Fields<'_>, key: &str) -> Option<u32> {
    let node = fields.get(key)?;
    let text = node.text().map(|text| text.trim().trim_end_matches('%').trim_end());
    let number = text.and_then(|text| text.parse().ok()).filter(|number| *number > 0);
    if number.is_none() {
        fields::bad_type(report, node, &format!("`{key}`"), "a percentage above 0");
    }
    number
}

fn nats(report: &mut Report, fields: &Fields<'_>) -> Option<String> {
    let text = fields.text(report, "nats")?;
    let reason = match Url::parse(&text) {
        Ok(_) if text.starts_with("nats://") || text.starts_with("tls://") => return Some(text),
        Ok(_) => "its scheme is not `nats://`".to_owned(),
        Err(reason) => reason,
    };
    let place = fields.get("nats").map_or(fields.place, |node| node.place);
    report
        .error("bad_url", place, format!("`{text}` is no NATS server: {reason}"))
        .help("for example `nats://localhost:4222`");
    None
}

fn theme(report: &mut Report, fields: &Fields<'_>) -> Option<Theme> {
    let node = fields.get("theme")?;
    match fields::text(report, node, "theme")?.as_str() {
        "system" => Some(Theme::System),
        "light" => Some(Theme::Light),
        "dark" => Some(Theme::Dark),
        other => {
            report
                .error("bad_type", node.place, format!("there is no theme `{other}`"))
                .help(suggest::did_you_mean(other, &["system", "light", "dark"], "themes"));
            None
        }
    }
}

/// Checks the user's own `settings.yml`.
pub(crate) fn file(text: &str, file: &Path) -> Result<Settings, Diagnostics> {
    let mut report = Report::new(file, text);
    let tree = tree::build(&mut report);
    let settings = settings(&mut report, tree.as_deref(), &Settings::default());
    report.finish()?;
    Ok(settings)
}

fn size_of(report: &mut Report, fields: &Fields<'_>, key: &str) -> Option<u64> {
    let node = fields.get(key)?;
    let text = fields::text(report, node, key)?;
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
}
