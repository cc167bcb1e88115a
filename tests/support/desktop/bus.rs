//! A connection to a session bus, for tests that are not asynchronous.

use std::future::Future;
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use serde_json::{Map, Value};
use tokio::runtime::Runtime;
use zbus::zvariant::{DynamicType, Value as Variant};
use zbus::{Connection, MatchRule, Message, MessageStream};

use crate::DEADLINE;

/// Answers while nobody waits: what is served on it goes on.
#[derive(Debug, Clone)]
pub struct Bus {
    connection: Connection,
    runtime: Arc<Runtime>,
}

/// Signals that came, oldest first.
pub(super) type Signals = Arc<Mutex<Vec<String>>>;

impl Bus {
    /// # Panics
    /// Nobody is there.
    pub(super) fn connect(address: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let connection = runtime.block_on(async {
            let builder = zbus::connection::Builder::address(address).expect("an address");
            builder.build().await.expect("a session bus")
        });
        Self { connection, runtime: Arc::new(runtime) }
    }

    /// Waits for what an operation on the connection comes to.
    ///
    /// # Panics
    /// It does not come within [`DEADLINE`].
    #[track_caller]
    pub(super) fn wait<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        let waited = self.runtime.block_on(async { tokio::time::timeout(DEADLINE, work).await });
        waited.unwrap_or_else(|_| panic!("{what}: no answer within {} s", DEADLINE.as_secs()))
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Calls a method.
    ///
    /// # Errors
    /// Nobody is there, or it is refused.
    #[track_caller]
    pub(super) fn call<B: serde::Serialize + DynamicType>(
        &self,
        to: &str,
        path: &str,
        method: (&str, &str),
        body: &B,
    ) -> zbus::Result<Message> {
        let (interface, member) = method;
        self.wait(member, self.connection.call_method(Some(to), path, Some(interface), member, body))
    }

    /// Collects the names of an interface's signals as they come from `sender`.
    ///
    /// # Panics
    /// The bus is gone.
    pub(super) fn collect(&self, sender: &str, interface: &str) -> Signals {
        let rule = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .sender(sender.to_owned())
            .and_then(|rule| rule.interface(interface.to_owned()))
            .expect("a rule")
            .build();
        let stream = MessageStream::for_match_rule(rule, &self.connection, None);
        let mut stream = self.wait("AddMatch", stream).expect("a stream of signals");
        let signals = Signals::default();
        let into = Arc::clone(&signals);
        self.runtime.spawn(async move {
            while let Some(Ok(message)) = stream.next().await {
                if let Some(member) = message.header().member() {
                    into.lock().expect("only appended to").push(member.to_string());
                }
            }
        });
        signals
    }

    /// Whether the connection of that name is still there.
    ///
    /// # Panics
    /// The bus is gone.
    pub(super) fn is_connected(&self, name: &str) -> bool {
        let has_owner = ("org.freedesktop.DBus", "NameHasOwner");
        let answer = self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", has_owner, &name);
        answer.expect("an answer of the bus").body().deserialize().expect("a truth")
    }
}

/// A value of the bus as one of JSON.
pub(super) fn plain(value: &Variant<'_>) -> Value {
    match value {
        Variant::U8(number) => (*number).into(),
        Variant::Bool(truth) => (*truth).into(),
        Variant::I16(number) => (*number).into(),
        Variant::U16(number) => (*number).into(),
        Variant::I32(number) => (*number).into(),
        Variant::U32(number) => (*number).into(),
        Variant::I64(number) => (*number).into(),
        Variant::U64(number) => (*number).into(),
        Variant::F64(number) => (*number).into(),
        Variant::Str(text) => text.as_str().into(),
        Variant::ObjectPath(path) => path.as_str().into(),
        Variant::Value(inner) => plain(inner),
        Variant::Array(list) => list.iter().map(plain).collect(),
        Variant::Structure(fields) => fields.fields().iter().map(plain).collect(),
        Variant::Dict(pairs) => {
            let pair = |(key, value): (&Variant<'_>, &Variant<'_>)| {
                let key = plain(key);
                (key.as_str().map_or_else(|| key.to_string(), str::to_owned), plain(value))
            };
            Value::Object(pairs.iter().map(pair).collect::<Map<_, _>>())
        }
        other => panic!("no such value was expected: {other:?}"),
    }
}
