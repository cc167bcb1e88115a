//! The table.

use std::fs;

use super::rivals::Rival;

/// One line: what was measured, what others need, what Forge needs, what was set as a goal.
pub(super) struct Row {
    work: String,
    beside: Vec<String>,
    here: String,
    goal: &'static str,
}

impl Row {
    pub(super) fn new(work: impl Into<String>, goal: &'static str) -> Self {
        Self { work: work.into(), beside: Vec::new(), here: "–".to_owned(), goal }
    }

    /// Shown at once, as the table takes minutes.
    pub(super) fn beside(&mut self, name: &str, figure: String) {
        println!("   {}: {name} {figure}", self.work);
        self.beside.push(format!("{name} {figure}"));
    }

    pub(super) fn here(&mut self, figure: String) {
        println!("   {}: Forge {figure}", self.work);
        self.here = figure;
    }

    /// Forge's, or somebody else's.
    pub(super) fn figure(&mut self, name: &str, figure: String) {
        if name == "forge" { self.here(figure) } else { self.beside(name, figure) }
    }
}

pub(super) fn markdown(rows: &[Row], rivals: &[Rival], quick: bool) -> String {
    let mut text =
        format!("{}\n\n| work | beside it | Forge | goal |\n| --- | --- | --- | --- |\n", machine());
    for row in rows {
        let beside = if row.beside.is_empty() { "–".to_owned() } else { row.beside.join(", ") };
        text.push_str(&format!("| {} | {beside} | **{}** | {} |\n", row.work, row.here, row.goal));
    }
    let names: Vec<_> = rivals.iter().map(|rival| rival.name()).collect();
    text.push_str(&format!(
        "\nBeside it in this run: {}. ",
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    ));
    text.push_str(if quick {
        "A quick run: a tenth of the work, once; not to be quoted.\n"
    } else {
        "Times are medians of 5.\n"
    });
    text
}

/// What it ran on: the figures mean nothing without.
fn machine() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("a CPU", |(_, name)| name);
    let memory = read("/proc/meminfo");
    let memory = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{cores} cores of {cpu}, {} GiB, Linux {}", memory.unwrap_or(0) / (1 << 20), kernel.trim())
}
