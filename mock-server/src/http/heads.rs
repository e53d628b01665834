//! How much of an HTTP/1 client's bytes hyper gets at once: one head, or what is
//! left of a body of known length. hyper does not say what it has of the request
//! after that, so it is held back, where it can be limited in time.

/// Where a connection's bytes stand between its requests.
#[derive(Debug)]
pub(super) struct Heads {
    /// Bytes that are left of a body.
    body: u64,
    /// Whether the line that is being read has had no content yet.
    is_blank: bool,
    is_within: bool,
}

impl Heads {
    /// A connection of which nothing has come.
    pub(super) fn new() -> Self {
        Self {
            body: 0,
            is_blank: true,
            is_within: false,
        }
    }

    /// hyper has read a head, after which `body` bytes come. A chunked body has
    /// no length, and ends with a blank line as a head does.
    pub(super) fn begin(&mut self, body: u64) {
        self.body = body;
        self.is_within = body > 0;
    }

    /// How many of the bytes, which hyper waits for, it gets now.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        if self.body > 0 {
            let taken = bytes
                .len()
                .min(usize::try_from(self.body).unwrap_or(usize::MAX));
            self.body -= taken as u64;
            self.is_within = self.body > 0;
            return taken;
        }
        let end = self.after_blank(bytes);
        self.is_within = end.is_none();
        end.unwrap_or(bytes.len())
    }

    /// Where the first blank line ends (a bare line feed counts, as it does for
    /// hyper).
    fn after_blank(&mut self, bytes: &[u8]) -> Option<usize> {
        let is_nothing = |line: &[u8]| matches!(line, b"" | b"\r");
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            let is_blank = self.is_blank && is_nothing(&bytes[start..end]);
            self.is_blank = true;
            start = end + 1;
            if is_blank {
                return Some(start);
            }
        }
        self.is_blank &= is_nothing(&bytes[start..]);
        None
    }

    /// Whether a head or a body has begun and is not whole.
    pub(super) fn is_within(&self) -> bool {
        self.is_within
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What hyper gets, a request apart, of bytes that come in pieces.
    fn taken(bytes: &[u8], piece: usize, bodies: &[u64]) -> (Vec<Vec<u8>>, bool) {
        let mut heads = Heads::new();
        let (mut bodies, mut all, mut current) = (bodies.iter(), Vec::new(), Vec::new());
        let mut in_body = false;
        for mut piece in bytes.chunks(piece) {
            while !piece.is_empty() {
                let (now, later) = piece.split_at(heads.take(piece));
                assert!(!now.is_empty());
                current.extend_from_slice(now);
                piece = later;
                if heads.is_within() {
                    continue;
                }
                if !in_body {
                    heads.begin(bodies.next().copied().unwrap_or(0));
                }
                in_body = heads.is_within();
                if !in_body {
                    all.push(std::mem::take(&mut current));
                }
            }
        }
        (all, heads.is_within())
    }

    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: m\r\n\r\n";
    const BARE: &[u8] = b"GET / HTTP/1.1\nHost: m\n\n";
    /// Its body is 9 bytes, with a blank line in it.
    const POST: &[u8] = b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\na\r\n\r\nGET ";

    proptest! {
        #[test]
        fn a_request_ends_where_it_ends_however_it_comes(
            kinds in proptest::collection::vec(0usize..3, 0..6),
            piece in 1usize..80,
            rest in prop_oneof![Just(&b""[..]), Just(&b"G"[..]), Just(&b"GET / HTTP/1.1\r\nHost"[..])],
        ) {
            let requests: Vec<_> = kinds.iter().map(|&kind| [GET, BARE, POST][kind]).collect();
            let bodies: Vec<_> = kinds.iter().map(|&kind| [0, 0, 9][kind]).collect();
            let bytes = [requests.concat(), rest.to_vec()].concat();
            let (all, is_within) = taken(&bytes, piece, &bodies);
            prop_assert_eq!(all, requests);
            prop_assert_eq!(is_within, !rest.is_empty());
        }
    }
}
