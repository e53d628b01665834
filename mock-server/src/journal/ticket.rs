//! A request in flight, as the journal sees it: taken on arrival and settled
//! exactly once, whatever becomes of the connection.

use std::sync::Arc;

use super::book::Cell;
use super::ledger::{Ledger, add};
use super::{Counts, Route, book};

/// An arrival that has been counted. Dropping it without
/// [`complete`](Self::complete) counts the request as aborted.
pub(crate) struct Ticket {
    ledger: Arc<Ledger>,
    thread: usize,
    route: Route,
    place: Place,
    attempt: u64,
    refused: bool,
    open: bool,
}

enum Place {
    Dense(u32),
    Odd(Box<str>),
    Untracked,
}

impl Ticket {
    pub(super) fn arrive(ledger: &Arc<Ledger>, thread: usize, route: Route, id: &str) -> Self {
        let stripe = ledger.stripe(thread);
        add(&stripe.arrived, 1);
        ledger.enter();
        let (place, attempt) = match book::dense(id) {
            Some(number) => {
                let before = ledger.book(route).cell(number).arrive();
                (Place::Dense(number), before.into())
            }
            None => {
                let key = (route, Box::from(id));
                match ledger.odd.arrive(&key) {
                    Some(before) => (Place::Odd(key.1), before),
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
            open: true,
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

    /// The profile refuses the request: its end counts as rejected.
    pub(crate) fn refuse(&mut self) {
        self.refused = true;
    }

    /// The answer was sent whole.
    pub(crate) fn complete(mut self) {
        self.open = false;
        let stripe = self.ledger.stripe(self.thread);
        if self.refused {
            add(&stripe.rejected, 1);
            self.settle(Cell::reject, |counts| counts.rejected += 1);
        } else {
            add(&stripe.completed, 1);
            self.settle(Cell::complete, |counts| counts.completed += 1);
        }
    }

    fn settle(&mut self, dense: impl FnOnce(&Cell), odd: impl FnOnce(&mut Counts)) {
        self.ledger.leave();
        match &mut self.place {
            Place::Dense(id) => dense(self.ledger.book(self.route).cell(*id)),
            Place::Odd(id) => {
                let key = (self.route, std::mem::take(id));
                self.ledger.odd.count(&key, odd);
            }
            Place::Untracked => {}
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.open {
            add(&self.ledger.stripe(self.thread).aborted, 1);
            self.settle(Cell::abort, |counts| counts.aborted += 1);
        }
    }
}
