//! "Did you mean …?"

use crate::diagnostics::Report;
use crate::model::Place;

/// No name that is meant is longer.
const LONGEST: usize = 128;

/// What other tools call our keys.
const FOREIGN: [(&str, &str); 16] = [
    ("environment", "env"),
    ("working_dir", "cwd"),
    ("workdir", "cwd"),
    ("dir", "cwd"),
    ("healthcheck", "health_check"),
    ("readiness_probe", "health_check"),
    ("liveness_probe", "health_check"),
    ("restart", "auto_restart"),
    ("availability", "auto_restart"),
    ("autorestart", "auto_restart"),
    ("cmd", "command"),
    ("run", "command"),
    ("stop_signal", "shutdown"),
    ("stop_grace_period", "shutdown"),
    ("is_daemon", "daemon"),
    ("profiles", "group"),
];

/// Reports a key that the mapping `what` does not have.
pub(super) fn unknown_key(report: &mut Report, place: Place, key: &str, known: &[String], what: &str) {
    if report.is_full() {
        report.error("unknown_key", place, format!("{what} has no key `{key}`"));
        return;
    }
    let foreign = FOREIGN.iter().find(|(theirs, ours)| *theirs == key && known.iter().any(|k| k == ours));
    let help = if let Some((_, ours)) = foreign {
        format!("did you mean `{ours}`?")
    } else if key == "image" && known.iter().any(|k| k == "command") {
        "Forge runs commands: `command: docker run --rm IMAGE`".to_owned()
    } else {
        match closest(key, known) {
            Some(best) => format!("did you mean `{best}`?"),
            None => format!("{what} has: {}", listed(known)),
        }
    };
    report.error("unknown_key", place, format!("{what} has no key `{key}`")).label("unknown key").help(help);
}

/// The name of `known` that `name` was most likely meant to be.
pub(crate) fn closest<'k, S: AsRef<str>>(name: &str, known: &'k [S]) -> Option<&'k str> {
    if name.len() > LONGEST {
        return None;
    }
    let bound = (name.chars().count() / 3).clamp(1, 3);
    let lower = name.to_lowercase().replace('-', "_");
    known
        .iter()
        .map(AsRef::as_ref)
        .map(|other| (strsim::damerau_levenshtein(&lower, &other.to_lowercase().replace('-', "_")), other))
        .filter(|(distance, _)| *distance <= bound)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

/// "did you mean …?", else which names there are.
pub(crate) fn did_you_mean<S: AsRef<str>>(name: &str, known: &[S], kind: &str) -> String {
    match closest(name, known) {
        Some(best) => format!("did you mean `{best}`?"),
        None if known.is_empty() => format!("there are no {kind}"),
        None if known.len() == 1 => format!("there is only {}", listed(known)),
        None => format!("the {kind} are {}", listed(known)),
    }
}

/// `` `a`, `b` and `c` ``; of many the first ones.
pub(crate) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    const MOST: usize = 30;
    let mut quoted: Vec<String> =
        names.iter().take(MOST).map(|name| format!("`{}`", name.as_ref())).collect();
    if names.len() > MOST {
        quoted.push(format!("{} more", names.len() - MOST));
    }
    match quoted.pop() {
        None => String::new(),
        Some(last) if quoted.is_empty() => last,
        Some(last) => format!("{} and {last}", quoted.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognized_and_a_stranger_is_not() {
        let known = ["depends_on", "command", "env", "env_file", "port", "ports"];
        for (name, best) in [
            ("depend_on", Some("depends_on")),
            ("depends-on", Some("depends_on")),
            ("dependsOn", Some("depends_on")),
            ("comand", Some("command")),
            ("Port", Some("port")),
            ("prot", Some("port")),
            ("volumes", None),
            ("x", None),
        ] {
            assert_eq!(closest(name, &known), best, "for {name}");
        }
    }

    #[test]
    fn names_are_listed_as_one_would_say_them() {
        assert_eq!(listed(&["a"]), "`a`");
        assert_eq!(listed(&["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(listed::<&str>(&[]), "");
    }
}
