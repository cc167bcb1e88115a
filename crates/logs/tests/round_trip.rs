//! What is written in any chunks comes back as exactly its lines.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

use std::path::Path;

use common::{at, lines, of_stream, open, read_all, read_by_cursor};
use forge_logs::{Reader, Stream};
use proptest::prelude::*;

const STREAMS: [Stream; 2] = [Stream::Stdout, Stream::Stderr];

#[derive(Debug, Clone)]
enum Act {
    Write(usize, Vec<u8>),
    Flush(usize),
    /// The writer leaves in order, and another run begins.
    Reopen,
}

fn chunk() -> impl Strategy<Value = Vec<u8>> {
    let byte =
        prop_oneof![4 => Just(b'a'), 2 => Just(b'\n'), 1 => Just(0), 1 => Just(b'\r'), 1 => any::<u8>()];
    let long = (60_000..140_000_usize, any::<bool>()).prop_map(|(length, ends)| {
        let mut bytes: Vec<u8> = (0..length).map(|at| b'a' + (at % 23) as u8).collect();
        bytes.extend(ends.then_some(b'\n'));
        bytes
    });
    prop_oneof![20 => prop::collection::vec(byte, 0..60), 1 => long]
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        12 => (0..2_usize, chunk()).prop_map(|(stream, bytes)| Act::Write(stream, bytes)),
        3 => (0..2_usize).prop_map(Act::Flush),
        1 => Just(Act::Reopen),
    ];
    prop::collection::vec(act, 1..24)
}

/// The lines that the acts must give, for each stream.
#[derive(Debug, Default)]
struct Model {
    lines: [Vec<Vec<u8>>; 2],
    rests: [Vec<u8>; 2],
}

impl Model {
    fn write(&mut self, stream: usize, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' {
                let line = std::mem::take(&mut self.rests[stream]);
                self.lines[stream].push(line);
            } else {
                self.rests[stream].push(byte);
            }
        }
    }

    fn finish(&mut self) {
        for stream in 0..2 {
            if !self.rests[stream].is_empty() {
                self.write(stream, b"\n");
            }
        }
    }
}

fn perform(dir: &Path, segment_bytes: u64, acts: &[Act], model: &mut Model) {
    let mut run = 1;
    let mut writer = open(dir, segment_bytes, run);
    for (step, act) in (0..).zip(acts) {
        match act {
            Act::Write(stream, bytes) => {
                writer.write(STREAMS[*stream], bytes, at(step));
                model.write(*stream, bytes);
            }
            Act::Flush(stream) => writer.flush_partial(STREAMS[*stream], at(step)),
            Act::Reopen => {
                drop(writer);
                model.finish();
                run += 1;
                writer = open(dir, segment_bytes, run);
            }
        }
    }
    drop(writer);
    model.finish();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_come_back_whole_however_they_are_written_and_read(
        acts in acts(),
        segment_bytes in prop_oneof![Just(400_u64), 500..5_000_u64, Just(100_000), Just(1 << 24)],
        step in prop_oneof![Just(1_usize), 1..4_000_usize],
        damage in 0..4_u8,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut model = Model::default();
        perform(dir.path(), segment_bytes, &acts, &mut model);
        damage_sidecars(dir.path(), damage);

        let all = lines(dir.path());
        for (stream, expected) in STREAMS.into_iter().zip(&model.lines) {
            prop_assert_eq!(&of_stream(&all, stream), expected, "{}", stream);
        }
        prop_assert!(all.is_sorted_by_key(|line| line.time_ns), "times go back");
        prop_assert!(all.is_sorted_by_key(|line| line.end), "ends go back");
        prop_assert_eq!(&read_all(&mut Reader::open(dir.path()).unwrap(), step), &all, "in small steps");
        prop_assert_eq!(&read_by_cursor(dir.path(), step.max(4_000)), &all, "by cursor");

        let mut reader = Reader::open(dir.path()).unwrap();
        reader.seek_end().unwrap();
        let mut backward = reader.backward().unwrap();
        let mut reversed = Vec::new();
        while let Some(line) = backward.next().unwrap() {
            reversed.push(line);
        }
        reversed.reverse();
        prop_assert_eq!(&reversed, &all, "backward");

        let program: Vec<_> = all.iter().filter(|line| line.is_program()).cloned().collect();
        for tail in [0, 1, 3, program.len(), program.len() + 1] {
            reader.seek_tail(tail).unwrap();
            let got: Vec<_> = read_all(&mut reader, 1 << 20).into_iter().filter(|line| line.is_program()).collect();
            prop_assert_eq!(&got, &program[program.len().saturating_sub(tail)..], "the last {}", tail);
        }
        for line in all.iter().step_by(all.len() / 8 + 1) {
            reader.seek_time(line.time_ns).unwrap();
            let first = loop {
                let batch = reader.read(500).unwrap();
                if batch.at_end || !batch.lines.is_empty() {
                    break batch.lines.into_iter().next();
                }
            };
            let expected = all.iter().find(|other| other.time_ns == line.time_ns);
            prop_assert_eq!(first.as_ref(), expected, "the first of {}", line.time_ns);
        }
    }

    #[test]
    fn a_kill_at_any_byte_costs_no_line_before_it_and_merges_none(
        acts in acts(),
        segment_bytes in prop_oneof![500..5_000_u64, Just(1 << 24)],
        cut in 0.0..1.0_f64,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut model = Model::default();
        let acts: Vec<Act> = acts.into_iter().filter(|act| !matches!(act, Act::Reopen)).collect();
        perform(dir.path(), segment_bytes, &acts, &mut model);
        let last = dir.path().join(common::segments(dir.path()).pop().unwrap());
        let length = std::fs::metadata(&last).unwrap().len();
        let cut = (length as f64 * cut) as u64;
        std::fs::OpenOptions::new().write(true).open(&last).unwrap().set_len(cut).unwrap();

        let before = lines(dir.path());
        let mut writer = open(dir.path(), segment_bytes, 2);
        for stream in STREAMS {
            writer.write(stream, b"after\n", at(1000));
        }
        drop(writer);
        let after = lines(dir.path());
        for (stream, expected) in STREAMS.into_iter().zip(&model.lines) {
            let kept = of_stream(&before, stream);
            prop_assert!(expected.starts_with(&kept), "{} before the next writer", stream);
            let mut got = of_stream(&after, stream);
            prop_assert_eq!(got.pop().unwrap(), b"after", "the line after the kill, alone");
            prop_assert!(got.starts_with(&kept), "{} loses nothing by the next writer", stream);
            if let [torn] = &got[kept.len()..] {
                let whole = &expected[kept.len()];
                prop_assert!(whole.starts_with(torn), "what is torn is a beginning");
            } else {
                prop_assert_eq!(got.len(), kept.len(), "nothing else");
            }
        }
    }

    #[test]
    fn garbage_is_read_without_harm(
        bytes in prop::collection::vec(any::<u8>(), 0..4_000),
        garbled in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        sidecar in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = open(dir.path(), 1 << 20, 1);
        for step in 0..40 {
            writer.write(Stream::Stdout, format!("line {step}\npart").as_bytes(), at(step));
            writer.flush_partial(Stream::Stdout, at(step));
        }
        drop(writer);
        let name = if sidecar { "00000001.idx" } else { "00000001.log" };
        let path = dir.path().join(name);
        let mut content = std::fs::read(&path).unwrap();
        for (place, byte) in garbled {
            let place = place.index(content.len());
            content[place] = byte;
        }
        std::fs::write(&path, &content).unwrap();
        std::fs::write(dir.path().join("00000002.log"), &bytes).unwrap();
        let all = lines(dir.path());
        prop_assert!(all.is_sorted_by_key(|line| line.time_ns), "times go back");
        let mut reader = Reader::open(dir.path()).unwrap();
        reader.seek_tail(7).unwrap();
        read_all(&mut reader, 100);
        reader.seek_time(common::MOMENT).unwrap();
        read_all(&mut reader, 100);
        drop(open(dir.path(), 1 << 20, 2));
    }
}

fn damage_sidecars(dir: &Path, damage: u8) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "idx") {
            continue;
        }
        let mut bytes = std::fs::read(&path).unwrap();
        match damage {
            0 => continue,
            1 => bytes.truncate(bytes.len() / 2 + 3),
            2 => bytes[8] = 99,
            _ => std::fs::remove_file(&path).unwrap(),
        }
        if damage < 3 {
            std::fs::write(&path, bytes).unwrap();
        }
    }
}
