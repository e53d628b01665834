//! A request in flight, as the journal sees it: taken on arrival and settled
//! exactly once, whatever becomes of the connection.

use std::sync::Arc;

use super::ledger::{Ledger, add};
use super::{Route, book};

/// An arrival that has been counted. Dropping it without
/// [`complete`](Self::complete) counts the request as aborted.
pub(crate) struct Ticket {
    ledger: Arc<Ledger>,
    thread: usize,
    route: Route,
    place: Place,
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
        let place = match book::dense(id) {
            Some(number) => {
                ledger.book(route).cell(number).arrive();
                Place::Dense(number)
            }
            None => {
                let key = (route, Box::from(id));
                if ledger.odd.arrive(&key).is_some() {
                    Place::Odd(key.1)
                } else {
                    add(&stripe.untracked, 1);
                    Place::Untracked
                }
            }
        };
        Self {
            ledger: Arc::clone(ledger),
            thread,
            route,
            place,
            open: true,
        }
    }

    /// The answer was sent whole.
    pub(crate) fn complete(mut self) {
        self.open = false;
        add(&self.ledger.stripe(self.thread).completed, 1);
        self.ledger.leave();
        match &mut self.place {
            Place::Dense(id) => self.ledger.book(self.route).cell(*id).complete(),
            Place::Odd(id) => {
                let key = (self.route, std::mem::take(id));
                self.ledger.odd.count(&key, |counts| counts.completed += 1);
            }
            Place::Untracked => {}
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        add(&self.ledger.stripe(self.thread).aborted, 1);
        self.ledger.leave();
        match &mut self.place {
            Place::Dense(id) => self.ledger.book(self.route).cell(*id).abort(),
            Place::Odd(id) => {
                let key = (self.route, std::mem::take(id));
                self.ledger.odd.count(&key, |counts| counts.aborted += 1);
            }
            Place::Untracked => {}
        }
    }
}
