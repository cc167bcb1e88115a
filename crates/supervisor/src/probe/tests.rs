//! Questions to real servers, and to small ones that say what the others would.

mod exec;
mod http;
mod network;
mod protocols;
pub(crate) mod servers;
mod task;

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use forge_config::model::Probe;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Answer, Context, ask};

/// Long enough for a machine that has other things to do.
const LIMIT: Duration = Duration::from_secs(10);

pub(crate) fn here() -> Context {
    Context { cwd: PathBuf::from("/"), env: vec![("PATH".into(), std::env::var("PATH").expect("a PATH"))] }
}

async fn asked(probe: &Probe) -> Answer {
    ask(probe, LIMIT, &here()).await
}

/// A server on a free port of 127.0.0.1 that treats each connection alike, until the test's runtime ends.
async fn serve<F, Fut>(handle: F) -> u16
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(stream));
        }
    });
    port
}

/// A server that waits until it is spoken to if `asked` is set, says `reply`, and keeps the connection.
async fn says(asked: bool, reply: &[u8]) -> u16 {
    let reply = reply.to_vec();
    serve(move |mut stream| {
        let reply = reply.clone();
        async move {
            if !asked || matches!(stream.read(&mut [0; 1024]).await, Ok(1..)) {
                let _ = stream.write_all(&reply).await;
            }
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    })
    .await
}

/// A port on which nobody listens: taken, and given back.
pub(crate) async fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("an address").port()
}
