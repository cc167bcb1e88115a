//! Lines as they go over the wire.

use forge_api::{Level, LogLine, Stream, StyledPart, Target, Time};
use forge_logs::Line;

/// A line as a person sees it.
pub(super) fn shown(target: &Target, line: &Line) -> LogLine {
    let forge_logs::ansi::Shown { text, styles } = forge_logs::ansi::shown(&line.text);
    let mut text = text.into_owned();
    if line.omitted > 0 {
        text = format!("{text}… ({} more bytes)", line.omitted);
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
        at: line.end.to_string(),
    }
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
    line.text.len() + LINE + line.styles.len() * STYLE
}
