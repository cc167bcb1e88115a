use forge_api::{Mood, NoticeKind, Status, Supervisor, Time};

use super::*;

const SHOP: &str = "/home/me/shop";

fn process(name: &str, status: State, ready: bool) -> ProcessStatus {
    ProcessStatus { status, ready, run: 1, wanted: status != State::Stopped, ..ProcessStatus::stopped(name) }
}

fn summary(state: &str, mood: Mood, active: bool, startable: bool) -> EnvironmentSummary {
    EnvironmentSummary {
        workspace: SHOP.into(),
        environment: "dev".to_owned(),
        description: None,
        processes: 2,
        running: 0,
        ready: 0,
        state: state.to_owned(),
        mood,
        active,
        startable,
        url: None,
    }
}

fn crash() -> Notice {
    Notice {
        id: "7-1".to_owned(),
        time: Time::now(),
        workspace: SHOP.into(),
        environment: "dev".to_owned(),
        process: Some("api".to_owned()),
        kind: NoticeKind::Crash,
        summary: "api crashed".to_owned(),
        body: String::new(),
        actions: Vec::new(),
        until: None,
        settled: false,
    }
}

/// One workspace with the environment `dev`.
fn picture(summary: EnvironmentSummary, processes: Vec<ProcessStatus>, notices: Vec<Notice>) -> Picture {
    let workspace = Workspace {
        path: SHOP.into(),
        name: "shop".to_owned(),
        file: format!("{SHOP}/.forge/processes.yml").into(),
        trusted: true,
        problem: None,
        environments: vec![summary],
    };
    let status = Status {
        workspace: SHOP.into(),
        environment: "dev".to_owned(),
        ready: false,
        supervisor: Supervisor { pid: 1, host: forge_api::Host::Desktop, version: String::new() },
        processes,
        events: Vec::new(),
        warnings: Vec::new(),
        muted: Vec::new(),
        url: None,
        machine: None,
    };
    let mut picture = Picture::default();
    picture.replace(vec![workspace], vec![status], notices);
    picture
}

/// The menu as a person reads it.
fn drawn(items: &[Item], depth: usize, text: &mut String) {
    for Item { label, kind, .. } in items {
        let indent = "  ".repeat(depth);
        let line = match kind {
            Kind::Separator => "—".to_owned(),
            Kind::Heading => format!("({label})"),
            Kind::Button { enabled: true, .. } => label.clone(),
            Kind::Button { enabled: false, .. } => format!("({label})"),
            Kind::Check { checked, .. } => format!("[{}] {label}", if *checked { "x" } else { " " }),
            Kind::Submenu(_) => format!("{label} >"),
        };
        text.push_str(&format!("{indent}{line}\n"));
        if let Kind::Submenu(items) = kind {
            drawn(items, depth + 1, text);
        }
    }
}

fn text(picture: &Picture) -> String {
    let mut text = String::new();
    drawn(&menu(picture), 0, &mut text);
    text
}

#[test]
fn without_workspaces_the_rest_is_there() {
    let expected = "Open Forge\n—\nPorts…\n—\n[ ] Launch at login\nQuit Forge\n";
    assert_eq!(text(&Picture::default()), expected, "the menu");
}

#[test]
fn trouble_comes_first_and_states_stand_in_the_labels() {
    let processes = vec![process("api", State::Restarting, false), process("db", State::Running, true)];
    let picture = picture(summary("api crashed", Mood::Trouble, true, false), processes, vec![crash()]);
    let expected = "\
Open Forge
api crashed
—
(shop)
dev — api crashed >
  (Start dev)
  Stop dev
  Restart dev
  —
  api — restarting >
    (Start)
    Stop
    Restart
    Show log
  db — ready >
    (Start)
    Stop
    Restart
    Show log
—
Ports…
—
[ ] Launch at login
Quit Forge
";
    assert_eq!(text(&picture), expected, "the menu");
}

#[test]
fn verbs_that_make_no_sense_cannot_be_clicked() {
    // State, wanted; start, stop, restart.
    let cases = [
        (State::Stopped, false, [true, false, false]),
        (State::Waiting, true, [false, true, true]),
        (State::Running, true, [false, true, true]),
        (State::Stopping, false, [true, true, true]),
        (State::Exited, true, [true, true, true]),
        (State::Failed, true, [true, true, true]),
        (State::Restarting, true, [false, true, true]),
    ];
    for (state, wanted, expected) in cases {
        let process = ProcessStatus { wanted, ..process("api", state, false) };
        let item = process_item(Path::new(SHOP), "dev", &process);
        let Kind::Submenu(items) = item.kind else { panic!("{} is no submenu", item.label) };
        let enabled: Vec<bool> = items
            .iter()
            .take(3)
            .map(|item| matches!(item.kind, Kind::Button { enabled: true, .. }))
            .collect();
        assert_eq!(enabled, expected, "{state:?}");
    }
}

#[test]
fn a_click_finds_what_it_asks_for() {
    let stopped = vec![process("api", State::Stopped, false)];
    let items = menu(&picture(summary("stopped", Mood::Stopped, false, true), stopped, vec![crash()]));
    let named = |process: Option<&str>| Named {
        workspace: SHOP.into(),
        environment: "dev".to_owned(),
        process: process.map(str::to_owned),
    };
    let cases = [
        ("start /home/me/shop dev".to_owned(), Act::Start(named(None))),
        ("restart /home/me/shop dev/api".to_owned(), Act::Restart(named(Some("api")))),
        ("notice 7-1".to_owned(), Act::Show(Some("#/e/%2Fhome%2Fme%2Fshop/dev/p/api?notice=7-1".to_owned()))),
        ("open".to_owned(), Act::Show(None)),
    ];
    for (id, expected) in cases {
        assert_eq!(act(&items, &id), Some(&expected), "{id}");
    }
    assert_eq!(act(&items, "workspace /home/me/shop"), None, "a heading does nothing");
}

#[test]
fn ids_are_unique_and_outlive_a_change_of_state() {
    fn ids(items: &[Item], into: &mut Vec<String>) {
        for item in items {
            into.push(item.id.clone());
            if let Kind::Submenu(items) = &item.kind {
                ids(items, into);
            }
        }
    }
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let stopped = vec![process("api", State::Stopped, false)];
    let running = vec![process("api", State::Running, true)];
    ids(&menu(&picture(summary("stopped", Mood::Stopped, false, true), stopped, vec![])), &mut before);
    ids(&menu(&picture(summary("running", Mood::Ready, true, false), running, vec![])), &mut after);
    assert_eq!(before, after, "nothing moves");
    before.sort_unstable();
    before.dedup();
    assert_eq!(before.len(), after.len(), "unique: {after:?}");
}
