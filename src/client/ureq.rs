//! ureq: the blocking client.
//!
//! An agent per worker, so that a worker owns its connection and no two share
//! a pool's lock. The agent's connector is ours for two reasons: the connection
//! can be opened before the timed section begins, and every connection counts.
//! With ureq's default settings and one agent for all workers, it is a client too:
//! `ureq-stock`.

mod connector;

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time;

use ureq::config::ConfigBuilder;
use ureq::http::header::{self, HeaderMap};
use ureq::typestate::AgentScope;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Error};

use self::connector::{AheadConnector, ConnectError, CountingConnector, End, KnownAddresses, Seen};
use super::limits::{check_head, check_target, head_too_large};
use super::steps::{Steps, step};
use super::{BlockingClient, Client, Connections, Reuse, Stock, Target, USER_AGENT, retry_after};
use crate::outcome::{Failure, FailureKind, Response};
use crate::request::Request;

/// The list's line.
pub(super) const CLIENT: Client = Client {
    name: "ureq",
    summary: "blocking, small, no runtime behind it",
    connections: Connections::PerWorker,
    counts_bytes: true,
    stock: None,
    blocking: Some(|target, _| {
        let target = target.clone();
        Ok(Arc::new(move || {
            Box::new(UreqClient::new(&target.for_client()))
        }))
    }),
};

/// The list's line of the client as most code has it.
pub(super) const STOCK: Client = Client {
    name: "ureq-stock",
    summary: "ureq with default settings, one agent for all workers",
    connections: Connections::Pooled,
    stock: Some(Stock {
        tuned: "ureq",
        differs: "its pool keeps 3 idle connections; buffers of 128 KiB; none opened ahead",
    }),
    blocking: Some(|target, _| {
        let client = UreqClient::stock(target);
        Ok(Arc::new(move || Box::new(client.clone())))
    }),
    ..CLIENT
};

/// What a connection reads at once, in bytes, and the most that a head may have.
/// ureq's own 128 KiB each way are mapped, cleared and returned page by page for
/// every connection: a third of a millisecond of CPU each, most of it holding up
/// the other threads.
const INPUT_BUFFER: usize = 64 << 10;
/// What a request's head must fit into, in bytes.
const OUTPUT_BUFFER: usize = 16 << 10;

/// A hold on a ureq agent: an own one with one kept connection, or a shared one.
#[derive(Clone)]
struct UreqClient {
    agent: Agent,
    target: Target,
    /// `None` where each socket is told what is left of a limit as it is.
    steps: Option<Steps>,
}

impl UreqClient {
    /// A client whose connection is open where the server can be reached;
    /// where it cannot, the first request tries again and says why.
    fn new(target: &Target) -> Self {
        let kept = usize::from(target.reuse == Reuse::Session);
        let config = agreed(target)
            .max_idle_connections(kept)
            .max_idle_connections_per_host(kept)
            .input_buffer_size(INPUT_BUFFER)
            .output_buffer_size(OUTPUT_BUFFER)
            .build();
        let steps = Steps::default();
        let connector = AheadConnector::new(target, &steps);
        let resolver = KnownAddresses::of(target);
        if kept > 0 {
            connector.open_ahead(&config, &resolver);
        }
        Self {
            agent: Agent::with_parts(config, connector, resolver),
            target: target.clone(),
            steps: Some(steps),
        }
    }

    /// A client whose clones share an agent with ureq's default settings.
    fn stock(target: &Target) -> Self {
        let connector = CountingConnector::new(DefaultConnector::new(), target, Steps::default());
        let resolver = KnownAddresses::of(target);
        Self {
            agent: Agent::with_parts(agreed(target).build(), connector, resolver),
            target: target.clone(),
            steps: None,
        }
    }

    /// One exchange, over a kept connection where there is one and it may be.
    fn exchange(
        &self,
        request: &Request,
        limit: time::Duration,
        kept: bool,
    ) -> Result<Response, Error> {
        let authority = self.target.endpoint.authority();
        let mut message = self
            .agent
            .get(format!("http://{authority}{}", request.target));
        if self.target.reuse == Reuse::PerRequest {
            message = message.header(header::CONNECTION, "close");
        }
        if limit < self.target.timeout {
            message = message.config().timeout_global(Some(limit)).build();
        }
        if !kept {
            message = message.config().max_idle_age(time::Duration::ZERO).build();
        }
        Seen::begin();
        if let Some(steps) = &self.steps {
            // A deadline is to be kept as it is, by every attempt.
            steps.set(match request.expires {
                Some(_) => time::Duration::ZERO,
                None => step(limit),
            });
        }
        let mut answer = message.call()?;
        check_head(answer.headers()).map_err(other)?;
        let asked = answer.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after(asked.map(|value| value.as_bytes()));
        let length = answer.body().content_length();
        let body = self.target.bodies().body(length).map_err(other)?;
        let body = body.read(answer.body_mut().as_reader())?.map_err(other)?;
        if is_cut(answer.headers(), Seen::so_far().end) {
            return Err(other(cut()));
        }
        Ok(Response {
            status: answer.status().as_u16(),
            body,
            retry_after,
        })
    }

    fn failure(&self, error: &Error, limit: time::Duration) -> Failure {
        match error {
            Error::Timeout(_) => Failure::timeout(limit),
            Error::LargeResponseHeader(..)
            | Error::Protocol(ureq_proto::Error::HttpParseTooManyHeaders) => head_too_large(),
            Error::Protocol(ureq_proto::Error::ChunkExpectedCrLf) => Failure::new(
                FailureKind::Body,
                format_args!("{error}; ureq reads a chunk's size line of at most 20 bytes"),
            ),
            Error::Other(other) => match (other.downcast_ref(), other.downcast_ref()) {
                (Some(ConnectError(error)), _) => self.target.connect_failure(error),
                (_, Some(failure)) => Failure::clone(failure),
                _ => Failure::new(FailureKind::Body, with_sources(error)),
            },
            _ => Failure::new(FailureKind::Body, with_sources(error)),
        }
    }
}

impl BlockingClient for UreqClient {
    fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        check_target(&request.target)?;
        let limit = request.limit(self.target.timeout);
        let begun = time::Instant::now();
        match self.exchange(request, limit, true) {
            // The server closed the kept connection as the request went out: no
            // other was opened, and nothing came. RFC 9110, section 9.2.2, allows
            // for one more on a new connection.
            Err(error) if was_closed(&error) && Seen::so_far().nothing() => {
                self.target.count_resent();
                let left = limit.saturating_sub(begun.elapsed());
                self.exchange(request, left, false)
            }
            ended => ended,
        }
        .map_err(|error| self.failure(&error, limit))
    }
}

/// The settings without which clients would not get the same responses.
fn agreed(target: &Target) -> ConfigBuilder<AgentScope> {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .no_delay(true)
        .proxy(None)
        .timeout_global(Some(target.timeout))
        .user_agent(USER_AGENT)
        .accept("*/*")
}

/// Whether a connection's end cut off the body that ureq took it to be the end
/// of. A closed connection ends a body without a length, and no chunked one: that
/// has a last chunk and an empty line (RFC 9112, section 8), where ureq is content
/// with the last chunk.
fn is_cut(headers: &HeaderMap, end: Option<End>) -> bool {
    match end {
        None => false,
        Some(End::Broken) => true,
        Some(End::Closed) => is_chunked(headers),
    }
}

fn is_chunked(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let last = codings.next_back().and_then(|value| value.to_str().ok());
    last.is_some_and(|last| last.trim_end().to_ascii_lowercase().ends_with("chunked"))
}

/// A failure on its way through ureq's errors.
fn other(failure: Failure) -> Error {
    Error::Other(Box::new(failure))
}

fn cut() -> Failure {
    Failure::new(
        FailureKind::Body,
        "the connection ended before the response was complete",
    )
}

/// Whether a connection ended without a response.
fn was_closed(error: &Error) -> bool {
    match error {
        Error::Io(error) => error.kind() != io::ErrorKind::TimedOut,
        Error::Timeout(_) | Error::Other(_) => false,
        _ => true,
    }
}

/// An error with what caused it, in one line.
fn with_sources(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
