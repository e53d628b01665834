//! What a server does, as one value that a program builds and a command line
//! fills in.

use std::time::Duration;

/// The behaviour of a server. Start from the default and change what differs:
///
/// ```
/// use std::time::Duration;
/// let config = mock_server::Config::default()
///     .with_delay(Duration::from_millis(20))
///     .with_seed(7);
/// assert_eq!(config.delay, Duration::from_millis(20));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The service time of each request, counted from its arrival.
    pub delay: Duration,
    /// The seed of everything random: the same seed gives the same answers.
    pub seed: u64,
    /// Threads that serve connections, at least 1; `None` takes one per core.
    pub threads: Option<usize>,
    /// The longest time that a stopping server waits for answers in flight.
    pub grace: Duration,
}

impl Default for Config {
    /// 200 ms, seed 1, a thread per core, 5 s of grace.
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(200),
            seed: 1,
            threads: None,
            grace: Duration::from_secs(5),
        }
    }
}

impl Config {
    /// The same with another service time.
    #[must_use]
    pub fn with_delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
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

    pub(crate) fn thread_count(&self) -> usize {
        self.threads
            .or_else(|| std::thread::available_parallelism().ok().map(usize::from))
            .unwrap_or(1)
            .max(1)
    }
}
