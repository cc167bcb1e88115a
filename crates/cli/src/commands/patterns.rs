//! `forge logs --patterns`.

use std::process::ExitCode;

use forge_api::{LogQuery, LogsScan, LogsScanAnswer, LogsScanNext};
use jiff::tz::TimeZone;

use crate::client::Client;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::painter::Painter;
use crate::view::{patterns, words};

/// Parts of the time for which is counted: what a line of the table has room for.
const BUCKETS: u32 = 24;

pub(crate) async fn run(context: &Context, client: &mut Client, query: LogQuery) -> Outcome {
    let request = LogsScan {
        query,
        slot: "patterns".to_owned(),
        counts: true,
        patterns: true,
        buckets: BUCKETS,
        ..LogsScan::default()
    };
    let found = whole(context, client, &request).await?;
    if context.output.json {
        for pattern in &found.patterns {
            let line = serde_json::to_string(pattern).map_err(std::io::Error::from)?;
            context.output.text(&format!("{line}\n"))?;
        }
        patterns::left_out(&found)
            .iter()
            .for_each(|words| context.output.complain(&format!("not among them: {words}")));
    } else if found.matched == 0 {
        context.output.note("no lines");
    } else {
        context.output.text(&patterns::render(&found, context.output.stdout(), &TimeZone::system()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The last answer of a scan, which has all that was counted. People see how far it is.
async fn whole(
    context: &Context,
    client: &mut Client,
    request: &LogsScan,
) -> Result<LogsScanAnswer, Failure> {
    let scan = client.call(request).await?.scan;
    let mut painter = Painter::default();
    loop {
        let answer = client.call(&LogsScanNext { scan }).await?;
        if answer.done {
            painter.clear();
            return Ok(answer);
        }
        if context.output.is_live() {
            let percent = answer.scanned_bytes as f64 * 100.0 / answer.total_bytes.max(1) as f64;
            let of = words::bytes(answer.total_bytes);
            painter.paint(vec![format!("looked through {percent:.0}% of {of}")]);
        }
    }
}
