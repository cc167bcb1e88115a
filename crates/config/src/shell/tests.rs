use proptest::prelude::*;

use super::*;

fn shell(text: &str) -> Command {
    Command::Shell(text.to_owned())
}

/// What the shell is given, and whether it stays.
fn script(text: &str) -> (String, bool) {
    let mut argv = argv(&shell(text));
    (argv.argv.pop().expect("a script"), argv.shell_status)
}

#[test]
fn one_simple_command_takes_the_place_of_its_shell() {
    for (text, executed) in [
        ("  npm run dev\n", "  exec npm run dev\n"),
        ("A=1 B='x y' node .", "A=1 B='x y' exec node ."),
        ("echo-server 2>&1 >log", "exec echo-server 2>&1 >log"),
        (">log server", ">log exec server"),
        ("2>/dev/null A=1 server", "2>/dev/null A=1 exec server"),
        ("$SERVER --port $PORT", "exec $SERVER --port $PORT"),
        ("node -e 'a && b; c | d'", "exec node -e 'a && b; c | d'"),
        ("node -e \"$(cat x | y)\" `z;`", "exec node -e \"$(cat x | y)\" `z;`"),
        ("run \\\n  --flag # and; more", "exec run \\\n  --flag # and; more"),
        ("run ${A:-x;y} $((1 + (2)))", "exec run ${A:-x;y} $((1 + (2)))"),
        ("'my server' a\\;b", "exec 'my server' a\\;b"),
        ("server;", "exec server;"),
        ("exec server -x", "exec server -x"),
        ("/bin/[ x", "exec /bin/[ x"),
    ] {
        assert_eq!(script(text), (executed.to_owned(), false), "{text:?}");
    }
}

#[test]
fn words_alone_need_no_shell() {
    for (text, executed) in [
        ("npm run dev", &["npm", "run", "dev"][..]),
        ("npm run a=b", &["npm", "run", "a=b"]),
        ("./bin/server  --port=80,81 @x/y +z 50%", &["./bin/server", "--port=80,81", "@x/y", "+z", "50%"]),
    ] {
        let argv = argv(&shell(text));
        assert_eq!(
            (argv.argv, argv.shell_status),
            (executed.iter().map(|&word| word.into()).collect(), false),
            "{text:?}"
        );
    }
    for text in [
        "A=1 server",
        "server ~/x",
        "server *",
        "server 'x'",
        "server $X",
        "echo x",
        "exec server",
        "server#x y",
    ] {
        let argv = argv(&shell(text)).argv;
        assert_eq!(argv[..2], ["/bin/sh", "-c"], "{text:?} means something to a shell");
    }
}

#[test]
fn everything_else_keeps_its_shell() {
    for text in [
        "a && b",
        "a || b",
        "a; b",
        "a | b",
        "a & b",
        "a &",
        "a\nb",
        "(a)",
        "{ a; }",
        "if a; then b; fi",
        "! a",
        "while true; do a; done",
        "for i in 1 2; do a; done",
        "cd web",
        "export A=1",
        ". ./env",
        "echo hi",
        "A=1",
        ">file",
        "exec >file",
        "cat <<EOF\nx\nEOF",
        "f() { a; }",
        "a 'b",
        "a \"b",
        "a $(b",
        "trap 'x' TERM",
        "[ -f x ]",
        "",
        " \n",
        "time a",
        "[[ a ]]",
    ] {
        assert_eq!(script(text), (text.to_owned(), true), "{text:?}");
    }
}

#[test]
fn a_list_needs_no_shell() {
    let argv = argv(&Command::Exec(vec!["a".into(), "b c".into()]));
    assert_eq!(argv, Argv { argv: vec!["a".into(), "b c".into()], shell_status: false });
}

#[test]
fn the_programs_that_will_surely_be_wanted_are_known() {
    for (text, expected) in [
        ("npm run dev", &["npm"][..]),
        ("A=1 'my server' x", &["my server"]),
        ("exec ./run.sh", &["./run.sh"]),
        ("a && b | c; a", &["a", "b", "c"]),
        ("echo x && node .", &["node"]),
        ("a\n# comment\nb", &["a", "b"]),
        ("$X run", &[]),
        ("cd web && ./run", &[]),
        ("make && cd web && npm start", &["make"]),
        ("a || b", &[]),
        ("a; if b; then c; fi; d", &["a"]),
        ("a; for i in 1; do c; done", &["a"]),
        ("f() { a; }; f", &[]),
        ("(a; b)", &[]),
        ("PATH=/opt/bin:$PATH tool", &[]),
        ("tool 'unclosed", &[]),
        ("server >log 2>&1 & other", &["server", "other"]),
    ] {
        assert_eq!(programs(&shell(text)), expected, "{text:?}");
    }
    assert_eq!(programs(&Command::Exec(vec!["x".into(), "y".into()])), ["x"]);
}

#[test]
fn what_a_shell_could_not_read_is_told() {
    for (text, why) in [
        ("a 'b", Some("a `'` is never closed")),
        ("a \"b", Some("a `\"` is never closed")),
        ("a $(b", Some("a `$(` is never closed")),
        ("a ${b", Some("a `${` is never closed")),
        ("a `b", Some("a backquote is never closed")),
        ("a 'b' \"$(c 'd')\"", None),
        ("cat <<EOF\nit's\nEOF", None),
        ("a # it's", None),
    ] {
        assert_eq!(unfinished(text), why, "{text:?}");
    }
}

#[test]
fn windows_programs_are_known() {
    for (text, program) in [
        ("npm run dev", Some("npm")),
        ("\"C:\\Program Files\\x.exe\" -a", Some("C:\\Program Files\\x.exe")),
        ("a&b", Some("a")),
        ("echo x", None),
        ("%X% a", None),
        ("", None),
    ] {
        assert_eq!(windows_program(text).as_deref(), program, "{text}");
    }
}

/// Nothing but the status and the output of a real shell can say whether `exec` changed the meaning.
#[cfg(unix)]
#[test]
fn exec_changes_nothing_but_the_process() {
    for text in [
        "env A=1 sh -c 'echo $A $0 \"$@\"' x 'y  z' \"q\"",
        "A='1 2' sh -c 'echo $A; exit 3'",
        "sh -c 'echo out; echo err >&2' 2>/dev/null",
        "2>/dev/null A=1 sh -c 'echo $A; ls /nonexistent'",
        "no-such-program-at-all 2>/dev/null",
    ] {
        let run = |script: &str| {
            let output =
                std::process::Command::new("/bin/sh").args(["-c", script]).output().expect("a shell");
            (output.status.code(), output.stdout)
        };
        let (executed, stays) = script(text);
        assert!(!stays, "{text} was not taken for a simple command");
        assert_eq!(run(&executed), run(text), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_answered(text in r#"[a-z =;&|<>(){}$'"`\\#\n!]{0,40}|.{0,40}"#) {
        let _ = argv(&shell(&text));
        let _ = programs(&shell(&text));
        let _ = windows_program(&text);
    }

    #[test]
    fn a_quoted_text_is_one_word(text in "[^\0]{0,40}") {
        let tokens = words::tokens(&words::quote(&text)).expect("quotes are closed");
        let [Token::Word(word)] = &tokens[..] else {
            return Err(TestCaseError::fail(format!("{tokens:?} is not one word")));
        };
        prop_assert_eq!(word.literal.as_deref(), Some(text.as_str()));
    }
}
