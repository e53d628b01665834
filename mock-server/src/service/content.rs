//! The content of an answer, rendered before the wait; a large file is the
//! exception, whose pieces are made as they leave so that memory stays bounded.

use std::sync::OnceLock;

use bytes::{Bytes, BytesMut};

use crate::json;
use crate::random::{Purpose, Stream};

/// The content of an answer.
pub(crate) enum Content {
    Empty,
    Whole(Bytes),
    /// Boxed, because the others are moved with every answer.
    File(Box<File>),
}

/// Files up to this size are rendered whole.
const WHOLE: usize = 64 * 1024;

impl Content {
    /// `{"error": "…"}`: the body of every refusal.
    pub(crate) fn error(message: &str) -> Self {
        let mut body = b"{\n  \"error\": \"".to_vec();
        json::escape_into(&mut body, message);
        body.extend_from_slice(b"\"\n}");
        body.into()
    }

    /// The bytes that are left.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Whole(bytes) => bytes.len() as u64,
            Self::File(file) => file.left() as u64,
        }
    }

    /// Takes at most `most` bytes from the front; none only at the end or when
    /// `most` is 0.
    pub(crate) fn take(&mut self, most: usize) -> Bytes {
        match self {
            Self::Empty => Bytes::new(),
            // Splitting makes the bytes shared, which costs an allocation.
            Self::Whole(bytes) if bytes.len() <= most => std::mem::take(bytes),
            Self::Whole(bytes) => bytes.split_to(most),
            Self::File(file) => file.take(most),
        }
    }

    /// Makes it what no JSON parser takes.
    pub(crate) fn spoil(&mut self) {
        let mut spoilt = BytesMut::from(&self.take(WHOLE)[..]);
        spoilt.truncate(spoilt.len() / 2);
        spoilt.extend_from_slice(b"<!-- malformed");
        *self = Self::Whole(spoilt.freeze());
    }
}

impl From<Vec<u8>> for Content {
    fn from(body: Vec<u8>) -> Self {
        Self::Whole(body.into())
    }
}

/// A JSON file of an exact size: `{"id":"7","content":"…"}`, with letters that
/// are a function of the seed and the id.
pub(crate) struct File {
    front: Bytes,
    /// Letters that are left.
    letters: usize,
    /// Where in the block of letters they go on.
    at: usize,
    back: Bytes,
}

impl File {
    /// The file of `id` with `size` bytes, or what its frame takes if that is
    /// more.
    pub(crate) fn content(seed: u64, id: &str, size: usize) -> Content {
        let mut front = b"{\"id\":\"".to_vec();
        json::escape_into(&mut front, id);
        front.extend_from_slice(b"\",\"content\":\"");
        let back = Bytes::from_static(b"\"}");
        let mut stream = Stream::new(seed, Purpose::Content, 0, id, 0);
        let mut file = Self {
            letters: size.saturating_sub(front.len() + back.len()),
            at: stream.below(letters().len() as u32) as usize,
            front: front.into(),
            back,
        };
        if file.left() > WHOLE {
            return Content::File(Box::new(file));
        }
        let mut whole = Vec::with_capacity(file.left());
        while file.left() > 0 {
            whole.extend_from_slice(&file.take(WHOLE));
        }
        whole.into()
    }

    fn left(&self) -> usize {
        self.front.len() + self.letters + self.back.len()
    }

    fn take(&mut self, most: usize) -> Bytes {
        if !self.front.is_empty() {
            return self.front.split_to(most.min(self.front.len()));
        }
        if self.letters > 0 {
            let block = letters();
            let count = most.min(self.letters).min(block.len() - self.at);
            let piece = block.slice(self.at..self.at + count);
            self.letters -= count;
            self.at = (self.at + count) % block.len();
            return piece;
        }
        self.back.split_to(most.min(self.back.len()))
    }
}

/// A block of letters that all files share, from 64 that JSON never escapes.
fn letters() -> &'static Bytes {
    static LETTERS: OnceLock<Bytes> = OnceLock::new();
    LETTERS.get_or_init(|| {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut stream = Stream::new(0, Purpose::Content, 0, "letters", 0);
        let letters = (0..WHOLE).map(|_| ALPHABET[stream.below(64) as usize]);
        letters.collect::<Vec<u8>>().into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(mut content: Content, pieces: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while content.len() > 0 {
            let piece = content.take(pieces);
            assert!(!piece.is_empty() && piece.len() <= pieces);
            all.extend_from_slice(&piece);
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_file_is_json_of_its_size_however_it_is_taken(
            id in "\\PC{0,10}",
            size in 128usize..300_000,
            pieces in 1usize..100_000,
        ) {
            // Tiny pieces of a large file only take time.
            let pieces = pieces.max(size / 1000);
            let body = read(File::content(1, &id, size), pieces);
            prop_assert_eq!(body.len(), size);
            let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
            prop_assert_eq!(value["id"].as_str(), Some(id.as_str()));
            prop_assert_eq!(body, read(File::content(1, &id, size), usize::MAX));
        }
    }

    #[test]
    fn what_is_spoilt_is_no_json() {
        for size in [70, 100_000] {
            let mut content = File::content(1, "7", size);
            content.spoil();
            let body = read(content, usize::MAX);
            assert!(serde_json::from_slice::<serde_json::Value>(&body).is_err());
        }
    }
}
