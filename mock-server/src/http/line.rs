//! What the two sides of hyper tell each other about one connection.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use crate::journal::Ticket;

/// The state of a connection that hyper does not show.
pub(super) struct Line {
    /// When bytes last came: the arrival of whatever they completed.
    read_at: Cell<Instant>,
    /// When the first byte of a head came, while the head is not whole.
    head_since: Cell<Option<Instant>>,
    has_heads: bool,
    in_flight: Cell<usize>,
    served: Cell<u32>,
    /// Answers that hyper has whole but the operating system does not.
    leaving: RefCell<Vec<Ticket>>,
    reset: Cell<bool>,
}

impl Line {
    /// A connection that speaks HTTP/2 has no heads to wait for: its frames come
    /// when they like.
    pub(super) fn new(is_http2: bool) -> Self {
        Self {
            has_heads: !is_http2,
            read_at: Cell::new(Instant::now()),
            head_since: Cell::new(None),
            in_flight: Cell::new(0),
            served: Cell::new(0),
            leaving: RefCell::default(),
            reset: Cell::new(false),
        }
    }

    /// Bytes came.
    pub(super) fn has_read(&self) {
        let now = Instant::now();
        self.read_at.set(now);
        if self.has_heads && self.in_flight.get() == 0 && self.head_since.get().is_none() {
            self.head_since.set(Some(now));
        }
    }

    pub(super) fn read_at(&self) -> Instant {
        self.read_at.get()
    }

    pub(super) fn head_since(&self) -> Option<Instant> {
        self.head_since.get()
    }

    /// A request begins; it ends with the guard. The number is how many there
    /// were on this connection, this one included.
    pub(super) fn begin(self: &std::rc::Rc<Self>) -> (InFlight, u32) {
        self.head_since.set(None);
        self.in_flight.set(self.in_flight.get() + 1);
        self.served.set(self.served.get().saturating_add(1));
        (InFlight(std::rc::Rc::clone(self)), self.served.get())
    }

    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.get() == 0
    }

    /// The last of an answer is with hyper.
    pub(super) fn leave(&self, ticket: Ticket) {
        self.leaving.borrow_mut().push(ticket);
    }

    /// What hyper has is about to go to the operating system.
    pub(super) fn is_flushing(&self) {
        for ticket in self.leaving.borrow_mut().iter_mut() {
            ticket.leave();
        }
    }

    /// Everything that was with hyper is with the operating system.
    pub(super) fn has_flushed(&self) {
        let mut leaving = self.leaving.borrow_mut();
        for ticket in leaving.drain(..) {
            ticket.complete();
        }
    }

    /// The connection is to end with a reset.
    pub(super) fn reset(&self) {
        self.reset.set(true);
    }

    pub(super) fn is_reset(&self) -> bool {
        self.reset.get()
    }
}

/// A request in flight on a connection.
pub(super) struct InFlight(std::rc::Rc<Line>);

impl InFlight {
    pub(super) fn line(&self) -> &std::rc::Rc<Line> {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.set(self.0.in_flight.get() - 1);
    }
}
