//! Noticing that a client has left while its request waits, which hyper does not:
//! a client that ends its side may still be there to read.

use std::future::{pending, poll_fn};
use std::io;
use std::mem::MaybeUninit;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::ReadBuf;

use super::MAX_HEAD;
use super::connection::Connection;

/// What every answer of HTTP/1 begins with.
const FIRST: &[u8; 1] = b"H";

/// Between two looks at whether the first byte came back: twice as long each
/// time, from one to the other.
const LOOKS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(1));

impl Connection {
    /// Completes when the client has left. Only for HTTP/1, while nothing of the
    /// answer is with hyper; hyper notices over HTTP/2.
    pub(super) async fn left(&self) {
        if self.is_http2() {
            pending::<()>().await;
        }
        if poll_fn(|cx| self.poll_end(cx)).await.is_err() {
            return;
        }
        // Closed, or only done sending: the system of a client that has closed
        // sends a reset to whoever sends it more.
        match poll_fn(|cx| Poll::Ready(self.begin_answer(cx))).await {
            Ok(true) => {}
            Ok(false) => pending().await,
            Err(_) => return,
        }
        let (mut look, longest) = LOOKS;
        while !self.is_broken() {
            self.worker.timer().until(Instant::now() + look).await;
            look = longest.min(look * 2);
        }
    }

    /// Whether the connection is seen to be broken, between two pieces of an
    /// answer; a client that has only ended its side may still read the next.
    pub(super) fn has_broken(&self, cx: &mut Context<'_>) -> bool {
        !self.is_http2() && matches!(self.poll_end(cx), Poll::Ready(Err(_)))
    }

    /// Ready when the client has ended its side, or the connection is broken.
    /// What comes before that is kept for hyper, up to the longest head.
    fn poll_end(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.ahead.borrow().len() < MAX_HEAD {
            let mut bytes = [MaybeUninit::uninit(); 1024];
            let mut buffer = ReadBuf::uninit(&mut bytes);
            match ready!(self.poll_transport(cx, &mut buffer)) {
                // An encrypted connection that is not ended in form.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Poll::Ready(Ok(()));
                }
                Err(error) => return Poll::Ready(Err(error)),
                Ok(()) if buffer.filled().is_empty() => return Poll::Ready(Ok(())),
                Ok(()) => self.ahead.borrow_mut().extend_from_slice(buffer.filled()),
            }
        }
        // Whatever else it sends waits with the system, and its end behind that.
        Poll::Pending
    }

    /// Sends the first byte of the answer before the answer. Returns whether it
    /// could: where another answer is still on its way it cannot.
    fn begin_answer(&self, cx: &mut Context<'_>) -> io::Result<bool> {
        if self.began.get() {
            return Ok(true);
        }
        if !self.is_flushed.get() {
            return Ok(false);
        }
        match self.poll_with(|transport| transport.poll_write(cx, FIRST)) {
            Poll::Pending => return Ok(false),
            Poll::Ready(written) => drop(written?),
        }
        self.began.set(true);
        self.worker.clerk().count_sent(FIRST.len() as i64);
        match self.poll_with(|transport| transport.poll_flush(cx)) {
            Poll::Ready(Err(error)) => Err(error),
            _ => Ok(true),
        }
    }

    fn is_broken(&self) -> bool {
        let broken = self.poll_with(|transport| match transport.socket().tcp().take_error() {
            Ok(None) => Poll::Pending,
            _ => Poll::Ready(Ok(())),
        });
        broken.is_ready()
    }
}
