//! Ports that something else holds: who it is, and what can be done about it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use forge_api::{Code, Error, PortHolder, Target};
use forge_config::resolve::ResolvedProcess;
use forge_system::ports::{self, Listening};
use forge_system::process::{ProcessId, Signal};
use serde_json::json;

use crate::machine::{self, Holder};
use crate::owned::Owned;

/// How long a holder has to end by itself once it is asked to, and how often that is looked at.
const GRACE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Moved ports of an environment: process → declared port → the port to use instead.
pub(crate) type Moved = BTreeMap<String, BTreeMap<u16, u16>>;

/// Those of a workspace, by environment.
pub(crate) type Moves = BTreeMap<String, Moved>;

/// A port that is wanted and held.
#[derive(Debug, Clone)]
pub(crate) struct Conflict {
    pub target: Target,
    pub port: u16,
    /// As the file has it.
    pub declared: u16,
    pub holder: Holder,
    /// A free one that nobody in the workspace has asked for either.
    pub next: Option<u16>,
}

/// Ports that these processes want and something else holds. Those in `spoken_for` are not offered in their place.
pub(crate) fn find<'a>(
    wanted: impl Iterator<Item = (&'a Target, &'a ResolvedProcess)>,
    root: &Path,
    owned: &[Owned],
    mut spoken_for: BTreeSet<u16>,
) -> Result<Vec<Conflict>, Error> {
    let wanted: Vec<(&Target, u16, u16)> = wanted
        .flat_map(|(target, process)| {
            let ports = process.ports.iter().zip(&process.declared_ports);
            ports.map(move |(port, declared)| (target, *port, *declared))
        })
        .collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let listening = Listening::read().map_err(|error| Error::system("the table of listeners", error))?;
    let conflicts = wanted.into_iter().filter_map(|(target, port, declared)| {
        let holder = machine::holder(&listening, port, root, owned)?;
        let next = next_free(port, &spoken_for);
        spoken_for.extend(next);
        Some(Conflict { target: target.clone(), port, declared, holder, next })
    });
    Ok(conflicts.collect())
}

/// The first port above that nobody listens on and nobody else is to have.
fn next_free(above: u16, spoken_for: &BTreeSet<u16>) -> Option<u16> {
    let mut from = above;
    loop {
        let port = ports::next_free(from.checked_add(1)?)?;
        if !spoken_for.contains(&port) {
            return Some(port);
        }
        from = port;
    }
}

/// The refusal that names them all, as seen from a workspace.
pub(crate) fn refusal(conflicts: &[Conflict], root: &Path) -> Error {
    let text = |one: &Conflict| {
        format!("port {}, which {} needs, is in use by {}", one.port, one.target.process, one.holder)
    };
    let texts: Vec<String> = conflicts.iter().map(text).collect();
    let mut stops: Vec<String> =
        conflicts.iter().filter_map(|one| one.holder.service.as_ref()).map(|one| one.stop(root)).collect();
    stops.dedup();
    let stop = match stops.as_slice() {
        [one] => format!("stop it with `{one}`"),
        _ => "stop what holds it".to_owned(),
    };
    Error::new(Code::PortConflict, texts.join("\n"))
        .help(format!("{stop}, or change `port`; nothing was started"))
        .details(json!({ "conflicts": conflicts.iter().map(details).collect::<Vec<_>>() }))
}

fn details(conflict: &Conflict) -> serde_json::Value {
    let holder = &conflict.holder;
    json!({
        "environment": conflict.target.environment,
        "process": conflict.target.process,
        "port": conflict.port,
        "pid": holder.id.map(|id| id.pid),
        "holder": holder.to_string(),
        "command": holder.command(),
        "user": holder.user(),
        "started_at": holder.started_at(),
        "service": holder.service,
        "next": conflict.next,
    })
}

/// Moves each of them to the port that was found for it.
pub(crate) fn move_on(conflicts: &[Conflict], root: &Path, moves: &mut Moves) -> Result<(), Error> {
    for conflict in conflicts {
        let next = conflict.next;
        let next = next.ok_or_else(|| refusal(conflicts, root).help("no port above it is free"))?;
        let environment = moves.entry(conflict.target.environment.clone()).or_default();
        environment.entry(conflict.target.process.clone()).or_default().insert(conflict.declared, next);
    }
    Ok(())
}

/// Ends those who hold the ports, and waits until they are free. With `shown`, only those: the user has seen their
/// names. Nothing of another user's, and nothing of Forge's own: that is stopped, not killed.
pub(crate) fn end_holders(
    conflicts: &[Conflict],
    root: &Path,
    shown: Option<&[PortHolder]>,
) -> Result<(), Error> {
    for conflict in conflicts {
        let holder = &conflict.holder;
        let Some(told) = holder.told().filter(|_| holder.service.is_none()) else {
            return Err(refusal(conflicts, root));
        };
        if shown.is_some_and(|shown| !shown.contains(&told)) {
            return Err(refusal(conflicts, root));
        }
    }
    let mut ids: Vec<ProcessId> = conflicts.iter().filter_map(|conflict| conflict.holder.id).collect();
    ids.sort_by_key(|id| id.pid);
    ids.dedup();
    for (signal, limit) in [(Signal::TERM, GRACE), (Signal::KILL, GRACE)] {
        for id in &ids {
            let sent = id.signal(signal);
            sent.map_err(|error| Error::system(format!("ending PID {}", id.pid), error))?;
        }
        if wait_until_free(conflicts, limit) {
            return Ok(());
        }
    }
    Err(refusal(conflicts, root).help("it was asked to end, then killed, and the port is still held"))
}

fn wait_until_free(conflicts: &[Conflict], limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if conflicts.iter().all(|conflict| ports::is_free(conflict.port)) {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}
