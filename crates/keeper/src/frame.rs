//! Frames on a keeper's socket: a length (four bytes, little-endian), then that many bytes of JSON.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::message::MAX_FRAME;

/// Bytes in front of the JSON.
const HEAD: usize = 4;

/// The frame that carries `message`.
///
/// # Errors
/// [`FrameError::TooLong`] if its JSON is over [`MAX_FRAME`].
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame = vec![0; HEAD];
    serde_json::to_writer(&mut frame, message).map_err(|error| FrameError::Json(error.to_string()))?;
    let length = frame.len() - HEAD;
    if length > MAX_FRAME {
        return Err(FrameError::TooLong(length));
    }
    frame[..HEAD].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    Ok(frame)
}

/// Takes frames out of a stream of bytes that arrive in pieces of any size.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: Vec<u8>,
}

impl Frames {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The JSON of the next frame, or `None` until more has come.
    ///
    /// # Errors
    /// [`FrameError::TooLong`] as soon as a length over [`MAX_FRAME`] is read: the stream can't be used any further.
    pub fn next_json(&mut self) -> Result<Option<Vec<u8>>, FrameError> {
        let Some(head) = self.buffer.first_chunk::<HEAD>() else { return Ok(None) };
        let length = u32::from_le_bytes(*head) as usize;
        if length > MAX_FRAME {
            return Err(FrameError::TooLong(length));
        }
        if self.buffer.len() < HEAD + length {
            return Ok(None);
        }
        let json = self.buffer[HEAD..HEAD + length].to_vec();
        self.buffer.drain(..HEAD + length);
        if self.buffer.is_empty() {
            self.buffer = Vec::new();
        }
        Ok(Some(json))
    }

    /// The next message, or `None` until more has come.
    ///
    /// # Errors
    /// Those of [`Frames::next_json`], and [`FrameError::Json`] if a frame holds something else than a `T`; the
    /// frames after it can still be read.
    pub fn next_message<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        let Some(json) = self.next_json()? else { return Ok(None) };
        serde_json::from_slice(&json).map(Some).map_err(|error| FrameError::Json(error.to_string()))
    }
}

/// Why a frame could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameError {
    /// Its length, over [`MAX_FRAME`].
    TooLong(usize),
    /// It is not the JSON that was expected.
    Json(String),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(length) => write!(f, "a frame of {length} bytes, over the limit of {MAX_FRAME}"),
            Self::Json(error) => write!(f, "a frame that can't be read: {error}"),
        }
    }
}

impl std::error::Error for FrameError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Request;

    fn frames_of(bytes: &[u8]) -> Frames {
        let mut frames = Frames::new();
        frames.push(bytes);
        frames
    }

    #[test]
    fn messages_come_out_however_they_were_cut() {
        let messages = [
            Request::Hello { protocol: 1, version: "0.1.0".into() },
            Request::End { signal: 15, grace_ms: 10_000, force: false },
            Request::Follow,
        ];
        let stream: Vec<u8> = messages.iter().flat_map(|message| encode(message).unwrap()).collect();
        for size in 1..=stream.len() {
            let mut frames = Frames::new();
            let mut read = Vec::new();
            for piece in stream.chunks(size) {
                frames.push(piece);
                while let Some(message) = frames.next_message::<Request>().unwrap() {
                    read.push(message);
                }
            }
            assert_eq!(read, messages, "cut into pieces of {size}");
        }
    }

    #[test]
    fn an_impossible_length_is_refused_before_its_bytes_come() {
        let mut frames = frames_of(&u32::MAX.to_le_bytes());
        assert_eq!(frames.next_json(), Err(FrameError::TooLong(u32::MAX as usize)), "4 GiB must be refused");
    }

    #[test]
    fn a_message_over_the_limit_is_not_sent() {
        let huge = Request::Mark { text: "x".repeat(MAX_FRAME) };
        assert!(matches!(encode(&huge), Err(FrameError::TooLong(_))), "a mark of a frame's size can't fit");
    }

    #[test]
    fn after_an_unknown_message_the_next_is_read() {
        let mut stream = encode(&serde_json::json!({"do": "levitate"})).unwrap();
        stream.extend(encode(&Request::Follow).unwrap());
        let mut frames = frames_of(&stream);
        assert!(
            matches!(frames.next_message::<Request>(), Err(FrameError::Json(_))),
            "levitate is not known"
        );
        assert_eq!(frames.next_message::<Request>().unwrap(), Some(Request::Follow), "the frame after it");
    }

    #[test]
    fn fields_that_are_not_known_are_ignored() {
        let json = serde_json::json!({"do": "hello", "protocol": 9, "version": "9.0", "colour": "blue"});
        let mut frames = frames_of(&encode(&json).unwrap());
        let hello = Request::Hello { protocol: 9, version: "9.0".into() };
        assert_eq!(frames.next_message::<Request>().unwrap(), Some(hello), "a newer supervisor's hello");
    }
}
