//! A run folder, a keeper for it, and a client of that keeper.
#![allow(dead_code, reason = "each test file uses what it needs")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use forge_keeper::base64;
use forge_keeper::frame::{self, Frames};
use forge_keeper::message::{PROTOCOL, Report, Request};
use forge_keeper::record::{Ended, Exit, Record};
use forge_keeper::spec::{RunFolder, Spec};
use forge_system::ProcessId;
use forge_system::tree::Tree;

/// Nothing here takes so long unless it is broken.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// Waits for `condition`, and fails with `what` if it does not come true.
pub(crate) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// One run of one command in folders of its own; what is left of it at the end of the test is ended.
pub(crate) struct Run {
    pub(crate) spec: Spec,
    pub(crate) folder: RunFolder,
    keepers: Vec<Child>,
    temp: tempfile::TempDir,
}

impl Run {
    /// A run of `argv`, not started.
    pub(crate) fn of(argv: &[&str]) -> Self {
        let temp = tempfile::Builder::new().prefix("fk").tempdir().unwrap();
        let folder = RunFolder::new(temp.path().join("runs/1"));
        fs::create_dir_all(folder.path()).unwrap();
        let unique = temp.path().file_name().unwrap().to_string_lossy().into_owned();
        let spec = Spec {
            protocol: PROTOCOL,
            run: format!("{unique}-{}", std::process::id()),
            number: 1,
            workspace: temp.path().to_owned(),
            environment: "dev".into(),
            process: "test".into(),
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            cwd: temp.path().to_owned(),
            env: vec![("PATH".into(), std::env::var("PATH").unwrap_or_default())],
            tty: false,
            shell_status: false,
            stdin: false,
            logs: temp.path().join("logs"),
            segment_bytes: 64 << 20,
            quota_bytes: 1 << 30,
            socket: temp.path().join("sockets/s"),
            container: None,
            supervisor: None,
            asked_at_ms: 0,
            fingerprint: String::new(),
            note: serde_json::Value::Null,
        };
        Self { spec, folder, keepers: Vec::new(), temp }
    }

    /// A run of a shell script.
    pub(crate) fn script(script: &str) -> Self {
        Self::of(&["/bin/sh", "-c", script])
    }

    /// The same with changes to the spec.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Spec)) -> Self {
        change(&mut self.spec);
        self
    }

    /// Where this test's files are.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// Starts the keeper and does not wait for anything.
    pub(crate) fn launch(mut self) -> Self {
        fs::write(self.folder.spec(), serde_json::to_vec(&self.spec).unwrap()).unwrap();
        self.keeper(&[]);
        self
    }

    /// The same with the keeper's standard output.
    pub(crate) fn launch_with_output(mut self) -> (Self, ChildStdout) {
        fs::write(self.folder.spec(), serde_json::to_vec(&self.spec).unwrap()).unwrap();
        let mut child = self.command(&[]).stdout(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        self.keepers.push(child);
        (self, output)
    }

    /// Starts the keeper, and connects.
    pub(crate) fn start(self) -> (Self, Client) {
        let run = self.launch();
        let client = run.connect();
        (run, client)
    }

    /// Starts a keeper that replaces the one before, and connects.
    pub(crate) fn adopt(&mut self) -> Client {
        self.keeper(&["--adopt"]);
        self.connect()
    }

    fn keeper(&mut self, flags: &[&str]) {
        let child = self.command(flags).spawn().unwrap();
        self.keepers.push(child);
    }

    fn command(&self, flags: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_forge-keeper"));
        command.args(flags).arg(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// The keeper that was started last.
    pub(crate) fn keeper_pid(&self) -> u32 {
        self.keepers.last().unwrap().id()
    }

    /// Kills the keeper, as nothing could prevent.
    pub(crate) fn kill_keeper(&mut self) {
        let keeper = self.keepers.last_mut().unwrap();
        keeper.kill().unwrap();
        keeper.wait().unwrap();
    }

    /// Waits until the keeper ends; its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        let keeper = self.keepers.last_mut().unwrap();
        wait_for("the keeper ends", || keeper.try_wait().unwrap().is_some());
        keeper.try_wait().unwrap().unwrap().code()
    }

    /// Connects as a supervisor does.
    pub(crate) fn connect(&self) -> Client {
        let mut stream = None;
        wait_for("the keeper listens", || {
            stream = UnixStream::connect(&self.spec.socket).ok();
            stream.is_some()
        });
        let mut client = Client::new(stream.unwrap());
        client.send(&Request::Hello { protocol: PROTOCOL, version: "test".into() });
        client.hello = Some(client.wait_for("hello", |report| matches!(report, Report::Hello { .. })));
        client.know_what_was_before();
        client
    }

    /// What the records say.
    pub(crate) fn records(&self) -> Vec<Record> {
        let text = fs::read_to_string(self.folder.events()).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The child, once its start is recorded.
    pub(crate) fn child(&self) -> ProcessId {
        let mut child = None;
        wait_for("the child is recorded", || {
            child = self.records().iter().find_map(|record| match record {
                Record::Started { pid, start, .. } => Some(ProcessId { pid: *pid, start: *start }),
                _ => None,
            });
            child.is_some()
        });
        child.unwrap()
    }

    /// `exit.json`, once it is there.
    pub(crate) fn ended(&self) -> Ended {
        wait_for("exit.json", || self.folder.exit().exists());
        serde_json::from_slice(&fs::read(self.folder.exit()).unwrap()).unwrap()
    }

    /// The lines of one stream (`stdout`, `stderr`, `forge`), fragments joined.
    pub(crate) fn lines(&self, stream: &str) -> Vec<String> {
        lines_in(&self.spec.logs, stream)
    }

    /// Whoever is alive and carries this run's mark.
    pub(crate) fn survivors(&self) -> Vec<u32> {
        let mut tree = Tree::default().with_mark(format!("FORGE_RUN={}", self.spec.run));
        let members = tree.sweep().unwrap();
        members.iter().filter(|member| !member.is_zombie()).map(|member| member.id.pid).collect()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        for keeper in &mut self.keepers {
            let _ = keeper.kill();
            let _ = keeper.wait();
        }
        let mut tree = Tree::default().with_mark(format!("FORGE_RUN={}", self.spec.run));
        let _ = tree.sweep();
        let _ = tree.kill_all(Instant::now() + Duration::from_secs(5), || ());
    }
}

/// The lines of one stream in the segments of a folder.
pub(crate) fn lines_in(logs: &Path, stream: &str) -> Vec<String> {
    let mut segments: Vec<PathBuf> = fs::read_dir(logs)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    segments.sort();
    let mut lines = Vec::new();
    let mut open = false;
    for segment in segments {
        let bytes = fs::read(segment).unwrap_or_default();
        for line in String::from_utf8_lossy(&bytes).lines() {
            let mut words = line.splitn(4, ' ').skip(1);
            let (Some(from), Some(tag), text) = (words.next(), words.next(), words.next()) else { continue };
            if from != stream {
                continue;
            }
            let text = text.unwrap_or_default();
            match lines.last_mut() {
                Some(last) if open => String::push_str(last, text),
                _ => lines.push(text.to_owned()),
            }
            open = tag.starts_with('P');
        }
    }
    lines
}

/// A connection to a keeper.
pub(crate) struct Client {
    stream: UnixStream,
    frames: Frames,
    waiting: Vec<Report>,
    /// The terminal, once it was passed.
    pub(crate) terminal: Option<OwnedFd>,
    /// What the keeper said first.
    pub(crate) hello: Option<Report>,
}

impl Client {
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self { stream, frames: Frames::new(), waiting: Vec::new(), terminal: None, hello: None }
    }

    /// What happened before the hello is in it, and counts as told.
    fn know_what_was_before(&mut self) {
        let Some(Report::Hello { exited, left, empty, .. }) = &self.hello else { return };
        let exited = exited.map(|(exit, time)| Report::Exited { exit, time, left: left.clone() });
        let empty = empty.then_some(Report::Empty { time: 0, heir: None });
        self.waiting.extend(exited.into_iter().chain(empty));
    }

    pub(crate) fn send(&mut self, request: &Request) {
        self.stream.write_all(&frame::encode(request).unwrap()).unwrap();
    }

    /// Sends bytes that may make no sense.
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends a request with a descriptor.
    pub(crate) fn send_with(&mut self, request: &Request, descriptor: &OwnedFd) {
        use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

        let bytes = frame::encode(request).unwrap();
        let rights = [descriptor.as_fd()];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&rights));
        let sent = rustix::net::sendmsg(
            &self.stream,
            &[std::io::IoSlice::new(&bytes)],
            &mut control,
            SendFlags::empty(),
        );
        assert_eq!(sent.unwrap(), bytes.len(), "a frame is small");
    }

    pub(crate) fn end(&mut self, signal: i32, grace: Duration) {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap();
        self.send(&Request::End { signal, grace_ms, force: false });
    }

    pub(crate) fn force(&mut self) {
        self.send(&Request::End { signal: 15, grace_ms: 0, force: true });
    }

    pub(crate) fn input(&mut self, bytes: &[u8]) {
        self.send(&Request::Input { data: base64::encode(bytes) });
    }

    /// The next report that `wanted` wants, whether it has come already or not; others stay.
    pub(crate) fn wait_for(&mut self, what: &str, mut wanted: impl FnMut(&Report) -> bool) -> Report {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(at) = self.waiting.iter().position(&mut wanted) {
                return self.waiting.remove(at);
            }
            assert!(Instant::now() < deadline, "no report: {what}; there are {:?}", self.waiting);
            assert!(self.receive(Duration::from_millis(100)), "the keeper hung up, waiting for: {what}");
        }
    }

    pub(crate) fn wait_for_exit(&mut self) -> Exit {
        match self.wait_for("exited", |report| matches!(report, Report::Exited { .. })) {
            Report::Exited { exit, .. } => exit,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn wait_for_empty(&mut self) {
        self.wait_for("empty", |report| matches!(report, Report::Empty { .. }));
    }

    /// Why a request was refused.
    pub(crate) fn wait_for_refusal(&mut self, of: &str) -> String {
        let is_refusal = |report: &Report| matches!(report, Report::Refused { request, .. } if request == of);
        match self.wait_for(of, is_refusal) {
            Report::Refused { message, .. } => message,
            other => panic!("{other:?}"),
        }
    }

    /// Reads until the terminal's output holds `text`; all of it.
    pub(crate) fn wait_for_output(&mut self, text: &str) -> String {
        let mut output = Vec::new();
        loop {
            let report = self.wait_for(text, |report| matches!(report, Report::Output { .. }));
            let Report::Output { data } = report else { panic!("{report:?}") };
            output.extend(base64::decode(&data).unwrap());
            let shown = String::from_utf8_lossy(&output).into_owned();
            if shown.contains(text) {
                return shown;
            }
        }
    }

    /// Whether the keeper has closed the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        !self.receive(Duration::from_millis(10))
    }

    /// Reads what is there; `false` at the end of the connection.
    fn receive(&mut self, patience: Duration) -> bool {
        use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};

        self.stream.set_read_timeout(Some(patience)).unwrap();
        let mut bytes = vec![0; 64 << 10];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut into = [std::io::IoSliceMut::new(&mut bytes)];
        let read = match rustix::net::recvmsg(&self.stream, &mut into, &mut control, RecvFlags::empty()) {
            Ok(read) => read.bytes,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return true,
            Err(_) => return false,
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                self.terminal = descriptors.last().or(self.terminal.take());
            }
        }
        self.frames.push(&bytes[..read]);
        while let Some(report) = self.frames.next_message().unwrap() {
            self.waiting.push(report);
        }
        read > 0
    }

    /// Reads and forgets all that comes until the end of the connection.
    pub(crate) fn drain(mut self) {
        let _ = self.stream.set_read_timeout(Some(LIMIT));
        let mut bytes = vec![0; 64 << 10];
        while self.stream.read(&mut bytes).is_ok_and(|read| read > 0) {}
    }
}
