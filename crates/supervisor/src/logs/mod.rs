//! Reading logs for faces and for log probes: from the segments on disk, never on the core's thread.
//!
//! `logs.read` gives pages, merged by time, in both directions; `logs.scan` looks through everything in the background.
//! What follows a run for its probe is in `follow`.

mod bookmark;
mod context;
mod follow;
mod page;
mod query;
mod quota;
mod runs;
mod scan;
mod shown;
mod text;

use std::path::PathBuf;
use std::sync::Arc;

use forge_api::{Error, LogQuery, LogsRead, LogsReadAnswer, Target};
use forge_logs::Filter;
use tokio::sync::watch;

use crate::core::Handle;
use crate::outgoing::{Outgoing, Room};

pub(crate) use follow::{Search, at_run, last_lines, search};
pub(crate) use quota::keep_within;
pub(crate) use scan::Scans;
pub(crate) use text::text;

use bookmark::{Bookmark, told};
use page::{Pager, page_bytes};

/// Bytes of a line that are read, and that it takes on the wire at most; what is beyond is counted. A page that is nearly
/// full, and what is held for its last match, leave so much in a message.
const MAX_LINE: usize = 4 << 20;

/// A process whose log is read.
#[derive(Debug)]
pub(crate) struct Source {
    pub target: Target,
    pub folder: PathBuf,
    /// The number of its last run, 0 if that is not known.
    pub run: u32,
    /// Of the run that the user or a change began, if it is known: those behind it followed crashes.
    pub fresh_run: u32,
    /// Changes when the log grows, once somebody follows.
    pub growth: watch::Receiver<u64>,
}

/// What the pages of one reading have in common: made once, since a regular expression is compiled for it.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    last: Option<(LogQuery, Filter)>,
}

impl Filters {
    /// The filter of a query, on another thread if it is not that of the page before.
    ///
    /// # Errors
    /// `grep` is no regular expression.
    pub(crate) async fn of(&mut self, query: &LogQuery) -> Result<Filter, Error> {
        if let Some((_, filter)) = self.last.as_ref().filter(|(known, _)| known == query) {
            return Ok(filter.clone());
        }
        let wanted = query.clone();
        let made = tokio::task::spawn_blocking(move || query::filter(&wanted)).await;
        let filter = made.map_err(|error| Error::system("reading logs", error))??;
        self.last = Some((query.clone(), filter.clone()));
        Ok(filter)
    }
}

/// Answers `logs.read`, with the room on the way to the client that was taken for the page.
pub(crate) async fn read(
    core: &Handle,
    request: LogsRead,
    filter: Filter,
    outgoing: &Outgoing,
) -> Result<(LogsReadAnswer, Room), Error> {
    let anchor = request.anchor.as_ref().map(page::Anchor::of).transpose()?;
    let request = Arc::new(request);
    let mut bookmark = request.cursor.as_deref().map(Bookmark::parse).transpose()?;
    loop {
        let asked = Arc::clone(&request);
        let mut sources = core.visit(move |core| core.log_sources(&asked.query, asked.wait)).await??;
        for source in &mut sources {
            source.growth.borrow_and_update();
        }
        if let (None, Some(run)) = (&bookmark, request.query.run) {
            runs::has_run(run, &sources).await?;
        }
        let places = sources.iter().map(|source| (source.target.clone(), source.folder.clone())).collect();
        let room = outgoing.reserve(page_bytes(&request)).await;
        let pager = Pager::new(Arc::clone(&request), filter.clone(), anchor.clone(), places);
        let known = bookmark.as_ref().map_or(0, |bookmark| bookmark.partial);
        let page = pager.run(bookmark.take()).await?;
        let is_news = !page.lines.is_empty() || told(&page.partial) != known;
        if !request.wait || is_news || !page.at_end {
            return Ok((page, room));
        }
        drop(room);
        bookmark = Some(Bookmark::parse(&page.cursor)?);
        grown(&mut sources).await;
    }
}

/// Returns once one of the logs has grown, or processes may have been added.
async fn grown(sources: &mut [Source]) {
    let waits: Vec<_> = sources.iter_mut().map(|source| Box::pin(source.growth.changed())).collect();
    if waits.is_empty() {
        return std::future::pending().await;
    }
    first_of(waits).await;
}

async fn first_of<F: Future + Unpin>(mut waits: Vec<F>) {
    std::future::poll_fn(|context| {
        let ready = waits.iter_mut().any(|wait| std::pin::Pin::new(wait).poll(context).is_ready());
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
