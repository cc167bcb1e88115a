//! A face attached to a process's terminal: straight to the keeper and back.

use std::path::Path;

use forge_api::{Code, Error, Update, wire};
use forge_keeper::message::{PROTOCOL, Report, Request};
use tokio::sync::mpsc;

use crate::outgoing::Outgoing;
use crate::run::Link;
use crate::words;

/// What the face does at the terminal.
#[derive(Debug)]
pub(crate) enum Act {
    /// Base64.
    Input(String),
    /// Rows, columns.
    Resize(u16, u16),
}

/// Attaches.
pub(crate) async fn open(socket: &Path, rows: u16, columns: u16) -> Result<Link, Error> {
    let attach = async {
        let link = Link::connect(socket).await?;
        link.send(&Request::Hello { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned() })
            .await?;
        link.send(&Request::Resize { rows, columns }).await?;
        link.send(&Request::Attach).await?;
        std::io::Result::Ok(link)
    };
    attach
        .await
        .map_err(|error| Error::new(Code::NotRunning, format!("its terminal cannot be reached: {error}")))
}

/// Carries bytes both ways until the face lets go or the process ends.
pub(crate) async fn carry(mut link: Link, mut acts: mpsc::Receiver<Act>, outgoing: Outgoing) {
    let mut ended = "the terminal was closed".to_owned();
    loop {
        tokio::select! {
            act = acts.recv() => {
                let request = match act {
                    Some(Act::Input(data)) => Request::Input { data },
                    Some(Act::Resize(rows, columns)) => Request::Resize { rows, columns },
                    None => return,
                };
                if link.send(&request).await.is_err() {
                    break;
                }
            }
            report = link.next() => match report {
                Ok(Some(Report::Output { data })) => {
                    if outgoing.send(wire::update(&Update::Terminal { data })).await.is_err() {
                        return;
                    }
                }
                Ok(Some(Report::Exited { exit, .. })) => {
                    ended = words::exit(exit);
                    break;
                }
                Ok(Some(Report::Refused { message, .. })) => {
                    ended = message;
                    break;
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            },
        }
    }
    let _ = outgoing.send(wire::update(&Update::TerminalClosed { message: ended })).await;
}
