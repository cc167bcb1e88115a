//! Any bytes on a keeper's socket, cut anywhere: messages or errors, and never more memory than a frame may have.
#![no_main]

use forge_keeper::frame::Frames;
use forge_keeper::message::{Report, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|pieces: Vec<Vec<u8>>| {
    let (mut requests, mut reports) = (Frames::new(), Frames::new());
    for piece in &pieces {
        requests.push(piece);
        reports.push(piece);
        while let Ok(Some(_)) = requests.next_message::<Request>() {}
        while let Ok(Some(_)) = reports.next_message::<Report>() {}
    }
});
