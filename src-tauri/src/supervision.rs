//! The supervisor within this program: on a thread and a runtime of its own, so that neither the window nor the tray
//! can hold it up.

use std::sync::Arc;
use std::time::Duration;

use forge_api::{Code, Error, Host};
use forge_supervisor::home::Home;
use forge_supervisor::host::{self, Entrance, ServeEnd, ServeOptions};
use tokio::io::DuplexStream;
use tokio::runtime::{self, Handle};
use tokio::sync::{Notify, watch};

/// How long it may take to write down its state and go.
const LEAVING: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
enum Stage {
    Starting,
    Serving(Entrance, Handle),
    Ended,
}

/// The way to the supervisor of this program. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Supervision {
    stage: watch::Receiver<Stage>,
    stop: Arc<Notify>,
}

impl Supervision {
    /// Starts it; returns at once. `ended` is called when it is over, whatever the reason; the processes go on.
    ///
    /// # Errors
    /// There are no threads left.
    pub(crate) fn start(
        home: Home,
        ended: impl FnOnce(Result<ServeEnd, Error>) + Send + 'static,
    ) -> Result<Self, Error> {
        let (stages, stage) = watch::channel(Stage::Starting);
        let stop = Arc::new(Notify::new());
        let leave = Arc::clone(&stop);
        let work = move || {
            let result = serve(home, leave, &stages);
            stages.send_replace(Stage::Ended);
            ended(result);
        };
        std::thread::Builder::new()
            .name("supervisor".to_owned())
            .spawn(work)
            .map_err(|error| Error::system("a thread for the supervisor", error))?;
        Ok(Self { stage, stop })
    }

    /// A new connection, once the supervisor listens: JSON-RPC, one message a line.
    ///
    /// # Errors
    /// It has ended, or never began.
    pub(crate) async fn connect(&self) -> Result<DuplexStream, Error> {
        let mut stage = self.stage.clone();
        let stage = stage.wait_for(|stage| !matches!(stage, Stage::Starting)).await;
        match stage.as_deref() {
            Ok(Stage::Serving(entrance, runtime)) => {
                let _within = runtime.enter();
                Ok(entrance.connect())
            }
            _ => Err(Error::new(Code::NoSupervisor, "the supervisor has ended")),
        }
    }

    /// Lets it go, and waits until it has gone.
    pub(crate) async fn stop(&self) {
        self.stop.notify_one();
        let mut stage = self.stage.clone();
        let gone = stage.wait_for(|stage| matches!(stage, Stage::Ended));
        if tokio::time::timeout(LEAVING, gone).await.is_err() {
            tracing::error!("the supervisor does not end");
        }
    }
}

fn serve(home: Home, leave: Arc<Notify>, stages: &watch::Sender<Stage>) -> Result<ServeEnd, Error> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::system("the supervisor's runtime", error))?;
    let handle = runtime.handle().clone();
    let options = ServeOptions {
        host: Host::Desktop,
        background: false,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let ready = |entrance| {
        stages.send_replace(Stage::Serving(entrance, handle));
    };
    let end = runtime.block_on(host::serve(home, options, async move { leave.notified().await }, ready));
    runtime.shutdown_background();
    end
}
