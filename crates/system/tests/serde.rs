//! What travels keeps its shape.
#![cfg(all(unix, feature = "serde"))]

use forge_system::binaries::Version;
use forge_system::{Exit, ProcessId, Signal};
use serde_json::{from_str, to_string};

#[test]
fn identities_exits_and_versions_read_back_as_they_were_written() {
    let id = ProcessId { pid: 4711, start: 123_456 };
    assert_eq!(to_string(&id).unwrap(), r#"{"pid":4711,"start":123456}"#);
    assert_eq!(from_str::<ProcessId>(&to_string(&id).unwrap()).unwrap(), id);
    for (exit, json) in
        [(Exit::Code(7), r#"{"code":7}"#), (Exit::Signal(Signal::KILL), r#"{"signal":"SIGKILL"}"#)]
    {
        assert_eq!(to_string(&exit).unwrap(), json);
        assert_eq!(from_str::<Exit>(json).unwrap(), exit);
    }
    let version: Version = "1.2.3".parse().unwrap();
    assert_eq!(to_string(&version).unwrap(), r#""1.2.3""#);
    assert_eq!(from_str::<Version>(r#""1.2.3""#).unwrap(), version);
    assert!(from_str::<Signal>(r#""SIGNOPE""#).is_err(), "an unknown signal is refused");
}
