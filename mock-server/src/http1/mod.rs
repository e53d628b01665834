//! HTTP/1.1 on one connection: read a head, answer it, in one write.
//!
//! The codec is the server's own because the instrument needs what a general
//! library rightly hides: the instant a head was read, the answer rendered before
//! the wait and sent in a single write after it, and connections that can be cut
//! at any byte. Parsing itself is left to `httparse`.

mod body;
mod connection;
mod head;
mod render;

pub(crate) use connection::serve;

/// A request that is refused before any route sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refusal {
    status: u16,
    message: &'static str,
}

impl Refusal {
    const fn new(status: u16, message: &'static str) -> Self {
        Self { status, message }
    }
}
