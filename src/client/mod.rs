//! Clients: what sends one request and reads its answer.
//!
//! A client owns at most one connection, which it keeps from request to
//! request; a strategy gives each of its workers a client of its own. Adding
//! one is a file here and a line in [`Client::ALL`] and its constructor.

mod hyper;
mod target;
mod ureq;

use std::fmt;

use crate::outcome::{Failure, Response};
use crate::request::Request;

pub use self::hyper::{HyperClient, Network};
pub use self::target::Target;

/// The clients that come with fanout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// ureq: blocking, one agent per worker.
    Ureq,
    /// hyper: asynchronous, one HTTP/1.1 connection per worker.
    Hyper,
}

impl Client {
    /// Every client, in the order in which they are listed.
    pub const ALL: &[Self] = &[Self::Ureq, Self::Hyper];

    /// The client's name on the command line and in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ureq => "ureq",
            Self::Hyper => "hyper",
        }
    }

    /// What it is, in a line.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Ureq => "blocking, small, no runtime behind it",
            Self::Hyper => "asynchronous, the HTTP engine under reqwest and axum",
        }
    }

    /// The client of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|client| client.name() == name)
    }

    /// A blocking client, its connection opened ahead where the server can be
    /// reached; `None` for an asynchronous one.
    pub fn blocking(self, target: &Target) -> Option<Box<dyn BlockingClient>> {
        match self {
            Self::Ureq => Some(Box::new(ureq::UreqClient::new(target))),
            Self::Hyper => None,
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A client that blocks its thread until the answer is there.
pub trait BlockingClient: Send {
    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// A typed failure where no whole answer comes; a status other than
    /// success is an answer here, and judged by the workload.
    fn send(&mut self, request: &Request) -> Result<Response, Failure>;
}

/// The largest body that is read, in bytes. An API's answer is far below it; a
/// stream without an end must not fill the memory.
const LARGEST_BODY: usize = 64 << 20;

/// How every client names itself.
const USER_AGENT: &str = concat!("fanout/", env!("CARGO_PKG_VERSION"));
