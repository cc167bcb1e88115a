//! What a shell text is: one simple command, or something that needs its shell while it runs.
//!
//! One simple command is exec'd in the shell's place (`exec` is put before its first word), so that the PID, signals
//! and the exit code are the command's own; where a shell would do nothing but split words, it is left out. For
//! everything else a shell stays in between.

pub(crate) mod words;

use crate::model::Command;
use words::{Token, Word};

/// What to execute for a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argv {
    /// Program and arguments, the shell included where one is wanted. On Windows the last argument after `/C` is for
    /// `cmd`, which has quoting rules of its own: it is to be handed over as it is.
    pub argv: Vec<String>,
    /// A shell stays for the command's life: its exit code 128+N means signal N. Never on Windows.
    pub shell_status: bool,
}

/// Words that begin something other than a simple command.
const RESERVED: [&str; 20] = [
    "!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until",
    "while", "function", "select", "time", "[[",
];
/// What only the shell itself can do, or does without looking for a program.
const BUILTINS: [&str; 47] = [
    ".", ":", "[", "alias", "bg", "break", "builtin", "cd", "command", "continue", "declare", "dirs",
    "disown", "echo", "eval", "exit", "export", "false", "fc", "fg", "getopts", "hash", "jobs", "kill",
    "let", "local", "popd", "printf", "pushd", "pwd", "read", "readonly", "return", "set", "shift", "shopt",
    "source", "test", "times", "trap", "true", "type", "typeset", "ulimit", "umask", "unset", "wait",
];
/// After these, what a relative path or a name means can't be told any more.
const CHANGES_LOOKUP: [&str; 8] = [".", "cd", "eval", "popd", "pushd", "source", "export", "hash"];

/// Program and arguments for a command on this system.
#[must_use]
pub fn argv(command: &Command) -> Argv {
    match command {
        Command::Exec(argv) => Argv { argv: argv.clone(), shell_status: false },
        Command::Shell(text) if cfg!(windows) => {
            let argv = ["cmd", "/D", "/S", "/C", text].map(str::to_owned).to_vec();
            Argv { argv, shell_status: false }
        }
        Command::Shell(text) => {
            let position = exec_position(text);
            if position == Some(Exec::Before(0)) && is_plain(text) {
                // A shell would only split it and exec: that much of its start is saved.
                return Argv {
                    argv: text.split_ascii_whitespace().map(str::to_owned).collect(),
                    shell_status: false,
                };
            }
            let (script, shell_status) = match position {
                Some(Exec::Before(at)) => (format!("{}exec {}", &text[..at], &text[at..]), false),
                Some(Exec::Already) => (text.clone(), false),
                None => (text.clone(), true),
            };
            Argv { argv: vec!["/bin/sh".to_owned(), "-c".to_owned(), script], shell_status }
        }
    }
}

/// Nothing in it means anything to a shell, but for the spaces.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" _-./:=,@%+".contains(&byte))
}

/// Where `exec` belongs in a simple command.
#[derive(Debug, PartialEq, Eq)]
enum Exec {
    /// Before the word at this offset.
    Before(usize),
    /// It says `exec` itself.
    Already,
}

/// Where `exec` belongs; `None` if the text is not one simple command that can be exec'd.
fn exec_position(text: &str) -> Option<Exec> {
    let simple = simple(text)?;
    let first = simple.words.first()?;
    let name = first.literal.as_deref();
    if name == Some("exec") {
        // `exec >file` alone replaces nothing.
        return (simple.words.len() > 1).then_some(Exec::Already);
    }
    let shells_own =
        name.is_some_and(|name| BUILTINS.contains(&name) || (!first.quoted && RESERVED.contains(&name)));
    (!shells_own).then_some(Exec::Before(first.range.start))
}

/// A simple command: its words without assignments and redirections.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Simple {
    pub(crate) words: Vec<Word>,
}

/// The text as one simple command, if it is one. A `;` or line breaks at its end do not count.
pub(crate) fn simple(text: &str) -> Option<Simple> {
    let mut tokens = words::tokens(text).ok()?;
    while tokens.last() == Some(&Token::Operator("\n")) {
        tokens.pop();
    }
    let begin = tokens.iter().position(|token| *token != Token::Operator("\n"))?;
    if tokens.last() == Some(&Token::Operator(";")) {
        tokens.pop();
    }
    let tokens = &tokens[begin.min(tokens.len())..];
    if tokens.iter().any(|token| matches!(token, Token::Operator(_) | Token::HereDocument)) {
        return None;
    }
    let words = command_words(text, tokens);
    (!words.is_empty()).then_some(Simple { words })
}

/// The words of a simple command, without assignments before it and redirections.
fn command_words(text: &str, tokens: &[Token]) -> Vec<Word> {
    let mut words = Vec::new();
    let mut target = false;
    for token in tokens {
        match token {
            Token::Redirection => target = true,
            Token::Word(_) if target => target = false,
            Token::Word(word) if words.is_empty() && is_assignment(&text[word.range.clone()]) => {}
            Token::Word(word) => words.push(word.clone()),
            _ => {}
        }
    }
    words
}

fn is_assignment(raw: &str) -> bool {
    raw.split_once('=').is_some_and(|(name, _)| {
        let name = name.strip_suffix('+').unwrap_or(name);
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// The programs that a command is sure to look for, as far as that can be known without running it: none that a `$`
/// decides or that follows a `||` or an `if`, and no builtins. In order, without repetition.
#[must_use]
pub fn programs(command: &Command) -> Vec<String> {
    match command {
        Command::Exec(argv) => argv.first().cloned().into_iter().collect(),
        Command::Shell(text) if cfg!(windows) => windows_program(text).into_iter().collect(),
        Command::Shell(text) => shell_programs(text),
    }
}

fn shell_programs(text: &str) -> Vec<String> {
    let Ok(tokens) = words::tokens(text) else { return Vec::new() };
    let mut programs: Vec<String> = Vec::new();
    for list in tokens.split(|token| matches!(token, Token::Operator(";" | "&" | "\n"))) {
        let unsure =
            |token: &Token| matches!(token, Token::Operator("||" | "(" | ")" | ";;") | Token::HereDocument);
        let alternatives = list.contains(&Token::Operator("||"));
        for part in list.split(|token| matches!(token, Token::Operator("&&" | "|" | "|&" | "||"))) {
            let words = command_words(text, part);
            let Some(name) = first_program(&words) else {
                if starts_compound(&words) || part.iter().any(unsure) {
                    return programs;
                }
                continue;
            };
            if part.iter().any(unsure) || CHANGES_LOOKUP.contains(&name) {
                return programs;
            }
            let assigns_path = text[..words[0].range.start].trim_end().contains("PATH=");
            let known = BUILTINS.contains(&name) || assigns_path || alternatives;
            if !known && !programs.iter().any(|program| program == name) {
                programs.push(name.to_owned());
            }
        }
    }
    programs
}

fn starts_compound(words: &[Word]) -> bool {
    let first = words.first().filter(|word| !word.quoted).and_then(|word| word.literal.as_deref());
    first.is_some_and(|name| RESERVED.contains(&name))
}

/// The name of the program that a simple command runs, `exec` looked through.
fn first_program(words: &[Word]) -> Option<&str> {
    if starts_compound(words) {
        return None;
    }
    let mut names = words.iter().map(|word| word.literal.as_deref());
    match names.next()?? {
        "exec" => names.next()?.filter(|name| !name.starts_with('-')),
        name => Some(name),
    }
}

/// The first word of a `cmd` line, if it is a plain one.
fn windows_program(text: &str) -> Option<String> {
    const BUILTINS: [&str; 16] = [
        "call", "cd", "copy", "del", "dir", "echo", "exit", "for", "if", "md", "mkdir", "rd", "rem", "set",
        "start", "type",
    ];
    let text = text.trim_start();
    let program = match text.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => text.split([' ', '\t', '&', '|', '<', '>']).next()?,
    };
    let known = !program.is_empty()
        && !program.contains(['%', '^', '(', '!'])
        && !BUILTINS.contains(&program.to_ascii_lowercase().as_str());
    known.then(|| program.to_owned())
}

/// Why a shell can't read the text to its end.
pub(crate) fn unfinished(text: &str) -> Option<&'static str> {
    if cfg!(windows) { None } else { words::tokens(text).err() }
}

#[cfg(test)]
mod tests;
