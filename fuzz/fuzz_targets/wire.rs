//! Any line as a message of a face.
#![no_main]

use forge_api::{Request, wire};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    if let Ok(message) = serde_json::from_slice::<wire::Message>(line)
        && let Some(method) = message.method
    {
        let _ = Request::parse(&method, message.params);
    }
});
