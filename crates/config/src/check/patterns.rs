//! Regular expressions and globs that others will use: they must compile.

use crate::diagnostics::Report;
use crate::model::Place;

/// Whether it is one; reported if not. `${…}` in it is known only when the process starts.
pub(super) fn regex(report: &mut Report, pattern: &str, place: Place) -> bool {
    if pattern.contains("${") {
        return true;
    }
    let Err(error) = regex::Regex::new(pattern) else { return true };
    let reason = match &error {
        regex::Error::Syntax(text) => {
            // The last line says what is wrong; those before it draw the pattern once more.
            text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        other => other.to_string(),
    };
    report
        .error("bad_regex", place, "this is no regular expression")
        .label(reason)
        .help("`\\` before a character takes it as it is; in YAML, single quotes keep the `\\`");
    false
}

/// Whether it is a glob; reported if not.
pub(super) fn glob(report: &mut Report, pattern: &str, place: Place) -> bool {
    if pattern.contains("${") {
        return true;
    }
    let plain = pattern.strip_prefix('!').unwrap_or(pattern);
    let Err(error) = globset::GlobBuilder::new(plain).literal_separator(true).build() else { return true };
    report
        .error("bad_glob", place, "this is no glob")
        .label(error.kind().to_string().split(" (maybe").next().unwrap_or_default())
        .help("for example `src/**/*.go`, or `*.{ts,tsx}`");
    false
}
