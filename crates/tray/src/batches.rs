//! Messages on their way to a page, in batches: a page takes one list of a hundred faster than a hundred messages.

use std::time::Duration;

use forge_api::{Update, wire};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::watch;
use tokio::time::Instant;

/// Updates wait for each other at most so long. The first after a silence does not wait.
const PACE: Duration = Duration::from_millis(50);
/// Bytes of a batch, about; what is more goes at once.
const BATCH: usize = 256 << 10;

/// What comes next from the supervisor's side.
enum Next {
    Line(String),
    /// The page is seen again, or no longer.
    Seen,
    End,
}

async fn next<R: AsyncRead + Unpin>(
    lines: &mut tokio::io::Lines<BufReader<R>>,
    seen: &mut watch::Receiver<bool>,
) -> Next {
    tokio::select! {
        biased;
        Ok(()) = seen.changed() => Next::Seen,
        line = lines.next_line() => match line {
            Ok(Some(line)) => Next::Line(line),
            Ok(None) | Err(_) => Next::End,
        },
    }
}

/// Carries the supervisor's lines to a page, as JSON lists of messages, until one side has had enough. An empty list
/// is the last one. A page that is not `seen` hears only answers, and when it is seen again, that it missed something.
pub async fn downward(
    read: impl AsyncRead + Unpin,
    emit: impl Fn(String) -> bool,
    seen: watch::Receiver<bool>,
) {
    downward_at(PACE, read, emit, seen).await;
}

async fn downward_at(
    pace: Duration,
    read: impl AsyncRead + Unpin,
    emit: impl Fn(String) -> bool,
    mut seen: watch::Receiver<bool>,
) {
    let mut lines = BufReader::new(read).lines();
    let mut batch = Batch::default();
    let mut due = Instant::now();
    loop {
        let wait = async {
            if batch.is_empty() { std::future::pending().await } else { tokio::time::sleep_until(due).await }
        };
        tokio::select! {
            biased;
            next = next(&mut lines, &mut seen), if !batch.is_full() => match next {
                Next::Line(line) => batch.push(line, *seen.borrow()),
                Next::Seen => batch.seen(*seen.borrow()),
                Next::End => {
                    if batch.is_empty() || emit(batch.take()) {
                        emit(batch.take());
                    }
                    return;
                }
            },
            () = wait => {
                if !emit(batch.take()) {
                    return;
                }
                due = Instant::now() + pace;
            }
        }
        if batch.is_full() || batch.urgent {
            due = Instant::now();
        }
    }
}

/// Messages on their way to the page: the inside of a JSON list.
#[derive(Debug, Default)]
struct Batch {
    text: String,
    /// Somebody waits for an answer in it.
    urgent: bool,
    /// Something was not told while nobody looked.
    missed: bool,
}

/// As much of a message as matters here.
#[derive(Deserialize)]
struct Head<'a> {
    method: Option<&'a str>,
    #[serde(borrow)]
    params: Option<Params<'a>>,
}

#[derive(Deserialize)]
struct Params<'a> {
    update: Option<&'a str>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn is_full(&self) -> bool {
        self.text.len() >= BATCH
    }

    fn push(&mut self, line: String, visible: bool) {
        let head: Option<Head<'_>> = serde_json::from_str(&line).ok();
        let update =
            head.filter(|head| head.method == Some(wire::UPDATE)).and_then(|head| head.params?.update);
        match update {
            None => self.urgent = true,
            // The bytes of a terminal cannot be asked for again.
            Some("terminal" | "terminal_closed") => {}
            Some(_) if visible => {}
            Some(_) => {
                self.missed = true;
                return;
            }
        }
        self.add(&line);
    }

    fn seen(&mut self, visible: bool) {
        if visible && std::mem::take(&mut self.missed) {
            self.add(&wire::update(&Update::Lagged {}));
        }
    }

    fn add(&mut self, message: &str) {
        self.text.push(if self.text.is_empty() { '[' } else { ',' });
        self.text.push_str(message);
    }

    /// The list, and begins a new one.
    fn take(&mut self) -> String {
        self.urgent = false;
        let mut text = std::mem::take(&mut self.text);
        text.push_str(if text.is_empty() { "[]" } else { "]" });
        text
    }
}

#[cfg(test)]
#[path = "batches_tests.rs"]
mod tests;
