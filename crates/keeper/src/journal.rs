//! The files `events` and `exit.json` of a run: what has happened, kept in memory until the disk has it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use forge_keeper::record::{Ended, Exit, Record};
use forge_keeper::spec::RunFolder;

/// The run's records.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: RunFolder,
    file: File,
    known: Vec<Record>,
    /// What the disk has not taken yet.
    unwritten: Vec<u8>,
    last_word: Option<Ended>,
    /// [`Journal::last_word`] is not on disk.
    last_word_due: bool,
}

/// What the records of a run say.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Story {
    /// PID and start time of the child.
    pub(crate) child: Option<(u32, u64)>,
    pub(crate) not_started: Option<String>,
    pub(crate) exited: Option<(Exit, i64)>,
    pub(crate) ending: bool,
    pub(crate) empty: Option<i64>,
}

impl Story {
    /// What `records` tell, in their order.
    pub(crate) fn of(records: &[Record]) -> Self {
        let mut story = Self::default();
        for record in records {
            match record {
                Record::Keeper { .. } => {}
                Record::Started { pid, start, .. } => story.child = Some((*pid, *start)),
                // The child wrote that it starts, and then the command could not be run.
                Record::NotStarted { message, .. } => {
                    story.child = None;
                    story.not_started = Some(message.clone());
                }
                Record::Exited { exit, time } => story.exited = Some((*exit, *time)),
                Record::Ending { .. } => story.ending = true,
                Record::Empty { time, .. } => story.empty = Some(*time),
            }
        }
        story
    }
}

impl Journal {
    /// Opens the run's records; those that are there already are read.
    pub(crate) fn open(folder: &RunFolder) -> io::Result<Self> {
        let file = open_events(&folder.events())?;
        let bytes = fs::read(folder.events())?;
        let mut journal = Self {
            folder: folder.clone(),
            file,
            known: parse(&bytes),
            unwritten: Vec::new(),
            last_word: None,
            last_word_due: false,
        };
        if bytes.last().is_some_and(|&byte| byte != b'\n') {
            // A disk that was full cut the last line: the next must not be glued to it.
            journal.unwritten.push(b'\n');
        }
        Ok(journal)
    }

    pub(crate) fn story(&self) -> Story {
        Story::of(&self.known)
    }

    /// The file that the child writes [`Record::Started`] to.
    #[cfg(unix)]
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Records what happened.
    pub(crate) fn append(&mut self, record: Record) {
        self.unwritten.extend(line(&record));
        self.known.push(record);
        self.settle();
    }

    /// Records the start of a child that writes this down by itself, if it could not.
    #[cfg(unix)]
    pub(crate) fn child_started(&mut self, pid: u32, start: u64, time: i64) {
        let started = Record::Started { pid, start, time };
        let bytes = fs::read(self.folder.events()).unwrap_or_default();
        if Story::of(&parse(&bytes)).child == Some((pid, start)) {
            self.known.push(started);
            return;
        }
        if bytes.last().is_some_and(|&byte| byte != b'\n') {
            self.unwritten.push(b'\n');
        }
        self.append(started);
    }

    /// Writes `exit.json`.
    pub(crate) fn end(&mut self, ended: Ended) {
        self.last_word = Some(ended);
        self.last_word_due = true;
        self.settle();
    }

    /// The disk has not everything yet: [`Journal::settle`] is due now and then.
    pub(crate) fn is_pending(&self) -> bool {
        self.last_word_due || !self.unwritten.is_empty()
    }

    /// Tries to write what is not on disk.
    pub(crate) fn settle(&mut self) {
        while !self.unwritten.is_empty() {
            match self.file.write(&self.unwritten) {
                Ok(0) => break,
                Ok(written) => drop(self.unwritten.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        if self.last_word_due && self.write_last_word().is_ok() {
            self.last_word_due = false;
        }
    }

    fn write_last_word(&self) -> io::Result<()> {
        let Some(ended) = &self.last_word else { return Ok(()) };
        write_whole(&self.folder.exit(), &serde_json::to_vec(ended)?)
    }

    /// Writes all of it anew: the run folder was deleted, and is there again. (Elsewhere one that is in use stays.)
    #[cfg(any(unix, test))]
    pub(crate) fn rewrite(&mut self) -> io::Result<()> {
        self.file = open_events(&self.folder.events())?;
        self.unwritten = self.known.iter().flat_map(line).collect();
        self.last_word_due = self.last_word.is_some();
        self.settle();
        Ok(())
    }
}

/// Writes a file in one step: it is there whole, or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let written = (|| {
        let mut file = private().write(true).create(true).truncate(true).open(&beside)?;
        file.write_all(bytes)?;
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

/// One record as its line.
pub(crate) fn line(record: &Record) -> Vec<u8> {
    // Records hold numbers and text only: there is nothing in them that JSON can't say.
    let mut line = serde_json::to_vec(record).unwrap_or_default();
    line.push(b'\n');
    line
}

fn parse(bytes: &[u8]) -> Vec<Record> {
    bytes.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

fn open_events(path: &Path) -> io::Result<File> {
    private().read(true).append(true).create(true).open(path)
}

/// Options for a file that is for its owner alone. On Windows that is what the state folder's rights say already.
fn private() -> OpenOptions {
    #[cfg_attr(windows, expect(unused_mut, reason = "the mode is Unix's"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_costs_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::new(folder.path());
        fs::write(
            run.events(),
            b"{\"event\":\"started\",\"pid\":7,\"start\":9,\"time\":1}\n{\"event\":\"exi",
        )
        .unwrap();
        let mut journal = Journal::open(&run).unwrap();
        journal.append(Record::Exited { exit: Exit::Code(3), time: 5 });
        assert!(!journal.is_pending(), "the disk has room");

        let story = Journal::open(&run).unwrap().story();
        assert_eq!(story.child, Some((7, 9)), "the line before the torn one");
        assert_eq!(story.exited, Some((Exit::Code(3), 5)), "the line after the torn one");
    }

    #[test]
    fn a_command_that_could_not_be_run_has_no_child() {
        let story = Story::of(&[
            Record::Started { pid: 7, start: 9, time: 1 },
            Record::NotStarted { errno: Some(2), message: "not found".into(), time: 2 },
        ]);
        assert_eq!(story.child, None, "PID 7 is nobody's by now");
        assert_eq!(story.not_started.as_deref(), Some("not found"), "why");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::new(folder.path());
        std::os::unix::fs::symlink("/dev/full", run.events()).unwrap();
        let mut journal = Journal {
            folder: run.clone(),
            file: open_events(&run.events()).unwrap(),
            known: Vec::new(),
            unwritten: Vec::new(),
            last_word: None,
            last_word_due: false,
        };
        journal.append(Record::Empty { time: 1, heir: None });
        assert!(journal.is_pending(), "there is no room");
        fs::remove_file(run.events()).unwrap();
        journal.rewrite().unwrap();
        assert!(!journal.is_pending(), "now there is");
        assert_eq!(Journal::open(&run).unwrap().story().empty, Some(1), "nothing was forgotten");
    }

    #[test]
    fn a_deleted_folder_gets_everything_again() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::new(folder.path().join("run"));
        fs::create_dir(run.path()).unwrap();
        let mut journal = Journal::open(&run).unwrap();
        journal.append(Record::Started { pid: 7, start: 9, time: 1 });
        let ended = Ended { exit: Some(Exit::Signal(9)), message: None, time: 2, requested: true };
        journal.end(ended.clone());

        fs::remove_dir_all(run.path()).unwrap();
        fs::create_dir(run.path()).unwrap();
        journal.rewrite().unwrap();
        assert_eq!(Journal::open(&run).unwrap().story().child, Some((7, 9)), "events");
        let read: Ended = serde_json::from_slice(&fs::read(run.exit()).unwrap()).unwrap();
        assert_eq!(read, ended, "exit.json");
    }
}
