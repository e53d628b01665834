//! Reading a request head: what the connection needs to know of it, as offsets
//! into the input, so that nothing is copied.

use std::ops::Range;

use super::Refusal;

/// The longest head that is read; beyond it the request is refused with 431.
pub(super) const MAX_HEAD: usize = 16 * 1024;

/// The most header fields of a head.
const MAX_FIELDS: usize = 100;

/// How the end of the request's body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
}

/// A head that was read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: Range<usize>,
    pub(super) target: Range<usize>,
    /// The length of the head, its empty line included.
    pub(super) len: usize,
    pub(super) framing: Framing,
    pub(super) keep_alive: bool,
    pub(super) expects_continue: bool,
}

/// Reads the head at the start of `input`; `None` when there is more to come.
pub(super) fn parse(input: &[u8]) -> Result<Option<Head>, Refusal> {
    let mut fields = [const { std::mem::MaybeUninit::uninit() }; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    let status = request.parse_with_uninit_headers(input, &mut fields);
    let len = match status {
        Ok(httparse::Status::Complete(len)) if len <= MAX_HEAD => len,
        Ok(httparse::Status::Partial) if input.len() < MAX_HEAD => return Ok(None),
        Ok(_) => return Err(too_long(input)),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Refusal::new(
                431,
                "the request has more than 100 header fields",
            ));
        }
        Err(httparse::Error::Version) => {
            return Err(Refusal::new(505, "the version is not HTTP/1.0 or HTTP/1.1"));
        }
        Err(_) => return Err(Refusal::new(400, "the request head is malformed")),
    };
    // All three are set once parsing is complete.
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version)
    else {
        return Err(Refusal::new(400, "the request head is malformed"));
    };
    let offset_of = |part: &str| {
        let start = part.as_ptr() as usize - input.as_ptr() as usize;
        start..start + part.len()
    };
    let mut head = Head {
        method: offset_of(method),
        target: offset_of(target),
        len,
        framing: Framing::Length(0),
        keep_alive: minor == 1,
        expects_continue: false,
    };
    read_fields(&mut head, minor, request.headers)?;
    Ok(Some(head))
}

fn too_long(input: &[u8]) -> Refusal {
    if input.iter().take(MAX_HEAD).any(|&byte| byte == b'\n') {
        Refusal::new(431, "the request head is longer than 16 KiB")
    } else {
        Refusal::new(414, "the request target is longer than 16 KiB")
    }
}

/// Takes from the fields what decides about the connection and the body.
fn read_fields(head: &mut Head, minor: u8, fields: &[httparse::Header<'_>]) -> Result<(), Refusal> {
    let (mut hosts, mut length, mut chunked) = (0, None, false);
    for field in fields {
        let name = field.name;
        // Lengths first: this runs for every field of every request.
        match name.len() {
            4 if name.eq_ignore_ascii_case("host") => hosts += 1,
            6 if name.eq_ignore_ascii_case("expect") => {
                if !field.value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(Refusal::new(
                        417,
                        "the only expectation met is 100-continue",
                    ));
                }
                head.expects_continue = minor == 1;
            }
            10 if name.eq_ignore_ascii_case("connection") => {
                for token in tokens(field.value) {
                    if token.eq_ignore_ascii_case(b"close") {
                        head.keep_alive = false;
                    } else if minor == 0 && token.eq_ignore_ascii_case(b"keep-alive") {
                        head.keep_alive = true;
                    }
                }
            }
            14 if name.eq_ignore_ascii_case("content-length") => {
                let value = digits(field.value)
                    .ok_or(Refusal::new(400, "Content-Length is not a whole number"))?;
                if length.is_some_and(|other| other != value) {
                    return Err(Refusal::new(400, "two values of Content-Length differ"));
                }
                length = Some(value);
            }
            17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                if chunked || !field.value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Refusal::new(501, "the only transfer coding is chunked"));
                }
                chunked = true;
            }
            _ => {}
        }
    }
    if minor == 1 && hosts != 1 {
        return Err(Refusal::new(
            400,
            "the request needs exactly one Host field",
        ));
    }
    head.framing = match (chunked, length) {
        // Both at once is how requests are smuggled (RFC 9112, section 6.3).
        (true, Some(_)) => {
            return Err(Refusal::new(
                400,
                "Transfer-Encoding excludes Content-Length",
            ));
        }
        (true, None) if minor == 0 => {
            return Err(Refusal::new(400, "HTTP/1.0 has no Transfer-Encoding"));
        }
        (true, None) => Framing::Chunked,
        (false, length) => Framing::Length(length.unwrap_or(0)),
    };
    Ok(())
}

fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii)
}

fn digits(value: &[u8]) -> Option<u64> {
    let all_digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok()?;
    all_digits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused(input: &str) -> u16 {
        parse(input.as_bytes()).expect_err(input).status
    }

    #[test]
    fn a_plain_get_is_read() {
        let input = b"GET /a?b HTTP/1.1\r\nHost: x\r\n\r\nnext";
        let head = parse(input).unwrap().unwrap();
        assert_eq!(&input[head.method], b"GET");
        assert_eq!(&input[head.target], b"/a?b");
        assert_eq!(&input[head.len..], b"next");
        assert_eq!(head.framing, Framing::Length(0));
        assert!(head.keep_alive && !head.expects_continue);
    }

    #[test]
    fn the_version_decides_about_keeping_the_connection() {
        for (input, kept) in [
            ("GET / HTTP/1.0\r\n\r\n", false),
            ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
            (
                "GET / HTTP/1.1\r\nHost: x\r\nConnection: x, Close\r\n\r\n",
                false,
            ),
            (
                "GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
                true,
            ),
        ] {
            let head = parse(input.as_bytes()).unwrap().unwrap();
            assert_eq!(head.keep_alive, kept, "{input}");
        }
    }

    #[test]
    fn what_cannot_be_answered_is_refused_with_its_status() {
        let long = format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}", "x".repeat(MAX_HEAD));
        let target = format!("GET /{}", "x".repeat(MAX_HEAD));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(101));
        let post = |fields: &str| format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n");
        for (input, status) in [
            ("\u{1}\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
            ("GET / HTTP/2.0\r\n\r\n", 505),
            ("GET / HTTP/1.1\r\nHost: x\r\nExpect: magic\r\n\r\n", 417),
            (&long, 431),
            (&many, 431),
            (&target, 414),
            (&post("Content-Length: -1"), 400),
            (&post("Content-Length: 1, 1"), 400),
            (&post("Content-Length: 99999999999999999999"), 400),
            (&post("Content-Length: 1\r\nContent-Length: 2"), 400),
            (
                &post("Content-Length: 1\r\nTransfer-Encoding: chunked"),
                400,
            ),
            (&post("Transfer-Encoding: gzip, chunked"), 501),
            ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ] {
            assert_eq!(refused(input), status, "{input}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(input in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(Some(head)) = parse(&input) {
                prop_assert!(head.len <= input.len());
                prop_assert!(head.target.end <= head.len);
            }
        }

        #[test]
        fn a_head_is_partial_until_its_last_byte(path in "/[a-z]{0,20}", value in "[ -~]{0,40}") {
            let input = format!("GET {path} HTTP/1.1\r\nHost: x\r\nA: {value}\r\n\r\n");
            for end in 0..input.len() {
                prop_assert_eq!(parse(&input.as_bytes()[..end]), Ok(None));
            }
            prop_assert_eq!(parse(input.as_bytes()).unwrap().unwrap().len, input.len());
        }
    }
}
