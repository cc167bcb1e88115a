//! What faces ask: each operation.

use std::path::{Path, PathBuf};

use forge_api::{
    Code, Done, EnvironmentsAnswer, Error, EventLevel, GetStatus, OnConflict, Request, Status, Subscribed,
    Target, Time,
};
use forge_keeper::message::Request as KeeperRequest;
use forge_system::process::Signal;
use serde::Serialize;

use super::look::{Look, chief};
use super::stop::key_of;
use super::{Core, Ending, EnvironmentKey, Key, Process, Reply};
use crate::plan::{self, Purpose};
use crate::prepare::Wish;
use crate::process::lifecycle::Phase;

/// Bytes of input that one request to a keeper carries.
const INPUT: usize = 256 * 1024;

impl Core {
    pub(super) fn asked(&mut self, request: Request, reply: Reply) {
        match request {
            Request::Start(start) => {
                let wish = Wish {
                    workspace: start.workspace,
                    names: start.names,
                    typed: start.trust,
                    variables: start.variables,
                    restart: false,
                    on_conflict: start.on_conflict,
                    shown: start.holders,
                };
                self.start(wish, reply);
            }
            Request::Restart(restart) => {
                let wish = Wish {
                    workspace: restart.workspace,
                    names: restart.names,
                    typed: restart.variables.is_some(),
                    variables: restart.variables,
                    restart: true,
                    on_conflict: OnConflict::Fail,
                    shown: None,
                };
                self.start(wish, reply);
            }
            Request::StartWait(wait) => self.start_wait(wait.ticket, wait.timeout_ms, reply),
            Request::StartCancel(cancel) => self.start_cancel(cancel.ticket, reply),
            Request::Stop(stop) => self.stop(&stop.workspace, &stop.names, stop.all, reply),
            Request::Kill(kill) => self.kill(&kill.workspace, &kill.names, reply),
            Request::GetStatus(get) => self.get_status(&get, reply),
            Request::Environments(_) => answer(reply, Ok(self.summaries())),
            Request::Workspaces(_) => answer(reply, Ok(self.workspaces())),
            Request::AddWorkspace(add) => answer(reply, self.add_workspace(&add)),
            Request::RemoveWorkspace(remove) => answer(reply, self.remove_workspace(&remove)),
            Request::WorkspaceCommands(asked) => answer(reply, self.workspace_commands(&asked)),
            Request::TrustWorkspace(trust) => answer(reply, self.trust_workspace(&trust)),
            Request::Inspect(inspect) => answer(reply, self.inspect(&inspect)),
            Request::ReadEvents(read) => answer(reply, Ok(self.read_events(&read))),
            Request::ReadMetrics(read) => self.read_metrics(read, reply),
            Request::MuteAlert(mute) => answer(reply, self.mute_alert(&mute)),
            Request::Notices(_) => answer(reply, Ok(self.notices())),
            Request::ActOnNotice(act) => self.act_on_notice(&act, reply),
            Request::DismissNotice(dismiss) => answer(reply, Ok(self.dismiss_notice(&dismiss))),
            Request::Signal(signal) => answer(reply, self.signal(&signal)),
            Request::SendText(send) => answer(reply, self.send_text(&send)),
            Request::HandOver(_) => {
                self.ending = Some(Ending::HandedOver);
                answer(reply, Ok(Done {}));
            }
            Request::Leave(_) => {
                self.ending = Some(Ending::Left);
                answer(reply, Ok(Done {}));
            }
            Request::Subscribe(subscribe) => {
                let looks = self.looks(subscribe.workspace.as_deref());
                tokio::task::spawn_blocking(move || {
                    let environments = looks.into_iter().map(Look::status).collect();
                    answer(reply, Ok(Subscribed { now: Time::now(), environments }));
                });
            }
            // A connection answers these by itself.
            Request::Hello(_)
            | Request::Attach(_)
            | Request::AttachInput(_)
            | Request::AttachResize(_)
            | Request::Detach(_)
            | Request::LogsRead(_)
            | Request::LogsText(_)
            | Request::LogsScan(_)
            | Request::LogsScanNext(_)
            | Request::LogsScanCancel(_)
            | Request::Unsubscribe(_) => answer(reply, Ok(Done {})),
        }
    }

    fn get_status(&mut self, get: &GetStatus, reply: Reply) {
        match self.status_key(get) {
            Ok(key) => {
                let look = self.look(&key);
                tokio::task::spawn_blocking(move || answer(reply, Ok(look.status())));
            }
            Err(error) => answer::<Status>(reply, Err(error)),
        }
    }

    fn status_key(&mut self, get: &GetStatus) -> Result<EnvironmentKey, Error> {
        let (root, known) = self.known(&get.workspace)?;
        let environment = match &get.environment {
            Some(name) => {
                known.iter().find(|one| one.name == name.trim_end_matches('/')).ok_or_else(|| {
                    let names: Vec<&str> = known.iter().map(|one| one.name.as_str()).collect();
                    Error::new(Code::NotFound, format!("no environment is called `{name}`"))
                        .help(format!("there are: {}", names.join(", ")))
                })?
            }
            None => match plan::default_environment(&known, Purpose::Other) {
                Ok(environment) => environment,
                // With a file that says nothing of environments, it is the file that is to be mended.
                Err(error) => return Err(self.loaded(&root).err().unwrap_or(error)),
            },
        };
        Ok(EnvironmentKey { workspace: root, environment: environment.name.clone() })
    }

    fn summaries(&mut self) -> EnvironmentsAnswer {
        let keys: Vec<EnvironmentKey> = self.environments.keys().cloned().collect();
        let mut environments = Vec::new();
        for key in keys {
            let config = self.loaded(&key.workspace).ok();
            environments.push(self.summary(&key, config.as_deref()));
        }
        EnvironmentsAnswer { environments }
    }

    /// The one process that a name means.
    pub(crate) fn one(&mut self, folder: &Path, name: &str) -> Result<Key, Error> {
        let (root, known) = self.known(folder)?;
        let targets = plan::targets(&[name.to_owned()], &known, Purpose::Other)?;
        match targets.as_slice() {
            [target] => Ok(key_of(&root, target.clone())),
            many => {
                let choices: Vec<String> = many.iter().map(shown).collect();
                Err(Error::new(
                    Code::Ambiguous,
                    format!("`{name}` is more than one process: {}", choices.join(", ")),
                )
                .help("name one of them")
                .details(serde_json::json!({ "choices": choices })))
            }
        }
    }

    /// The one process that a name means, running.
    pub(crate) fn one_running(&mut self, folder: &Path, name: &str) -> Result<Key, Error> {
        let key = self.one(folder, name)?;
        let running = self.process(&key).is_some_and(|process| {
            process.run.is_some()
                && matches!(
                    process.machine.phase,
                    Phase::Starting | Phase::Running { .. } | Phase::Stopping { .. }
                )
        });
        if running {
            return Ok(key);
        }
        Err(Error::new(Code::NotRunning, format!("{} does not run", key.process))
            .help(format!("start it with `forge start {}`", key.process)))
    }

    fn signal(&mut self, signal: &forge_api::Signal) -> Result<Done, Error> {
        let number: Signal = signal.signal.parse().map_err(|_| {
            Error::new(Code::Usage, format!("`{}` is no signal", signal.signal))
                .help("a name as in `kill -l`, e.g. SIGHUP, or a number")
        })?;
        let key = self.one_running(&signal.workspace, &signal.name)?;
        match self.process(&key).filter(|process| process.is_detached()).map(Process::tree) {
            None => self.to_keeper(&key, KeeperRequest::Signal { signal: number.as_raw() }),
            Some(tree) => {
                // The command is gone; what it left is the service.
                let chief = tree.and_then(|mut tree| chief(&mut tree));
                let sent = chief.map_or(Ok(false), |chief| chief.signal(number));
                if !sent.map_err(|error| Error::system(format!("signalling {}", key.process), error))? {
                    return Err(Error::new(Code::NotRunning, format!("nothing of {} is left", key.process)));
                }
            }
        }
        self.record(&key, EventLevel::Info, "signalled", Signal::describe(number.as_raw()));
        Ok(Done {})
    }

    fn send_text(&mut self, send: &forge_api::SendText) -> Result<Done, Error> {
        let key = self.one_running(&send.workspace, &send.name)?;
        for part in send.text.as_bytes().chunks(INPUT) {
            self.to_keeper(&key, KeeperRequest::Input { data: forge_keeper::base64::encode(part) });
        }
        Ok(Done {})
    }

    fn to_keeper(&self, key: &Key, request: KeeperRequest) {
        if let Some(run) = self.process(key).and_then(|process| process.run.as_ref()) {
            let _ = run.requests.send(request);
        }
    }

    /// The logs that a query is about.
    pub(crate) fn log_sources(
        &mut self,
        query: &forge_api::LogQuery,
        follow: bool,
    ) -> Result<Vec<crate::logs::Source>, Error> {
        let (root, known) = self.known(&query.workspace)?;
        let targets = plan::targets(&query.names, &known, Purpose::Other)?;
        let mut sources = Vec::new();
        for target in targets {
            let key = key_of(&root, target.clone());
            let folder = super::act::log_folder(&self.home.logs(), &key);
            let (run, fresh_run) =
                self.process(&key).map_or((0, 0), |process| (process.number, process.fresh_run));
            let growth = match self.process(&key) {
                Some(process) => process.log_end.subscribe(),
                None => self.never_started(&key).log_end.subscribe(),
            };
            if follow {
                self.to_keeper(&key, KeeperRequest::Follow);
            }
            sources.push(crate::logs::Source { target, folder, run, fresh_run, growth });
        }
        Ok(sources)
    }

    /// A place for a process that is configured, so that whoever follows it hears when it is started.
    fn never_started(&mut self, key: &Key) -> &Process {
        let environment = self.environments.entry(key.environment.clone()).or_default();
        environment.processes.entry(key.process.clone()).or_default()
    }

    /// The keeper's socket of a process with a terminal; `None` while it is being started.
    pub(crate) fn terminal_of(
        &mut self,
        folder: &Path,
        name: &str,
    ) -> Result<Option<(Target, PathBuf)>, Error> {
        let key = self.one_running(folder, name)?;
        let Some(process) = self.process(&key) else { return Ok(None) };
        match &process.run {
            Some(run) if !run.tty => {
                Err(Error::new(Code::Unsupported, format!("{} has no terminal to attach to", key.process))
                    .help(format!(
                        "give it `tty: true` in processes.yml, then `forge start {}`",
                        key.process
                    )))
            }
            Some(run) if process.root.is_some() => Ok(Some((key.target(), run.socket.clone()))),
            _ => Ok(None),
        }
    }
}

/// Answers with `result`.
pub(super) fn answer<T: Serialize>(reply: Reply, result: Result<T, Error>) {
    let result = result.and_then(|answer| {
        serde_json::to_value(answer).map_err(|error| Error::system("the answer could not be written", error))
    });
    // Whoever asked may have gone.
    let _ = reply.send(result);
}

fn shown(target: &Target) -> String {
    format!("{}/{}", target.environment, target.process)
}
