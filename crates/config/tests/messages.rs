//! What people read when a configuration is wrong: one snapshot for each file of `tests/fixtures/invalid`.

use std::path::{Path, PathBuf};

use forge_config::{Diagnostics, Workspace, load, parse};

fn fixtures(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(kind);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder of fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .collect();
    files.sort();
    files
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).expect("a name")
}

fn errors(file: &Path) -> Diagnostics {
    let root = file.parent().expect("a folder").to_path_buf();
    let workspace = Workspace { root: root.clone(), file: file.to_path_buf() };
    load(&workspace).expect_err(stem(file)).relative_to(&root)
}

#[test]
fn every_wrong_file_is_explained() {
    let files = fixtures("invalid");
    assert!(files.len() >= 30, "only {} fixtures were found", files.len());
    for file in files {
        insta::assert_snapshot!(stem(&file), errors(&file).render(false, true));
    }
}

#[test]
fn every_message_names_its_place_and_stays_within_80_columns() {
    for file in fixtures("invalid") {
        for diagnostic in &errors(&file) {
            let text = diagnostic.render(false, false);
            if diagnostic.line > 0 {
                let place = format!("{}.yml:{}:{}", stem(&file), diagnostic.line, diagnostic.column);
                assert!(text.contains(&place), "{place} is missing in:\n{text}");
                assert!(text.contains('^'), "no caret in:\n{text}");
            }
            let wide = text.lines().find(|line| line.chars().count() > 80);
            assert_eq!(wide, None, "too wide, in {}", stem(&file));
        }
    }
}

#[test]
fn without_unicode_only_the_file_itself_brings_any() {
    for file in fixtures("invalid") {
        let source = std::fs::read(&file).expect("a fixture");
        let text = errors(&file).render(false, false);
        if source.is_ascii() {
            let other: String = text.chars().filter(|c| !c.is_ascii()).collect();
            assert_eq!(other, "", "in the message about {}", stem(&file));
        }
    }
}

#[test]
fn colours_come_only_when_asked_for() {
    let error = errors(&fixtures("invalid")[0]);
    assert!(!error.render(false, true).contains('\u{1b}'), "escape sequences without colour");
    assert!(error.render(true, true).contains('\u{1b}'), "no colour");
    assert_eq!(error.to_string(), error.render(false, false), "Display is the plain rendering");
}

#[test]
fn json_has_what_a_script_needs() {
    let error = parse("dev:\n  - name: a\n    comand: x\n", Path::new("/w"), Path::new("/w/p.yml"))
        .expect_err("wrong");
    let json = serde_json::to_value(&error).expect("JSON");
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).expect("JSON"));
}

#[test]
fn line_breaks_and_marks_of_other_systems_change_no_message() {
    let text = "# é\ndev:\n  - name: a\n    command: x\n    env: { A: \"é🦀\", B: [1] }\n    prot: 1\n";
    let explain = |text: &str| parse(text, Path::new("/w"), Path::new("p.yml")).expect_err("wrong");
    let plain = explain(text);
    let places: Vec<_> = plain.iter().map(|one| (one.line, one.column)).collect();
    assert_eq!(places, [(5, 24), (6, 5)], "columns count characters");
    assert!(plain.to_string().contains("p.yml:5:24"), "the rendering says otherwise:\n{plain}");
    for other in [text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
        assert_eq!(explain(&other).render(false, true), plain.render(false, true), "{other:?}");
    }
}

#[test]
fn what_is_odd_is_told_without_stopping() {
    let text = "dev:
  - { name: api, command: \"echo 'hi\", port: 3000, depends_on: { off: started, seed: completed } }
  - { name: web, command: \"docker run -d web\", port: 3000 }
  - { name: off, command: ./off, disabled: true }
  - { name: seed, command: \"./seed ${nobody.port}\" }
  - { name: once, command: ./once, one_shot: true, health_check: ./check }
";
    let config = parse(text, Path::new("/w"), Path::new("p.yml")).expect("only odd");
    insta::assert_snapshot!(Diagnostics::from(config.warnings).render(false, true));
}

/// Every valid fixture, as it is understood.
#[test]
fn every_right_file_is_understood() {
    for file in fixtures("valid") {
        let root = file.parent().expect("a folder").to_path_buf();
        let config = load(&Workspace { root: root.clone(), file: file.clone() });
        let config = config.unwrap_or_else(|errors| panic!("{} is valid:\n{errors}", stem(&file)));
        let warnings: Vec<String> = config.warnings.iter().map(|warning| warning.message.clone()).collect();
        assert_eq!(warnings, Vec::<String>::new(), "{} has warnings", stem(&file));
        for environment in config.environments.values() {
            let json = serde_json::to_string_pretty(&environment.processes).expect("JSON");
            insta::assert_snapshot!(format!("valid-{}-{}", stem(&file), environment.name), json);
        }
    }
}
