//! The journal: what was served, counted exactly and in bounded memory, so that
//! a batch can be shown to have arrived once and once only.
//!
//! Whole-number ids are counted in tables that grow with the ids really seen
//! (2 bytes an id, 18 for those
//! of a page where one came more than fourteen times), other ids in a map with a budget; what exceeds the budget is
//! still in every total and is reported as
//! [`untracked`](Summary::untracked) rather than silently forgotten. The request
//! path takes no lock for whole-number ids, nor for requests without one.
//!
//! A `Ledger` is the journal of one run, between two resets, together with the
//! service model of that run. A reset starts a new one; a
//! request that is in flight at that moment ends in the ledger where it arrived,
//! so no run ever sees the tail of the one before. Bytes alone are counted by the
//! connection, in the run in which they come or leave.

mod counts;
mod expectation;
mod histogram;
mod ledger;
mod numeric_ids;
mod page;
mod text_ids;
mod ticket;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Profile;

pub use crate::route::Route;
pub use counts::{Counts, Summary};
pub use expectation::{Expectation, Proof};
pub use histogram::Lateness;
pub(crate) use ledger::Ledger;
pub use page::{Entry, Page, Snapshot};
pub(crate) use ticket::Ticket;

/// The journal of a server: the current ledger, and the way to start another.
pub(crate) struct Journal {
    current: Mutex<Arc<Ledger>>,
    generation: AtomicU64,
    threads: usize,
    profile: Arc<Profile>,
}

impl Journal {
    /// An empty journal for `threads` serving threads under a profile.
    pub(crate) fn new(threads: usize, profile: Arc<Profile>) -> Self {
        let ledger = Ledger::new(threads, Arc::clone(&profile));
        Self {
            current: Mutex::new(Arc::new(ledger)),
            generation: AtomicU64::new(0),
            threads,
            profile,
        }
    }

    /// The profile that requests are served by.
    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The ledger that requests now arrive in.
    pub(crate) fn ledger(&self) -> Arc<Ledger> {
        // A poisoned lock still holds a whole `Arc`: it is only ever replaced.
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }

    /// Starts a new run: an empty ledger and a model at its beginning.
    pub(crate) fn reset(&self) {
        let fresh = Arc::new(Ledger::new(self.threads, Arc::clone(&self.profile)));
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = fresh;
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// The totals and counts at this moment.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.ledger())
    }
}

/// A thread's own view of the journal: it asks for the current ledger only after
/// a reset, so that the request path takes no lock.
pub(crate) struct Clerk {
    journal: Arc<Journal>,
    generation: u64,
    ledger: Arc<Ledger>,
    thread: usize,
}

impl Clerk {
    /// The view of serving thread number `thread`.
    pub(crate) fn new(journal: Arc<Journal>, thread: usize) -> Self {
        let generation = journal.generation.load(Ordering::Acquire);
        let ledger = journal.ledger();
        Self {
            journal,
            generation,
            ledger,
            thread,
        }
    }

    /// The ledger to count in now.
    pub(crate) fn ledger(&mut self) -> &Arc<Ledger> {
        let generation = self.journal.generation.load(Ordering::Acquire);
        if generation != self.generation {
            self.generation = generation;
            self.ledger = self.journal.ledger();
        }
        &self.ledger
    }

    /// Counts an arrival; the ticket that is returned counts its end.
    pub(crate) fn arrive(&mut self, route: Route, id: &str) -> Ticket {
        let thread = self.thread;
        Ticket::arrive(self.ledger(), thread, route, id)
    }

    /// Counts a request on no counted route.
    pub(crate) fn count_unmatched(&mut self) {
        let thread = self.thread;
        ledger::add(&self.ledger().stripe(thread).unmatched, 1);
    }

    /// Counts a connection that was accepted.
    pub(crate) fn count_connection(&mut self) {
        let thread = self.thread;
        ledger::add(&self.ledger().stripe(thread).connections_opened, 1);
    }

    /// Counts bytes that a client sent.
    pub(crate) fn count_received(&mut self, bytes: u64) {
        let thread = self.thread;
        ledger::add(&self.ledger().stripe(thread).bytes_received, bytes);
    }

    /// Counts bytes that are being handed to the operating system, or takes back
    /// those that it did not take.
    pub(crate) fn count_sent(&mut self, bytes: i64) {
        let thread = self.thread;
        ledger::change(&self.ledger().stripe(thread).bytes_sent, bytes);
    }

    /// The journal itself.
    pub(crate) fn journal(&self) -> &Journal {
        &self.journal
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Pace, Pacing};
    use std::time::{Duration, Instant};

    #[test]
    fn a_new_run_begins_with_a_free_link() {
        let journal = Journal::new(1, Arc::new(Profile::default()));
        let pacing = Pacing {
            total_bytes_per_second: Some(1),
            ..Pacing::default()
        };
        let now = Instant::now() + Duration::from_secs(1);
        let next = |bytes| {
            let link = journal.ledger().model.link();
            Pace::new(pacing, link, now).next(now, bytes) - now
        };
        assert_eq!(next(3600), Duration::from_secs(3600));
        assert_eq!(next(1), Duration::from_secs(3601));
        journal.reset();
        assert_eq!(next(1), Duration::from_secs(1));
    }
}
