//! A server in the background, for tests and for programs that measure within
//! one process.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::{Prepared, empty_journal, limits, listen};
use crate::config::Config;
use crate::journal::{Journal, Snapshot};

/// A running server on a free port of 127.0.0.1. Dropping it stops it, and waits
/// until its threads are gone.
pub struct Server {
    addr: SocketAddr,
    secure: bool,
    timer: &'static str,
    journal: Arc<Journal>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Server {
    /// Starts a server. It accepts connections when this returns.
    ///
    /// # Errors
    /// When no port can be bound or a thread cannot be started.
    pub fn start(config: Config) -> io::Result<Self> {
        // Fewer connections than wished for are better than none.
        let _ = limits::raise_open_files();
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let addr = listener.local_addr()?;
        let secure = config.tls.is_some();
        let journal = empty_journal(&config);
        let prepared = Prepared::new(listener, config, &journal)?;
        let timer = prepared.timer();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("mock-accept".to_owned())
            .spawn(move || {
                prepared.run(async {
                    // A sender that is gone means the same as a message.
                    let _ = stopped.await;
                })
            })?;
        Ok(Self {
            addr,
            secure,
            timer,
            journal,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:PORT` (or `https:`), without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// What the deadlines of answers come from, for people.
    pub(crate) fn timer(&self) -> &'static str {
        self.timer
    }

    /// The journal at this moment.
    #[must_use]
    pub fn journal(&self) -> Snapshot {
        self.journal.snapshot()
    }

    /// Starts a new, empty journal. Requests in flight count in neither.
    pub fn reset_journal(&self) {
        self.journal.reset();
    }

    /// Stops the server, finishing answers in flight, and returns the journal.
    ///
    /// # Errors
    /// The error that ended the server before it was asked to stop.
    pub fn stop(mut self) -> io::Result<Snapshot> {
        self.join()?;
        Ok(self.journal.snapshot())
    }

    fn join(&mut self) -> io::Result<()> {
        drop(self.stop.take());
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => ended,
            Some(Err(_)) => Err(io::Error::other("the server's thread panicked")),
            None => Ok(()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // `stop` reports the error to those who ask for it.
        let _ = self.join();
    }
}
