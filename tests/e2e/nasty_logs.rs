//! `forge logs` of what no program should write: each content is shown, searched, saved, followed and grouped.

use forge_tests::{Outcome, Signal, Value, World, wait_until};

/// What a program writes, and what is known of it.
#[derive(Default)]
struct Content {
    bytes: Vec<u8>,
    lines: usize,
    /// Of those, the ones that begin with `ERROR needle`.
    hits: usize,
}

impl Content {
    /// A line that no search looks for.
    fn calm(&mut self, nasty: impl AsRef<[u8]>) {
        self.line("calm ", nasty.as_ref());
    }

    fn hit(&mut self, nasty: impl AsRef<[u8]>) {
        self.hits += 1;
        self.line("ERROR needle ", nasty.as_ref());
    }

    fn line(&mut self, head: &str, nasty: &[u8]) {
        self.lines += 1;
        self.bytes.extend_from_slice(head.as_bytes());
        self.bytes.extend_from_slice(nasty);
        self.bytes.push(b'\n');
    }

    /// A calm line and one to be found of each.
    fn of(nasties: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut content = Self::default();
        for nasty in nasties {
            content.calm(&nasty);
            content.hit(&nasty);
        }
        content
    }

    /// Written by `a`, which then prints `over`.
    fn written(&self) -> World {
        let world = World::with("dev:\n  - {name: a, command: nasty pour nasty.bin print over forever}\n");
        world.write("nasty.bin", &self.bytes);
        world.start();
        wait_until("all of it is stored", || {
            world.forge(["logs", "a", "-n", "1"]).run().ok().stdout.contains("| over\n")
        });
        world
    }

    /// Everything that `forge logs` can do with it.
    fn check(&self) -> World {
        let world = self.written();
        self.shown(&world);
        self.found(&world);
        self.saved(&world);
        self.followed(&world);
        self.grouped(&world, self.lines + 1);
        world
    }

    fn shown(&self, world: &World) {
        assert_eq!(programs(&run(world, &["--json"])), self.lines + 1, "each line once");
        let people = run(world, &["--stream", "stdout"]);
        assert_eq!(people.lines().count(), self.lines + 1, "a line of the program is a line");
        let colored = run(world, &["--color", "always"]);
        assert!(is_harmless(&without_colors(&colored)), "with colours there are colours and nothing else");
    }

    fn found(&self, world: &World) {
        let (all, hits) = (self.lines + 1, self.hits);
        let count = |arguments: &[&str]| programs(&run(world, &[&["--json"], arguments].concat()));
        assert_eq!(count(&["--grep", "ERROR needle"]), hits, "as it is written");
        assert_eq!(count(&["--grep", "error NEEDLE"]), 0, "case counts");
        assert_eq!(count(&["--grep", "error NEEDLE", "-i"]), hits, "unless told otherwise");
        assert_eq!(count(&["--grep", "needle", "-v"]), all - hits, "all the others");
        assert_eq!(count(&["--level", "error"]), hits, "by their level");
        // The last one stands before `over`, which is its context.
        assert_eq!(
            count(&["--grep", "over|ERROR needle", "--context", "1"]),
            self.around(),
            "with a line around"
        );
    }

    /// Lines within one of a hit.
    fn around(&self) -> usize {
        let hits: Vec<bool> = self
            .bytes
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| line.starts_with(b"ERROR needle"))
            .chain([true])
            .collect();
        let near = |at: usize| hits[at.saturating_sub(1)..hits.len().min(at + 2)].contains(&true);
        (0..hits.len()).filter(|at| near(*at)).count()
    }

    fn saved(&self, world: &World) {
        let stdout =
            |file: &str| world.forge(["logs", "a", "--stream", "stdout", "--save", file]).run().ok().clone();
        for file in ["x.txt", "x.jsonl"] {
            stdout(file).says(&format!("saved {} lines to {file}", self.lines + 1));
            let text = world.read(file);
            assert_eq!(text.lines().count(), self.lines + 1, "{file}: each line once");
            assert!(is_harmless(&text), "{file}: nothing in it that a terminal acts upon");
        }
        stdout("x.gz");
        let unpacked = world.program(std::path::Path::new("/bin/gzip"), ["-dc", "x.gz"]).run();
        assert_eq!(unpacked.ok().stdout, world.read("x.txt"), "packed it is the same");
    }

    fn followed(&self, world: &World) {
        let mut follow = world.forge(["logs", "-f", "a", "--stream", "stdout"]).spawn();
        follow.wait_for_output("| over\n");
        follow.signal(Signal::INT);
        let outcome = follow.wait();
        assert_eq!(checked(outcome.code(130)).lines().count(), self.lines + 1, "from the first line on");
    }

    /// `saying`: the lines that say something.
    fn grouped(&self, world: &World, saying: usize) {
        run(world, &["--patterns"]);
        let patterns = world.forge(["logs", "a", "--stream", "stdout", "--patterns", "--json"]).run();
        assert!(is_harmless(&patterns.stdout), "{}", shortened(&patterns.stdout));
        let counts = patterns.ok().json_lines();
        let counts = counts.iter().map(|pattern| pattern["count"].as_u64().expect("a count"));
        assert_eq!(counts.sum::<u64>(), saying as u64, "each line is counted once");
    }
}

/// `forge logs a ARGUMENTS`: what it prints, which nothing acts upon.
#[track_caller]
fn run(world: &World, arguments: &[&str]) -> String {
    let outcome = world.forge([&["logs", "a"], arguments].concat()).run();
    if arguments.contains(&"always") { outcome.ok().stdout.clone() } else { checked(outcome.ok()) }
}

#[track_caller]
fn checked(outcome: &Outcome) -> String {
    assert!(is_harmless(&outcome.stdout), "something to act upon: {}", shortened(&outcome.stdout));
    outcome.stdout.clone()
}

fn is_harmless(text: &str) -> bool {
    !text.chars().any(|one| one.is_control() && one != '\n' && one != '\t')
}

/// Around the first control character: some of these texts have megabytes.
fn shortened(text: &str) -> String {
    let bad = text.char_indices().find(|(_, one)| one.is_control() && *one != '\n' && *one != '\t');
    let from = text.floor_char_boundary(bad.map_or(0, |(at, _)| at).saturating_sub(40));
    text[from..].chars().take(200).collect::<String>().escape_debug().to_string()
}

/// Without what Forge itself dresses text in: `ESC [ numbers m`.
fn without_colors(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let behind = part.trim_start_matches(|one: char| one.is_ascii_digit() || one == ';');
        plain.push_str(behind.strip_prefix('m').unwrap_or("\x1b not a colour"));
    }
    plain
}

/// Lines of the program among those of `--json`.
#[track_caller]
fn programs(lines: &str) -> usize {
    let parse = |line| serde_json::from_str::<Value>(line).expect("a line is a JSON object");
    lines.lines().map(parse).filter(|line| line["stream"] != "forge").count()
}

#[test]
fn lines_of_many_fragments_are_lines() {
    let filler = |byte: u8| vec![byte; 300_000];
    let content = Content::of([filler(b'y'), filler(b' '), [filler(b'x'), b" end".to_vec()].concat()]);
    let world = content.check();
    let ends = run(&world, &["--json", "--grep", "x end$"]);
    assert_eq!(programs(&ends), 2, "a line of many fragments is whole");
}

#[test]
fn bytes_that_are_no_text_are_shown_as_such() {
    let content = Content::of([
        b"nul \0\0\0 in the middle".to_vec(),
        vec![0; 10_000],
        b"bad \xff\xfe\xc3( utf-8".to_vec(),
        b"cut off \xf0\x9f\x92".to_vec(),
        b"surrogate \xed\xa0\x80, too long \xc0\x80, beyond \xf4\x90\x80\x80".to_vec(),
        (0..=255).filter(|byte| !matches!(byte, b'\n' | b'\r' | 8 | 0x1b)).collect(),
        "C1 \u{80}\u{85}\u{8d}\u{99} and DEL \x7f".into(),
    ]);
    let world = content.check();
    let lines = run(&world, &["--grep", "ERROR needle nul", "--json"]);
    assert!(lines.contains("nul  in the middle"), "{lines}");
    assert_eq!(programs(&run(&world, &["--json", "--grep", "\u{fffd}\\( utf-8"])), 2, "as it is shown");
}

#[test]
fn thousands_of_escape_sequences_on_a_line_are_harmless() {
    let bomb = |sequence: &str| format!("before {} after", sequence.repeat(2000)).into_bytes();
    let content = Content::of([
        bomb("\x1b[31m\x1b[1m"),
        bomb("\x1b[38;2;1;2;3mx\x1b[0m"),
        bomb("\x1b[2J\x1b[3J\x1b[1;1H"),
        bomb("\x1b[?1049h\x1b[?25l\x1b[6n\x1bc"),
        bomb("\x1b]0;title\x07\x1b]52;c;aGk=\x1b\\\x1bP1;2q\x1b\\"),
        bomb("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\"),
        bomb("\x1b[999999999999999999999C"),
        bomb("\u{9b}31m\u{9d}0;t\u{9c}"),
        bomb("\x07\x0b\x0c\x0e\x0f\x05"),
    ]);
    let world = content.check();
    assert_eq!(
        programs(&run(&world, &["--json", "--grep", "^ERROR needle before  after$"])),
        6,
        "as it is shown"
    );
}

#[test]
fn sequences_without_an_end_swallow_no_other_line() {
    let ends = [
        "\x1b",
        "\x1b[",
        "\x1b[31",
        "\x1b[38;2;",
        "\x1b[?",
        "\x1b]",
        "\x1b]0;title",
        "\x1b]52;c;aGk=",
        "\x1bP1;2",
        "\x1bX",
        "\x1b^",
        "\x1b_",
        "\x1b(",
        "\u{9b}",
        "\u{9b}3",
        "\u{9d}0;x",
        "\u{90}",
        "\x1b[31m",
        "\x1b]0;t\x1b",
    ];
    Content::of(ends.iter().map(|end| format!("text {end}").into_bytes())).check();
}

#[test]
fn a_flood_of_a_hundred_thousand_empty_lines_is_counted_exactly() {
    let mut content = Content::default();
    content.hit("first");
    content.bytes.extend(vec![b'\n'; 100_000]);
    content.lines += 100_000;
    content.hit("last");
    // Each of these goes through all of them, which takes a while.
    let world = content.written();
    let count = |arguments: &[&str]| programs(&run(&world, &[&["--json"], arguments].concat()));
    assert_eq!(count(&[]), content.lines + 1, "each line once");
    assert_eq!(count(&["--grep", "^$"]), 100_000, "and can be looked for");
    assert_eq!(count(&["--grep", "NEEDLE", "-i"]), 2, "or passed over");
    // The last of them has the end's line behind it.
    assert_eq!(count(&["--level", "error", "--context", "2"]), 3 + 4, "with what stands around it");
    assert_eq!(count(&["-n", "5000"]), 5000, "counted from the end");
    world.forge(["logs", "a", "--save", "x.gz", "--stream", "stdout"]).run().ok().says("saved 100003 lines");
    content.followed(&world);
    // The first, the last, and the one that says that it is over.
    content.grouped(&world, 3);
}

#[test]
fn lines_that_grow_on_their_way_are_shown_all_the_same() {
    // A byte that is no text becomes three, and what JSON escapes becomes two.
    let filler = |byte: u8| vec![byte; 5 << 20];
    let content = Content::of([filler(0xff), filler(b'"')]);
    let world = content.written();
    assert_eq!(programs(&run(&world, &["--json"])), content.lines + 1, "each line once");
    let people = run(&world, &["--grep", "needle"]);
    let whole = people.lines().filter(|line| line.len() > 5 << 20).count();
    assert_eq!(whole, content.hits, "whole, though no page has room for them");
    content.grouped(&world, content.lines + 1);
}
