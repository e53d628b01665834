//! What a client must know of where it sends to, whichever client it is.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::outcome::{Failure, FailureKind};
use crate::request::Endpoint;

/// Where a batch goes, how long a request may take, and how many connections
/// were opened on the way. Clones count together.
#[derive(Clone, Debug)]
pub struct Target {
    /// The origin.
    pub endpoint: Endpoint,
    /// The longest that one request may take, connecting included.
    pub timeout: Duration,
    opened: Arc<AtomicU64>,
}

impl Target {
    /// A target to which no connection was opened yet.
    pub fn new(endpoint: Endpoint, timeout: Duration) -> Self {
        Self {
            endpoint,
            timeout,
            opened: Arc::default(),
        }
    }

    /// Counts connections that a client, or a worker process, opened.
    pub fn count_connections(&self, opened: u64) {
        self.opened.fetch_add(opened, Ordering::Relaxed);
    }

    /// Connections that were opened by all clients of this target.
    pub fn connections(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// A connection that could not be opened, with the way out where it is known.
    pub(super) fn connect_failure(&self, error: &io::Error) -> Failure {
        let hint = match error.raw_os_error() {
            Some(nix::libc::EMFILE | nix::libc::ENFILE) => {
                "; every worker needs a file descriptor: raise `ulimit -n` or use fewer workers"
            }
            Some(nix::libc::EADDRNOTAVAIL) => {
                "; local ports are used up, most of them waiting out TIME_WAIT: \
                 wait a minute, or open fewer connections"
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
