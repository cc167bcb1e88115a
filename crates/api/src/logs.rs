//! Reading logs: pulled by the face, page by page.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::Time;

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    Stdout,
    Stderr,
    /// Forge's own.
    Forge,
}

/// How serious a line says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// One line, as in `forge logs --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LogLine {
    pub time: Time,
    pub environment: String,
    pub process: String,
    pub run: u32,
    pub stream: Stream,
    pub level: Option<Level>,
    /// As a terminal would show it in the end: without escape sequences, and a line that drew over itself with carriage
    /// returns as it last was. Bytes that are no UTF-8 come as U+FFFD.
    pub text: String,
    /// How the text is dressed, from its beginning on; empty if it is plain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<Vec<StyledPart>>"))]
    pub styles: Vec<StyledPart>,
    /// Bytes of the line that the text lacks: it ends with their number. [`LogsText`] has all of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<u64>"))]
    pub omitted: u64,
    /// Where the line ends in its process's log, `SEGMENT:OFFSET`: what a link to it holds. Later lines of one process
    /// have later places.
    #[serde(default)]
    pub at: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}

/// `logs.text`: the whole text of a line that is too long for a page ([`LogLine::omitted`]), piece by piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LogsText {
    pub workspace: PathBuf,
    pub environment: String,
    pub process: String,
    /// [`LogLine::at`], and of which stream: where a writer was killed, lines of both end at one place.
    pub at: String,
    pub stream: Stream,
    /// `next` of the piece before; opaque. `None`: from its beginning on.
    pub from: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LogsTextAnswer {
    /// As in [`LogLine::text`], without how it is dressed. A carriage return goes back to the beginning of the piece.
    pub text: String,
    /// Where the line goes on; `None`: that was its end.
    pub next: Option<String>,
}

/// A part of a line's text that looks alike. What is behind the last one is plain.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct StyledPart {
    /// UTF-16 code units, which is what a page counts in.
    pub length: u32,
    /// `red`, `bright_red` … for the terminal's own sixteen, else `#rrggbb`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub foreground: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(optional))]
    pub background: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub bold: bool,
    #[serde(skip_serializing_if = "is_false")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub dim: bool,
    #[serde(skip_serializing_if = "is_false")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub italic: bool,
    #[serde(skip_serializing_if = "is_false")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub underline: bool,
    #[serde(skip_serializing_if = "is_false")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub strikethrough: bool,
    /// Foreground and background have changed places.
    #[serde(skip_serializing_if = "is_false")]
    #[cfg_attr(feature = "typescript", ts(optional, as = "Option<bool>"))]
    pub inverse: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct LogQuery {
    pub workspace: PathBuf,
    /// Processes, groups, environments; empty: what runs, if it is one environment.
    pub names: Vec<String>,
    /// The last lines of programs after merging; `None`: all.
    pub tail: Option<u64>,
    pub since: Option<Time>,
    pub until: Option<Time>,
    /// This level or a worse one. A line without a level counts as `info`.
    pub level: Option<Level>,
    /// Only these levels; empty: all.
    pub levels: Vec<Level>,
    /// A regular expression, or with `literal` a text. It is matched against [`LogLine::text`].
    pub grep: Option<String>,
    /// `grep` is taken as it stands.
    pub literal: bool,
    pub ignore_case: bool,
    pub invert: bool,
    /// And only among lines that have this, or with its `invert` have it not.
    pub within: Option<LogSought>,
    /// Lines around each match.
    pub context: u32,
    pub run: Option<u32>,
    pub stream: Option<Stream>,
}

/// What lines have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct LogSought {
    /// A regular expression, or with `literal` a text.
    pub text: String,
    pub literal: bool,
    pub ignore_case: bool,
    pub invert: bool,
}

/// `logs.read`: the next page. The first call has no cursor, and begins with the oldest line, or where `query.tail`,
/// `query.since` or `anchor` says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct LogsRead {
    pub query: LogQuery,
    /// `next` or `previous` of an answer before; opaque.
    pub cursor: Option<String>,
    /// Without a cursor: begin at this place instead.
    pub anchor: Option<LogAnchor>,
    /// The lines before the cursor or anchor instead of those behind it; in the answer they stand oldest first all the
    /// same.
    pub backward: bool,
    /// Bytes of text in one answer, about.
    pub max_bytes: Option<usize>,
    /// Lines in one answer at most.
    pub max_lines: Option<usize>,
    /// Answer after this many milliseconds with what was found, which may be nothing, rather than look on; the next
    /// call goes on there. `None`: look until there is something.
    pub budget_ms: Option<u32>,
    /// At the end of the logs, answer only when there is more, or the connection is closed.
    pub wait: bool,
    /// Tell also of lines that have no end yet; a change of them is something more. Not backward.
    pub partial: bool,
}

/// A place in the merged logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum LogAnchor {
    /// Right before the first line that is not older.
    Time(Time),
    /// Right before this line, of which [`LogLine::at`] is known; in the other logs, before what is not older.
    Line { environment: String, process: String, at: String },
    /// Behind the newest line.
    End,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LogsReadAnswer {
    pub lines: Vec<LogLine>,
    /// With `context`: the places in `lines` before which lines were passed over, so that a new group begins there.
    #[serde(default)]
    pub gaps: Vec<usize>,
    /// Goes on in the direction in which was read.
    pub cursor: String,
    /// Reading backward from here gives what is before the first line; reading on from `next`, what is behind the last.
    #[serde(default)]
    pub previous: String,
    #[serde(default)]
    pub next: String,
    /// Nothing more is stored now; backward: nothing older is.
    pub at_end: bool,
    /// With `partial` and at the end: lines as far as they are written, a prompt for example. Those of the next answer
    /// take their place; whole, they are among its `lines`.
    #[serde(default)]
    pub partial: Vec<LogLine>,
}

/// `logs.scan`: looks through all that the query wants, in the background, and hands out what it finds bit by bit:
/// lines, counts, patterns. A connection has one scan of each `slot`: a new one ends the one before at once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(default)]
pub struct LogsScan {
    pub query: LogQuery,
    /// A name of the client's own, such as `search`.
    pub slot: String,
    /// Newest first, as who looks for yesterday's error wants it.
    pub newest_first: bool,
    /// Hand out lines, this many at most; 0: only counts.
    pub max_hits: u32,
    /// Count by level.
    pub counts: bool,
    /// Cluster lines into patterns.
    pub patterns: bool,
    /// Counts over time in this many equal parts of the time that the logs span.
    pub buckets: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LogsScanStarted {
    pub scan: u64,
}

/// `logs.scan.next`: what was found since the last call. Answered when there is something new, and otherwise every 50
/// milliseconds with the progress alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LogsScanNext {
    pub scan: u64,
}

/// `logs.scan.cancel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LogsScanCancel {
    pub scan: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LogsScanAnswer {
    /// New ones, in the order in which the scan was asked for.
    pub hits: Vec<LogLine>,
    /// Lines that matched so far, handed out or not.
    pub matched: u64,
    /// With `counts`: of each process, so far.
    pub counts: Vec<LevelCounts>,
    /// With `patterns`: the most frequent ones so far, worst level first.
    pub patterns: Vec<LogPattern>,
    /// How many patterns there are beyond those.
    #[serde(default)]
    pub more_patterns: u32,
    /// Lines of patterns that are in neither: there were more patterns than are remembered, and these were rare.
    #[serde(default)]
    pub forgotten_lines: u64,
    /// With `buckets`: when each part begins, and the last one ends, in milliseconds since 1970.
    pub edges_ms: Vec<i64>,
    /// Bytes of the logs that were looked through, and that there are.
    pub scanned_bytes: u64,
    pub total_bytes: u64,
    /// That was all.
    pub done: bool,
}

/// Lines by level.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LevelCounts {
    pub environment: String,
    pub process: String,
    pub error: u64,
    pub warn: u64,
    pub info: u64,
    pub debug: u64,
    pub trace: u64,
    /// Those that state no level.
    pub unstated: u64,
    /// With `buckets`: errors in each part of the time.
    pub errors_over_time: Vec<u64>,
}

/// Lines that say the same but for numbers, names and the like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LogPattern {
    /// `GET /users/<*> - <*> (<*>)`.
    pub template: String,
    pub environment: String,
    pub process: String,
    pub level: Option<Level>,
    pub count: u64,
    pub first: Time,
    pub last: Time,
    /// It was never seen before the process's present run. `None`: it was not in the part of the log that was looked
    /// through, of what was before nothing is known.
    pub new: Option<bool>,
    /// The newest line of it.
    pub example: String,
    /// The place of that line.
    pub at: String,
    /// A regular expression that finds its lines: for [`LogQuery::grep`].
    pub regex: String,
    /// With `buckets`: lines in each part of the time.
    pub over_time: Vec<u64>,
}
