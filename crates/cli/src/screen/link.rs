//! A conversation that goes on when the supervisor is replaced.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use forge_api::{Error, Operation};

use crate::client::{Client, Incoming, Pending};
use crate::context::Context;

/// Between two tries to find or start the next supervisor.
const PAUSE: Duration = Duration::from_secs(1);

type Reconnecting<'a> = Pin<Box<dyn Future<Output = Client> + 'a>>;

/// A client, or the search for the next one.
pub(crate) struct Link<'a> {
    context: &'a Context,
    state: State<'a>,
}

enum State<'a> {
    Up(Box<Client>),
    Down(Reconnecting<'a>),
}

/// What comes out of a link.
#[derive(Debug)]
pub(crate) enum Heard {
    Incoming(Incoming),
    /// The supervisor is gone; answers that were awaited never come.
    Lost(Error),
    /// Another one answers: ask again.
    Back,
}

impl<'a> Link<'a> {
    pub(crate) fn new(context: &'a Context, client: Client) -> Self {
        Self { context, state: State::Up(Box::new(client)) }
    }

    /// The next thing. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Heard {
        match &mut self.state {
            State::Up(client) => match client.next().await {
                Ok(incoming) => Heard::Incoming(incoming),
                Err(error) => {
                    self.state = State::Down(Box::pin(reconnect(self.context)));
                    Heard::Lost(error)
                }
            },
            State::Down(search) => {
                let client = search.await;
                self.state = State::Up(Box::new(client));
                Heard::Back
            }
        }
    }

    /// Asks; the answer comes out of [`Self::next`]. `None`: nobody is there now, which `next` tells.
    pub(crate) async fn ask<O: Operation>(&mut self, operation: &O) -> Option<Pending> {
        match &mut self.state {
            State::Up(client) => client.ask(operation).await.ok(),
            State::Down(_) => None,
        }
    }
}

async fn reconnect(context: &Context) -> Client {
    loop {
        match context.client().await {
            Ok(client) => return client,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
