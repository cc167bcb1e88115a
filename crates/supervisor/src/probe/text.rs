//! Words of others, made fit for one line on a terminal.

use std::time::Duration;

/// Characters of a server's or a command's words that go into a message.
const LINE: usize = 200;

/// `1 s`, `1.5 s`, `500 ms`.
pub(crate) fn duration(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else {
        format!("{} s", (duration.as_secs_f64() * 1000.0).round() / 1000.0)
    }
}

/// The first line that says something, or nothing.
pub(crate) fn first_line(bytes: &[u8]) -> String {
    let text = plain(bytes);
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(shorten).unwrap_or_default()
}

/// The last line that says something, or nothing.
pub(crate) fn last_line(bytes: &[u8]) -> String {
    let text = plain(bytes);
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).map(shorten).unwrap_or_default()
}

/// Text without what would move a terminal's cursor or change its colours.
pub(crate) fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\x1b' => skip_escape(&mut rest),
            '\n' | '\t' => plain.push(character),
            '\r' => plain.push('\n'),
            _ if character.is_control() => {}
            _ => plain.push(character),
        }
    }
    plain
}

/// ECMA-48: `ESC [`, parameters, and a final byte from `@` to `~`; any other escape is taken to be one character.
fn skip_escape(rest: &mut std::str::Chars<'_>) {
    if rest.next() == Some('[') {
        let _ = rest.find(|character| ('@'..='~').contains(character));
    }
}

/// The system's words without its number, which no user looks up.
pub(crate) fn error(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ").next().unwrap_or_default().to_owned()
}

fn shorten(line: &str) -> String {
    match line.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{duration, first_line, last_line};
    use std::time::Duration;

    #[test]
    fn durations_are_short() {
        for (millis, text) in [(1000, "1 s"), (1500, "1.5 s"), (500, "500 ms"), (90_000, "90 s"), (0, "0 ms")]
        {
            assert_eq!(duration(Duration::from_millis(millis)), text, "{millis} ms");
        }
    }

    #[test]
    fn colours_and_control_characters_do_not_reach_a_message() {
        let output = b"\r\n\x1b[1;31mfirst\x1b[0m\x07\n\nsecond \xff\r\n \n";
        assert_eq!(first_line(output), "first", "an escape sequence and a bell are left out");
        assert_eq!(last_line(output), "second \u{fffd}", "the blank line at the end says nothing");
        assert_eq!(last_line(b""), "", "nothing was said");
    }

    #[test]
    fn a_long_line_is_cut() {
        let cut = first_line("é".repeat(1000).as_bytes());
        assert_eq!(cut.chars().count(), 201, "200 characters and the mark of the cut");
    }
}
