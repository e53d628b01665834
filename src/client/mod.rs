//! Clients: each sends one request and reads its response.
//!
//! A strategy gives each of its workers a client of its own, with a kept
//! connection or a hold on a pool ([`Connections`] says which). Adding one is a
//! file here and its name in the lists of [`Client`].

#[cfg(feature = "async")]
mod alarm;
mod body;
mod caller;
#[cfg(feature = "async")]
mod counted;
#[cfg(feature = "async")]
mod drive;
mod handling;
#[cfg(feature = "async")]
mod hyper;
mod limits;
mod local;
#[cfg(feature = "async")]
mod network;
#[cfg(feature = "reqwest")]
mod reqwest;
mod steps;
mod target;
mod ureq;

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::outcome::{Failure, Response};
use crate::request::Request;

pub use self::caller::{BlockingCaller, Caller};
#[cfg(feature = "async")]
pub use self::counted::Counted;
pub use self::handling::{Handling, Retry, Save, Work};
#[cfg(feature = "async")]
pub use self::hyper::{HyperClient, StockHyperClient};
#[cfg(feature = "async")]
pub use self::local::LocalClient;
#[cfg(feature = "async")]
pub use self::network::Network;
#[cfg(feature = "reqwest")]
pub use self::reqwest::ReqwestClient;
pub use self::target::{Reuse, Target, Traffic};

/// A client: its name, its properties, and how it is built.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    name: &'static str,
    summary: &'static str,
    connections: Connections,
    /// Set where it counts the bytes that it sends and receives.
    counts_bytes: bool,
    /// Set where it is a client as users of its library have it.
    stock: Option<Stock>,
    /// Builds it for blocking strategies; `None` for an asynchronous one.
    blocking: Option<BuildBlocking>,
}

/// Builds what makes a blocking client for each of so many workers.
pub type BuildBlocking = fn(&Target, usize) -> io::Result<Maker>;

/// What a client that is as its library has it shares with one that is tuned, and
/// what it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock {
    /// The tuned client over the same library.
    pub tuned: &'static str,
    /// What differs from that one, in words.
    pub differs: &'static str,
}

impl fmt::Display for Stock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unlike {}: {}", self.tuned, self.differs)
    }
}

/// Source of a client's connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// Each worker has one of its own, opened before the first request.
    PerWorker,
    /// All workers take theirs from a pool, which opens one where it has none.
    Pooled,
    /// It needs none.
    None,
}

/// Makes a client for one worker, on whichever thread.
pub type Maker = Arc<dyn Fn() -> Box<dyn BlockingClient> + Send + Sync>;

impl Client {
    /// ureq: blocking, one agent per worker.
    pub const UREQ: Self = ureq::CLIENT;
    /// reqwest: blocking or on tokio, one pool.
    #[cfg(feature = "reqwest")]
    pub const REQWEST: Self = reqwest::CLIENT;
    /// hyper: asynchronous, one HTTP/1.1 connection per worker.
    #[cfg(feature = "async")]
    pub const HYPER: Self = hyper::CLIENT;
    /// ureq with its default settings: one agent for all workers.
    pub const UREQ_STOCK: Self = ureq::STOCK;
    /// hyper as its documentation has it: a task per connection.
    #[cfg(feature = "async")]
    pub const HYPER_STOCK: Self = hyper::STOCK;
    /// local: no HTTP, CPU work alone.
    pub const LOCAL: Self = local::CLIENT;

    /// Every client, in the order in which they are listed.
    pub const ALL: &[Self] = &[
        Self::UREQ,
        #[cfg(feature = "reqwest")]
        Self::REQWEST,
        #[cfg(feature = "async")]
        Self::HYPER,
        Self::UREQ_STOCK,
        #[cfg(feature = "async")]
        Self::HYPER_STOCK,
        Self::LOCAL,
    ];

    /// Those that go with blocking strategies, the default one first.
    pub const BLOCKING: &[Self] = &[
        Self::UREQ,
        #[cfg(feature = "reqwest")]
        Self::REQWEST,
        Self::UREQ_STOCK,
        Self::LOCAL,
    ];

    /// Those that go with every asynchronous runtime, the default one first.
    #[cfg(feature = "async")]
    pub const ASYNC: &[Self] = &[Self::HYPER, Self::HYPER_STOCK, Self::LOCAL];

    /// Client of your own, for an [`AsyncClient`] or, with
    /// [`with_blocking`](Self::with_blocking), a [`BlockingClient`].
    pub const fn new(name: &'static str, summary: &'static str, connections: Connections) -> Self {
        Self {
            name,
            summary,
            connections,
            counts_bytes: false,
            stock: None,
            blocking: None,
        }
    }

    /// Sets how it is built for blocking strategies.
    #[must_use]
    pub const fn with_blocking(self, build: BuildBlocking) -> Self {
        Self {
            blocking: Some(build),
            ..self
        }
    }

    /// Declares that it counts the bytes that it sends and receives, by
    /// [`Target::count`].
    #[must_use]
    pub const fn counting_bytes(self) -> Self {
        Self {
            counts_bytes: true,
            ..self
        }
    }

    /// The client's name on the command line and in records.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Its description, in a line.
    pub const fn summary(self) -> &'static str {
        self.summary
    }

    /// Source of its connections.
    pub const fn connections(self) -> Connections {
        self.connections
    }

    /// Tests whether it counts the bytes that it sends and receives.
    pub const fn counts_bytes(self) -> bool {
        self.counts_bytes
    }

    /// What differs from the tuned client of its library, where it is not tuned. Such
    /// a client is measured only where it is named.
    pub const fn stock(self) -> Option<Stock> {
        self.stock
    }

    /// Tests whether it makes HTTP requests at all.
    pub fn is_http(self) -> bool {
        self.connections != Connections::None
    }

    /// Builds what makes a blocking client per worker; `None` for an asynchronous
    /// client.
    ///
    /// # Errors
    /// Where the client cannot be built.
    pub fn blocking(self, target: &Target, workers: usize) -> Option<io::Result<Maker>> {
        self.blocking.map(|build| build(target, workers))
    }
}

impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Client {}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A client that blocks its thread until the response is complete.
pub trait BlockingClient: Send {
    /// Sends one request and reads the complete response.
    ///
    /// # Errors
    /// A typed failure where no complete response comes. A status other than success is
    /// a response here; the workload checks it.
    fn send(&mut self, request: &Request) -> Result<Response, Failure>;
}

/// Starts a task that nobody waits for, on whichever runtime.
pub type Spawner = Arc<dyn Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync>;

/// A client whose responses a task awaits.
pub trait AsyncClient: Send + Sized + 'static {
    /// Its line in the list.
    const CLIENT: Client;

    /// A client for each of so many workers, connected where it can be. What it
    /// needs beside the workers' tasks it starts by the spawner.
    ///
    /// # Errors
    /// Where the client cannot be built.
    fn connect(
        target: &Target,
        workers: usize,
        spawner: &Spawner,
    ) -> impl Future<Output = io::Result<Vec<Self>>>;

    /// Sends one request and reads the complete response.
    ///
    /// # Errors
    /// A typed failure where no complete response comes.
    fn send(&mut self, request: &Request)
    -> impl Future<Output = Result<Response, Failure>> + Send;

    /// Waits, as its runtime does.
    fn sleep(&self, wait: Duration) -> impl Future<Output = ()> + Send;

    /// Does work that blocks its thread, where its runtime has a place for it.
    fn unblock<T, W>(&self, work: W) -> impl Future<Output = T> + Send
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static;
}

impl BlockingClient for Box<dyn BlockingClient> {
    fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        self.as_mut().send(request)
    }
}

/// The wait that a `Retry-After` header asks for: seconds, or an HTTP date
/// (RFC 9110, section 10.2.3). `None` where it says neither.
fn retry_after(header: Option<&[u8]>) -> Option<Duration> {
    let text = std::str::from_utf8(header?).ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let at = httpdate::parse_http_date(text).ok()?;
            Some(
                at.duration_since(std::time::SystemTime::now())
                    .unwrap_or_default(),
            )
        }
    }
}

/// Settings of every client, in words: those that differ between libraries by default,
/// and those that differ from the defaults.
pub const SETTLED: &str = "HTTP/1.1 without TLS, TCP_NODELAY, addresses resolved ahead; no proxy, \
     no redirects, no decompression; a request whose kept connection was closed is sent once more; \
     as many connections kept as there are workers. Tuned beyond a library's defaults: ureq has \
     buffers of 64 and 16 KiB (128 KiB each) and opens its connections ahead, and hyper's \
     connections are driven by the worker (by a task of their own); ureq-stock and hyper-stock \
     are not tuned";

/// User agent of every client.
const USER_AGENT: &str = concat!("fanout/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_a_past_date_is_now() {
        let wait = |text: &str| retry_after(Some(text.as_bytes()));
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        let soon = std::time::SystemTime::now() + Duration::from_secs(1000);
        let until = wait(&httpdate::fmt_http_date(soon)).unwrap();
        assert!(until > Duration::from_secs(900) && until <= Duration::from_secs(1000));
        for none in ["", "soon", "-1", "1.5"] {
            assert_eq!(wait(none), None, "{none}");
        }
        assert_eq!(retry_after(None), None);
    }
}
