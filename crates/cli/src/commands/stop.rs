//! `forge stop`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use forge_api::{Code, Error, Stop, Stopped};

use crate::args;
use crate::client::{Client, Incoming};
use crate::context::Context;
use crate::failure::Outcome;
use crate::painter::Painter;
use crate::view::style::{Ink, Mark};
use crate::view::words;

/// Until it is worth saying that it takes time; and between two frames.
const FRAME: Duration = Duration::from_millis(100);

pub(crate) async fn run(context: &Context, args: args::Stop) -> Outcome {
    let mut client = context.client().await?;
    let workspace = if args.all { PathBuf::new() } else { context.root(&mut client).await? };
    let stop = Stop { workspace, names: args.names, all: args.all };
    let stopped = wait(context, &mut client, &stop).await?;
    report(context, &stopped, "Stopped")
}

/// Waits for the answer, with a line on a terminal that says for how long already.
async fn wait(context: &Context, client: &mut Client, stop: &Stop) -> Result<Stopped, Error> {
    let pending = client.ask(stop).await?;
    let began = Instant::now();
    let mut painter = Painter::default();
    let mut frames = tokio::time::interval(FRAME);
    let mut frame = 0;
    let stopped = loop {
        tokio::select! {
            incoming = client.next() => match incoming {
                Ok(Incoming::Answer(id, answer)) if id == pending => break answer.of::<Stop>(),
                Ok(_) => {}
                Err(error) => break Err(error),
            },
            _ = frames.tick(), if context.output.is_live() => {
                frame += 1;
                if frame > 1 {
                    let style = context.output.stderr();
                    let time = words::took(began.elapsed());
                    painter.paint(vec![format!("{} Stopping  {}", style.mark(Mark::Busy(frame)), style.paint(Ink::Dim, &time))]);
                }
            }
        }
    };
    painter.clear();
    stopped
}

/// What was ended, or who survived.
///
/// # Errors
/// Something survived.
pub(crate) fn report(context: &Context, ended: &Stopped, verb: &str) -> Outcome {
    if !ended.survivors.is_empty() {
        return Err(survived(ended).into());
    }
    if context.output.json {
        context.output.document(ended)?;
        return Ok(ExitCode::SUCCESS);
    }
    let names = words::targets(&ended.stopped);
    let text = if names.is_empty() {
        "Nothing ran.\n".to_owned()
    } else {
        format!("{verb} {}.\n", words::list(&names))
    };
    context.output.text(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn survived(ended: &Stopped) -> Error {
    let names: Vec<String> = ended
        .survivors
        .iter()
        .map(|survivor| format!("{} (PID {}) of {}", survivor.name, survivor.pid, survivor.target.process))
        .collect();
    Error::new(Code::Survivors, format!("could not end {}", words::list(&names)))
        .help("`forge kill` ends whole trees with SIGKILL; a process in an uninterruptible wait of the kernel outlives even that")
        .details(serde_json::to_value(ended).unwrap_or_default())
}
