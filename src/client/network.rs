//! The part of a runtime that asynchronous clients need.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::Target;

/// Part of a runtime that an asynchronous client needs.
pub trait Network: 'static {
    /// A TCP connection.
    type Stream: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static;

    /// Opens a connection, with `TCP_NODELAY` set, whose bytes are counted for
    /// the target ([`Counted`](super::Counted)).
    fn connect(
        address: SocketAddr,
        target: &Target,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Waits.
    fn sleep(wait: Duration) -> impl Future<Output = ()> + Send + 'static;

    /// Does work that blocks its thread on one that is there for it.
    fn unblock<T, W>(work: W) -> impl Future<Output = T> + Send
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static;
}
