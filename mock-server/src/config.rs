//! What a server does, as one value that a program builds and a command line
//! fills in.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::Profile;
use crate::model::ServiceTime;

/// The behaviour of a server. Start from the default and change what differs:
///
/// ```
/// use std::time::Duration;
/// use mock_server::model::ServiceTime;
///
/// let config = mock_server::Config::default()
///     .with_delay(Duration::from_millis(20))
///     .with_seed(7);
/// let fixed = ServiceTime::Fixed(Duration::from_millis(20));
/// assert_eq!(config.profile.service_time, fixed);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// How the service behaves.
    pub profile: Profile,
    /// The seed of everything random: the same seed gives the same answers.
    pub seed: u64,
    /// Threads that serve connections, at least 1; `None` takes one for every
    /// two cores, because on the same machine the client needs the others.
    pub threads: Option<usize>,
    /// The longest time that a stopping server waits for answers in flight.
    pub grace: Duration,
    /// Whose answers are given where servers differ.
    pub parity: Parity,
    /// Whether connections are encrypted.
    pub tls: Option<Tls>,
    /// How long a client may take.
    pub patience: Patience,
}

/// How long the server waits for a client to finish what it has begun. A client
/// that is slower holds its own connection that long, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Patience {
    /// From the first byte of a request's head to its last; over HTTP/2, of any
    /// frame and of any block of fields, while nothing is in flight. Then the
    /// connection is closed.
    pub head: Duration,
    /// For a request's body, where it is read; then the answer is 408.
    pub body: Duration,
    /// For the handshake of an encrypted connection; then it is closed.
    pub handshake: Duration,
}

impl Patience {
    /// The same time for each.
    #[must_use]
    pub fn of(time: Duration) -> Self {
        Self {
            head: time,
            body: time,
            handshake: time,
        }
    }
}

impl Default for Patience {
    /// 10 s for each.
    fn default() -> Self {
        Self::of(Duration::from_secs(10))
    }
}

/// Whose answers are given to requests that have no agreed answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Parity {
    /// Strict: errors have a status and a JSON body that say so.
    #[default]
    Strict,
    /// As Mockoon answers: unknown types and missing ids are 200, other methods
    /// and paths are 404 with a page of HTML.
    Mockoon,
}

/// How connections are encrypted: with a certificate made at the start, for
/// `localhost` and the address that is listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tls {
    /// Where the certificate is written, as PEM, for clients to trust; `None`
    /// writes none.
    pub certificate: Option<PathBuf>,
}

impl Tls {
    /// Encrypted connections, with the certificate written to `certificate`.
    #[must_use]
    pub fn new(certificate: Option<PathBuf>) -> Self {
        Self { certificate }
    }
}

impl Default for Config {
    /// 200 ms, seed 1, 5 s of grace, strict, not encrypted, 10 s for whatever a
    /// client begins.
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            seed: 1,
            threads: None,
            grace: Duration::from_secs(5),
            parity: Parity::default(),
            tls: None,
            patience: Patience::default(),
        }
    }
}

impl Config {
    /// The same with a fixed service time.
    #[must_use]
    pub fn with_delay(mut self, delay: Duration) -> Self {
        self.profile.service_time = ServiceTime::Fixed(delay);
        self
    }

    /// The same with another profile.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// The same with another seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The same with another number of serving threads; 0 counts as 1.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads.max(1));
        self
    }

    /// The same with another limit on how long a stopping server waits.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// The same with another parity.
    #[must_use]
    pub fn with_parity(mut self, parity: Parity) -> Self {
        self.parity = parity;
        self
    }

    /// The same with another limit on how long a client may take.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// The same over encrypted connections.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    pub(crate) fn thread_count(&self) -> usize {
        let half_the_cores =
            || std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        self.threads.unwrap_or_else(half_the_cores).max(1)
    }
}
