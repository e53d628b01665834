//! Outcomes: how a request ended. Every request of a batch ends as exactly one.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Outcome of one request of a batch, with its times.
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
    /// The response, or the failure.
    pub result: Result<Response, Failure>,
    /// The attempts before the last one, each of which failed.
    pub tried: Vec<Tried>,
    /// The thread that ended it.
    pub doer: Doer,
    /// Set where another process has checked the response and kept its body.
    pub checked: bool,
}

impl Outcome {
    /// Time from its start to its end, retries and backoff included.
    pub fn latency(&self) -> Duration {
        self.finished.saturating_sub(self.started)
    }
}

/// Result of a request, and the attempts behind it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The response, or the failure.
    pub result: Result<Response, Failure>,
    /// The attempts before the last one, each of which failed.
    pub tried: Vec<Tried>,
    /// The thread that ended it.
    pub doer: Doer,
    /// Set where the process that made the request has checked the response and kept
    /// its body.
    pub checked: bool,
}

impl From<Result<Response, Failure>> for Call {
    /// The only attempt, made by the present thread.
    fn from(result: Result<Response, Failure>) -> Self {
        Self {
            result,
            tried: Vec::new(),
            doer: Doer::here(),
            checked: false,
        }
    }
}

/// An attempt that failed, and was followed by another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Its start, counted from the start of the request.
    pub started: Duration,
    /// From its start to its failure.
    pub latency: Duration,
    /// Backoff before the next attempt.
    pub waited: Duration,
    /// Kind of its failure.
    pub kind: FailureKind,
    /// Status of the response, if one came.
    pub status: Option<u16>,
}

/// The process and thread that did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doer {
    /// The process's id.
    pub process: u32,
    /// The thread's id, as the system counts threads; 0 where it cannot tell.
    pub thread: u32,
}

impl Doer {
    /// The present thread. A thread's id is asked for once.
    pub fn here() -> Self {
        thread_local! {
            static HERE: Doer = Doer {
                process: std::process::id(),
                thread: thread_id(),
            };
        }
        // A thread that is ending has no such values any more.
        HERE.try_with(|here| *here).unwrap_or_else(|_| Self {
            process: std::process::id(),
            thread: 0,
        })
    }
}

fn thread_id() -> u32 {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return u32::try_from(nix::unistd::gettid().as_raw()).unwrap_or(0);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    return 0;
}

/// A response: its status, and its complete body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
    /// Wait that the server's `Retry-After` header asks for.
    pub retry_after: Option<Duration>,
}

impl Response {
    /// A response without `Retry-After`.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            body: body.into(),
            retry_after: None,
        }
    }

    /// Tests whether its status is from 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Reason why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Kind of the failure.
    pub kind: FailureKind,
    /// Status of the response, for failures of kind `status`.
    pub status: Option<u16>,
    /// Set where a limit of the clients was met, not a fault of the server.
    pub limited: bool,
    /// Description of what happened.
    pub message: String,
}

/// The ways in which a request can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// No connection could be opened.
    Connect,
    /// No complete response within the time limit of an attempt.
    Timeout,
    /// The response has a status other than 200 to 299.
    Status,
    /// The response broke off, or was not HTTP.
    Body,
    /// The response is complete, but not what the batch expects.
    Decode,
    /// The body could not be saved.
    Save,
    /// The batch's deadline had passed.
    Deadline,
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
            Self::Save => "save",
            Self::Deadline => "deadline",
            Self::WorkerLost => "worker-lost",
        }
    }

    /// Every kind, in the order of its number.
    pub const ALL: [Self; 8] = [
        Self::Connect,
        Self::Timeout,
        Self::Status,
        Self::Body,
        Self::Decode,
        Self::Save,
        Self::Deadline,
        Self::WorkerLost,
    ];
}

impl Failure {
    /// A failure of a kind, in words.
    pub fn new(kind: FailureKind, message: impl fmt::Display) -> Self {
        Self {
            kind,
            status: None,
            limited: false,
            message: message.to_string(),
        }
    }

    /// A response with a status other than 200 to 299.
    pub fn status(status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::new(FailureKind::Status, format_args!("status {status}"))
        }
    }

    /// No complete response within the time limit.
    pub fn timeout(limit: Duration) -> Self {
        Self::new(
            FailureKind::Timeout,
            format_args!("no complete response within {limit:?}"),
        )
    }

    /// An attempt that was cut off, or not begun, because the batch's deadline
    /// had passed.
    pub fn deadline() -> Self {
        Self::new(
            FailureKind::Deadline,
            "the deadline of the batch had passed",
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            // Its message begins with that word.
            FailureKind::Status => f.write_str(&self.message),
            kind => write!(f, "{}: {}", kind.name(), self.message),
        }
    }
}

impl std::error::Error for Failure {}
