//! How a keeper comes by its child: by starting it, or by taking it over from a keeper that was killed.

use std::io;
use std::time::Instant;

use forge_keeper::record::{Ended, Record};
use forge_logs::{Stream, Writer, WriterOptions};
use forge_system::ProcessId;

use super::input::Input;
use super::keeper::{Keeper, Life};
use super::output::Output;
use super::spawn::{self, Streams, now};
use super::{complain, explain, fifo, hygiene, terminal};
use crate::journal::Story;

impl Keeper {
    /// Starts the command. `None`: this run has been started before.
    pub(super) fn start(mut self) -> io::Result<Option<Self>> {
        let story = self.journal.story();
        if story.child.is_some() || story.not_started.is_some() {
            return Err(io::Error::other("this run was started before: it can only be adopted"));
        }
        // Nobody was let in yet: whoever connects finds in the hello how this went.
        if let Err((message, error)) = self.start_child() {
            self.could_not_start(message, error.raw_os_error());
        }
        self.watch_files();
        Ok(Some(self))
    }

    fn start_child(&mut self) -> Result<(), (String, io::Error)> {
        let told = |what: &str| {
            let what = what.to_owned();
            move |error: io::Error| (format!("cannot {what}: {error}"), error)
        };
        self.clients.listen().map_err(told(&format!("listen on {}", self.spec.socket.display())))?;
        hygiene::say_ready().map_err(told("close the standard output"))?;
        let writer = self.open_writer().map_err(told(&format!("write to {}", self.spec.logs.display())))?;
        let mut output = Output::new(writer);
        let streams =
            if self.spec.tty { self.open_terminal(&mut output) } else { self.open_fifos(&mut output) };
        let streams = streams.map_err(told("make the child's streams"))?;
        self.output = Some(output);
        let child = spawn::start(&self.spec, streams, self.journal.file(), self.umask)
            .map_err(|error| (explain::explain(&self.spec, &error), error))?;
        self.journal.child_started(child.pid, child.start, now());
        self.hold.child(child, spawn::mark(&self.spec)).map_err(told("hold the child"))
    }

    fn open_writer(&self) -> io::Result<Writer> {
        let spec = &self.spec;
        let options = WriterOptions {
            segment_bytes: spec.segment_bytes,
            quota_bytes: spec.quota_bytes,
            run: spec.number,
        };
        Writer::open(&spec.logs, options)
    }

    fn open_fifos(&mut self, output: &mut Output) -> io::Result<Streams> {
        let (out, err) = (self.folder.out_fifo(), self.folder.err_fifo());
        fifo::make(&out)?;
        fifo::make(&err)?;
        output.add_fifo(Stream::Stdout, fifo::reader(&out)?);
        output.add_fifo(Stream::Stderr, fifo::reader(&err)?);
        let stdin = if self.spec.stdin {
            let path = self.folder.in_fifo();
            fifo::make(&path)?;
            let child_end = fifo::child_end(&path)?;
            self.input = Input::new(Some(fifo::writer(&path)?));
            child_end
        } else {
            hygiene::null_device()?
        };
        Ok(Streams { stdin, stdout: fifo::child_end(&out)?, stderr: fifo::child_end(&err)? })
    }

    fn open_terminal(&mut self, output: &mut Output) -> io::Result<Streams> {
        let (master, child) = terminal::open()?;
        let streams = Streams { stdin: child.try_clone()?, stdout: child.try_clone()?, stderr: child };
        output.add_terminal(master.try_clone()?);
        self.input = Input::new(Some(master.try_clone()?));
        self.screen.master = Some(master);
        Ok(streams)
    }

    /// The command could not be run: records why, and has nothing left to hold.
    fn could_not_start(&mut self, message: String, errno: Option<i32>) {
        let time = now();
        if let Some(output) = &mut self.output {
            output.mark(&message);
        }
        complain(&message);
        self.input.close();
        self.journal.append(Record::NotStarted { errno, message: message.clone(), time });
        self.journal.end(Ended { exit: None, message: Some(message), time, requested: false });
        self.untold = true;
        self.life = Life::Left;
    }

    /// Takes over the run of a keeper that was killed. `None`: it is over, and all of it is recorded.
    pub(super) fn adopt(mut self) -> io::Result<Option<Self>> {
        let story = self.journal.story();
        if story.empty.is_some() {
            return Ok(None);
        }
        self.requested = story.ending;
        self.output = Some(Output::new(self.open_writer()?));
        if let Err(error) = self.clients.listen() {
            complain(&format!("cannot listen on {}: {error}", self.spec.socket.display()));
            self.guard.try_later(Instant::now());
        }
        hygiene::say_ready()?;
        match story.child {
            Some((pid, start)) => self.adopt_child(ProcessId { pid, start }, &story)?,
            // The child holds the lock until it has recorded its start: there is none.
            None if story.not_started.is_none() => {
                self.could_not_start(
                    "its keeper was killed before it could start the command".to_owned(),
                    None,
                );
            }
            None => self.life = Life::Left,
        }
        self.watch_files();
        Ok(Some(self))
    }

    fn adopt_child(&mut self, main: ProcessId, story: &Story) -> io::Result<()> {
        self.hold.adopt(main, spawn::mark(&self.spec))?;
        self.find_streams();
        let lives = self.hold.main().is_some();
        self.mark_replacement(lives || story.exited.is_some());
        match story.exited {
            Some((exit, time)) => {
                let requested = self.requested;
                self.journal.end(Ended { exit: Some(exit), message: None, time, requested });
                self.life = Life::Left;
            }
            None if lives => self.screen.wanted = self.spec.tty,
            None => self.main_ended(None, Instant::now()),
        }
        Ok(())
    }

    /// What may be missing: with a living writer, the one read that the killed keeper held; else whatever was still in
    /// the FIFO, which goes with the last process that has it open.
    fn mark_replacement(&mut self, somebody_lived: bool) {
        let note = if somebody_lived {
            "the keeper of this run was replaced: output that it held may be missing here"
        } else {
            "the keeper of this run was gone when its process ended: its last output may be missing here"
        };
        if let Some(output) = &mut self.output {
            output.mark(note);
        }
    }

    /// Opens what the child has open, by its name or through those who have it.
    fn find_streams(&mut self) {
        let Some(output) = self.output.as_mut().filter(|_| !self.spec.tty) else { return };
        let holders: Vec<u32> = self.hold.members().iter().map(|member| member.id.pid).collect();
        for (stream, path) in
            [(Stream::Stdout, self.folder.out_fifo()), (Stream::Stderr, self.folder.err_fifo())]
        {
            match fifo::find(&path, &holders, fifo::reader) {
                Ok(fd) => output.add_fifo(stream, fd),
                Err(error) => complain(&format!("cannot read {} any more: {error}", path.display())),
            }
        }
        if self.spec.stdin {
            self.input = Input::new(fifo::find(&self.folder.in_fifo(), &holders, fifo::writer).ok());
        }
    }
}
