//! Durations and sizes in lines.

use std::time::Duration;

/// A duration that stands in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Timed {
    pub(super) length: Duration,
    /// Where in the line.
    pub(super) at: usize,
    /// A word before it says that something took so long.
    pub(super) is_cued: bool,
    /// It is a limit, an interval or an age.
    pub(super) is_bound: bool,
}

/// All durations: `145ms`, `1.2s`, `1m30s`, `2300 ms`, `duration=1.5s`, `duration_ms=1500`, `"responseTime":1500`.
pub(super) fn durations(text: &str) -> Vec<Timed> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|next| at + next) {
        at = start + number_length(&bytes[start..]);
        let before = start.checked_sub(1).map(|before| bytes[before]);
        if before.is_some_and(|before| {
            before.is_ascii_alphanumeric() || matches!(before, b'_' | b'.' | b'-' | b'/')
        }) {
            continue;
        }
        let Some((length, end)) = timed(text, start, at) else { continue };
        at = end.max(at);
        let (is_cued, is_bound) = cue(&text[..start]);
        found.push(Timed { length, at: start, is_cued, is_bound });
    }
    found
}

/// `12` or `1.5`.
fn number_length(bytes: &[u8]) -> usize {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(bytes);
    let fraction = if bytes.get(whole) == Some(&b'.') { digits(&bytes[whole + 1..]) } else { 0 };
    if fraction > 0 { whole + 1 + fraction } else { whole }
}

/// The duration whose first number is `text[start..end]`, and where it ends.
fn timed(text: &str, start: usize, end: usize) -> Option<(Duration, usize)> {
    let (mut sum, mut from, mut number_end) = (0.0, start, end);
    let mut parts = 0;
    loop {
        let rest = &text[number_end..];
        let blank = usize::from(parts == 0 && rest.starts_with(' '));
        let unit = &rest[blank..];
        let length = unit.find(|character: char| !character.is_alphabetic()).unwrap_or(unit.len());
        let number: f64 = text[from..number_end].parse().ok()?;
        let seconds = match seconds_of(&unit[..length]) {
            Some(seconds) => seconds,
            None if parts == 0 && length == 0 || blank == 1 => {
                return unit_of_key(&text[..start], number, end);
            }
            None => return None,
        };
        sum += number * seconds;
        parts += 1;
        let behind = number_end + blank + length;
        // `1m30s`
        let next = number_length(&text.as_bytes()[behind..]);
        if next == 0 || blank == 1 {
            return Duration::try_from_secs_f64(sum).ok().map(|length| (length, behind));
        }
        (from, number_end) = (behind, behind + next);
    }
}

fn seconds_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" | "msec" | "msecs" | "millis" | "milliseconds" => 1e-3,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        _ => return None,
    })
}

/// Ends of keys that have a unit, in any case.
pub(super) const KEY_HINTS: &[&str] =
    &["ms\"", "ms=", "ms:", "ms =", "ms :", "millis", "_seconds", "_secs", "responsetime"];

/// One of them stands, in any case, in every line with a size.
pub(super) const SIZE_HINTS: &[&str] =
    &["js ", "js\t", ".css ", ".css\t", ".wasm ", ".wasm\t", ".html ", ".html\t"];

/// A number without a unit, whose key has it: `duration_ms=1500`.
fn unit_of_key(before: &str, number: f64, end: usize) -> Option<(Duration, usize)> {
    let key = before.trim_end_matches(['"', ' ', ':', '=']);
    if key.len() == before.len() {
        return None;
    }
    let from = key.rfind(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let key = from
        .map_or(key, |at| &key[at..])
        .trim_start_matches(|character: char| !character.is_ascii_alphabetic());
    let seconds = if key.ends_with("_ms")
        || key.ends_with("Ms")
        || key.ends_with("Millis")
        || key.ends_with("_millis")
        || key == "responseTime"
        || key == "response_time_ms"
    {
        1e-3
    } else if key.ends_with("_seconds") || key.ends_with("_secs") {
        1.0
    } else {
        return None;
    };
    Duration::try_from_secs_f64(number * seconds).ok().map(|length| (length, end))
}

/// What the word before a duration makes of it: how long something took, or a bound.
fn cue(before: &str) -> (bool, bool) {
    const CUES: [&str; 10] = [
        "took",
        "elapsed",
        "duration",
        "latency",
        "runtime",
        "time",
        "lasted",
        "taken",
        "durationms",
        "responsetime",
    ];
    const BOUNDS: [&str; 23] = [
        "timeout",
        "every",
        "interval",
        "after",
        "within",
        "ttl",
        "delay",
        "for",
        "retry",
        "retrying",
        "wait",
        "waiting",
        "last",
        "uptime",
        "age",
        "expires",
        "limit",
        "max",
        "keepalive",
        "sleep",
        "sleeping",
        "backoff",
        "next",
    ];
    let words = before.rsplit(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let words = words.filter(|word| !word.is_empty()).take(3);
    let (mut cued, mut bound) = (false, false);
    for (place, word) in words.enumerate() {
        let word = word.to_ascii_lowercase();
        let is = |known: &str| word == known || word.split('_').any(|part| part == known);
        cued |= CUES.iter().any(|known| is(known));
        // `retry in 5s`, `timeout of 30s`
        bound |= BOUNDS.iter().any(|known| is(known)) && !cued;
        if place == 0 && !matches!(word.as_str(), "in" | "of" | "is" | "was" | "to" | "at") {
            break;
        }
    }
    (cued, bound)
}

/// What was built and how large it is: `asset main.js 1.2 MiB [emitted]`, `dist/assets/index-CAUvuim5.js  0.68 kB │ …`.
/// The part of a name that changes with its content is left out.
pub(super) fn size(text: &str) -> Option<(String, u64)> {
    const KINDS: [&str; 6] = [".js", ".mjs", ".cjs", ".css", ".wasm", ".html"];
    // A module that went into it is no output.
    if text.contains("[built]") {
        return None;
    }
    let mut words = text.split_whitespace().skip_while(|word| *word == "asset");
    let name = words.next()?;
    let kind = KINDS.iter().find(|kind| name.ends_with(**kind))?;
    let amount = words.next()?;
    // `1,234.56`
    let digits = amount.find(|sign: char| !sign.is_ascii_digit() && sign != '.' && sign != ',');
    let digits = digits.unwrap_or(amount.len());
    let number: f64 = amount[..digits].replace(',', "").parse().ok()?;
    let unit = if digits == amount.len() { words.next()? } else { &amount[digits..] };
    let bytes = number * bytes_of(unit)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size, rounded")]
    let bytes = bytes.min(1e15).round() as u64;
    Some((format!("{}{kind}", unhashed(&name[..name.len() - kind.len()])), bytes))
}

fn bytes_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "bytes" | "B" | "b" => 1.0,
        "kB" | "KB" | "kb" => 1e3,
        "MB" | "mb" => 1e6,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        _ => return None,
    })
}

/// `dist/assets/index-CAUvuim5` → `dist/assets/index`.
fn unhashed(path: &str) -> &str {
    let parted = |(at, _): &(usize, char)| *at > 0 && !path[..*at].ends_with('/') && is_hash(&path[at + 1..]);
    path.char_indices()
        .filter(|(_, sign)| matches!(sign, '-' | '.'))
        .find(parted)
        .map_or(path, |(at, _)| &path[..at])
}

/// What a bundler makes of a content: hexadecimal digits, or eight of base64url (Rollup, esbuild), in which `-` may stand.
/// A word of eight letters is neither: it has no digits, and no capitals but where it begins.
fn is_hash(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let has_digit = bytes.iter().any(u8::is_ascii_digit);
    if bytes.len() >= 8 && bytes.iter().all(is_hex) {
        return has_digit;
    }
    let capitals = bytes.iter().skip(1).filter(|byte| byte.is_ascii_uppercase()).count();
    bytes.len() == 8
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        && (has_digit || capitals > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_found_with_what_they_mean() {
        for (text, expected) in [
            ("GET / - 200 (45ms)", vec![("45ms", false, false)]),
            ("took 2300 ms", vec![("2.3s", true, false)]),
            ("duration=1.5s", vec![("1.5s", true, false)]),
            ("done (2.3s)", vec![("2.3s", false, false)]),
            ("duration: 1101.229 ms  statement: select", vec![("1.101229s", true, false)]),
            ("in 1m30s", vec![("90s", false, false)]),
            ("3 seconds, 1 min", vec![("3s", false, false), ("60s", false, false)]),
            ("12µs 7us 5ns", vec![("12µs", false, false), ("7µs", false, false), ("5ns", false, false)]),
            ("duration_ms=1500 x=2", vec![("1.5s", true, false)]),
            (r#"{"responseTime":1234,"pid":5}"#, vec![("1.234s", true, false)]),
            (r#"{"durationMs": 99}"#, vec![("99ms", true, false)]),
            ("elapsed_seconds=4", vec![("4s", true, false)]),
            ("retry in 5s", vec![("5s", false, true)]),
            ("timeout of 30s", vec![("30s", false, true)]),
            ("every 10s", vec![("10s", false, true)]),
            ("v1.2s3 10:20:30s x5s 127.0.0.1", vec![("30s", false, false)]),
            ("5 servers, 2 stages, 3 messages", vec![]),
            ("2026-11-21 14:30:15", vec![]),
            ("99999999999999999999999999s", vec![("never", false, false)]),
        ] {
            let found = durations(text);
            let shown: Vec<(String, bool, bool)> =
                found.iter().map(|one| (format!("{:?}", one.length), one.is_cued, one.is_bound)).collect();
            let expected: Vec<(String, bool, bool)> = expected
                .into_iter()
                .filter(|one| one.0 != "never")
                .map(|(length, cued, bound)| (length.to_owned(), cued, bound))
                .collect();
            assert_eq!(shown, expected, "{text}");
        }
    }

    #[test]
    fn sizes_are_those_of_what_was_built() {
        for (text, expected) in [
            ("asset main.js 189 bytes [emitted] [minimized] (name: main)", Some(("main.js", 189))),
            ("asset vendor.1a2b3c4d.js 1.2 MiB [emitted]", Some(("vendor.js", 1_258_291))),
            ("dist/assets/index-CAUvuim5.js  0.68 kB │ gzip: 0.40 kB", Some(("dist/assets/index.js", 680))),
            (
                "dist/assets/index-C-3fKq2a.js  1,234.56 kB │ gzip: 400.12 kB",
                Some(("dist/assets/index.js", 1_234_560)),
            ),
            ("dist/assets/user-settings-DiwrgTda.js  2 kB", Some(("dist/assets/user-settings.js", 2000))),
            ("asset user-settings.js 2 KiB [emitted]", Some(("user-settings.js", 2048))),
            (
                "asset vendors-node_modules_lodash_lodash_js.js 2 KiB [emitted]",
                Some(("vendors-node_modules_lodash_lodash_js.js", 2048)),
            ),
            ("asset main-app-1a2b3c4d5e6f7a8b.js 2 KiB", Some(("main-app.js", 2048))),
            ("dist/out.css  1.2mb", Some(("dist/out.css", 1_200_000))),
            ("dist/index.html                0.08 kB │ gzip: 0.09 kB", Some(("dist/index.html", 80))),
            ("./src/a.js 17 bytes [built] [code generated]", None),
            ("index.js loaded", None),
            ("index.js 3 errors", None),
            ("GET /main.js 200", None),
            ("", None),
        ] {
            let found = size(text);
            assert_eq!(found.as_ref().map(|(name, bytes)| (name.as_str(), *bytes)), expected, "{text}");
        }
    }
}
