//! Errors, and why a start failed, for people.

use forge_api::{Code, Error, Failure, LogLine, Target};
use serde_json::Value;

use crate::view::clean;
use crate::view::style::{Ink, Style};
use crate::view::words;

/// `error: …`, what the details say, `help: …`. Ends with a line feed.
pub(crate) fn error(error: &Error, style: Style) -> String {
    let message = harmless(&error.message).replace('\n', "\n       ");
    let mut text = format!("{} {message}\n", style.paint(Ink::Bad, "error:"));
    if let Some(details) = &error.details {
        text.push_str(&details_of(error.code, details, style));
    }
    if let Some(help) = &error.help {
        text.push_str(&format!("{} {}\n", style.paint(Ink::Busy, "help:"), harmless(help)));
    }
    text
}

fn harmless(text: &str) -> String {
    text.lines().map(|line| clean::line(line)).collect::<Vec<_>>().join("\n")
}

/// What a person wants of the details: the places in the configuration. The rest is for machines.
fn details_of(code: Code, details: &Value, style: Style) -> String {
    let diagnostics =
        details.get("diagnostics").and_then(Value::as_array).filter(|_| code == Code::Configuration);
    diagnostics.into_iter().flatten().filter_map(|item| diagnostic(item, style)).collect()
}

/// One of the configuration's diagnostics as it comes over the wire: without the file's own text.
fn diagnostic(item: &Value, style: Style) -> Option<String> {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    let number = |key: &str| item.get(key).and_then(Value::as_u64).unwrap_or(0);
    let place = match number("line") {
        0 => text("file")?.to_owned(),
        line => format!("{}:{line}:{}", text("file")?, number("column")),
    };
    let help = text("help").map(|help| format!("      {}\n", harmless(help))).unwrap_or_default();
    Some(format!("  {} {}\n{help}", style.paint(Ink::Dim, &format!("{place}:")), harmless(text("message")?)))
}

/// Every cause of a start that failed, its last output, and who waits for it.
pub(crate) fn failures(failures: &[Failure], style: Style) -> String {
    let several = failures.windows(2).any(|pair| pair[0].target.environment != pair[1].target.environment);
    failures.iter().map(|failure| one(failure, several, style)).collect()
}

fn one(failure: &Failure, several: bool, style: Style) -> String {
    let name = words::label(&failure.target, several);
    let mark = style.mark(crate::view::style::Mark::Bad);
    let mut text = format!("\n{mark} {}: {}\n", style.paint(Ink::Bold, &name), harmless(&failure.reason));
    for line in &failure.output {
        text.push_str(&output(line, style));
    }
    if !failure.blocks.is_empty() {
        let verb = if failure.blocks.len() == 1 { "waits" } else { "wait" };
        text.push_str(&format!("  {} {verb} for it\n", words::list(&failure.blocks)));
    }
    // Where its output is, is said below for all of them.
    if let Some(help) = failure.help.as_ref().filter(|help| !help.starts_with("forge logs ")) {
        text.push_str(&format!("  {} {}\n", style.paint(Ink::Busy, "help:"), harmless(help)));
    }
    text
}

fn output(line: &LogLine, style: Style) -> String {
    let bar = if style.unicode { "│" } else { "|" };
    let text = clean::dressed(line, style.color);
    format!("    {} {text}\n", style.paint(Ink::Dim, bar))
}

/// What to run next.
pub(crate) fn hints(hints: &[(String, &str)], style: Style) -> String {
    let widest = hints.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    hints
        .iter()
        .map(|(command, what)| format!("  {command:widest$}  {}\n", style.paint(Ink::Dim, what)))
        .collect()
}

/// `dev did not get ready because of api and worker`; of one process that is its own cause: `api did not get ready`.
pub(crate) fn summary(subject: &str, failures: &[Failure]) -> String {
    let targets: Vec<Target> = failures.iter().map(|failure| failure.target.clone()).collect();
    let names = words::targets(&targets);
    if names.iter().all(|name| name == subject) {
        return format!("{subject} did not get ready");
    }
    format!("{subject} did not get ready because of {}", words::list(&names))
}

#[cfg(test)]
mod tests {
    use forge_api::{Stream, Time};
    use serde_json::json;

    use super::*;

    const STYLE: Style = Style { color: false, unicode: true, width: 80 };

    fn failed() -> Vec<Failure> {
        let line = |text: &str| LogLine {
            time: Time(0),
            environment: "dev".to_owned(),
            process: "api".to_owned(),
            run: 1,
            stream: Stream::Stderr,
            level: None,
            text: text.to_owned(),
            styles: Vec::new(),
            omitted: 0,
            at: "1:0".to_owned(),
        };
        let target = |name: &str| Target { environment: "dev".to_owned(), process: name.to_owned() };
        vec![
            Failure {
                target: target("api"),
                reason: "exit code 1 after 0.3 s".to_owned(),
                help: None,
                output: vec![
                    line("Traceback (most recent call last):"),
                    line("KeyError: \x1b[2J'DATABASE_URL'"),
                ],
                blocks: vec!["frontend".to_owned(), "worker".to_owned()],
            },
            Failure {
                target: target("search"),
                reason: "`meilisearch` was not found in PATH".to_owned(),
                help: Some("install it, or set `disabled: true`".to_owned()),
                output: Vec::new(),
                blocks: vec!["frontend".to_owned()],
            },
        ]
    }

    #[test]
    fn each_cause_with_its_last_output() {
        insta::assert_snapshot!(failures(&failed(), STYLE));
        let summary = summary("dev", &failed());
        assert_eq!(summary, "dev did not get ready because of api and search", "the causes by name");
        let alone = super::summary("api", &failed()[..1]);
        assert_eq!(alone, "api did not get ready", "it is its own cause");
    }

    #[test]
    fn errors_say_what_to_do() {
        let choices = Error::new(Code::Ambiguous, "`web` is in several environments: dev/web, test/web")
            .help("name one of them in full")
            .details(json!(["dev/web", "test/web"]));
        let places = Error::new(Code::Configuration, "the configuration has 1 error").details(json!({"diagnostics": [
            {"code": "unknown_key", "severity": "error", "message": "unknown key `prot`", "file": "/w/.forge/processes.yml",
             "line": 4, "column": 5, "help": "did you mean `port`?"}
        ]}));
        insta::assert_snapshot!(
            [choices, places].iter().map(|e| error(e, STYLE)).collect::<Vec<_>>().join("\n")
        );
    }
}
