//! What the two sides of hyper tell each other about one connection.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use super::frames::Frames;
use crate::journal::Ticket;

/// The state of a connection that hyper does not show.
pub(super) struct Line {
    /// When bytes last came: the arrival of whatever they completed.
    read_at: Cell<Instant>,
    /// When the first byte of a head came, or of a frame, while it is not whole.
    head_since: Cell<Option<Instant>>,
    /// Of HTTP/2.
    frames: Option<RefCell<Frames>>,
    in_flight: Cell<usize>,
    served: Cell<u32>,
    /// Answers that hyper has whole but the operating system does not.
    leaving: RefCell<Vec<Ticket>>,
    reset: Cell<bool>,
    /// Whether its last request has begun.
    ending: Cell<bool>,
}

impl Line {
    /// A new connection.
    pub(super) fn new(is_http2: bool) -> Self {
        Self {
            frames: is_http2.then(|| RefCell::new(Frames::new())),
            read_at: Cell::new(Instant::now()),
            head_since: Cell::new(None),
            in_flight: Cell::new(0),
            served: Cell::new(0),
            leaving: RefCell::default(),
            reset: Cell::new(false),
            ending: Cell::new(false),
        }
    }

    /// Bytes came.
    pub(super) fn has_read(&self, bytes: &[u8]) {
        let now = Instant::now();
        self.read_at.set(now);
        let is_within = match &self.frames {
            None => self.is_idle(),
            Some(frames) => {
                let mut frames = frames.borrow_mut();
                frames.follow(bytes);
                frames.is_within()
            }
        };
        if !is_within {
            self.head_since.set(None);
        } else if self.head_since.get().is_none() {
            self.head_since.set(Some(now));
        }
    }

    pub(super) fn is_http2(&self) -> bool {
        self.frames.is_some()
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
        if !self.is_http2() {
            self.head_since.set(None);
        }
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

    /// The operating system did not take all that it was handed.
    pub(super) fn has_stalled(&self) {
        for ticket in self.leaving.borrow_mut().iter_mut() {
            ticket.stay();
        }
    }

    /// Everything that was with hyper is with the operating system.
    pub(super) fn has_flushed(&self) {
        let mut leaving = self.leaving.borrow_mut();
        for ticket in leaving.drain(..) {
            ticket.complete();
        }
    }

    /// The connection is to end after what is in flight.
    pub(super) fn end(&self) {
        self.ending.set(true);
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending.get()
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
