use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::*;
use crate::core::Parts;
use crate::home::Home;

#[tokio::test]
async fn an_attach_that_waits_holds_up_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let parts = Parts {
        home: Home::below(folder.path()),
        host: forge_api::Host::Serve,
        background: true,
        version: "0".to_owned(),
        keeper: folder.path().join("keeper"),
        boot: "boot".to_owned(),
        sampling: false,
    };
    // Its loop does not run: whoever asks the core waits.
    let (core, _messages) = Core::new(parts).expect("a core");
    let (ours, theirs) = tokio::io::duplex(4096);
    let served = tokio::spawn(serve(theirs, core.handle()));
    let (read, mut write) = tokio::io::split(ours);
    for (id, method, params) in [
        (1, "attach", json!({"workspace": "/", "name": "a", "rows": 24, "columns": 80})),
        (2, "attach.input", json!({"data": "YQ=="})),
        (3, "unsubscribe", json!({})),
    ] {
        let line = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        write.write_all(format!("{line}\n").as_bytes()).await.expect("sent");
    }
    let mut lines = BufReader::new(read).lines();
    for id in [2, 3] {
        let line = lines.next_line().await.expect("a line").expect("an answer");
        let answer: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(answer["id"], id, "{answer}");
        assert!(answer["error"].is_null(), "input waits for the terminal: {answer}");
    }
    served.abort();
}
