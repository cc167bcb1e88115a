//! No text, however wrong, makes the parser panic or run away, and its messages can always be rendered.

use std::path::Path;

use forge_config::{Context, Diagnostics, parse, resolve};
use proptest::prelude::*;

fn read(text: &str) -> Result<(), Diagnostics> {
    let config = parse(text, Path::new("/w"), Path::new("/w/.forge/processes.yml"))?;
    for warning in &config.warnings {
        let _ = warning.render(true, true);
    }
    for name in config.environments.keys() {
        if let Err(errors) = resolve(&config, name, &Context::default()) {
            let _ = errors.render(false, true);
        }
    }
    Ok(())
}

fn read_and_render(text: &str) {
    if let Err(errors) = read(text) {
        assert!(!errors.is_empty(), "an error that says nothing about {text:?}");
        let _ = (errors.render(false, false), errors.render(true, true));
        for error in &errors {
            assert!(error.line <= text.lines().count() + 1, "line {} of {text:?}", error.line);
        }
    }
}

fn fixtures() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    ["valid", "invalid"]
        .iter()
        .flat_map(|kind| std::fs::read_dir(folder.join(kind)).expect("fixtures"))
        .filter_map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).ok())
        .collect()
}

/// A fixture with something cut out, put in twice, or replaced.
fn mutated() -> impl Strategy<Value = String> {
    let snippets = prop::sample::select(vec![
        "", " ", "\n", "\t", ":", "- ", "{", "}", "[", "]", "\"", "'", "&a ", "*a", "<<: ", "|\n", "#", "${",
        "$$", "é", "\u{0}", "null", "~", "!x ", "---\n", "? ", "\r\n", "0", "name: ",
    ]);
    (prop::sample::select(fixtures()), any::<prop::sample::Index>(), any::<prop::sample::Index>(), snippets)
        .prop_map(|(text, from, len, snippet)| {
            let mut chars: Vec<char> = text.chars().collect();
            if chars.is_empty() {
                return snippet.to_owned();
            }
            let from = from.index(chars.len());
            let to = (from + len.index(20)).min(chars.len());
            chars.splice(from..to, snippet.chars());
            chars.into_iter().collect()
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in r"(?s).{0,200}") {
        read_and_render(&text);
    }

    #[test]
    fn any_yaml_like_text_is_answered(text in r#"([a-z]{1,4}(: |:\n)|- |  |\n|\[|\]|\{|\}|, |&a |\*a|<<: |"|'|#|[0-9]+|\$\{|\||>|!){0,60}"#) {
        read_and_render(&text);
    }

    #[test]
    fn a_mutated_configuration_is_answered(text in mutated()) {
        read_and_render(&text);
    }
}

#[test]
fn what_is_huge_ends_in_a_message() {
    let many = format!("dev:\n{}", "  - { name: a, command: b, prot: 1 }\n".repeat(5_000));
    let errors = read(&many).expect_err("every process is wrong");
    assert!(errors.len() <= 101, "{} messages", errors.len());
    for text in [
        "[".repeat(20_000),
        "{a: ".repeat(20_000),
        "- ".repeat(20_000),
        format!("dev: {}", "&a ".repeat(10_000)),
        format!("dev:\n  - name: a\n    command: '{}'\n", "x".repeat(400_000)),
        format!("dev:\n{}", "  a: b\n".repeat(20_000)),
        "? ".repeat(50_000),
        "a: ".repeat(50_000),
        "\n".repeat(100_000),
        format!("dev:\n  - {{ name: a, command: b, depends_on: [{}] }}\n", "nobody, ".repeat(30_000)),
        format!("dev: [{}]", "{name: a, command: b}, ".repeat(30_000)),
        format!("dev: [{{ name: {}, command: b }}]", "a".repeat(200_000)),
        format!("dev: [{{ {}: 1 }}]", "k".repeat(200_000)),
        (0..5_000)
            .map(|n| format!("e{}: {{ extends: e{n}, processes: [{{name: p{n}, command: x}}] }}\n", n + 1))
            .collect(),
        format!("dev: \"{}\"", "\\u0041".repeat(20_000)),
    ] {
        read_and_render(&text);
    }
}
