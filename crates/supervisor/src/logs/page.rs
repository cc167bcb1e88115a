//! One page of `logs.read`.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use forge_api::{Code, Error, LogAnchor, LogLine, LogsRead, LogsReadAnswer, Target};
use forge_logs::{
    Cursor, Direction, Filter, Line, Reader, ReaderOptions, Selection, Start, Step, Stream, open_lines,
};

use super::MAX_LINE;
use super::bookmark::{Bookmark, ContextState, told};
use super::context::{MOST_CONTEXT, QUIET, Surrounded};
use super::shown::{shown, wire_bytes};

/// Bytes of text in a page, unless asked otherwise, and at most.
const PAGE: usize = 256 * 1024;
const MAX_PAGE: usize = 4 << 20;

pub(super) fn page_bytes(request: &LogsRead) -> usize {
    request.max_bytes.unwrap_or(PAGE).clamp(1, MAX_PAGE)
}

/// Where to begin.
#[derive(Debug, Clone)]
pub(super) enum Anchor {
    Time(i64),
    Line(Target, Cursor),
    End,
}

impl Anchor {
    pub(super) fn of(anchor: &LogAnchor) -> Result<Self, Error> {
        Ok(match anchor {
            LogAnchor::Time(time) => Self::Time(time.0),
            LogAnchor::End => Self::End,
            LogAnchor::Line { environment, process, at } => {
                let place =
                    at.parse().map_err(|error| Error::new(Code::Usage, format!("`{at}`: {error}")))?;
                let target = Target { environment: environment.clone(), process: process.clone() };
                Self::Line(target, place)
            }
        })
    }
}

/// Stops the reading when whoever asked is gone.
struct Interest(Arc<AtomicBool>);

impl Drop for Interest {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(super) struct Pager {
    request: Arc<LogsRead>,
    pub(super) filter: Filter,
    anchor: Option<Anchor>,
    logs: Vec<(Target, PathBuf)>,
    deadline: Option<Instant>,
    gone: Arc<AtomicBool>,
    /// See [`QUIET`].
    pub(super) quiet: u32,
}

impl Pager {
    pub(super) fn new(
        request: Arc<LogsRead>,
        filter: Filter,
        anchor: Option<Anchor>,
        logs: Vec<(Target, PathBuf)>,
    ) -> Self {
        let budget = request.budget_ms.map(|millis| Duration::from_millis(u64::from(millis)));
        let deadline = budget.map(|budget| Instant::now() + budget);
        Self { request, filter, anchor, logs, deadline, gone: Arc::default(), quiet: QUIET }
    }

    /// The page behind `bookmark`, made on a thread of its own.
    pub(super) async fn run(self, bookmark: Option<Bookmark>) -> Result<LogsReadAnswer, Error> {
        let interest = Interest(Arc::clone(&self.gone));
        let task = tokio::task::spawn_blocking(move || self.page(bookmark.as_ref()));
        let page = task.await.map_err(|error| Error::system("reading logs", error))?;
        drop(interest);
        page.map_err(|error| Error::system("reading logs", error))
    }

    fn page(&self, bookmark: Option<&Bookmark>) -> io::Result<LogsReadAnswer> {
        let starts = match bookmark {
            Some(bookmark) => self.logs.iter().map(|(target, _)| bookmark.place(target)).collect(),
            None => self.begin()?,
        };
        let direction = if self.request.backward { Direction::Backward } else { Direction::Forward };
        let ends = self.ends(bookmark)?;
        let read = if self.context() > 0 {
            let state = bookmark.map_or(ContextState::default(), |bookmark| bookmark.context);
            let sought = bookmark.and_then(|bookmark| {
                let place =
                    |(target, _): &(Target, PathBuf)| bookmark.sought_in(target, self.request.backward);
                self.logs.iter().map(place).collect()
            });
            Surrounded::new(self, direction, ends.as_deref(), state).read(&starts, sought)?
        } else {
            self.read(&starts, ends.as_deref(), direction)?
        };
        let mut read = read;
        if let Some(bookmark) = bookmark.filter(|_| !self.request.backward) {
            read.page.begin_with(self.holes(bookmark)?);
        }
        let ends = ends.filter(|_| !read.at_end);
        let partial = if read.at_end && self.request.partial && !self.request.backward {
            self.partial()?
        } else {
            Vec::new()
        };
        Ok(self.answer(read, &starts, ends.as_deref(), partial))
    }

    fn read(&self, starts: &[Cursor], ends: Option<&[Cursor]>, direction: Direction) -> io::Result<PageEnd> {
        let mut selection = self.select(starts, ends, direction, self.filter.clone())?;
        let (mut page, mut at_end) = (Page::default(), false);
        while !selection.is_between() || !self.is_full(&page) {
            match selection.step()? {
                Step::Line(number, line) => page.push(self.show(number, &line)),
                Step::Searched => {}
                Step::End => {
                    at_end = true;
                    break;
                }
            }
            if selection.is_between() && self.is_over() {
                break;
            }
        }
        let (places, sought) = (selection.cursors(), None);
        Ok(PageEnd { page, state: ContextState::default(), places, sought, at_end })
    }

    /// A line for each log whose oldest lines were removed before whoever reads it came to them.
    fn holes(&self, bookmark: &Bookmark) -> io::Result<Vec<LogLine>> {
        let mut holes = Vec::new();
        for (number, (target, folder)) in self.logs.iter().enumerate() {
            let mut reader = Reader::open(folder)?;
            let (read, oldest) = (bookmark.read(target), reader.cursor());
            if read.segment == 0 || oldest.segment <= read.segment {
                continue;
            }
            if let Some(first) = reader.read(1 << 16)?.lines.first() {
                let text = b"older lines were removed before they were read: see log_quota".to_vec();
                let hole = Line { text, stream: Stream::Forge, level: None, end: oldest, ..first.clone() };
                holes.push(self.show(number, &hole));
            }
        }
        Ok(holes)
    }

    /// The lines without an end that are wanted, as many as a page holds.
    fn partial(&self) -> io::Result<Vec<LogLine>> {
        let mut page = Page::default();
        for (number, (_, folder)) in self.logs.iter().enumerate() {
            for line in open_lines(folder)?.iter().filter(|line| self.filter.matches(line)) {
                if !self.is_full(&page) {
                    page.push(self.show(number, line));
                }
            }
        }
        Ok(page.lines)
    }

    /// Where a reading ends that does not wait for more: where the logs ended when it began. Else it would run behind
    /// whoever writes, for ever.
    fn ends(&self, bookmark: Option<&Bookmark>) -> io::Result<Option<Vec<Cursor>>> {
        if self.request.backward || self.request.wait {
            return Ok(None);
        }
        let known = |bookmark: &Bookmark| self.logs.iter().map(|(target, _)| bookmark.end(target)).collect();
        match bookmark.and_then(known) {
            Some(ends) => Ok(Some(ends)),
            None => self.anchored(&Anchor::End).map(Some),
        }
    }

    /// Lines around each match.
    pub(super) fn context(&self) -> u32 {
        self.request.query.context.min(MOST_CONTEXT)
    }

    pub(super) fn is_full(&self, page: &Page) -> bool {
        let most_lines = self.request.max_lines.unwrap_or(usize::MAX).max(1);
        page.lines.len() >= most_lines || page.bytes >= page_bytes(&self.request)
    }

    /// Nobody waits for more.
    pub(super) fn is_over(&self) -> bool {
        self.is_gone() || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Whoever asked is gone.
    pub(super) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    fn answer(
        &self,
        read: PageEnd,
        starts: &[Cursor],
        up_to: Option<&[Cursor]>,
        partial: Vec<LogLine>,
    ) -> LogsReadAnswer {
        let PageEnd { page, state, places, sought, at_end } = read;
        let targets = || self.logs.iter().map(|(target, _)| target);
        let bookmark =
            |places: &[Cursor], context| Bookmark::of(targets().zip(places.iter().copied()), context);
        let start = bookmark(starts, ContextState::default()).text();
        let mut on = bookmark(&places, state);
        on.partial = told(&partial);
        if let Some(sought) = sought {
            on = on.sought(self.request.backward, targets().zip(sought));
        }
        if let Some(ends) = up_to {
            on = on.up_to(targets().zip(ends.iter().copied()));
        }
        let cursor = on.text();
        let Page { mut lines, mut gaps, .. } = page;
        let (previous, next) = if self.request.backward {
            lines.reverse();
            gaps = gaps.into_iter().rev().map(|at| lines.len() - at).collect();
            (cursor.clone(), start)
        } else {
            (start, cursor.clone())
        };
        LogsReadAnswer { lines, gaps, cursor, previous, next, at_end, partial }
    }

    pub(super) fn show(&self, number: usize, line: &Line) -> LogLine {
        shown(&self.logs[number].0, line)
    }

    pub(super) fn select(
        &self,
        starts: &[Cursor],
        ends: Option<&[Cursor]>,
        direction: Direction,
        filter: Filter,
    ) -> io::Result<Selection> {
        let starts = self.logs.iter().zip(starts).enumerate().map(|(number, ((_, folder), at))| Start {
            dir: folder.clone(),
            at: *at,
            end: ends.and_then(|ends| ends.get(number).copied()),
        });
        let starts = starts.collect();
        Selection::new(starts, direction, filter, ReaderOptions { max_line: MAX_LINE })
    }

    /// Where the first page begins.
    fn begin(&self) -> io::Result<Vec<Cursor>> {
        let (backward, filter) = (self.request.backward, &self.filter);
        let mut starts = match &self.anchor {
            Some(anchor) => self.anchored(anchor)?,
            None if backward => self.anchored(&Anchor::End)?,
            None => vec![Cursor { segment: 0, offset: 0 }; self.logs.len()],
        };
        let edge = if backward { filter.until.map(|until| until.saturating_add(1)) } else { filter.since };
        if let Some(edge) = edge {
            for (start, edge) in starts.iter_mut().zip(self.anchored(&Anchor::Time(edge))?) {
                *start = if backward { edge.min(*start) } else { edge.max(*start) };
            }
        }
        match self.request.query.tail {
            Some(tail) if self.anchor.is_none() && !backward => self.before(self.tail(tail)?),
            _ => Ok(starts),
        }
    }

    pub(super) fn anchored(&self, anchor: &Anchor) -> io::Result<Vec<Cursor>> {
        let line = match anchor {
            Anchor::Line(target, at) => self.line(target, *at)?,
            _ => None,
        };
        let place = |(target, folder): &(Target, PathBuf)| {
            let mut reader = Reader::open(folder)?;
            match (anchor, line) {
                (Anchor::End, _) => reader.seek_end()?,
                (Anchor::Time(time), _) => reader.seek_time(*time)?,
                (Anchor::Line(of, _), Some((place, _))) if of == target => reader.seek(place),
                (Anchor::Line(..), Some((_, time))) => reader.seek_time(time)?,
                // Its log is not among those that are read, or is gone.
                (Anchor::Line(..), None) => reader.seek_end()?,
            }
            Ok(reader.cursor())
        };
        self.logs.iter().map(place).collect()
    }

    /// The place before a line, and its time. Of one that is gone, those of what follows it.
    fn line(&self, target: &Target, at: Cursor) -> io::Result<Option<(Cursor, i64)>> {
        let Some((_, folder)) = self.logs.iter().find(|(of, _)| of == target) else { return Ok(None) };
        let mut reader = Reader::open(folder)?;
        reader.seek(at);
        if let Some(line) = reader.backward()?.next()?.filter(|line| line.end == at) {
            return Ok(Some((at.before(), line.time_ns)));
        }
        let following = reader.read(1)?.lines;
        Ok(following.first().map(|line| (at, line.time_ns)))
    }

    /// So far before the first match behind `starts` that its context follows too.
    fn before(&self, starts: Vec<Cursor>) -> io::Result<Vec<Cursor>> {
        if self.context() == 0 {
            return Ok(starts);
        }
        match self.first(&starts)? {
            Some((number, line)) => {
                let beginning = vec![Cursor { segment: 0, offset: 0 }; starts.len()];
                self.around(number, &line, Direction::Forward, &beginning)
            }
            None => Ok(starts),
        }
    }

    /// The first line behind `starts` that is wanted, with the number of its log.
    fn first(&self, starts: &[Cursor]) -> io::Result<Option<(usize, Line)>> {
        let mut selection = self.select(starts, None, Direction::Forward, self.filter.clone())?;
        while !self.is_gone() {
            match selection.step()? {
                Step::Line(number, line) => return Ok(Some((number, line))),
                Step::Searched => {}
                Step::End => break,
            }
        }
        Ok(None)
    }

    /// So far back from the end that the last `lines` lines of programs that are wanted follow, of all together.
    fn tail(&self, lines: u64) -> io::Result<Vec<Cursor>> {
        let mut from = self.anchored(&Anchor::End)?;
        if let Some(until) = self.filter.until {
            from = self.anchored(&Anchor::Time(until.saturating_add(1)))?;
        }
        let mut selection = self.select(&from, None, Direction::Backward, self.filter.clone())?;
        let (mut left, mut starts) = (lines, from);
        while !self.is_gone() {
            match selection.step()? {
                // Forge's own lines before the first one are shown too.
                Step::Line(_, line) if line.is_program() => {
                    if left == 0 {
                        break;
                    }
                    left -= 1;
                }
                Step::Line(..) | Step::Searched => {}
                Step::End => return Ok(selection.cursors()),
            }
            if selection.is_between() {
                starts = selection.cursors();
                if left == 0 && self.filter.is_selective() {
                    break;
                }
            }
        }
        Ok(starts)
    }
}

/// The lines of a page, in the order in which they are found.
#[derive(Default)]
pub(super) struct Page {
    lines: Vec<LogLine>,
    gaps: Vec<usize>,
    bytes: usize,
}

/// A page, and where its reading ended.
pub(super) struct PageEnd {
    pub(super) page: Page,
    pub(super) state: ContextState,
    pub(super) places: Vec<Cursor>,
    /// With context: up to where there is no match.
    pub(super) sought: Option<Vec<Cursor>>,
    pub(super) at_end: bool,
}

impl Page {
    pub(super) fn push(&mut self, line: LogLine) {
        self.bytes += wire_bytes(&line);
        self.lines.push(line);
    }

    fn begin_with(&mut self, lines: Vec<LogLine>) {
        self.gaps.iter_mut().for_each(|at| *at += lines.len());
        self.lines.splice(0..0, lines);
    }

    /// Lines are passed over before the next one.
    pub(super) fn gap(&mut self) {
        self.gaps.push(self.lines.len());
    }
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
