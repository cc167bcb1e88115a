//! How well levels and patterns are found in logs of real programs: the crate's own example takes the figures.

use std::process::Stdio;

use anyhow::{Result, ensure};

use super::Bench;
use super::report::Row;
use crate::console::{cargo, output};

pub(super) fn run(_: &Bench) -> Result<Vec<Row>> {
    let arguments = ["run", "--release", "--quiet", "--package", "forge-logs", "--example", "levels"];
    let text = output(cargo(arguments).stdout(Stdio::piped()))?;
    let rows: Vec<Row> = text.lines().filter_map(row).collect();
    ensure!(!rows.is_empty(), "the example printed no table:\n{text}");
    Ok(rows)
}

/// Of `| FORMAT | LINES | PRECISION | RECALL | GROUPING | PRECISION OF PAIRS | RECALL OF PAIRS |` or
/// `| WHAT | NANOSECONDS |`.
fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let (work, figure) = match cells[..] {
        [format, lines, precision, recall, grouping, of_pairs, pairs_found]
            if lines.parse::<u32>().is_ok() =>
        {
            let levels = format!("levels: precision {precision}, recall {recall}");
            let patterns =
                format!("patterns: precision {of_pairs}, recall {pairs_found}, grouping {grouping}");
            (format!("{lines} lines of {format}"), format!("{levels}; {patterns}"))
        }
        [what, nanoseconds] if nanoseconds.parse::<u32>().is_ok() => {
            (format!("{what} of a line"), format!("{nanoseconds} ns"))
        }
        _ => return None,
    };
    let mut row = Row::new(work, "–");
    row.here(figure);
    Some(row)
}
