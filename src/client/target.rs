//! Target of a batch, for every client: origin, limits, and what was counted.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::body::Budget;
use crate::outcome::{Failure, FailureKind};
use crate::request::Endpoint;

/// Use of a connection for more than one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reuse {
    /// A connection is kept for the next request.
    #[default]
    Session,
    /// Each request opens one, and asks the server to close it.
    PerRequest,
}

impl Reuse {
    /// Every value, the usual one first.
    pub const ALL: [Self; 2] = [Self::Session, Self::PerRequest];

    /// The value of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Its name on the command line and in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::PerRequest => "per-request",
        }
    }
}

impl fmt::Display for Reuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Target of a batch: its origin, the time limit of an attempt, the use of connections,
/// and what went over them. Clones count together.
#[derive(Clone, Debug)]
pub struct Target {
    /// The origin.
    pub endpoint: Endpoint,
    /// Time limit of one attempt of a request, connecting included.
    pub timeout: Duration,
    /// Use of connections.
    pub reuse: Reuse,
    /// Memory for the bodies of all its responses.
    bodies: Budget,
    /// Every book that was opened for this target.
    books: Arc<Mutex<Vec<Arc<Book>>>>,
    book: Arc<Book>,
}

/// What a client counts. Each has a book of its own, so that no two cores
/// contend for one, nor for a pair of cache lines.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Book {
    connections: AtomicU64,
    connecting_ns: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
    resent: AtomicU64,
}

/// Traffic over the connections to a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Connections opened.
    pub connections: u64,
    /// Time that it took to open them, added up, in nanoseconds.
    pub connecting_ns: u64,
    /// Bytes sent, by clients that count them.
    pub sent: u64,
    /// Bytes received, by clients that count them.
    pub received: u64,
    /// Requests that were sent again on a new connection, because a kept one was
    /// closed before anything of a response came.
    pub resent: u64,
}

impl Traffic {
    /// Difference to an earlier count.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            connections: self.connections - earlier.connections,
            connecting_ns: self.connecting_ns - earlier.connecting_ns,
            sent: self.sent - earlier.sent,
            received: self.received - earlier.received,
            resent: self.resent - earlier.resent,
        }
    }
}

impl Target {
    /// A target to which no connection was opened yet.
    pub fn new(endpoint: Endpoint, timeout: Duration) -> Self {
        let book = Arc::new(Book::default());
        Self {
            endpoint,
            timeout,
            reuse: Reuse::Session,
            bodies: Budget::new(Self::BODY_LIMIT),
            books: Arc::new(Mutex::new(vec![Arc::clone(&book)])),
            book,
        }
    }

    /// Sets whether connections are kept.
    #[must_use]
    pub fn with_reuse(self, reuse: Reuse) -> Self {
        Self { reuse, ..self }
    }

    /// Bytes that the bodies of responses may take together, unless another number is
    /// set: 256 MiB.
    pub const BODY_LIMIT: u64 = 256 << 20;

    /// The same, where the bodies of responses that are held at one time, read or
    /// being read, may take so many bytes together. Bodies of up to 64 KiB do not count.
    #[must_use]
    pub fn with_body_limit(self, bytes: u64) -> Self {
        Self {
            bodies: Budget::new(bytes),
            ..self
        }
    }

    /// Bytes that the bodies of responses may take together.
    pub fn body_limit(&self) -> u64 {
        self.bodies.limit()
    }

    /// Memory for the bodies of responses.
    pub(super) fn bodies(&self) -> &Budget {
        &self.bodies
    }

    /// The same target for one more client, which counts in a book of its own.
    pub(super) fn for_client(&self) -> Self {
        let book = Arc::new(Book::default());
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.push(Arc::clone(&book));
        Self {
            book,
            ..self.clone()
        }
    }

    /// Counts a connection that was opened, and the time since it was begun.
    pub(super) fn count_connection(&self, begun: Instant) {
        let took = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.count(Traffic {
            connections: 1,
            connecting_ns: took,
            ..Traffic::default()
        });
    }

    /// Counts bytes that were sent.
    pub(super) fn count_sent(&self, bytes: usize) {
        self.book.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts bytes that were received.
    pub(super) fn count_received(&self, bytes: usize) {
        self.book
            .received
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts a request that is sent again on a new connection.
    pub(super) fn count_resent(&self) {
        self.book.resent.fetch_add(1, Ordering::Relaxed);
    }

    /// How many connections this client has opened, and bytes received, so far.
    #[cfg(feature = "async")]
    pub(super) fn heard(&self) -> (u64, u64) {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (of(&self.book.connections), of(&self.book.received))
    }

    /// Adds what was counted elsewhere, as by a worker process or a client of your own.
    pub fn count(&self, traffic: Traffic) {
        let book = &self.book;
        for (counter, value) in [
            (&book.connections, traffic.connections),
            (&book.connecting_ns, traffic.connecting_ns),
            (&book.sent, traffic.sent),
            (&book.received, traffic.received),
            (&book.resent, traffic.resent),
        ] {
            counter.fetch_add(value, Ordering::Relaxed);
        }
    }

    /// Sum of what all clients of this target, and their processes, have counted.
    pub fn traffic(&self) -> Traffic {
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |counter: fn(&Book) -> &AtomicU64| {
            let counts = books.iter().map(|book| counter(book));
            counts.map(|count| count.load(Ordering::Relaxed)).sum()
        };
        Traffic {
            connections: sum(|book| &book.connections),
            connecting_ns: sum(|book| &book.connecting_ns),
            sent: sum(|book| &book.sent),
            received: sum(|book| &book.received),
            resent: sum(|book| &book.resent),
        }
    }

    /// A connection that could not be opened, with the way out where it is known.
    pub(super) fn connect_failure(&self, error: &io::Error) -> Failure {
        let hint = match error.raw_os_error() {
            Some(nix::libc::EMFILE | nix::libc::ENFILE) => {
                "; each worker needs a file descriptor; raise `ulimit -n` or use fewer workers"
            }
            Some(nix::libc::EADDRNOTAVAIL) => {
                "; no local port is free, most are in TIME_WAIT; wait a minute, or open fewer \
                 connections"
            }
            _ => "",
        };
        let endpoint = &self.endpoint;
        Failure::new(
            FailureKind::Connect,
            format_args!("cannot connect to {endpoint}: {error}{hint}"),
        )
    }
}
