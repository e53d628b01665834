//! Where the bytes of an HTTP/2 client stand between its frames: hyper reads
//! what they say, and this only whether it has the whole of it yet.

/// The client's preface (RFC 9113, section 3.4), which frames follow.
const PREFACE: usize = 24;

/// The length of a frame's header (section 4.1), and where in it what is.
const HEADER: usize = 9;
const KIND: usize = 3;
const FLAGS: usize = 4;

/// The frames that a block of fields comes in (sections 6.2 and 6.10), and the
/// flag on its last.
const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// The state of one connection's incoming bytes.
#[derive(Debug)]
pub(super) struct Frames {
    /// Bytes of the preface or of a frame's content that are still to come.
    content: usize,
    header: [u8; HEADER],
    /// Bytes of the header that have come.
    read: usize,
    in_block: bool,
}

impl Frames {
    /// A connection of which nothing has come.
    pub(super) fn new() -> Self {
        Self {
            content: PREFACE,
            header: [0; HEADER],
            read: 0,
            in_block: false,
        }
    }

    /// Bytes came.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.content > 0 {
                let count = self.content.min(bytes.len());
                self.content -= count;
                bytes = &bytes[count..];
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(HEADER - self.read));
            self.header[self.read..self.read + now.len()].copy_from_slice(now);
            self.read += now.len();
            bytes = later;
            if self.read == HEADER {
                self.begin();
            }
        }
    }

    /// A frame's header is whole.
    fn begin(&mut self) {
        self.read = 0;
        let [high, middle, low, ..] = self.header;
        self.content = u32::from_be_bytes([0, high, middle, low]) as usize;
        if matches!(self.header[KIND], HEADERS | CONTINUATION) {
            self.in_block = self.header[FLAGS] & END_HEADERS == 0;
        }
    }

    /// Whether something has begun, a frame or a block of fields over several,
    /// and is not whole.
    pub(super) fn is_within(&self) -> bool {
        self.content > 0 || self.read > 0 || self.in_block
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(kind: u8, flags: u8, content: usize) -> Vec<u8> {
        let length = (content as u32).to_be_bytes();
        let mut frame = vec![length[1], length[2], length[3], kind, flags, 0, 0, 0, 1];
        frame.resize(HEADER + content, 0xff);
        frame
    }

    #[test]
    fn a_block_is_whole_with_the_last_of_its_frames() {
        let mut frames = Frames::new();
        assert!(frames.is_within());
        frames.follow(&[b'P'; PREFACE]);
        assert!(!frames.is_within());
        for (kind, flags, content, within) in [
            (4, 0, 0, false),
            (HEADERS, END_HEADERS, 70_000, false),
            (HEADERS, 0, 5, true),
            (CONTINUATION, 0, 0, true),
            (CONTINUATION, END_HEADERS, 5, false),
            // The same bit means nothing on a frame of data.
            (0, 0, 300, false),
        ] {
            frames.follow(&frame(kind, flags, content));
            assert_eq!(frames.is_within(), within, "{kind} {flags} {content}");
        }
    }

    proptest! {
        #[test]
        fn frames_end_where_they_end_however_they_come(
            lengths in proptest::collection::vec(0usize..600, 1..6),
            pieces in 1usize..50,
        ) {
            let mut bytes = vec![0; PREFACE];
            let mut ends = vec![bytes.len()];
            for length in lengths {
                bytes.extend(frame(0, 0, length));
                ends.push(bytes.len());
            }
            let (mut frames, mut at) = (Frames::new(), 0);
            for piece in bytes.chunks(pieces) {
                frames.follow(piece);
                at += piece.len();
                prop_assert_eq!(frames.is_within(), !ends.contains(&at));
            }
        }
    }
}
