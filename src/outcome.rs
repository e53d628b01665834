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
    /// The attempts before the last one.
    pub tried: Vec<Tried>,
    /// The thread that ended it.
    pub doer: Doer,
    /// Whether the response was found right where it came in, by another process;
    /// its body stayed there.
    pub checked: bool,
}

/// What came of a request: its result, and what it took to get there.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The answer, or why there is none.
    pub result: Result<Response, Failure>,
    /// The attempts before the last one, each of which failed.
    pub tried: Vec<Tried>,
    /// The thread that ended it.
    pub doer: Doer,
    /// Whether the response was found right where it came in, and left its body
    /// there.
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
    /// How long was waited then before the next one.
    pub waited: Duration,
    /// How it failed.
    pub kind: FailureKind,
    /// The status of the answer, where one came.
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

/// An answer: its status, and its body, read to the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
    /// How long the server asks to be left alone before the next request, by
    /// its `Retry-After` header.
    pub retry_after: Option<Duration>,
}

impl Response {
    /// An answer that does not say when to come again.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            body: body.into(),
            retry_after: None,
        }
    }

    /// Whether its status is one of success, 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why a request did not end as the batch expects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure it was.
    pub kind: FailureKind,
    /// The status of the answer, where it was that which failed.
    pub status: Option<u16>,
    /// Whether a limit of the clients was met, not a fault of the server.
    pub limited: bool,
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
    /// The answer came, and could not be saved.
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

    /// An answer with a status other than success.
    pub fn status(status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::new(FailureKind::Status, format_args!("status {status}"))
        }
    }

    /// No answer within the time that one request may take.
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
