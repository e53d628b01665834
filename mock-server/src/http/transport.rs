//! The streams that HTTP can be served on: in the clear and encrypted.

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::server::TlsStream;

use super::socket::Socket;

/// A stream of bytes over a TCP connection.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin + 'static {
    /// The connection below.
    fn socket(&self) -> &Socket;
}

impl Transport for Socket {
    fn socket(&self) -> &Socket {
        self
    }
}

impl Transport for TlsStream<Socket> {
    fn socket(&self) -> &Socket {
        self.get_ref().0
    }
}
