//! A client of your own, with every command of `fanout` for it: HTTP/1.0 by hand,
//! a connection per request.
//!
//! ```text
//! cargo run --release --example custom_client -- compare \
//!     --strategies thread-pool --clients ureq,by-hand --workers 3,20
//! ```

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;

use fanout::client::{BlockingClient, Client, Connections, Target};
use fanout::outcome::{Failure, FailureKind, Response};
use fanout::request::Request;
use fanout::strategy::Catalogue;

struct ByHand(Target);

impl BlockingClient for ByHand {
    fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        let failed = |error: io::Error| Failure::new(FailureKind::Connect, error);
        let endpoint = &self.0.endpoint;
        let mut stream = TcpStream::connect(endpoint.addresses()).map_err(failed)?;
        let limit = request.limit(self.0.timeout);
        stream.set_read_timeout(Some(limit)).map_err(failed)?;
        let (path, host) = (&request.target, endpoint.authority());
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").map_err(failed)?;
        let mut text = Vec::new();
        stream.read_to_end(&mut text).map_err(failed)?;
        parse(&text).ok_or_else(|| Failure::new(FailureKind::Body, "not HTTP"))
    }
}

/// A status line, header fields, an empty line, and the body to the end.
fn parse(text: &[u8]) -> Option<Response> {
    let end = text.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&text[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Response::new(status, text[end + 4..].to_vec()))
}

const BY_HAND: Client = Client::new("by-hand", "HTTP/1.0 by hand", Connections::Pooled)
    .with_blocking(|target, _workers| {
        let target = target.clone();
        Ok(Arc::new(move || Box::new(ByHand(target.clone()))))
    });

fn main() -> ExitCode {
    let bundled = Catalogue::bundled();
    let Ok(thread_pool) = bundled.named("thread-pool") else {
        return ExitCode::FAILURE;
    };
    let thread_pool = thread_pool.clients(&[Client::UREQ, BY_HAND]);
    fanout::cli::main(&bundled.clone().with(thread_pool))
}
