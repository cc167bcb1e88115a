//! Running a program and seeing what it says.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{DEADLINE, Process, Signal, wait_until};

/// A command to be run.
#[derive(Debug)]
pub struct Invocation {
    command: Command,
    shown: String,
}

impl Invocation {
    /// `program`, with an empty environment.
    #[must_use]
    pub fn new(program: &Path) -> Self {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let shown = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { command, shown }
    }

    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        for argument in arguments {
            self.shown.push(' ');
            self.shown.push_str(&argument.as_ref().to_string_lossy());
            self.command.arg(argument);
        }
        self
    }

    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    #[must_use]
    pub fn current_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Gives it a standard input, for [`Running::write`].
    #[must_use]
    pub fn with_input(mut self) -> Self {
        self.command.stdin(Stdio::piped());
        self
    }

    /// Starts it and returns at once.
    ///
    /// # Panics
    /// It can't be started.
    #[must_use]
    pub fn spawn(mut self) -> Running {
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.shown));
        let stdout = Collected::from(child.stdout.take().expect("piped"));
        let stderr = Collected::from(child.stderr.take().expect("piped"));
        let input = child.stdin.take();
        Running { child, input, stdout, stderr, shown: self.shown }
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// It does not end within [`DEADLINE`].
    #[must_use]
    #[track_caller]
    pub fn run(self) -> Outcome {
        self.spawn().wait()
    }
}

/// What comes out of a pipe, as it comes.
#[derive(Debug)]
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Collected {
    fn from(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut buffer = [0; 1 << 14];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                into.lock().expect("only appended to").extend_from_slice(&buffer[..count]);
            }
        });
        Self { bytes, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().expect("only appended to")).into_owned()
    }

    /// Everything up to the end of the pipe.
    #[track_caller]
    fn whole(&mut self, whose: &str) -> String {
        if let Some(reader) = self.reader.take() {
            wait_until(&format!("{whose} has ended, but something holds its output open"), || {
                reader.is_finished()
            });
        }
        self.text()
    }
}

/// A program that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    input: Option<ChildStdin>,
    stdout: Collected,
    stderr: Collected,
    shown: String,
}

impl Running {
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to stdout so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it has written to stderr so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Writes to its standard input.
    ///
    /// # Panics
    /// It has none, or no longer reads it.
    pub fn write(&mut self, text: &str) {
        self.input.as_mut().expect("with_input").write_all(text.as_bytes()).expect("it reads its input");
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        crate::send_signal(self.pid(), signal);
    }

    /// Waits until it has written `text`, to whichever stream.
    ///
    /// # Panics
    /// It never does, or ends before.
    #[track_caller]
    pub fn wait_for_output(&mut self, text: &str) {
        let until = Instant::now() + DEADLINE;
        while !self.stdout().contains(text) && !self.stderr().contains(text) {
            let ended = self.child.try_wait().expect("our child").is_some();
            // What it wrote last is still on its way to us.
            let last = ended
                && [&self.stdout, &self.stderr]
                    .iter()
                    .all(|pipe| pipe.reader.as_ref().is_none_or(JoinHandle::is_finished));
            let gone = last && !self.stdout().contains(text) && !self.stderr().contains(text);
            assert!(
                !gone && Instant::now() < until,
                "{} never wrote {text:?}{}\nstdout:\n{}\nstderr:\n{}",
                self.shown,
                if ended { ", and has ended" } else { "" },
                self.stdout(),
                self.stderr()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// It has not ended.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        Process::find(self.pid()).is_some()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// It does not end within [`DEADLINE`], or something that it left behind holds its output open.
    #[must_use]
    #[track_caller]
    pub fn wait(mut self) -> Outcome {
        self.input = None;
        let until = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                break status;
            }
            assert!(
                Instant::now() < until,
                "{} does not end\nstdout:\n{}\nstderr:\n{}",
                self.shown,
                self.stdout(),
                self.stderr()
            );
            thread::sleep(Duration::from_millis(2));
        };
        Outcome {
            code: status.code(),
            stdout: self.stdout.whole(&self.shown),
            stderr: self.stderr.whole(&self.shown),
            shown: self.shown.clone(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; either way nothing is left of it.
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}

/// What a program ended with.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// `None`: by a signal.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    shown: String,
}

impl Outcome {
    /// Checks the exit code.
    ///
    /// # Panics
    /// It is another.
    #[track_caller]
    pub fn code(&self, expected: i32) -> &Self {
        assert_eq!(self.code, Some(expected), "exit code of {self}");
        self
    }

    /// Checks that it ended with 0.
    ///
    /// # Panics
    /// It did not.
    #[track_caller]
    pub fn ok(&self) -> &Self {
        self.code(0)
    }

    /// Checks that stderr has `text`.
    ///
    /// # Panics
    /// It has not.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "{text:?} is not in the stderr of {self}");
        self
    }

    /// Checks that stdout has `text`.
    ///
    /// # Panics
    /// It has not.
    #[track_caller]
    pub fn prints(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "{text:?} is not in the stdout of {self}");
        self
    }

    /// Stdout, which is one JSON document and nothing else.
    ///
    /// # Panics
    /// It is not.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: stdout is no JSON document: {self}"))
    }

    /// Stdout, which is one JSON object a line.
    ///
    /// # Panics
    /// It is not.
    #[must_use]
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: no JSON: {line:?} of {self}"))
        };
        self.stdout.lines().map(parse).collect()
    }

    /// The code of the error document on stdout.
    ///
    /// # Panics
    /// It is none.
    #[must_use]
    #[track_caller]
    pub fn error_code(&self) -> String {
        let document = self.json();
        let code = document["error"]["code"].as_str();
        code.unwrap_or_else(|| panic!("no error document: {self}")).to_owned()
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, stdout, stderr, shown } = self;
        write!(f, "{shown}\ncode {code:?}\nstdout:\n{stdout}\nstderr:\n{stderr}")
    }
}
