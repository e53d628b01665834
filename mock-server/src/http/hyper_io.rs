//! The transport as hyper sees it: bytes pass through, and their coming and
//! going is noted.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::connection::Connection;
use super::transport::Transport;

/// A transport between hyper and the system.
pub(super) struct Io {
    line: Rc<Connection>,
    /// When the client's time is over, while there is such a limit.
    limit: Option<Pin<Box<Sleep>>>,
}

impl Io {
    pub(super) fn new(line: Rc<Connection>) -> Self {
        Self { line, limit: None }
    }

    /// Until when an idle client may send its next byte.
    fn deadline(&self) -> Option<Instant> {
        if !self.line.is_idle() {
            return None;
        }
        let worker = &self.line.worker;
        match self.line.head_since() {
            Some(since) => Some(since + worker.config().patience.head),
            None => worker.idle_timeout().map(|idle| self.line.came() + idle),
        }
    }

    /// Whether the client's time is over.
    fn is_overdue(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(deadline) = self.deadline() else {
            self.limit = None;
            return false;
        };
        let limit = self
            .limit
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline.into())));
        if limit.deadline() != deadline.into() {
            limit.as_mut().reset(deadline.into());
        }
        limit.as_mut().poll(cx).is_ready()
    }

    /// Writes what is left of `bytes` when their first has been sent before them.
    fn poll_rest(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let rest = &bytes[1..];
        let written = if rest.is_empty() {
            0
        } else {
            ready!(self.poll_count(rest.len(), |transport| transport.poll_write(cx, rest)))?
        };
        self.line.began.set(false);
        Poll::Ready(Ok(1 + written))
    }

    /// Writes, counted before it is done: once it is, the client may look at the
    /// journal before this thread goes on. What was not written is taken back.
    fn poll_count(
        &self,
        length: usize,
        write: impl FnOnce(Pin<&mut dyn Transport>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let line = &self.line;
        line.is_flushed.set(false);
        line.worker.clerk().count_sent(length as i64);
        line.is_flushing();
        let polled = line.poll_with(write);
        let written = match polled {
            Poll::Ready(Ok(count)) => count,
            _ => 0,
        };
        if written < length {
            let kept = written as i64 - length as i64;
            line.worker.clerk().count_sent(kept);
            line.has_stalled();
        }
        polled
    }
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = self.line.poll_read(cx, buffer);
        // Nothing read and ready is the end: hyper closes the connection.
        if polled.is_pending() && self.is_overdue(cx) {
            return Poll::Ready(Ok(()));
        }
        polled
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.line.began.get() && !bytes.is_empty() {
            return self.poll_rest(cx, bytes);
        }
        self.poll_count(bytes.len(), |transport| transport.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // Only HTTP/2 does, where no answer begins before it is due.
        let length = slices.iter().map(|slice| slice.len()).sum();
        self.poll_count(length, |transport| {
            transport.poll_write_vectored(cx, slices)
        })
    }

    fn is_write_vectored(&self) -> bool {
        self.line.is_http2()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Encryption may have taken what it could not write.
        self.line.is_flushing();
        let polled = self.line.poll_with(|transport| transport.poll_flush(cx));
        match polled {
            Poll::Ready(Ok(())) => self.line.has_flushed(),
            _ => self.line.has_stalled(),
        }
        polled
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line.poll_with(|transport| transport.poll_shutdown(cx))
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        // What still waits on another task holds the line, not the connection.
        let transport = self.line.close();
        if let Some(transport) = transport.filter(|_| self.line.is_reset()) {
            let socket = socket2::SockRef::from(transport.socket().tcp());
            // Closing with a linger of zero sends RST. Where that is refused the
            // client sees an ordinary close, a fault as well.
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
    }
}
