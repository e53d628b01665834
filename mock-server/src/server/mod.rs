//! Sockets and threads: one acceptor deals connections round-robin to
//! single-threaded runtimes, a runtime per core.
//!
//! Dealing in turn spreads few, long-lived connections evenly, where the hash of
//! `SO_REUSEPORT` may put them all on one core; and a request never leaves the
//! thread that read it.

mod acceptor;
mod background;
pub mod limits;
mod listening;
mod worker;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

pub use background::Server;
pub use listening::listen;

use tokio::runtime::Runtime;

use crate::config::Config;
use crate::http;
use crate::journal::{Journal, Snapshot};
use crate::model::ServiceTime;

/// Serves connections from a bound listener until `shutdown` completes, and
/// returns the journal.
///
/// It blocks, and runs its own runtimes: call it from a thread that is in none.
/// When `shutdown` completes, no connection is accepted any more, idle ones are
/// closed, and answers in flight are finished for at most
/// [`Config::grace`].
///
/// # Errors
/// When the listener cannot be used or a thread or its timer cannot be made; no
/// request has been served then. Once it serves, an error on one connection, or
/// in accepting one, ends that connection and nothing else.
pub fn serve<F>(listener: TcpListener, config: Config, shutdown: F) -> io::Result<Snapshot>
where
    F: Future<Output = ()>,
{
    let journal = empty_journal(&config);
    Prepared::new(listener, config, &journal)?.run(shutdown)?;
    Ok(journal.snapshot())
}

/// An empty journal for the server that a configuration describes.
fn empty_journal(config: &Config) -> Arc<Journal> {
    let profile = Arc::new(config.profile.clone());
    Arc::new(Journal::new(config.thread_count(), profile))
}

/// A server with its threads started, before it accepts.
struct Prepared {
    listener: TcpListener,
    max_connections: Option<u32>,
    runtime: Runtime,
    workers: worker::Workers,
}

impl Prepared {
    /// Starts the threads. Connections that come meanwhile wait in the backlog.
    fn new(listener: TcpListener, config: Config, journal: &Arc<Journal>) -> io::Result<Self> {
        let host = listener.local_addr()?.ip();
        let tls = config
            .tls
            .as_ref()
            .map(|tls| http::tls::acceptor(tls, host))
            .transpose()?;
        // Without a service time no answer has a deadline to miss.
        let is_served = config.profile.service_time != ServiceTime::Fixed(Duration::ZERO);
        let stamps = is_served && http::ask_for_stamps(&listener);
        let max_connections = config.profile.connections.max;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let workers = worker::spawn_all(&http::Common {
            config: Arc::new(config),
            journal: Arc::clone(journal),
            tls,
            stamps,
        })?;
        Ok(Self {
            listener,
            max_connections,
            runtime,
            workers,
        })
    }

    /// The name of the timer that service times are kept by.
    fn timer(&self) -> &'static str {
        self.workers.timer()
    }

    /// Accepts and serves until `shutdown` completes.
    fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let accepting =
            acceptor::accept(self.listener, self.max_connections, &self.workers, shutdown);
        self.runtime.block_on(accepting)?;
        self.workers.finish();
        Ok(())
    }
}
