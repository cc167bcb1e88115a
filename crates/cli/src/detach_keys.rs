//! The keys that end an attachment: Ctrl-] (as telnet has it), or Ctrl-P Ctrl-Q (as docker has it).

const CTRL_RIGHT_BRACKET: u8 = 0x1d;
const CTRL_P: u8 = 0x10;
const CTRL_Q: u8 = 0x11;

/// Looks for them in what is typed.
#[derive(Debug, Default)]
pub(crate) struct DetachKeys {
    /// A Ctrl-P that is kept back until it is known what follows.
    held: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Typed {
    /// For the process.
    pub(crate) forward: Vec<u8>,
    pub(crate) detach: bool,
}

impl DetachKeys {
    /// Sorts a chunk of input. What comes after the keys is dropped.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Typed {
        let mut forward = Vec::with_capacity(chunk.len() + 1);
        for &byte in chunk {
            let held = std::mem::take(&mut self.held);
            match byte {
                CTRL_RIGHT_BRACKET => return Typed { forward, detach: true },
                CTRL_Q if held => return Typed { forward, detach: true },
                CTRL_P if !held => self.held = true,
                _ => {
                    if held {
                        forward.push(CTRL_P);
                    }
                    forward.push(byte);
                }
            }
        }
        Typed { forward, detach: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chunks, what goes to the process, whether it detaches.
    type Case<'a> = (&'a [&'a [u8]], &'a [u8], bool);

    #[test]
    fn either_way_detaches_and_everything_else_goes_through() {
        let cases: &[Case<'_>] = &[
            (&[b"ls\r"], b"ls\r", false),
            (&[b"ab\x1dcd"], b"ab", true),
            (&[b"a\x10\x11b"], b"a", true),
            (&[b"a\x10", b"\x11"], b"a", true),
            (&[b"\x10x"], b"\x10x", false),
            (&[b"\x10", b"\x10x"], b"\x10\x10x", false),
            (&[b"\x11"], b"\x11", false),
        ];
        for (chunks, expected, detach) in cases {
            let mut keys = DetachKeys::default();
            let mut forward = Vec::new();
            let mut detached = false;
            for chunk in *chunks {
                let typed = keys.feed(chunk);
                forward.extend(typed.forward);
                detached |= typed.detach;
            }
            assert_eq!((forward.as_slice(), detached), (*expected, *detach), "{chunks:?}");
        }
    }
}
