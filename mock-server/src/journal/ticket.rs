//! A request in flight, as the journal sees it: taken on arrival and settled
//! exactly once, whatever becomes of the connection.

use std::sync::Arc;
use std::time::Duration;

use super::ledger::{Ledger, add, change};
use super::numeric_ids::Cell;
use super::text_ids::Key;
use super::{Counts, Route, numeric_ids};

/// An arrival that has been counted. Dropping it without
/// [`complete`](Self::complete) counts the request as aborted.
pub(crate) struct Ticket {
    ledger: Arc<Ledger>,
    thread: usize,
    route: Route,
    place: Place,
    attempt: u64,
    refused: bool,
    stage: Stage,
    held: Held,
}

/// What a request's time goes to beside its drawn service time and lateness, in
/// nanoseconds.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Held {
    queued: u64,
    slowed: u64,
    paced: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The answer is not on its way yet.
    Open,
    /// It is counted as sent, and may still fail.
    Leaving,
    /// It was sent.
    Settled,
}

enum Place {
    Number(u32),
    Text(Key),
    Untracked,
}

impl Ticket {
    pub(super) fn arrive(ledger: &Arc<Ledger>, thread: usize, route: Route, id: &str) -> Self {
        let stripe = ledger.stripe(thread);
        add(&stripe.arrived, 1);
        ledger.enter();
        let (place, attempt) = match numeric_ids::dense(id) {
            Some(number) => {
                let before = ledger.numeric_ids(route).cell(number).arrive();
                (Place::Number(number), before.into())
            }
            None => {
                let key = (route, Box::from(id));
                match ledger.text_ids.arrive(&key) {
                    Some(before) => (Place::Text(key), before),
                    None => {
                        add(&stripe.untracked, 1);
                        (Place::Untracked, 0)
                    }
                }
            }
        };
        Self {
            ledger: Arc::clone(ledger),
            thread,
            route,
            place,
            attempt,
            refused: false,
            stage: Stage::Open,
            held: Held::default(),
        }
    }

    /// How many requests for this (route, id) arrived before this one in the
    /// same run; 0 for an id that the journal does not track.
    pub(crate) fn attempt(&self) -> u64 {
        self.attempt
    }

    /// The run that the request belongs to.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The model holds the request: how long it waits for a server, and how much
    /// longer than drawn it is served. It counts when the answer is sent.
    pub(crate) fn hold(&mut self, queued: Duration, slowed: Duration) {
        self.held.queued = nanos(queued);
        self.held.slowed = nanos(slowed);
    }

    /// Pacing holds the answer's body. It counts when the answer is sent.
    pub(crate) fn pace(&mut self, paced: Duration) {
        self.held.paced = nanos(paced);
    }

    /// Counts how late the answer is.
    pub(crate) fn count_lateness(&self, late: Duration) {
        self.ledger.stripe(self.thread).lateness.record(late);
    }

    /// Counts that a fault strikes the request.
    pub(crate) fn count_fault(&self) {
        add(&self.ledger.stripe(self.thread).faulted, 1);
    }

    /// The profile refuses the request: its end counts as rejected.
    pub(crate) fn refuse(&mut self) {
        self.refused = true;
    }

    /// The answer is about to be handed to the operating system. It is counted
    /// now, because once it is handed over a client may already ask for the
    /// journal; should it fail after all, the count is taken back.
    pub(crate) fn leave(&mut self) {
        if self.stage != Stage::Open {
            return;
        }
        self.stage = Stage::Leaving;
        self.ledger.leave();
        self.count_end(1);
    }

    /// The operating system did not take the answer whole: the count is taken
    /// back until it is handed over again.
    pub(crate) fn stay(&mut self) {
        if self.stage != Stage::Leaving {
            return;
        }
        self.stage = Stage::Open;
        self.ledger.enter();
        self.count_end(-1);
    }

    /// The answer was sent whole.
    pub(crate) fn complete(mut self) {
        self.leave();
        self.stage = Stage::Settled;
    }

    /// Counts the request's end among the refused or the completed, or with
    /// −1 takes it back.
    fn count_end(&self, by: i64) {
        let stripe = self.ledger.stripe(self.thread);
        if self.refused {
            change(&stripe.rejected, by);
            self.count(|cell| cell.reject(by), |counts| &mut counts.rejected, by);
        } else {
            change(&stripe.completed, by);
            // Most profiles hold nothing.
            if self.held != Held::default() {
                let wrapping = |nanos: u64| (nanos as i64).wrapping_mul(by);
                change(&stripe.queued, wrapping(self.held.queued));
                change(&stripe.slowed, wrapping(self.held.slowed));
                change(&stripe.paced, wrapping(self.held.paced));
            }
            self.count(|cell| cell.complete(by), |counts| &mut counts.completed, by);
        }
    }

    fn count(
        &self,
        dense: impl FnOnce(Cell<'_>),
        odd: impl FnOnce(&mut Counts) -> &mut u64,
        by: i64,
    ) {
        match &self.place {
            Place::Number(id) => dense(self.ledger.numeric_ids(self.route).cell(*id)),
            Place::Text(key) => self.ledger.text_ids.count(key, |counts| {
                let count = odd(counts);
                *count = count.wrapping_add_signed(by);
            }),
            Place::Untracked => {}
        }
    }
}

/// 584 years at most.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Drop for Ticket {
    fn drop(&mut self) {
        match self.stage {
            Stage::Settled => return,
            Stage::Leaving => self.count_end(-1),
            Stage::Open => self.ledger.leave(),
        }
        change(&self.ledger.stripe(self.thread).aborted, 1);
        self.count(|cell| cell.abort(), |counts| &mut counts.aborted, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Clerk, Journal};
    use crate::model::Profile;

    #[test]
    fn requests_without_an_id_take_no_lock_and_come_after_the_numbers() {
        let journal = Arc::new(Journal::new(1, Arc::new(Profile::default())));
        let mut clerk = Clerk::new(Arc::clone(&journal), 0);
        for id in ["x", "", "7", "", "4194303"] {
            clerk.arrive(Route::Users, id).complete();
        }
        for attempt in 2..40 {
            let ticket = clerk.arrive(Route::Users, "");
            assert_eq!(ticket.attempt(), attempt);
            ticket.complete();
        }
        let snapshot = journal.snapshot();
        let ids: Vec<_> = snapshot.entries.iter().map(|entry| &*entry.id).collect();
        assert_eq!(ids, ["7", "4194303", "", "x"]);
        assert_eq!(snapshot.counts(Route::Users, "").completed, 40);
        let odd = journal.ledger().text_ids.sorted(Route::Users);
        assert_eq!(odd.len(), 1, "only x is behind a lock");
    }

    #[test]
    fn an_answer_counts_while_it_leaves_and_not_while_it_must_stay() {
        let journal = Arc::new(Journal::new(1, Arc::new(Profile::default())));
        let mut clerk = Clerk::new(Arc::clone(&journal), 0);
        let counts = || {
            let summary = journal.snapshot().summary;
            let counts = journal.snapshot().counts(Route::Products, "1");
            assert_eq!(counts.completed, summary.completed);
            let held = summary.queued_mean_ms * summary.completed as f64;
            (summary.completed, summary.aborted, held)
        };
        let mut sent = clerk.arrive(Route::Products, "1");
        sent.hold(Duration::from_millis(7), Duration::ZERO);
        sent.leave();
        assert_eq!(counts(), (1, 0, 7.0));
        sent.stay();
        assert_eq!(counts(), (0, 0, 0.0));
        sent.complete();
        assert_eq!(counts(), (1, 0, 7.0));

        for stays in [true, false] {
            let mut lost = clerk.arrive(Route::Products, "1");
            lost.hold(Duration::from_millis(7), Duration::ZERO);
            lost.leave();
            if stays {
                lost.stay();
            }
        }
        assert_eq!(counts(), (1, 2, 7.0));
        // None of them is in flight any more.
        clerk.arrive(Route::Products, "2").complete();
        assert_eq!(journal.snapshot().summary.most_in_flight, 1);
    }
}
