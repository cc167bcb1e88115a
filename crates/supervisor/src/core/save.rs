//! What is wanted, on disk: one file an environment, each whole or not there at all.
//!
//! The run folders are the truth about what runs; this says what the user wanted, with what variables, and counts.
//! A file that cannot be read is put aside under a name that says so, and the one before it is taken.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use forge_api::{Health, NoticeKind, Time};
use forge_keeper::record::Exit;
use serde::{Deserialize, Serialize};

use super::act::remove_folder;
use super::alerts::Muted;
use super::hogs::ToldHog;
use super::loaded::FolderId;
use super::measure::{Costs, ToldAlerts};
use super::told::SavedTold;
use super::{Core, EnvironmentKey, Process};
use crate::conflict::Moved;
use crate::home::{private_folder, short_hash};
use crate::process::lifecycle::{Machine, Phase};

/// Changes are collected for this long before they are written.
pub(super) const DELAY: Duration = Duration::from_millis(200);

/// After a failure, the disk being full say.
const AGAIN: Duration = Duration::from_secs(5);

/// The version of the file.
const VERSION: u32 = 1;

/// In front of the JSON: the version and a checksum of what follows the line.
const HEAD: &str = "forge-state";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Saved {
    pub workspace: PathBuf,
    pub environment: String,
    pub boot: String,
    pub variables: BTreeMap<String, String>,
    #[serde(default)]
    pub moves: Moved,
    #[serde(default)]
    pub muted: BTreeSet<Muted>,
    #[serde(default)]
    pub hogs: Vec<ToldHog>,
    #[serde(default)]
    pub place: Option<FolderId>,
    pub processes: BTreeMap<String, SavedProcess>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct SavedProcess {
    pub wanted: bool,
    pub restarts: u32,
    pub crashes: Vec<i64>,
    /// The number of the last run.
    pub number: u32,
    #[serde(default)]
    pub fresh_run: u32,
    pub ended: Option<(Exit, i64)>,
    /// [`forge_config::resolve::fingerprint`] of what ran last.
    #[serde(default)]
    pub ran: Option<String>,
    /// The run that was held, by its UUID.
    #[serde(default)]
    pub run: Option<String>,
    #[serde(default)]
    pub told: SavedTold,
    /// Of the run that was held: what makes it ready, so that it is so for the next supervisor too.
    #[serde(default)]
    pub readiness: Option<Readiness>,
    /// Of that run too: so that each is told once.
    #[serde(default)]
    pub alerts: Option<ToldAlerts>,
    #[serde(default)]
    pub dismissed: BTreeSet<NoticeKind>,
    pub phase: SavedPhase,
    /// Of one that waits for its restart after a crash: when that is due, in milliseconds since 1970.
    #[serde(default)]
    pub restarts_at: Option<(i64, Exit)>,
}

/// What a supervisor has learnt of a run that lives, and the next one would have to learn again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Readiness {
    pub health: Health,
    #[serde(default)]
    pub unhealthy_since: Option<Time>,
    pub holds_ports: bool,
    pub port_taken: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum SavedPhase {
    Stopped,
    /// A tree of it lives, or was about to.
    Alive,
    /// Being ended, to be started again or not.
    Stopping,
    /// For dependencies or a countdown.
    Waiting,
    Exited,
    Crashed {
        exit: Exit,
    },
    Failed {
        reason: String,
        exit: Option<Exit>,
    },
}

impl SavedPhase {
    /// With nothing alive.
    pub(super) fn at_rest(&self) -> Phase {
        match self {
            Self::Exited => Phase::Exited { left: Vec::new() },
            Self::Crashed { exit } => Phase::Crashed { exit: *exit, left: Vec::new() },
            Self::Failed { reason, exit } => {
                Phase::Failed { reason: reason.clone(), exit: *exit, left: Vec::new() }
            }
            Self::Stopped | Self::Alive | Self::Stopping | Self::Waiting => Phase::Stopped,
        }
    }
}

impl SavedProcess {
    fn of(process: &Process) -> Self {
        let machine = &process.machine;
        let phase = match &machine.phase {
            Phase::Stopped => SavedPhase::Stopped,
            Phase::Waiting | Phase::Restarting { .. } => SavedPhase::Waiting,
            Phase::Starting | Phase::Running { .. } => SavedPhase::Alive,
            Phase::Stopping { .. } => SavedPhase::Stopping,
            Phase::Exited { .. } => SavedPhase::Exited,
            Phase::Crashed { exit, .. } => SavedPhase::Crashed { exit: *exit },
            Phase::Failed { reason, exit, .. } => SavedPhase::Failed { reason: reason.clone(), exit: *exit },
        };
        Self {
            wanted: machine.wanted,
            restarts: machine.restarts,
            crashes: machine.crashes.clone(),
            number: process.number,
            fresh_run: process.fresh_run,
            ended: process.ended.map(|(exit, time)| (exit, time.as_millis())),
            ran: process.ran.clone(),
            run: process.run.as_ref().map(|run| run.id.clone()),
            told: SavedTold::of(&process.told),
            readiness: process.run.is_some().then(|| process.readiness()),
            alerts: process.run.as_ref().and_then(|run| process.costs.told_alerts(&run.id)),
            dismissed: process.dismissed.clone(),
            phase,
            restarts_at: match (&machine.phase, process.restart_at) {
                (Phase::Restarting { exit, .. }, Some(at)) => Some((at.as_millis(), *exit)),
                _ => None,
            },
        }
    }

    /// The process as it stood, with nothing of it alive.
    pub(super) fn restore(&self) -> Process {
        Process {
            machine: Machine {
                phase: self.phase.at_rest(),
                wanted: self.wanted,
                restarts: self.restarts,
                crashes: self.crashes.clone(),
            },
            number: self.number,
            fresh_run: self.fresh_run,
            ended: self.ended.map(|(exit, millis)| (exit, Time::from_millis(millis))),
            ran: self.ran.clone(),
            told: self.told.restore(),
            dismissed: self.dismissed.clone(),
            costs: Costs::after(self.alerts.clone()),
            ..Process::default()
        }
    }
}

impl Core {
    /// Writes down what has changed.
    pub(super) fn save_all(&mut self) {
        self.save_planned = false;
        let mut failed = std::collections::BTreeSet::new();
        for key in std::mem::take(&mut self.unsaved) {
            if let Err(error) = self.save(&key) {
                // What is in memory is not lost.
                tracing::error!("what is wanted of {} could not be written: {error}", key.environment);
                failed.insert(key);
            }
        }
        if !failed.is_empty() {
            self.unsaved = failed;
            self.plan_save(AGAIN);
            return;
        }
        let read_out = std::mem::take(&mut self.read_out);
        if !read_out.is_empty() {
            tokio::task::spawn_blocking(move || read_out.iter().for_each(remove_folder));
        }
    }

    fn save(&self, key: &EnvironmentKey) -> io::Result<()> {
        let Some(environment) = self.environments.get(key) else { return Ok(()) };
        let saved = Saved {
            workspace: key.workspace.clone(),
            environment: key.environment.clone(),
            boot: self.boot.clone(),
            variables: environment.variables.clone(),
            moves: environment.moves.clone(),
            muted: environment.muted.clone(),
            hogs: self.hogs.told(),
            place: environment.place,
            processes: environment
                .processes
                .iter()
                .map(|(name, process)| (name.clone(), SavedProcess::of(process)))
                .collect(),
        };
        let folder = folder(&self.home.state);
        private_folder(&folder)?;
        write(&folder.join(file_name(key)), &saved)
    }
}

fn folder(state: &Path) -> PathBuf {
    state.join("environments")
}

fn file_name(key: &EnvironmentKey) -> String {
    let identity = format!("{}\0{}", key.workspace.display(), key.environment);
    format!("{}.state", short_hash(identity.as_bytes()))
}

fn write(path: &Path, saved: &Saved) -> io::Result<()> {
    let json = serde_json::to_string(saved)?;
    let next = path.with_extension("next");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&next)?;
    write!(file, "{HEAD} {VERSION} {}\n{json}", short_hash(json.as_bytes()))?;
    drop(file);
    // The one before stays, for the day when this one is found broken.
    match fs::rename(path, path.with_extension("before")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(&next, path)
}

/// Why a state file was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Unusable {
    Broken,
    Newer(u32),
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Broken => write!(f, "broken"),
            Self::Newer(version) => write!(f, "of-newer-version-{version}"),
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Saved, Unusable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unusable::Broken)?;
    let (head, json) = text.split_once('\n').ok_or(Unusable::Broken)?;
    let mut words = head.split(' ');
    let (Some(HEAD), Some(version), Some(checksum)) = (words.next(), words.next(), words.next()) else {
        return Err(Unusable::Broken);
    };
    let version: u32 = version.parse().map_err(|_| Unusable::Broken)?;
    if version > VERSION {
        return Err(Unusable::Newer(version));
    }
    if checksum != short_hash(json.as_bytes()) {
        return Err(Unusable::Broken);
    }
    serde_json::from_str(json).map_err(|_| Unusable::Broken)
}

/// Everything that was saved. What cannot be used is put aside.
pub(crate) fn restored(state: &Path) -> Vec<Saved> {
    let mut found: BTreeMap<PathBuf, Option<Saved>> = BTreeMap::new();
    for entry in fs::read_dir(folder(state)).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("state") => {
                found.insert(path.clone(), take(&path));
            }
            // A kill between the two renames leaves only this one.
            Some("before") => {
                found.entry(path.with_extension("state")).or_insert(None);
            }
            _ => {}
        }
    }
    found
        .into_iter()
        .filter_map(|(path, saved)| saved.or_else(|| take(&path.with_extension("before"))))
        .collect()
}

fn take(path: &Path) -> Option<Saved> {
    let bytes = fs::read(path).ok()?;
    match parse(&bytes) {
        Ok(saved) => Some(saved),
        Err(why) => {
            let aside = path.with_extension(format!("{why}-{}", Time::now().as_millis()));
            tracing::error!("{} is {why}; it is kept as {}", path.display(), aside.display());
            if let Err(error) = fs::rename(path, &aside) {
                tracing::error!("{}: {error}", aside.display());
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved() -> Saved {
        Saved {
            workspace: "/work/shop".into(),
            environment: "dev".into(),
            boot: "boot".into(),
            variables: BTreeMap::from([("PATH".into(), "/bin".into())]),
            place: Some((7, 8)),
            hogs: Vec::new(),
            muted: [(None, "hog".to_owned()), (Some("api".into()), "cpu".to_owned())].into(),
            moves: BTreeMap::from([("api".into(), BTreeMap::from([(3000, 3001)]))]),
            processes: BTreeMap::from([(
                "api".into(),
                SavedProcess {
                    wanted: true,
                    restarts: 2,
                    crashes: vec![1, 2],
                    number: 7,
                    fresh_run: 5,
                    ended: Some((Exit::Signal(9), 5)),
                    ran: None,
                    run: None,
                    told: SavedTold::default(),
                    readiness: None,
                    alerts: Some(ToldAlerts {
                        run: "run".into(),
                        since: BTreeMap::from([("cpu".into(), Time::from_millis(9))]),
                    }),
                    dismissed: [NoticeKind::Crash].into(),
                    restarts_at: Some((1_700_000_000_000, Exit::Code(1))),
                    phase: SavedPhase::Alive,
                },
            )]),
        }
    }

    fn names(state: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder(state)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn written() -> (tempfile::TempDir, PathBuf) {
        let state = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder(state.path())).unwrap();
        let path = folder(state.path()).join("0123.state");
        write(&path, &saved()).unwrap();
        (state, path)
    }

    #[test]
    fn what_is_saved_is_restored() {
        let (state, _) = written();
        assert_eq!(restored(state.path()), [saved()], "the same");
    }

    #[test]
    fn every_truncation_is_noticed_and_the_file_before_is_taken() {
        let (state, path) = written();
        write(&path, &saved()).unwrap();
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            write(&path.with_extension("spare"), &saved()).unwrap();
            fs::rename(path.with_extension("spare"), path.with_extension("before")).unwrap();
            assert_eq!(restored(state.path()), [saved()], "cut to {length} bytes");
        }
    }

    #[test]
    fn zeros_are_put_aside_under_a_name_that_says_so() {
        let (state, path) = written();
        fs::write(&path, [0; 512]).unwrap();
        assert!(restored(state.path()).is_empty(), "nothing to take");
        let names = names(state.path());
        assert!(names.iter().any(|name| name.starts_with("0123.broken-")), "{names:?}");
    }

    #[test]
    fn a_newer_version_is_kept_aside_and_not_read() {
        let (state, path) = written();
        fs::write(&path, format!("{HEAD} 9 0\n{{}}")).unwrap();
        assert!(restored(state.path()).is_empty(), "not ours to read");
        let names = names(state.path());
        assert!(names.iter().any(|name| name.starts_with("0123.of-newer-version-9-")), "{names:?}");
    }
}
