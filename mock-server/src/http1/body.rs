//! Reading a request body to its end, so that the next request on the connection
//! is found where it starts.

use super::Refusal;

/// The longest request body that is read; beyond it the request is refused.
pub(super) const MAX_BODY: usize = 1 << 20;

/// What chunk sizes, extensions and trailers may take beside the content.
const MAX_FRAMING: usize = 256 * 1024;

/// A decoder of the chunked coding (RFC 9112, section 7.1) that is fed the whole
/// input so far and remembers how far it came.
#[derive(Default)]
pub(super) struct Chunked {
    at: usize,
    content: Vec<u8>,
    in_trailers: bool,
}

impl Chunked {
    /// A decoder that starts at offset `at` of the input.
    pub(super) fn starting_at(at: usize) -> Self {
        Self {
            at,
            ..Self::default()
        }
    }

    /// Decodes what there is; the offset of the body's end once it is whole.
    pub(super) fn advance(&mut self, input: &[u8]) -> Result<Option<usize>, Refusal> {
        const BAD: Refusal = Refusal::new(400, "the chunked body is malformed");
        const LONG: Refusal = Refusal::new(413, "the request body is longer than 1 MiB");
        if input.len() > self.content.len().max(MAX_BODY) + MAX_FRAMING + MAX_BODY {
            return Err(LONG);
        }
        while !self.in_trailers {
            let rest = &input[self.at..];
            let (line, size) = match httparse::parse_chunk_size(rest) {
                Ok(httparse::Status::Complete(parsed)) => parsed,
                Ok(httparse::Status::Partial) if rest.len() > MAX_FRAMING => return Err(BAD),
                Ok(httparse::Status::Partial) => return Ok(None),
                Err(_) => return Err(BAD),
            };
            if size == 0 {
                self.at += line;
                self.in_trailers = true;
                break;
            }
            let size = usize::try_from(size).map_err(|_| LONG)?;
            if self.content.len().saturating_add(size) > MAX_BODY {
                return Err(LONG);
            }
            let Some(chunk) = rest.get(line..line + size + 2) else {
                return Ok(None);
            };
            let (data, end) = chunk.split_at(size);
            if end != b"\r\n" {
                return Err(BAD);
            }
            self.content.extend_from_slice(data);
            self.at += line + size + 2;
        }
        loop {
            let rest = &input[self.at..];
            match rest.iter().position(|&byte| byte == b'\n') {
                None if rest.len() > MAX_FRAMING => return Err(BAD),
                None => return Ok(None),
                Some(end) => {
                    self.at += end + 1;
                    if matches!(&rest[..end], b"" | b"\r") {
                        return Ok(Some(self.at));
                    }
                }
            }
        }
    }

    /// The content decoded so far.
    #[cfg(test)]
    fn content(&self) -> &[u8] {
        &self.content
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn chunks_extensions_and_trailers_are_read() {
        let input = b"4;a=b\r\nwiki\r\n0\r\nT: x\r\n\r\nGET";
        let mut decoder = Chunked::default();
        assert_eq!(decoder.advance(input), Ok(Some(input.len() - 3)));
        assert_eq!(decoder.content(), b"wiki");
    }

    #[test]
    fn malformed_and_oversized_bodies_are_refused() {
        for (input, status) in [
            (&b"x\r\n"[..], 400),
            (b"1\r\nabc\r\n", 400),
            (b"ffffffffffffffff\r\n", 413),
            (b"100001\r\n", 413),
        ] {
            let refusal = Chunked::default().advance(input).unwrap_err();
            assert_eq!(refusal.status, status, "{input:?}");
        }
    }

    proptest! {
        #[test]
        fn any_split_of_the_input_decodes_alike(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..6),
        ) {
            let mut input = Vec::new();
            for chunk in &chunks {
                input.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                input.extend_from_slice(chunk);
                input.extend_from_slice(b"\r\n");
            }
            input.extend_from_slice(b"0\r\n\r\n");
            let mut decoder = Chunked::default();
            for end in 0..input.len() {
                prop_assert_eq!(decoder.advance(&input[..end]), Ok(None));
            }
            prop_assert_eq!(decoder.advance(&input), Ok(Some(input.len())));
            prop_assert_eq!(decoder.content(), chunks.concat());
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(input in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Chunked::default().advance(&input);
        }
    }
}
