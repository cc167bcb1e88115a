//! What of all that is known is shown, and in which order.

use std::collections::BTreeMap;

use forge_api::{ProcessStatus, Status, Time, Warning};

use super::history::History;
use super::model::{Id, Monitor, Scope, Sort};

/// What graphs may span, in minutes.
const SPANS: [i64; 3] = [2, 5, 15];

/// One environment and what was measured of it.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) status: Status,
    pub(crate) histories: BTreeMap<String, History>,
    /// Asked for its status because something has happened, and that once more since.
    pub(super) asked: Option<bool>,
}

impl Monitor {
    /// What graphs span, in milliseconds.
    pub(crate) fn span_ms(&self) -> i64 {
        SPANS[self.span] * 60 * 1000
    }

    pub(crate) fn span_label(&self) -> String {
        format!("{} min", SPANS[self.span])
    }

    /// Graphs span more, or less.
    pub(super) fn widen(&mut self, more: bool) {
        self.span = if more { (self.span + 1).min(SPANS.len() - 1) } else { self.span.saturating_sub(1) };
    }

    /// A process that is shown, and what belongs to it.
    pub(crate) fn find(&self, id: &Id) -> Option<(&Shown, &ProcessStatus)> {
        let shown = self.environments.iter().find(|shown| {
            shown.status.workspace == id.workspace && shown.status.environment == id.environment
        })?;
        Some((shown, shown.status.processes.iter().find(|process| process.name == id.process)?))
    }

    /// Those that are shown: with `Active` only what is meant to run, unless nothing is.
    pub(crate) fn visible(&self) -> impl Iterator<Item = &Shown> {
        let all =
            matches!(self.scope, Scope::Environment(..)) || !self.environments.iter().any(Shown::is_active);
        self.environments.iter().filter(move |shown| all || shown.is_active())
    }

    /// Rows in the order in which they stand.
    pub(crate) fn rows(&self) -> Vec<Id> {
        let mut rows = Vec::new();
        for shown in self.visible() {
            let fits = |process: &&ProcessStatus| {
                let wanted = self.filter.to_lowercase();
                process.name.to_lowercase().contains(&wanted)
                    || shown.status.environment.to_lowercase() == wanted
            };
            let mut processes: Vec<&ProcessStatus> = shown.status.processes.iter().filter(fits).collect();
            let figure = |process: &ProcessStatus| shown.figures(process);
            match self.sort {
                Sort::Order => {}
                Sort::Name => processes.sort_by_key(|process| process.name.to_lowercase()),
                Sort::Cpu => processes.sort_by(|one, other| {
                    let value = |process| figure(process).0.unwrap_or(-1.0);
                    value(other).total_cmp(&value(one))
                }),
                Sort::Memory => processes.sort_by_key(|process| std::cmp::Reverse(figure(process).1)),
            }
            rows.extend(processes.iter().map(|process| shown.id(process)));
        }
        rows
    }

    /// Something is selected as long as there is something.
    pub(super) fn select_something(&mut self) {
        let rows = self.rows();
        if self.selected.as_ref().is_none_or(|selected| !rows.contains(selected)) {
            self.selected = rows.into_iter().next();
        }
    }

    /// Warnings that nobody has muted, then those that somebody has.
    pub(crate) fn alerts(&self) -> Vec<(&Shown, &Warning)> {
        let mut alerts: Vec<(&Shown, &Warning)> = self
            .visible()
            .flat_map(|shown| shown.status.warnings.iter().map(move |warning| (shown, warning)))
            .collect();
        alerts.sort_by_key(|(_, warning)| warning.muted);
        alerts
    }
}

impl Shown {
    pub(crate) fn id(&self, process: &ProcessStatus) -> Id {
        Id {
            workspace: self.status.workspace.clone(),
            environment: self.status.environment.clone(),
            process: process.name.clone(),
        }
    }

    fn is_active(&self) -> bool {
        self.status.processes.iter().any(|process| process.wanted || process.status.is_alive())
    }

    /// CPU in percent of a core and bytes of memory, now.
    pub(crate) fn figures(&self, process: &ProcessStatus) -> (Option<f64>, Option<u64>) {
        let newest = self.histories.get(&process.name).and_then(History::now);
        match newest {
            Some(cost) => (cost.cpu_percent.map(f64::from), cost.memory_bytes),
            None => (process.cpu_percent, process.memory_bytes),
        }
    }

    /// Since when it runs, in seconds.
    pub(crate) fn uptime(process: &ProcessStatus, now: Time) -> Option<f64> {
        process.started_at.filter(|_| process.status.is_alive()).map(|since| now.seconds_since(since))
    }
}
