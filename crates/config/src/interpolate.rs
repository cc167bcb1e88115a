//! `${VAR}`, `${VAR:-default}`, `${VAR:?message}`, `$$` and `${NAME.port}`.
//!
//! A `$` that begins none of these stands for itself: `$HOME` in a command is the shell's, and elsewhere it is text.

/// Bytes of a value that something was filled into. No system takes a longer variable or argument, and lines like
/// `B=$A$A` would double forever.
const LONGEST: usize = 128 * 1024;
/// Nesting of `${A:-${B:-…}}` that is followed.
const DEEPEST: usize = 16;

/// What a text is, which decides who expands what in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Everything is expanded.
    Text,
    /// A shell or a program expands the rest: only `${NAME.port}` and its like, of processes that there are.
    Command,
    /// As a command, but variables that the shell will not have are filled in: those of the workspace's `.env`.
    Check,
}

/// What of another process is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Port,
    Host,
    Url,
}

/// What stands behind a process's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Value(String),
    /// There is such a process, and it declares no port.
    NoPort,
    /// Its port is a text, and no number yet; what to say about that.
    Undecided(&'static str),
    NoProcess,
}

/// Where values come from.
pub(crate) trait Source {
    /// The value of a variable; `None` if it is not set.
    fn variable(&self, name: &str) -> Option<String>;
    /// Whether the process finds the variable in its own environment.
    fn inherited(&self, name: &str) -> bool;
    fn process(&self, name: &str, part: Part) -> Found;
    /// What to say about a process that is not there.
    fn unknown_process(&self, name: &str) -> String;
}

/// Something that could not be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// The text from `${` to `}`, to find the place again.
    pub(crate) expression: String,
    /// The value is empty, and all goes on.
    pub(crate) warning: bool,
}

/// How a bare `KEY` of an `env` list is kept: the variable's value, and no word about it if it has none.
pub(crate) fn handed_on(name: &str) -> String {
    format!("${{{name}-}}")
}

/// The text with everything filled in. Problems are added to `problems`; the rest is filled in all the same.
pub(crate) fn interpolate(
    text: &str,
    mode: Mode,
    source: &dyn Source,
    problems: &mut Vec<Problem>,
) -> String {
    Expansion { mode, source, problems }.expand(text, 0)
}

/// Variables that a text in [`Mode::Text`] writes as `$NAME`, which is not expanded.
pub(crate) fn bare_variables(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
            continue;
        }
        let name = &rest[..name_len(rest)];
        if !name.is_empty() {
            found.push(name);
        }
    }
    found
}

/// Variables that a text asks for as `${NAME…`.
pub(crate) fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).map(|rest| &rest[..name_len(rest)]).filter(|name| !name.is_empty())
}

struct Expansion<'e> {
    mode: Mode,
    source: &'e dyn Source,
    problems: &'e mut Vec<Problem>,
}

impl Expansion<'_> {
    fn expand(&mut self, text: &str, depth: usize) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            if out.len() > LONGEST.max(text.len()) {
                self.problem(
                    "too_large",
                    rest,
                    format!("with all filled in, this is longer than {LONGEST} bytes"),
                );
                return out;
            }
            if let Some(after) = rest.strip_prefix("$$") {
                out.push_str(if self.mode == Mode::Text { "$" } else { "$$" });
                rest = after;
            } else if rest.starts_with("${") {
                rest = self.braces(rest, depth, &mut out);
            } else {
                out.push('$');
                rest = &rest[1..];
            }
        }
        out.push_str(rest);
        out
    }

    /// Expands what begins with `${`; what follows is returned.
    fn braces<'t>(&mut self, text: &'t str, depth: usize, out: &mut String) -> &'t str {
        let Some(len) = closing(text) else {
            if self.mode == Mode::Text {
                self.problem("bad_interpolation", text, "`${` is never closed").help =
                    Some("end it with `}`; for the two characters themselves write `$${`".to_owned());
            }
            out.push_str(text);
            return "";
        };
        let (expression, rest) = text.split_at(len);
        let inner = &expression[2..len - 1];
        match self.value(expression, inner, depth) {
            Some(value) => out.push_str(&value),
            None if self.mode == Mode::Text => {}
            None => out.push_str(expression),
        }
        rest
    }

    /// What an expression stands for; `None` if it is not ours, or if it is wrong.
    fn value(&mut self, expression: &str, inner: &str, depth: usize) -> Option<String> {
        if let Some((name, part)) = reference(inner) {
            match self.source.process(name, part) {
                Found::Value(value) => return Some(value),
                Found::NoPort => {
                    self.problem("unknown_port", expression, format!("`{name}` declares no port")).help =
                        Some(format!("add `port: …` to `{name}`"));
                    return None;
                }
                Found::Undecided(help) => {
                    let message = format!("the port of `{name}` is not known here");
                    self.problem("unknown_port", expression, message).help = Some(help.to_owned());
                    return None;
                }
                Found::NoProcess => {
                    let help = self.source.unknown_process(name);
                    // A shell has no such syntax, so this was meant for us; but the command stays as it is written.
                    let warning = self.mode != Mode::Text;
                    let problem =
                        self.problem("unknown_process", expression, format!("there is no process `{name}`"));
                    problem.help = Some(help);
                    problem.warning = warning;
                    return None;
                }
            }
        }
        match self.mode {
            Mode::Text => self.variable(expression, inner, depth),
            Mode::Command => None,
            Mode::Check => self.beyond_the_shell(expression, inner, depth),
        }
    }

    /// What a shell would get wrong, because it does not see `.env`.
    fn beyond_the_shell(&mut self, expression: &str, inner: &str, depth: usize) -> Option<String> {
        let (name, operator) = inner.split_at(name_len(inner));
        let required = operator.starts_with(":?") || operator.starts_with('?');
        let ours = self.source.variable(name).is_some() || required;
        if name.is_empty() || self.source.inherited(name) || !ours {
            return None;
        }
        self.variable(expression, inner, depth)
    }

    fn variable(&mut self, expression: &str, inner: &str, depth: usize) -> Option<String> {
        let (name, operator) = inner.split_at(name_len(inner));
        let (when_empty, operator) = match operator.strip_prefix(':') {
            Some(operator) => (true, operator),
            None => (false, operator),
        };
        let known = operator.is_empty() && !when_empty || operator.starts_with(['-', '?', '+']);
        if name.is_empty() || !known || depth > DEEPEST {
            self.problem("bad_interpolation", expression, format!("`{expression}` is not understood"))
                .help = Some("there are `${VAR}`, `${VAR:-default}`, `${VAR:?message}` and `${NAME.port}`; `$$` is a `$`".to_owned());
            return None;
        }
        let value = self.source.variable(name);
        let set = value.as_ref().is_some_and(|value| !when_empty || !value.is_empty());
        let word = operator.get(1..).unwrap_or_default();
        match operator.chars().next() {
            Some('-') if !set => Some(self.expand(word, depth + 1)),
            Some('+') if set => Some(self.expand(word, depth + 1)),
            Some('+') => Some(String::new()),
            Some('?') if !set => {
                let told = self.expand(word, depth + 1);
                let message = if told.is_empty() { "it must be set".to_owned() } else { told };
                self.problem("unset_variable", expression, format!("`{name}` is not set: {message}"));
                None
            }
            None if !set => {
                let problem = self.problem(
                    "unset_variable",
                    expression,
                    format!("`{name}` is not set, so this is empty"),
                );
                problem.help = Some(format!("a default is written `${{{name}:-default}}`"));
                problem.warning = true;
                Some(String::new())
            }
            _ => value,
        }
    }

    fn problem(&mut self, code: &'static str, expression: &str, message: impl Into<String>) -> &mut Problem {
        self.problems.push(Problem {
            code,
            message: message.into(),
            help: None,
            expression: expression.to_owned(),
            warning: false,
        });
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }
}

/// The length of the expression that `text` begins with, `${` and `}` included.
pub(crate) fn closing(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("${") {
            open += 1;
            at += 2;
        } else if rest.starts_with('}') {
            open -= 1;
            at += 1;
            if open == 0 {
                return Some(at);
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    None
}

/// `backend.port` as a process and what of it.
fn reference(inner: &str) -> Option<(&str, Part)> {
    let (name, part) = inner.rsplit_once('.')?;
    let part = match part {
        "port" => Part::Port,
        "host" => Part::Host,
        "url" => Part::Url,
        _ => return None,
    };
    let valid = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    valid.then_some((name, part))
}

/// The length of the variable's name that `text` begins with.
fn name_len(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Fixed;

    impl Source for Fixed {
        fn variable(&self, name: &str) -> Option<String> {
            match name {
                "SET" => Some("value".to_owned()),
                "EMPTY" => Some(String::new()),
                "LONG" => Some("x".repeat(10_000)),
                _ => None,
            }
        }

        fn inherited(&self, name: &str) -> bool {
            name == "EMPTY"
        }

        fn process(&self, name: &str, part: Part) -> Found {
            match (name, part) {
                ("my-api" | "v1.2", Part::Port) => Found::Value("8080".to_owned()),
                ("my-api", Part::Url) => Found::Value("http://localhost:8080".to_owned()),
                ("worker", _) => Found::NoPort,
                _ => Found::NoProcess,
            }
        }

        fn unknown_process(&self, _: &str) -> String {
            "help".to_owned()
        }
    }

    fn expand(text: &str, mode: Mode) -> (String, Vec<&'static str>) {
        let mut problems = Vec::new();
        let value = interpolate(text, mode, &Fixed, &mut problems);
        (value, problems.iter().map(|problem| problem.code).collect())
    }

    #[test]
    fn texts_are_filled_in() {
        for (text, value) in [
            ("plain", "plain"),
            ("${SET}/x", "value/x"),
            ("${UNSET:-default}", "default"),
            ("${EMPTY:-default}", "default"),
            ("${EMPTY-default}", ""),
            ("${UNSET:-}", ""),
            ("${UNSET:-${SET}}", "value"),
            ("${UNSET:-${OTHER:-a}b}c", "abc"),
            ("${SET:+yes}${UNSET:+no}", "yes"),
            ("${SET:?must}", "value"),
            ("$$HOME $HOME $", "$HOME $HOME $"),
            ("$${SET}", "${SET}"),
            ("$$$${SET}", "$${SET}"),
            ("$$${SET}", "$value"),
            ("http://localhost:${my-api.port}/", "http://localhost:8080/"),
            ("${v1.2.port}", "8080"),
            ("${my-api.url}/é${SET}", "http://localhost:8080/évalue"),
        ] {
            assert_eq!(expand(text, Mode::Text), (value.to_owned(), vec![]), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_filled_in_is_told() {
        for (text, value, code) in [
            ("a${UNSET}b", "ab", "unset_variable"),
            ("${UNSET:?give it}", "", "unset_variable"),
            ("${UNSET?}", "", "unset_variable"),
            ("${EMPTY:?}", "", "unset_variable"),
            ("${SET", "${SET", "bad_interpolation"),
            ("${}", "", "bad_interpolation"),
            ("${A B}", "", "bad_interpolation"),
            ("${1}", "", "bad_interpolation"),
            ("${SET:}", "", "bad_interpolation"),
            ("${nobody.port}", "", "unknown_process"),
            ("${worker.port}", "", "unknown_port"),
        ] {
            assert_eq!(expand(text, Mode::Text), (value.to_owned(), vec![code]), "{text}");
        }
    }

    #[test]
    fn a_command_is_left_to_the_shell() {
        for text in
            ["${SET}", "$$", "$HOME", "${UNSET:-x}", "${SET", "echo $${my-api.port", "${#SET}", "${a.b}"]
        {
            assert_eq!(expand(text, Mode::Command), (text.to_owned(), vec![]), "{text}");
        }
        assert_eq!(expand("curl ${my-api.url}/$X", Mode::Command).0, "curl http://localhost:8080/$X");
        assert_eq!(
            expand("${nobody.port}", Mode::Command),
            ("${nobody.port}".to_owned(), vec!["unknown_process"])
        );
    }

    #[test]
    fn a_check_gets_what_its_shell_would_not_see() {
        for (text, value) in [
            ("test ${SET} $SET $$", "test value $SET $$"),
            ("test ${EMPTY:-x}", "test ${EMPTY:-x}"),
            ("for i in 1; do echo ${i}; done", "for i in 1; do echo ${i}; done"),
            ("${my-api.port}", "8080"),
        ] {
            assert_eq!(expand(text, Mode::Check), (value.to_owned(), vec![]), "{text}");
        }
        assert_eq!(expand("${UNSET:?give it}", Mode::Check).1, ["unset_variable"]);
    }

    #[test]
    fn a_value_does_not_grow_without_end() {
        let (value, problems) = expand(&"${LONG}".repeat(1_000), Mode::Text);
        assert!(value.len() < LONGEST * 2, "{} bytes", value.len());
        assert_eq!(problems, ["too_large"]);
    }

    #[test]
    fn deep_nesting_ends() {
        let text = format!("{}{}", "${UNSET:-".repeat(5_000), "}".repeat(5_000));
        assert_eq!(expand(&text, Mode::Text).1, ["bad_interpolation"], "nesting was followed without end");
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in r"[${}a-z:?.+-]{0,30}|.{0,30}") {
            let _ = expand(&text, Mode::Text);
            let _ = expand(&text, Mode::Command);
        }

        #[test]
        fn doubled_dollars_come_back(text in ".{0,30}") {
            let (value, problems) = expand(&text.replace('$', "$$"), Mode::Text);
            prop_assert_eq!(value, text);
            prop_assert!(problems.is_empty());
        }
    }
}
