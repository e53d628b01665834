//! What the two sides of hyper tell each other about one connection.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Buf, BytesMut};
use tokio::io::ReadBuf;

use super::frames::Frames;
use super::heads::Heads;
use super::thread::Worker;
use super::transport::Transport;
use crate::journal::Ticket;

/// The state of a connection that hyper does not show.
pub(super) struct Connection {
    /// Until hyper is done with it.
    transport: RefCell<Option<Box<dyn Transport>>>,
    pub(super) worker: Rc<Worker>,
    /// What has been read and hyper has not got yet.
    pub(super) ahead: RefCell<BytesMut>,
    /// When bytes last came: the arrival of whatever they completed.
    came: Cell<Instant>,
    /// When the first byte of a head came, or of a frame, while it is not whole.
    head_since: Cell<Option<Instant>>,
    framing: RefCell<Framing>,
    in_flight: Cell<usize>,
    served: Cell<u32>,
    /// Answers that hyper has whole but the operating system does not.
    leaving: RefCell<Vec<Ticket>>,
    /// Whether the operating system has all that hyper wrote.
    pub(super) is_flushed: Cell<bool>,
    /// Whether the first byte of the next answer has been sent before it.
    pub(super) began: Cell<bool>,
    reset: Cell<bool>,
    /// Whether its last request has begun.
    ending: Cell<bool>,
}

enum Framing {
    Http1(Heads),
    Http2(Frames),
}

impl Connection {
    /// A new connection.
    pub(super) fn new(transport: Box<dyn Transport>, worker: Rc<Worker>, is_http2: bool) -> Self {
        let framing = if is_http2 {
            Framing::Http2(Frames::new())
        } else {
            Framing::Http1(Heads::new())
        };
        Self {
            transport: RefCell::new(Some(transport)),
            worker,
            ahead: RefCell::default(),
            framing: RefCell::new(framing),
            came: Cell::new(Instant::now()),
            head_since: Cell::new(None),
            in_flight: Cell::new(0),
            served: Cell::new(0),
            leaving: RefCell::default(),
            is_flushed: Cell::new(true),
            began: Cell::new(false),
            reset: Cell::new(false),
            ending: Cell::new(false),
        }
    }

    /// Reads for hyper: what is there already, or what comes.
    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut ahead = self.ahead.borrow_mut();
        if !ahead.is_empty() {
            let most = ahead.len().min(buffer.remaining());
            let taken = self.take(&ahead[..most]);
            buffer.put_slice(&ahead[..taken]);
            ahead.advance(taken);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(self.poll_transport(cx, buffer))?;
        let bytes = &buffer.filled()[before..];
        let taken = self.take(bytes);
        if taken < bytes.len() {
            ahead.extend_from_slice(&bytes[taken..]);
            buffer.set_filled(before + taken);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads from the client.
    pub(super) fn poll_transport(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let came = ready!(self.poll_with(|mut transport| {
            ready!(transport.as_mut().poll_read(cx, buffer))?;
            Poll::Ready(Ok(transport.socket().came()))
        }))?;
        let count = buffer.filled().len() - before;
        self.worker.clerk().count_received(count as u64);
        if count > 0 {
            self.came.set(came);
        }
        Poll::Ready(Ok(()))
    }

    /// Does something with the connection below.
    pub(super) fn poll_with<T>(
        &self,
        act: impl FnOnce(Pin<&mut dyn Transport>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match &mut *self.transport.borrow_mut() {
            Some(transport) => act(Pin::new(&mut **transport)),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    /// hyper is done with the connection, which is closed when this is dropped.
    pub(super) fn close(&self) -> Option<Box<dyn Transport>> {
        self.transport.take()
    }

    /// How many of the bytes hyper gets now.
    fn take(&self, bytes: &[u8]) -> usize {
        let (taken, is_within) = match &mut *self.framing.borrow_mut() {
            Framing::Http1(heads) => (heads.take(bytes), heads.is_within()),
            Framing::Http2(frames) => {
                frames.follow(bytes);
                (bytes.len(), frames.is_within())
            }
        };
        if !is_within {
            self.head_since.set(None);
        } else if self.head_since.get().is_none() {
            self.head_since.set(Some(Instant::now()));
        }
        taken
    }

    pub(super) fn is_http2(&self) -> bool {
        matches!(*self.framing.borrow(), Framing::Http2(_))
    }

    pub(super) fn came(&self) -> Instant {
        self.came.get()
    }

    pub(super) fn head_since(&self) -> Option<Instant> {
        self.head_since.get()
    }

    /// A request begins, with a body of that many bytes as far as is known; it
    /// ends with the guard. The number is how many there were on this connection,
    /// this one included.
    pub(super) fn begin(self: &Rc<Self>, body: u64) -> (InFlight, u32) {
        if let Framing::Http1(heads) = &mut *self.framing.borrow_mut() {
            heads.begin(body);
        }
        self.in_flight.set(self.in_flight.get() + 1);
        self.served.set(self.served.get().saturating_add(1));
        (InFlight(Rc::clone(self)), self.served.get())
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
        self.is_flushed.set(true);
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
pub(super) struct InFlight(Rc<Connection>);

impl InFlight {
    pub(super) fn line(&self) -> &Rc<Connection> {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.set(self.0.in_flight.get() - 1);
    }
}
