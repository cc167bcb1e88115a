//! The words and operators of a shell text, as POSIX 2.3 "Token Recognition" has them.
//!
//! Nothing is expanded: a word is kept as it is written, with its value where no expansion decides it.

use std::ops::Range;

/// A piece of a shell text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Word(Word),
    /// `&&`, `|`, `;`, `(`, … and a line break, as `\n`.
    Operator(&'static str),
    /// `>`, `2>>`, `<&`, …: the next word is its target.
    Redirection,
    /// `<<`: the lines that follow are no words.
    HereDocument,
}

/// A word as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// Where it stands in the text.
    pub(crate) range: Range<usize>,
    /// Its value, if no `$`, backquote, glob or tilde has a say in it.
    pub(crate) literal: Option<String>,
    /// Some of it is quoted or escaped, so it is no reserved word.
    pub(crate) quoted: bool,
}

/// Longest first.
const OPERATORS: [&str; 10] = ["&&", "||", ";;", "|&", ";", "&", "|", "(", ")", "\n"];
const REDIRECTIONS: [&str; 10] = ["&>>", "&>", ">>", ">&", ">|", "<>", "<&", ">", "<", "<<<"];
/// As deep as `$( … )` is followed.
const DEEPEST: usize = 32;

/// Why a text ends too early.
pub(crate) type Unfinished = &'static str;

/// Takes a text apart.
///
/// # Errors
/// A quote or a bracket that is never closed.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Unfinished> {
    let mut scanner = Scanner { text, at: 0, depth: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = scanner.next()? {
        let ends = token == Token::HereDocument;
        tokens.push(token);
        if ends {
            break;
        }
    }
    Ok(tokens)
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn next(&mut self) -> Result<Option<Token>, Unfinished> {
        self.skip_blanks();
        let rest = self.rest();
        if rest.is_empty() {
            return Ok(None);
        }
        if let Some(token) = self.redirection() {
            return Ok(Some(token));
        }
        if let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
            self.at += operator.len();
            return Ok(Some(Token::Operator(operator)));
        }
        self.word().map(|word| Some(Token::Word(word)))
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            if rest.starts_with([' ', '\t', '\r']) {
                self.at += 1;
            } else if rest.starts_with("\\\n") {
                self.at += 2;
            } else if rest.starts_with('#') {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else {
                return;
            }
        }
    }

    /// A redirection with the number before it, if one stands here.
    fn redirection(&mut self) -> Option<Token> {
        let rest = self.rest();
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = &rest[digits..];
        if after.starts_with("<<") && !after.starts_with("<<<") {
            return Some(Token::HereDocument);
        }
        let mut found = REDIRECTIONS.iter().filter(|operator| after.starts_with(**operator));
        let operator = found.clone().find(|operator| operator.len() > 1).or_else(|| found.next())?;
        if digits > 0 && operator.starts_with('&') {
            return None;
        }
        self.at += digits + operator.len();
        Some(Token::Redirection)
    }

    fn word(&mut self) -> Result<Word, Unfinished> {
        let begin = self.at;
        let mut value = Some(String::new());
        let mut quoted = false;
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                '\'' | '"' => {
                    quoted = true;
                    self.quotes(c, &mut value)?;
                }
                '\\' => {
                    quoted = true;
                    self.at += 1;
                    match self.bump() {
                        Some('\n') => {}
                        Some(c) => push(&mut value, c),
                        None => push(&mut value, '\\'),
                    }
                }
                '$' => self.dollar(&mut value)?,
                '`' => {
                    value = None;
                    self.backquotes()?;
                }
                '*' | '?' => {
                    value = None;
                    self.at += 1;
                }
                '[' if self.closes_in_word() => {
                    value = None;
                    self.at += 1;
                }
                '~' if self.at == begin => {
                    value = None;
                    self.at += 1;
                }
                _ => {
                    self.at += c.len_utf8();
                    push(&mut value, c);
                }
            }
        }
        Ok(Word { range: begin..self.at, literal: value, quoted })
    }

    /// A `[` is a glob only with its `]`.
    fn closes_in_word(&self) -> bool {
        self.rest().split(char::is_whitespace).next().is_some_and(|word| word.contains(']'))
    }

    fn quotes(&mut self, quote: char, value: &mut Option<String>) -> Result<(), Unfinished> {
        self.at += 1;
        loop {
            match self.peek() {
                None if quote == '"' => return Err("a `\"` is never closed"),
                None => return Err("a `'` is never closed"),
                Some(c) if c == quote => {
                    self.at += 1;
                    return Ok(());
                }
                Some('\\') if quote == '"' => {
                    self.at += 1;
                    match self.bump() {
                        Some('\n') => {}
                        Some(c @ ('$' | '`' | '"' | '\\')) => push(value, c),
                        other => {
                            push(value, '\\');
                            other.into_iter().for_each(|c| push(value, c));
                        }
                    }
                }
                Some('$') if quote == '"' => self.dollar(value)?,
                Some('`') if quote == '"' => {
                    *value = None;
                    self.backquotes()?;
                }
                Some(c) => {
                    self.at += c.len_utf8();
                    push(value, c);
                }
            }
        }
    }

    /// Skips what begins with `$`; it decides the word's value, unless it is a `$` alone.
    fn dollar(&mut self, value: &mut Option<String>) -> Result<(), Unfinished> {
        self.at += 1;
        match self.peek() {
            Some('(') => {
                *value = None;
                self.at += 1;
                self.until(')', "a `$(` is never closed")
            }
            Some('{') => {
                *value = None;
                self.at += 1;
                self.until('}', "a `${` is never closed")
            }
            Some(c) if c.is_ascii_alphanumeric() || "_@*#?-$!".contains(c) => {
                *value = None;
                self.at += 1;
                Ok(())
            }
            // `$'…'` and `$"…"` of bash.
            Some('\'' | '"') => {
                *value = None;
                Ok(())
            }
            _ => {
                push(value, '$');
                Ok(())
            }
        }
    }

    /// Skips to the bracket that closes, over quotes and brackets inside.
    fn until(&mut self, close: char, unfinished: Unfinished) -> Result<(), Unfinished> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("substitutions are nested too deep");
        }
        let mut inner = None;
        loop {
            match self.peek() {
                None => return Err(unfinished),
                Some(c) if c == close => {
                    self.at += 1;
                    self.depth -= 1;
                    return Ok(());
                }
                Some(c @ ('\'' | '"')) => self.quotes(c, &mut inner)?,
                Some('`') => self.backquotes()?,
                Some('$') => self.dollar(&mut inner)?,
                Some('\\') => {
                    self.at += 1;
                    self.bump();
                }
                Some('(') if close == ')' => {
                    self.at += 1;
                    self.until(')', unfinished)?;
                }
                Some(c) => self.at += c.len_utf8(),
            }
        }
    }

    fn backquotes(&mut self) -> Result<(), Unfinished> {
        self.at += 1;
        loop {
            match self.bump() {
                None => return Err("a backquote is never closed"),
                Some('`') => return Ok(()),
                Some('\\') => {
                    self.bump();
                }
                Some(_) => {}
            }
        }
    }
}

fn push(value: &mut Option<String>, c: char) {
    if let Some(value) = value {
        value.push(c);
    }
}

/// A word that any POSIX shell reads as exactly this text.
pub(crate) fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
