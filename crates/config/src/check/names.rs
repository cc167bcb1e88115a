//! Names of environments, processes and groups: they become parts of paths and of commands.

use crate::diagnostics::Report;
use crate::model::Place;

/// Longer ones would not fit into the paths that are made of them.
const LONGEST: usize = 128;

/// Whether `name` can be the name of a `what`; reported if not.
pub(super) fn valid(report: &mut Report, name: &str, place: Place, what: &str) -> bool {
    let mut chars = name.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphanumeric());
    if first && chars.all(allowed) && name.len() <= LONGEST {
        return true;
    }
    let message = if name.len() > LONGEST {
        format!("the name of this {what} is longer than {LONGEST} characters")
    } else {
        format!("`{name}` can't be the name of {} {what}", article(what))
    };
    let diagnostic = report.error("bad_name", place, message);
    diagnostic.label("letters, digits, `.`, `_`, `-`; a letter or digit first");
    let better = repaired(name);
    if !better.is_empty() && better != name && name.is_ascii() && name.len() <= LONGEST {
        diagnostic.help(format!("for example `{better}`"));
    }
    false
}

fn article(what: &str) -> &'static str {
    if what.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" }
}

fn allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn repaired(name: &str) -> String {
    let replaced: String = name.trim().chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    replaced.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}
