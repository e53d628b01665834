//! Outcomes: how a request ended. Every request of a batch ends as exactly one.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// How one request of a batch ended, and when.
#[derive(Debug)]
pub struct Outcome {
    /// The request's place in the batch, from 0.
    pub index: usize,
    /// The worker that made it, from 0.
    pub worker: usize,
    /// When it started, counted from the start of the run.
    pub started: Duration,
    /// When it ended, counted from the start of the run.
    pub finished: Duration,
    /// The answer, or why there is none.
    pub result: Result<Response, Failure>,
}

/// An answer: its status, and its body, read to the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
}

/// Why a request did not end as the batch expects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure it was.
    pub kind: FailureKind,
    /// What happened, in words.
    pub message: String,
}

/// The ways in which a request can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// No connection could be opened.
    Connect,
    /// The answer did not come in time.
    Timeout,
    /// An answer came with a status other than success.
    Status,
    /// The answer broke off, or was not HTTP.
    Body,
    /// The answer was whole, but not what the batch expects.
    Decode,
    /// The worker process that had the request died.
    WorkerLost,
}

impl FailureKind {
    /// The kind's name in records and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Status => "status",
            Self::Body => "body",
            Self::Decode => "decode",
            Self::WorkerLost => "worker-lost",
        }
    }
}

impl Failure {
    /// A failure of a kind, in words.
    pub fn new(kind: FailureKind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            message: message.to_string(),
        }
    }

    /// No answer within the time that one request may take.
    pub fn timeout(limit: Duration) -> Self {
        Self::new(
            FailureKind::Timeout,
            format_args!("no whole answer within {limit:?}"),
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}

impl std::error::Error for Failure {}
