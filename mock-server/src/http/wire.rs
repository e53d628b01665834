//! The transport as hyper sees it: bytes pass through, and their coming and
//! going is noted.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_rustls::server::TlsStream;

use super::line::Line;
use crate::server::Worker;

/// A stream of bytes over a TCP connection.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin + 'static {
    /// The connection below.
    fn tcp(&self) -> &TcpStream;
}

impl Transport for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Transport for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// A transport between hyper and the system.
pub(super) struct Wire<S: Transport> {
    io: S,
    line: Rc<Line>,
    worker: Rc<Worker>,
    /// When the client's time is over, while there is such a limit.
    limit: Option<Pin<Box<Sleep>>>,
}

impl<S: Transport> Wire<S> {
    pub(super) fn new(stream: S, line: Rc<Line>, worker: Rc<Worker>) -> Self {
        Self {
            io: stream,
            line,
            worker,
            limit: None,
        }
    }

    /// Until when an idle client may send its next byte.
    fn deadline(&self) -> Option<Instant> {
        if !self.line.is_idle() {
            return None;
        }
        match self.line.head_since() {
            Some(since) => Some(since + self.worker.config().patience.head),
            None => self
                .worker
                .idle_timeout()
                .map(|idle| self.line.read_at() + idle),
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
}

impl<S: Transport> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buffer);
        match polled {
            Poll::Ready(Ok(())) => {
                let bytes = &buffer.filled()[before..];
                self.worker.clerk().count_received(bytes.len() as u64);
                self.line.has_read(bytes);
            }
            // Nothing read and ready is the end: hyper closes the connection.
            Poll::Pending if self.is_overdue(cx) => return Poll::Ready(Ok(())),
            _ => {}
        }
        polled
    }
}

impl<S: Transport> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.before(bytes.len());
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.after(bytes.len(), &polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = slices.iter().map(|slice| slice.len()).sum();
        self.before(length);
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.after(length, &polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Encryption may have taken what it could not write.
        self.line.is_flushing();
        let polled = Pin::new(&mut self.io).poll_flush(cx);
        match polled {
            Poll::Ready(Ok(())) => self.line.has_flushed(),
            _ => self.line.has_stalled(),
        }
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl<S: Transport> Wire<S> {
    /// Counts what is about to be written: once it is, the client may look at the
    /// journal before this thread goes on.
    fn before(&self, length: usize) {
        self.worker.clerk().count_sent(length as i64);
        self.line.is_flushing();
    }

    /// Takes back what was not written.
    fn after(&self, length: usize, polled: &Poll<io::Result<usize>>) {
        let written = match polled {
            Poll::Ready(Ok(count)) => *count,
            _ => 0,
        };
        if written < length {
            self.worker
                .clerk()
                .count_sent(written as i64 - length as i64);
            self.line.has_stalled();
        }
    }
}

impl<S: Transport> Drop for Wire<S> {
    fn drop(&mut self) {
        if self.line.is_reset() {
            let socket = socket2::SockRef::from(self.io.tcp());
            // Closing with a linger of zero sends RST. Where that is refused the
            // client sees an ordinary close, a fault as well.
            let _ = socket.set_linger(Some(Duration::ZERO));
        }
    }
}
