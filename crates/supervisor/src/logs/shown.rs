//! Lines as they go over the wire.

use forge_api::{Level, LogLine, Stream, StyledPart, Target, Time};
use forge_logs::Line;

use super::MAX_LINE;

/// A line as a person sees it.
pub(super) fn shown(target: &Target, line: &Line) -> LogLine {
    let forge_logs::ansi::Shown { text, styles } = forge_logs::ansi::shown(&line.text);
    let mut text = text.into_owned();
    let end = end_on_wire(&text);
    let omitted = line.omitted + (text.len() - end) as u64;
    if omitted > 0 {
        text.truncate(end);
        text = format!("{text}… ({omitted} more bytes)");
    }
    LogLine {
        time: Time(line.time_ns),
        environment: target.environment.clone(),
        process: target.process.clone(),
        run: line.run,
        stream: match line.stream {
            forge_logs::Stream::Stdout => Stream::Stdout,
            forge_logs::Stream::Stderr => Stream::Stderr,
            forge_logs::Stream::Forge => Stream::Forge,
        },
        level: line.level.map(level_shown),
        text,
        styles: styles.iter().map(styled_part).collect(),
        omitted,
        at: line.end.to_string(),
    }
}

/// Where a text has to end so that it is no longer than [`MAX_LINE`] in JSON. What is no UTF-8 takes three bytes there
/// instead of one, a quotation mark two.
fn end_on_wire(text: &str) -> usize {
    if text.len() <= MAX_LINE / 2 {
        return text.len();
    }
    let mut bytes = 0;
    let fits = |byte: &u8| {
        bytes += on_wire(*byte);
        bytes <= MAX_LINE
    };
    text.floor_char_boundary(text.bytes().take_while(fits).count())
}

/// Bytes that a byte of a shown text takes in JSON.
fn on_wire(byte: u8) -> usize {
    1 + usize::from(matches!(byte, b'"' | b'\\' | b'\t'))
}

pub(super) fn level_shown(level: forge_logs::Level) -> Level {
    match level {
        forge_logs::Level::Trace => Level::Trace,
        forge_logs::Level::Debug => Level::Debug,
        forge_logs::Level::Info => Level::Info,
        forge_logs::Level::Warn => Level::Warn,
        forge_logs::Level::Error => Level::Error,
    }
}

fn styled_part(part: &forge_logs::ansi::StyledPart) -> StyledPart {
    let forge_logs::ansi::StyledPart { length, style } = *part;
    StyledPart {
        length,
        foreground: style.foreground.map(|color| color.name().into_owned()),
        background: style.background.map(|color| color.name().into_owned()),
        bold: style.bold,
        dim: style.dim,
        italic: style.italic,
        underline: style.underline,
        strikethrough: style.strikethrough,
        inverse: style.inverse,
    }
}

pub(super) fn stream_of(stream: Stream) -> forge_logs::Stream {
    match stream {
        Stream::Stdout => forge_logs::Stream::Stdout,
        Stream::Stderr => forge_logs::Stream::Stderr,
        Stream::Forge => forge_logs::Stream::Forge,
    }
}

pub(super) fn level_of(level: Level) -> forge_logs::Level {
    match level {
        Level::Trace => forge_logs::Level::Trace,
        Level::Debug => forge_logs::Level::Debug,
        Level::Info => forge_logs::Level::Info,
        Level::Warn => forge_logs::Level::Warn,
        Level::Error => forge_logs::Level::Error,
    }
}

/// Bytes that a line takes in an answer, about.
pub(super) fn wire_bytes(line: &LogLine) -> usize {
    const LINE: usize = 160;
    const STYLE: usize = 48;
    line.text.bytes().map(on_wire).sum::<usize>() + LINE + line.styles.len() * STYLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_longer_on_the_wire_than_a_message_has_room_for() {
        for (character, count) in [
            ("x", MAX_LINE - 10),
            ("x", MAX_LINE * 2),
            ("\"", MAX_LINE / 2),
            ("\"", MAX_LINE),
            ("\t\\", MAX_LINE),
            ("\u{fffd}", MAX_LINE),
            ("é", MAX_LINE / 2 + 1),
        ] {
            let text = character.repeat(count);
            let end = end_on_wire(&text);
            let wire = serde_json::to_string(&text[..end]).expect("JSON").len() - 2;
            assert!(wire <= MAX_LINE, "{count} × {character:?}: {wire} bytes");
            let all = serde_json::to_string(&text).expect("JSON").len() - 2;
            assert!(
                if all <= MAX_LINE { end == text.len() } else { wire > MAX_LINE - 4 },
                "no shorter than it must be"
            );
        }
    }
}
