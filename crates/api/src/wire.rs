//! JSON-RPC 2.0 (<https://www.jsonrpc.org/specification>), one message a line.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Code, Error, Operation, Update};

/// Bytes of one line at most; whoever sends more is cut off.
pub const MAX_LINE: usize = 16 << 20;

/// The method of the notification that carries an [`Update`].
pub const UPDATE: &str = "update";

/// A message as it comes in, whichever kind it is.
#[derive(Debug, Clone, Deserialize)]
pub struct Message {
    #[serde(default)]
    pub id: Option<Value>,
    #[serde(default)]
    pub method: Option<String>,
    #[serde(default)]
    pub params: Value,
    #[serde(default)]
    pub result: Option<Value>,
    #[serde(default)]
    pub error: Option<WireError>,
}

/// JSON-RPC's error object; `data` is the whole [`Error`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WireError {
    pub code: i32,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Error>,
}

impl From<Error> for WireError {
    fn from(error: Error) -> Self {
        Self { code: -32000, message: error.message.clone(), data: Some(error) }
    }
}

impl From<WireError> for Error {
    fn from(wire: WireError) -> Self {
        wire.data.unwrap_or_else(|| Self::new(Code::Protocol, wire.message))
    }
}

/// JSON-RPC's own codes.
pub mod code {
    pub const PARSE_ERROR: i32 = -32700;
    pub const INVALID_REQUEST: i32 = -32600;
    pub const METHOD_NOT_FOUND: i32 = -32601;
    pub const INVALID_PARAMS: i32 = -32602;
}

/// A request's line, without the line feed.
///
/// # Errors
/// The operation does not become JSON: a bug of its type.
pub fn request<O: Operation>(id: u64, operation: &O) -> Result<String, serde_json::Error> {
    serde_json::to_string(
        &json!({"jsonrpc": "2.0", "id": id, "method": O::METHOD, "params": serde_json::to_value(operation)?}),
    )
}

/// An answer's line. An answer that does not become JSON, a bug of its type, is an error's.
#[must_use]
pub fn answer<T: Serialize>(id: &Value, result: &Result<T, WireError>) -> String {
    #[derive(Serialize)]
    struct Answer<'a, T> {
        jsonrpc: &'static str,
        id: &'a Value,
        #[serde(skip_serializing_if = "Option::is_none")]
        result: Option<&'a T>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<&'a WireError>,
    }
    let (value, error) = (result.as_ref().ok(), result.as_ref().err());
    // Straight to text: pages of logs are large.
    let line = serde_json::to_string(&Answer { jsonrpc: "2.0", id, result: value, error });
    line.unwrap_or_else(|error| {
        let error = WireError::from(Error::system("the answer", error));
        json!({"jsonrpc": "2.0", "id": id, "error": error}).to_string()
    })
}

/// An update's line.
#[must_use]
pub fn update(update: &Update) -> String {
    json!({"jsonrpc": "2.0", "method": UPDATE, "params": update}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{METHODS, Request, StartWait};

    #[test]
    fn a_request_comes_back_as_itself() {
        let line = request(7, &StartWait { ticket: 3, timeout_ms: None }).expect("JSON");
        let message: Message = serde_json::from_str(&line).expect("a message");
        let request = Request::parse(&message.method.expect("a method"), message.params);
        assert!(
            matches!(request, Some(Ok(Request::StartWait(StartWait { ticket: 3, timeout_ms: None })))),
            "got {request:?}"
        );
    }

    #[test]
    fn an_unknown_method_is_told_from_bad_parameters() {
        assert!(Request::parse("no.such", Value::Null).is_none(), "unknown");
        assert!(matches!(Request::parse("start.wait", json!({})), Some(Err(_))), "bad parameters");
    }

    #[test]
    fn no_method_is_declared_twice() {
        let mut names = METHODS.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), METHODS.len(), "{METHODS:?}");
    }

    #[test]
    fn an_error_keeps_code_and_help_across_the_wire() {
        let error = Error::new(Code::PortConflict, "port 3000 is held by node (PID 8432)").help("stop it");
        let line = answer::<Value>(&json!(1), &Err(error.clone().into()));
        let message: Message = serde_json::from_str(&line).expect("a message");
        assert_eq!(Error::from(message.error.expect("an error")), error, "the same error");
    }
}
