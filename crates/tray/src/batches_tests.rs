use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

/// The supervisor's end, the window's visibility, and the batches that the page gets.
fn page(pace: Duration) -> (DuplexStream, watch::Sender<bool>, UnboundedReceiver<Vec<Value>>) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let (visible, seen) = watch::channel(true);
    let (batches, received) = mpsc::unbounded_channel();
    let (read, write) = tokio::io::split(ours);
    tokio::spawn(async move {
        let _open = write;
        let emit = |batch: String| batches.send(serde_json::from_str(&batch).expect("a list")).is_ok();
        downward_at(pace, read, emit, seen).await;
    });
    (theirs, visible, received)
}

async fn say(supervisor: &mut DuplexStream, line: &str) {
    supervisor.write_all(format!("{line}\n").as_bytes()).await.expect("said");
}

async fn batch(received: &mut UnboundedReceiver<Vec<Value>>) -> Vec<Value> {
    tokio::time::timeout(PATIENCE, received.recv()).await.expect("in time").expect("a batch")
}

fn closed(id: &str) -> String {
    wire::update(&Update::NoticeClosed { id: id.to_owned() })
}

#[tokio::test]
async fn updates_wait_for_each_other_but_the_first_and_an_answer_do_not() {
    // Nothing that waits for the pace comes within the test.
    let (mut supervisor, _visible, mut received) = page(Duration::from_secs(3600));
    say(&mut supervisor, &closed("1")).await;
    assert_eq!(batch(&mut received).await.len(), 1, "the first, alone");
    for id in ["2", "3", "4"] {
        say(&mut supervisor, &closed(id)).await;
    }
    say(&mut supervisor, &wire::answer(&json!(1), &Ok(json!({})))).await;
    let heard = batch(&mut received).await;
    assert_eq!((heard.len(), &heard[3]["id"]), (4, &json!(1)), "all, with the answer: {heard:?}");
}

#[tokio::test]
async fn an_update_does_not_wait_for_another_for_ever() {
    let (mut supervisor, _visible, mut received) = page(Duration::from_millis(1));
    for id in ["1", "2"] {
        say(&mut supervisor, &closed(id)).await;
        assert_eq!(batch(&mut received).await[0]["params"]["id"], id, "alone");
    }
}

#[tokio::test]
async fn a_hidden_page_hears_answers_and_afterwards_that_it_missed_something() {
    let (mut supervisor, visible, mut received) = page(PACE);
    visible.send_replace(false);
    say(&mut supervisor, &closed("1")).await;
    say(&mut supervisor, &wire::answer(&json!(1), &Ok(json!({})))).await;
    let heard = batch(&mut received).await;
    assert_eq!((heard.len(), &heard[0]["id"]), (1, &json!(1)), "only the answer: {heard:?}");
    visible.send_replace(true);
    let heard = batch(&mut received).await;
    assert_eq!(heard[0]["params"]["update"], "lagged", "{heard:?}");
}

#[tokio::test]
async fn a_flood_is_cut_into_batches_of_a_bounded_size() {
    let (mut supervisor, _visible, mut received) = page(PACE);
    let line = closed(&"x".repeat(1000));
    let count = 1000;
    tokio::spawn(async move {
        for _ in 0..count {
            say(&mut supervisor, &line).await;
        }
    });
    let mut heard = 0;
    while heard < count {
        let messages = batch(&mut received).await;
        assert!(messages.len() <= BATCH / 1000 + 1, "{} messages at once", messages.len());
        heard += messages.len();
    }
}

#[tokio::test]
async fn the_end_is_told_behind_the_last_messages() {
    let (mut supervisor, _visible, mut received) = page(Duration::from_secs(3600));
    say(&mut supervisor, &closed("1")).await;
    assert_eq!(batch(&mut received).await.len(), 1, "the first");
    say(&mut supervisor, &closed("2")).await;
    drop(supervisor);
    assert_eq!(batch(&mut received).await.len(), 1, "what was still on its way");
    assert!(batch(&mut received).await.is_empty(), "and that it was the last");
}
