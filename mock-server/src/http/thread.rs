//! What the connections of one serving thread share.

use std::cell::{Cell, RefCell, RefMut};
use std::io;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;

use super::Builders;
use super::timing::Timings;
use crate::config::Config;
use crate::journal::{Clerk, Journal};
use crate::timer::Timer;

/// What all serving threads share.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) config: Arc<Config>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) tls: Option<TlsAcceptor>,
    /// Whether the system says when bytes come.
    pub(crate) stamps: bool,
}

/// What the connections of one thread share.
pub(crate) struct Worker {
    common: Common,
    clerk: RefCell<Clerk>,
    timer: Timer,
    builders: Builders,
    timings: Timings,
    stopping: Cell<bool>,
    /// The tasks of open connections, to be woken when the server stops.
    open: RefCell<Vec<Option<Waker>>>,
    free: RefCell<Vec<usize>>,
    closed: Notify,
}

impl Worker {
    /// The state of serving thread number `number`, without connections.
    ///
    /// # Errors
    /// When the system refuses a timer.
    pub(crate) fn new(common: Common, number: usize) -> io::Result<Self> {
        let clerk = Clerk::new(Arc::clone(&common.journal), number);
        Ok(Self {
            common,
            clerk: RefCell::new(clerk),
            timer: Timer::best()?,
            builders: Builders::new(),
            timings: Timings::default(),
            stopping: Cell::new(false),
            open: RefCell::default(),
            free: RefCell::default(),
            closed: Notify::new(),
        })
    }

    /// What all serving threads share.
    pub(crate) fn common(&self) -> &Common {
        &self.common
    }

    /// The server's behaviour.
    pub(crate) fn config(&self) -> &Config {
        &self.common.config
    }

    /// This thread's hand in the journal; not to be kept over a wait.
    pub(crate) fn clerk(&self) -> RefMut<'_, Clerk> {
        self.clerk.borrow_mut()
    }

    /// The timer of this thread.
    pub(crate) fn timer(&self) -> &Timer {
        &self.timer
    }

    /// hyper, set up for this server.
    pub(crate) fn builders(&self) -> &Builders {
        &self.builders
    }

    /// The times that this thread's answers told last.
    pub(crate) fn timings(&self) -> &Timings {
        &self.timings
    }

    /// How long a connection may be idle.
    pub(crate) fn idle_timeout(&self) -> Option<Duration> {
        self.common.config.profile.connections.idle_timeout
    }

    /// Whether the `nth` request of a connection is its last.
    pub(crate) fn is_last(&self, nth: u32) -> bool {
        let limit = self.common.config.profile.connections.requests;
        self.is_stopping() || limit.is_some_and(|limit| nth >= limit)
    }

    /// Whether connections should end as soon as nothing is in flight.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.get()
    }

    /// Registers the calling task as an open connection.
    pub(crate) async fn open(&self) -> Open<'_> {
        let waker = std::future::poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
        let mut open = self.open.borrow_mut();
        let slot = self.free.borrow_mut().pop().unwrap_or_else(|| {
            open.push(None);
            open.len() - 1
        });
        open[slot] = Some(waker);
        Open { worker: self, slot }
    }

    /// Ends each connection as soon as nothing is in flight on it.
    pub(crate) fn stop(&self) {
        self.stopping.set(true);
        for waker in self.open.borrow().iter().flatten() {
            waker.wake_by_ref();
        }
    }

    /// Completes when no connection is open.
    pub(crate) async fn all_closed(&self) {
        while self.open.borrow().len() > self.free.borrow().len() {
            self.closed.notified().await;
        }
    }
}

/// An open connection's place in the register.
pub(crate) struct Open<'w> {
    worker: &'w Worker,
    slot: usize,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.worker.open.borrow_mut()[self.slot] = None;
        self.worker.free.borrow_mut().push(self.slot);
        self.worker.closed.notify_one();
    }
}
