//! One connection of a face: JSON-RPC, one message a line.

use std::sync::Arc;
use std::time::Duration;

use forge_api::{AttachAnswer, Code, Done, Error, Hello, HelloAnswer, PROTOCOL, Request, Update, wire};
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, BufReader};
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::task::JoinSet;

use crate::core::{Core, Handle};
use crate::outgoing::Outgoing;
use crate::terminal;

/// Keys and sizes that wait for a slow terminal before the client's next request waits too.
const ACTS: usize = 64;

/// How long an attaching client waits for a process that is being started, and how often it looks.
const STARTING: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Requests of one client that are worked on at a time.
const AT_A_TIME: usize = 64;

/// Serves a client until it goes. Nothing that it does or fails to do costs another one anything.
pub(crate) async fn serve<S>(stream: S, core: Handle)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (read, write) = tokio::io::split(stream);
    let (outgoing, carry) = Outgoing::to(write);
    let writer = tokio::spawn(carry);
    let mut client = Client {
        core,
        outgoing,
        tasks: JoinSet::new(),
        permits: Arc::new(Semaphore::new(AT_A_TIME)),
        updates: None,
        terminal: None,
        scans: crate::logs::Scans::default(),
        filters: crate::logs::Filters::default(),
    };
    client.listen(BufReader::new(read)).await;
    drop(client);
    // What was answered is still sent; a client that reads nothing does not hold us.
    let _ = tokio::time::timeout(Duration::from_secs(5), writer).await;
}

struct Client {
    core: Handle,
    outgoing: Outgoing,
    /// Ended with the connection.
    tasks: JoinSet<()>,
    permits: Arc<Semaphore>,
    updates: Option<tokio::task::AbortHandle>,
    terminal: Option<mpsc::Sender<terminal::Act>>,
    scans: crate::logs::Scans,
    filters: crate::logs::Filters,
}

impl Client {
    async fn listen<R: AsyncRead + Unpin>(&mut self, mut reader: BufReader<R>) {
        let mut line = Vec::new();
        loop {
            line.clear();
            let limit = wire::MAX_LINE as u64 + 1;
            match (&mut reader).take(limit).read_until(b'\n', &mut line).await {
                Ok(0) | Err(_) => return,
                Ok(_) if line.len() > wire::MAX_LINE => {
                    self.refuse(&Value::Null, wire::code::INVALID_REQUEST, "the line is too long".to_owned())
                        .await;
                    return;
                }
                Ok(_) => {}
            }
            while self.tasks.try_join_next().is_some() {}
            if !line.trim_ascii().is_empty() {
                self.message(&line).await;
            }
        }
    }

    async fn message(&mut self, line: &[u8]) {
        let message: wire::Message = match serde_json::from_slice(line) {
            Ok(message) => message,
            Err(error) => return self.refuse(&Value::Null, wire::code::PARSE_ERROR, error.to_string()).await,
        };
        let Some(method) = message.method else {
            return self.refuse(&Value::Null, wire::code::INVALID_REQUEST, "no method".to_owned()).await;
        };
        let id = message.id.unwrap_or(Value::Null);
        match Request::parse(&method, message.params) {
            None => self.refuse(&id, wire::code::METHOD_NOT_FOUND, format!("no method `{method}`")).await,
            Some(Err(error)) => {
                self.refuse(&id, wire::code::INVALID_PARAMS, format!("{method}: {error}")).await;
            }
            Some(Ok(request)) => self.request(id, request).await,
        }
    }

    async fn refuse(&self, id: &Value, code: i32, message: String) {
        let data = Error::new(Code::Protocol, message.clone());
        let error = wire::WireError { code, message, data: Some(data) };
        let _ = self.outgoing.send(wire::answer::<Value>(id, &Err(error))).await;
    }

    async fn request(&mut self, id: Value, request: Request) {
        match request {
            Request::Hello(hello) => {
                let result = self.core.visit(move |core| greet(core, &hello)).await.and_then(|answer| answer);
                self.answer(&id, result).await;
            }
            Request::Subscribe(subscribe) => {
                // Before the picture is taken, so that nothing falls in between.
                let updates = self.core.updates();
                let (workspace, metrics) = (subscribe.workspace.clone(), subscribe.metrics);
                let result = self.core.request(Request::Subscribe(subscribe)).await;
                self.answer(&id, result).await;
                self.forward(updates, workspace, metrics);
            }
            Request::Unsubscribe(_) => {
                if let Some(task) = self.updates.take() {
                    task.abort();
                }
                self.answer(&id, Ok(Done {})).await;
            }
            Request::Attach(attach) => self.attach(id, attach).await,
            Request::AttachInput(input) => self.act(&id, terminal::Act::Input(input.data)).await,
            Request::AttachResize(size) => {
                self.act(&id, terminal::Act::Resize(size.rows, size.columns)).await
            }
            Request::Detach(_) => {
                self.terminal = None;
                self.answer(&id, Ok(Done {})).await;
            }
            Request::LogsRead(read) => {
                self.read_logs(id, read).await;
            }
            Request::LogsText(text) => {
                let core = self.core.clone();
                self.work(id, async move { in_json(crate::logs::text(&core, text).await?) }).await;
            }
            Request::LogsScan(scan) => {
                let result = self.scans.start(&self.core, scan).await;
                self.answer(&id, result).await;
            }
            Request::LogsScanNext(next) => match self.scans.get(next.scan) {
                Ok(scan) => self.work(id, async move { in_json(scan.next().await?) }).await,
                Err(error) => self.answer::<Done>(&id, Err(error)).await,
            },
            Request::LogsScanCancel(cancel) => {
                self.scans.cancel(cancel.scan);
                self.answer(&id, Ok(Done {})).await;
            }
            request => {
                let core = self.core.clone();
                self.work(id, async move { core.request(request).await }).await;
            }
        }
    }

    /// Works on a request beside the others.
    async fn work(&mut self, id: Value, work: impl Future<Output = Result<Value, Error>> + Send + 'static) {
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return };
        let outgoing = self.outgoing.clone();
        self.tasks.spawn(async move {
            let result = work.await;
            let _ = outgoing.send(answer(&id, result)).await;
            drop(permit);
        });
    }

    /// As [`Self::work`], with a page that has its room on the way before it is made.
    async fn read_logs(&mut self, id: Value, read: forge_api::LogsRead) {
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return };
        let filter = match self.filters.of(&read.query).await {
            Ok(filter) => filter,
            Err(error) => return self.answer::<Value>(&id, Err(error)).await,
        };
        let (core, outgoing) = (self.core.clone(), self.outgoing.clone());
        self.tasks.spawn(async move {
            let _ = match crate::logs::read(&core, read, filter, &outgoing).await {
                Ok((page, room)) => {
                    // A large page takes a while to become text: not on the thread that serves everybody.
                    let line = tokio::task::spawn_blocking(move || answer(&id, Ok(page))).await;
                    line.map_or(Ok(()), |line| outgoing.send_in(room, line))
                }
                Err(error) => outgoing.send(answer::<Value>(&id, Err(error))).await,
            };
            drop(permit);
        });
    }

    async fn answer<T: Serialize>(&self, id: &Value, result: Result<T, Error>) {
        let _ = self.outgoing.send(answer(id, result)).await;
    }

    fn forward(
        &mut self,
        mut updates: broadcast::Receiver<Arc<Update>>,
        workspace: Option<std::path::PathBuf>,
        metrics: bool,
    ) {
        if let Some(task) = self.updates.take() {
            task.abort();
        }
        let outgoing = self.outgoing.clone();
        let core = self.core.clone();
        self.updates = Some(self.tasks.spawn(async move {
            let root = match workspace {
                Some(folder) => core
                    .visit(move |core| core.workspace_of(&folder).ok().or(Some(folder)))
                    .await
                    .ok()
                    .flatten(),
                None => None,
            };
            loop {
                let line = match updates.recv().await {
                    Ok(update) if concerns(&update, root.as_deref(), metrics) => wire::update(&update),
                    Ok(_) => continue,
                    Err(broadcast::error::RecvError::Lagged(_)) => wire::update(&Update::Lagged {}),
                    Err(broadcast::error::RecvError::Closed) => return,
                };
                if outgoing.send(line).await.is_err() {
                    return;
                }
            }
        }));
    }

    /// Attaches beside the other requests; lets go of what was attached before. What is typed before the answer comes
    /// waits for the terminal, and is dropped if there will be none.
    async fn attach(&mut self, id: Value, attach: forge_api::Attach) {
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return };
        let (acts, receiver) = mpsc::channel(ACTS);
        self.terminal = Some(acts);
        let (core, outgoing) = (self.core.clone(), self.outgoing.clone());
        self.tasks.spawn(async move {
            let (target, link) = match open_terminal(&core, &attach).await {
                Ok(opened) => opened,
                Err(error) => {
                    let _ = outgoing.send(answer::<AttachAnswer>(&id, Err(error))).await;
                    return;
                }
            };
            let _ = outgoing.send(answer(&id, Ok(AttachAnswer { target }))).await;
            drop(permit);
            terminal::carry(link, receiver, outgoing).await;
        });
    }

    async fn act(&mut self, id: &Value, act: terminal::Act) {
        let result = match &self.terminal {
            None => Err(Error::new(Code::NotRunning, "no terminal is attached on this connection")),
            Some(acts) => acts
                // With a terminal that takes nothing, the client waits.
                .send(act)
                .await
                .map(|()| Done {})
                .map_err(|_| Error::new(Code::NotRunning, "the terminal is closed")),
        };
        self.answer(id, result).await;
    }
}

/// An answer's line.
fn answer<T: Serialize>(id: &Value, result: Result<T, Error>) -> String {
    wire::answer(id, &result.map_err(wire::WireError::from))
}

fn in_json<T: Serialize>(answer: T) -> Result<Value, Error> {
    serde_json::to_value(answer).map_err(|error| Error::system("the answer could not be written", error))
}

/// The terminal of a process, once it runs.
async fn open_terminal(
    core: &Handle,
    attach: &forge_api::Attach,
) -> Result<(forge_api::Target, crate::run::Link), Error> {
    let deadline = tokio::time::Instant::now() + STARTING;
    let (target, socket) = loop {
        let (folder, name) = (attach.workspace.clone(), attach.name.clone());
        match core.visit(move |core| core.terminal_of(&folder, &name)).await?? {
            Some(found) => break found,
            // It was started a moment ago.
            None if tokio::time::Instant::now() < deadline => tokio::time::sleep(LOOK_AGAIN).await,
            None => {
                return Err(Error::new(Code::NotRunning, format!("{} does not get to run", attach.name)));
            }
        }
    };
    let link = terminal::open(&socket, attach.rows, attach.columns).await?;
    Ok((target, link))
}

fn greet(core: &mut Core, hello: &Hello) -> Result<HelloAnswer, Error> {
    if hello.protocol != PROTOCOL {
        return Err(Error::new(
            Code::Protocol,
            format!(
                "this supervisor ({}) speaks protocol {PROTOCOL}, and forge {} speaks {}",
                core.supervisor.version, hello.version, hello.protocol
            ),
        )
        .help("end it with its own version's `forge`, or upgrade; the processes go on meanwhile"));
    }
    Ok(HelloAnswer {
        protocol: PROTOCOL,
        version: core.supervisor.version.clone(),
        pid: core.supervisor.pid,
        host: core.supervisor.host,
        background: core.background,
        held: u32::try_from(core.held()).unwrap_or(u32::MAX),
    })
}

fn concerns(update: &Update, root: Option<&std::path::Path>, metrics: bool) -> bool {
    let workspace = match update {
        Update::Metrics { .. } if !metrics => return false,
        Update::Process { workspace, .. }
        | Update::Event { workspace, .. }
        | Update::Metrics { workspace, .. } => workspace,
        Update::Environment { summary } => &summary.workspace,
        Update::Notice { notice } => &notice.workspace,
        _ => return true,
    };
    root.is_none_or(|root| workspace == root)
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
