//! Sockets and threads: one acceptor deals connections round-robin to
//! single-threaded runtimes, a runtime per core.
//!
//! Dealing in turn spreads few, long-lived connections evenly, where the hash of
//! `SO_REUSEPORT` may put them all on one core; and a request never leaves the
//! thread that read it.

mod acceptor;
mod guard;
pub mod limits;
mod listening;
mod worker;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

pub use guard::Server;
pub use listening::listen;
pub(crate) use worker::Worker;

use crate::config::Config;
use crate::journal::{Journal, Snapshot};

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
    let journal = Arc::new(Journal::new(config.thread_count()));
    run(listener, config, &journal, shutdown)?;
    Ok(journal.snapshot())
}

/// [`serve`] with a journal that the caller can read meanwhile.
fn run<F>(
    listener: TcpListener,
    config: Config,
    journal: &Arc<Journal>,
    shutdown: F,
) -> io::Result<()>
where
    F: Future<Output = ()>,
{
    let config = Arc::new(config);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let workers = worker::spawn_all(&config, journal)?;
    runtime.block_on(acceptor::accept(listener, &workers, shutdown))?;
    workers.finish();
    Ok(())
}
