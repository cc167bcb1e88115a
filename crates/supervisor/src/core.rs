//! The one owner of all state.
//!
//! A loop takes one [`Message`] after the other: what a face asks, what a keeper, a probe, a timer reports. Each goes
//! through the process's [`Machine`](crate::process::lifecycle::Machine), whose effects are carried out at once; then
//! [`Core::settle`] lets go whoever's conditions hold now, tells subscribers what changed, and answers those who wait.
//! Nothing here waits: what takes time is a task that sends a message when it is done. Only small files are read and
//! written in place, those of the state and the configuration.

mod act;
mod adopt;
mod alerts;
mod ask;
mod cause;
mod configurations;
mod hogs;
mod inspect;
mod loaded;
mod look;
mod measure;
mod notices;
mod record;
mod save;
mod settle;
mod start;
mod stop;
mod tend;
mod told;
mod workspaces;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use forge_api::{Error, Event, EventLevel, Host, Request, Supervisor, Time, Update};
use forge_keeper::spec::RunFolder;
use tokio::sync::{broadcast, mpsc, oneshot};

pub(crate) use record::{Environment, EnvironmentKey, Key, LiveRun, Process, StopLater};
pub(crate) use save::restored;

use crate::home::Home;
use crate::listening::{self, Heard};
use crate::prepare::{Prepared, Refused};
use crate::probe;
use crate::process::lifecycle::Input;
use crate::registry::Registry;
use crate::run::RunEvent;
use crate::sampling::{self, Measured};

/// Updates that a slow subscriber may be behind before it is told to look anew.
const UPDATES: usize = 2048;

/// Where an answer goes.
pub(crate) type Reply = oneshot::Sender<Result<serde_json::Value, Error>>;

/// What the core hears.
pub(crate) enum Message {
    Request {
        request: Request,
        reply: Reply,
    },
    /// A look or an act that needs the state; must not block.
    Visit(Box<dyn FnOnce(&mut Core) + Send>),
    Prepared {
        start: Box<start::Preparation>,
        result: Result<Prepared, Refused>,
        reply: Reply,
    },
    Run {
        key: Key,
        run: String,
        event: RunEvent,
    },
    Health {
        key: Key,
        run: String,
        report: probe::Report,
    },
    Heard(Heard),
    Measured(Measured),
    Due {
        key: Key,
    },
    FilesChanged {
        key: Key,
        run: String,
        files: Vec<PathBuf>,
    },
    StartTimedOut {
        ticket: u64,
        waiter: u64,
    },
    /// Write down what has changed since.
    Save,
}

/// How the core is reached.
#[derive(Clone)]
pub(crate) struct Handle {
    messages: mpsc::UnboundedSender<Message>,
    updates: broadcast::Sender<Arc<Update>>,
}

impl Handle {
    /// Asks and waits for the answer.
    pub(crate) async fn request(&self, request: Request) -> Result<serde_json::Value, Error> {
        let (reply, answer) = oneshot::channel();
        self.tell(Message::Request { request, reply });
        answer.await.unwrap_or_else(|_| Err(leaving()))
    }

    /// Runs `look` on the state and returns what it returns.
    pub(crate) async fn visit<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut Core) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.tell(Message::Visit(Box::new(move |core| {
            let _ = reply.send(look(core));
        })));
        answer.await.map_err(|_| leaving())
    }

    pub(crate) fn tell(&self, message: Message) {
        // Only when the core has ended: nobody is interested any more.
        let _ = self.messages.send(message);
    }

    pub(crate) fn updates(&self) -> broadcast::Receiver<Arc<Update>> {
        self.updates.subscribe()
    }
}

fn leaving() -> Error {
    Error::new(forge_api::Code::NoSupervisor, "the supervisor is ending").help("try again")
}

/// The state, and the ways out of it.
pub(crate) struct Core {
    pub(crate) home: Home,
    pub(crate) supervisor: Supervisor,
    /// When this supervisor began.
    begun: Time,
    pub(crate) background: bool,
    /// The keeper's program.
    keeper: PathBuf,
    boot: String,
    pub(crate) environments: BTreeMap<EnvironmentKey, Environment>,
    handle: Handle,
    listening: std::sync::mpsc::Sender<listening::Change>,
    /// `None`: the user does not want anything measured.
    sampling: Option<std::sync::mpsc::Sender<sampling::Change>>,
    /// Of the last look; `None` while nothing is measured.
    machine: Option<forge_api::Machine>,
    archive: crate::metrics::Archive,
    /// Of processes with a health check.
    health_histories: BTreeMap<Key, crate::metrics::HealthHistory>,
    hogs: hogs::Hogs,
    /// When it was last looked at how much is logged.
    looked_at: Option<std::time::Instant>,
    registry: Registry,
    incidents: Vec<notices::Incident>,
    /// Whose ports are to be looked at, by how late.
    port_looks: [Vec<Key>; 2],
    /// Those that follow logs take turns.
    turns: Arc<tokio::sync::Semaphore>,
    /// Tells when a configuration that is shown has changed.
    configurations: Option<configurations::Watching>,
    tickets: BTreeMap<u64, start::Ticket>,
    stops: Vec<stop::Waiter>,
    /// Environments that are being restarted, by the number that holds their processes.
    restarts: BTreeMap<u64, Vec<Key>>,
    counter: u64,
    /// When each process was last asked to stop, by the counter.
    stop_marks: BTreeMap<Key, u64>,
    /// To be written to disk.
    unsaved: std::collections::BTreeSet<EnvironmentKey>,
    save_planned: bool,
    /// Of runs that are over. Each tells how its run ended, and goes once that is written down elsewhere.
    read_out: Vec<RunFolder>,
    /// A run was begun by the present message.
    launched: bool,
    /// To be looked at by the next settling.
    touched: std::collections::BTreeSet<EnvironmentKey>,
    history: crate::history::History,
    loaded: HashMap<PathBuf, loaded::Loaded>,
    /// Set when the host is to end.
    pub(crate) ending: Option<Ending>,
}

/// Why the core ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Asked to; the processes go on.
    Left,
    /// Another supervisor takes over.
    HandedOver,
}

/// What a core is made of.
pub(crate) struct Parts {
    pub home: Home,
    pub host: Host,
    pub background: bool,
    pub version: String,
    pub keeper: PathBuf,
    pub boot: String,
    /// The user wants costs measured.
    pub sampling: bool,
}

impl Core {
    pub(crate) fn new(parts: Parts) -> std::io::Result<(Self, mpsc::UnboundedReceiver<Message>)> {
        let (messages, receiver) = mpsc::unbounded_channel();
        let (updates, _) = broadcast::channel(UPDATES);
        let handle = Handle { messages, updates };
        let heard = handle.clone();
        let listening = listening::spawn(move |news| heard.tell(Message::Heard(news)))?;
        let measured = handle.clone();
        let sampling = parts
            .sampling
            .then(|| sampling::spawn(move |news| measured.tell(Message::Measured(news))))
            .transpose()?;
        let registry = Registry::open(&parts.home.data);
        let history = crate::history::History::open(&parts.home.state);
        let archive = crate::metrics::Archive::open(&parts.home.state)?;
        let recalled = handle.clone();
        archive.recall_health(move |past| {
            recalled.tell(Message::Visit(Box::new(move |core| core.recall_health(past))));
        });
        let core = Self {
            home: parts.home,
            begun: Time::now(),
            supervisor: Supervisor { pid: std::process::id(), host: parts.host, version: parts.version },
            background: parts.background,
            keeper: parts.keeper,
            boot: parts.boot,
            environments: BTreeMap::new(),
            handle,
            listening,
            sampling,
            machine: None,
            archive,
            health_histories: BTreeMap::new(),
            hogs: hogs::Hogs::default(),
            looked_at: None,
            registry,
            incidents: Vec::new(),
            port_looks: Default::default(),
            turns: Arc::new(tokio::sync::Semaphore::new(1)),
            configurations: None,
            tickets: BTreeMap::new(),
            stops: Vec::new(),
            restarts: BTreeMap::new(),
            counter: 0,
            stop_marks: BTreeMap::new(),
            unsaved: std::collections::BTreeSet::new(),
            save_planned: false,
            read_out: Vec::new(),
            launched: false,
            touched: std::collections::BTreeSet::new(),
            history,
            loaded: HashMap::new(),
            ending: None,
        };
        Ok((core, receiver))
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Runs until something ends it; the processes go on.
    pub(crate) async fn run(&mut self, mut messages: mpsc::UnboundedReceiver<Message>) -> Ending {
        loop {
            if let Some(ending) = self.ending {
                self.save_all();
                self.archive.close();
                return ending;
            }
            match messages.recv().await {
                Some(message) => self.hear(message),
                // Cannot be: we hold a sender ourselves.
                None => return Ending::Left,
            }
            self.settle();
            if std::mem::take(&mut self.launched) {
                // Before its keeper can be there: the next supervisor is to know of this run.
                self.save_all();
            }
        }
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Request { request, reply } => self.asked(request, reply),
            Message::Visit(look) => look(self),
            Message::Prepared { start, result, reply } => self.prepared(*start, result, reply),
            Message::Run { key, run, event } => self.run_event(&key, &run, event),
            Message::Health { key, run, report } => self.health(&key, &run, report),
            Message::Heard(heard) => self.heard(&heard),
            Message::Measured(measured) => self.measured(measured),
            Message::Due { key } => self.input(&key, Input::Due),
            Message::FilesChanged { key, run, files } => self.files_changed(&key, &run, &files),
            Message::StartTimedOut { ticket, waiter } => self.start_timed_out(ticket, waiter),
            Message::Save => self.save_all(),
        }
    }

    fn next_number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(crate) fn process(&self, key: &Key) -> Option<&Process> {
        self.environments.get(&key.environment)?.processes.get(&key.process)
    }

    fn process_mut(&mut self, key: &Key) -> Option<&mut Process> {
        self.environments.get_mut(&key.environment)?.processes.get_mut(&key.process)
    }

    /// The process, if this is still its run.
    fn in_run(&mut self, key: &Key, run: &str) -> Option<&mut Process> {
        self.process_mut(key).filter(|process| process.run.as_ref().is_some_and(|live| live.id == run))
    }

    /// Processes with something alive, of all environments.
    pub(crate) fn held(&self) -> usize {
        let processes = self.environments.values().flat_map(|environment| environment.processes.values());
        processes.filter(|process| process.is_active()).count()
    }

    /// Records an event of this moment.
    fn record(&mut self, key: &Key, level: EventLevel, title: &str, text: String) {
        self.record_event(&key.environment, Event { level, ..event(key, Time::now(), title, text) });
    }

    /// Puts an event into the history and tells subscribers.
    pub(super) fn record_event(&mut self, key: &EnvironmentKey, event: Event) {
        let process = event.process.as_deref().unwrap_or_default();
        tracing::info!("{}/{process}: {} {}", key.environment, event.title, event.text);
        self.history.append(key, &event);
        self.publish(Update::Event {
            workspace: key.workspace.clone(),
            environment: key.environment.clone(),
            event,
        });
    }

    /// Records an event, unless an earlier supervisor has recorded it already. `true` if it is news.
    pub(super) fn record_once(&mut self, key: &EnvironmentKey, event: Event) -> bool {
        // Whatever its level: what a line is taken for may have been configured anew.
        let same = |known: &Event| Event { level: event.level, ..known.clone() } == event;
        let news = !self.history.of(key).any(|known| known.time == event.time && same(known));
        if news {
            self.record_event(key, event);
        }
        news
    }

    fn publish(&self, update: Update) {
        // No subscriber is no fault.
        let _ = self.handle.updates.send(Arc::new(update));
    }

    /// Something about the environment is to be written down soon.
    fn unsaved(&mut self, key: &EnvironmentKey) {
        self.unsaved.insert(key.clone());
        self.plan_save(save::DELAY);
    }

    fn plan_save(&mut self, delay: std::time::Duration) {
        if !std::mem::replace(&mut self.save_planned, true) {
            let handle = self.handle.clone();
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                handle.tell(Message::Save);
            });
        }
    }
}

/// Something that happened to a process, of level `info`.
fn event(key: &Key, time: Time, title: &str, text: String) -> Event {
    let (process, title) = (Some(key.process.clone()), title.to_owned());
    Event { time, process, level: EventLevel::Info, title, text, at: None }
}
