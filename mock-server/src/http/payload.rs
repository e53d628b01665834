//! A response body: whole at once, in pieces as they fall due, or cut short.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::chunk::Chunk;
use super::connection::InFlight;
use crate::journal::Ticket;
use crate::model::Pace;
use crate::service::Content;
use crate::timer::Timer;

/// The body of one answer, which also holds the answer's place in the journal:
/// it counts as sent when its last byte was, and as aborted when that never
/// comes. Over HTTP/2 the place leaves with the last piece.
pub(super) struct Payload {
    content: Content,
    pace: Option<Box<Paced>>,
    /// Bytes that are sent before the connection is cut.
    cut: Option<u64>,
    cutting: bool,
    ticket: Option<Ticket>,
    in_flight: InFlight,
}

struct Paced {
    pace: Pace,
    timer: Timer,
    wait: Option<(Wait, Bytes)>,
}

type Wait = Pin<Box<dyn Future<Output = ()>>>;

impl Payload {
    pub(super) fn new(content: Content, ticket: Option<Ticket>, in_flight: InFlight) -> Self {
        Self {
            content,
            pace: None,
            cut: None,
            cutting: false,
            ticket,
            in_flight,
        }
    }

    /// Sends it at a pace.
    pub(super) fn paced(mut self, pace: Pace, timer: Timer) -> Self {
        let wait = None;
        self.pace = Some(Box::new(Paced { pace, timer, wait }));
        self
    }

    /// Sends only half of it.
    pub(super) fn truncated(mut self) -> Self {
        self.cut = Some(self.content.len() / 2);
        self
    }

    /// Takes the next piece, which is not empty, or `None` at the end.
    fn piece(&mut self, most: usize) -> Option<Bytes> {
        let most = match self.cut {
            Some(left) => most.min(usize::try_from(left).unwrap_or(usize::MAX)),
            None => most,
        };
        let most = most.min(self.before_last());
        let piece = self.content.take(most);
        if let Some(left) = &mut self.cut {
            *left -= piece.len() as u64;
        }
        (!piece.is_empty()).then_some(piece)
    }

    /// The most that a piece may have so that the last one of HTTP/2 is small.
    fn before_last(&self) -> usize {
        let left = usize::try_from(self.content.len()).unwrap_or(usize::MAX);
        let line = self.in_flight.line();
        match left.checked_sub(LAST) {
            Some(before) if before > 0 && line.is_http2() => before,
            _ => usize::MAX,
        }
    }

    /// The place in the journal, when there is no more to come.
    fn settled(&mut self) -> Option<Ticket> {
        let mut ticket = self.ticket.take()?;
        if let Some(paced) = &self.pace {
            ticket.pace(paced.pace.held());
        }
        Some(ticket)
    }

    /// Notes that the last of it is with hyper.
    fn finish(&mut self) {
        if let Some(ticket) = self.settled() {
            self.in_flight.line().leave(ticket);
        }
    }

    /// A piece as it goes to hyper.
    fn hand_over(&mut self, bytes: Bytes) -> Chunk {
        let is_last = self.is_end_stream();
        let line = self.in_flight.line();
        if is_last && line.is_http2() {
            let line = Rc::clone(line);
            if let Some(ticket) = self.settled() {
                return Chunk::last(bytes, line, ticket);
            }
        } else if is_last {
            self.finish();
        }
        bytes.into()
    }

    fn poll_paced(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(mut paced) = self.pace.take() else {
            return Poll::Ready(self.piece(MOST_AT_ONCE));
        };
        if paced.wait.is_none() {
            let Some(piece) = self.piece(paced.pace.piece()) else {
                self.pace = Some(paced);
                return Poll::Ready(None);
            };
            let due = paced.pace.next(Instant::now(), piece.len());
            let timer = paced.timer.clone();
            let wait = Box::pin(async move { timer.until(due).await });
            paced.wait = Some((wait, piece));
        }
        let polled = match paced.wait.take() {
            Some((mut wait, piece)) => match wait.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Some(piece)),
                Poll::Pending => {
                    paced.wait = Some((wait, piece));
                    Poll::Pending
                }
            },
            None => Poll::Ready(None),
        };
        self.pace = Some(paced);
        polled
    }
}

/// A body that is not paced is handed over in pieces of this size.
const MOST_AT_ONCE: usize = 256 * 1024;

/// The most bytes of the last piece over HTTP/2. The h2 crate copies what is below
/// 256 before it writes, and so consumes it then; that more has been consumed
/// would be known only when the client may have asked the journal already.
const LAST: usize = 255;

impl Body for Payload {
    type Data = Chunk;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Chunk>, io::Error>>> {
        match self.poll_paced(cx) {
            Poll::Pending if self.in_flight.line().has_broken(cx) => {
                Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
            }
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(piece)) => {
                let piece = self.hand_over(piece);
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Poll::Ready(None) if self.cut.is_none() => {
                self.finish();
                Poll::Ready(None)
            }
            // hyper throws away what it has not sent when a body fails, so it
            // gets one turn to send the first half.
            Poll::Ready(None) if !self.cutting => {
                self.cutting = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(None) => Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        let waiting = self.pace.as_ref().is_some_and(|paced| paced.wait.is_some());
        self.content.len() == 0 && !waiting && self.cut.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let waiting = self.pace.as_ref().and_then(|paced| paced.wait.as_ref());
        let waiting = waiting.map_or(0, |(_, piece)| piece.len() as u64);
        SizeHint::with_exact(self.content.len() + waiting)
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        // An empty body, and the body of an answer to HEAD, is never asked for:
        // that hyper has the head is all there is to know.
        if self.is_end_stream() {
            self.finish();
        }
    }
}
