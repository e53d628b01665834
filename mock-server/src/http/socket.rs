//! A TCP connection that knows when its bytes reached this machine, which may be
//! long before a thread that is held up reads them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection of a serving thread.
pub(crate) struct Socket {
    tcp: TcpStream,
    /// Whether the system says when bytes come. Without that they count as come
    /// when they are read.
    is_stamped: bool,
    /// No bytes count as come before this.
    earliest: Option<Instant>,
    came: Instant,
}

impl Socket {
    /// A connection whose bytes count as come when they are read.
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self {
            tcp,
            is_stamped: false,
            earliest: None,
            came: Instant::now(),
        }
    }

    /// The same, with the system's word on when bytes came, but not before
    /// `earliest`.
    pub(crate) fn stamped(mut self, earliest: Option<Instant>) -> Self {
        self.is_stamped = true;
        self.earliest = earliest;
        self
    }

    /// When the bytes that were read last came.
    pub(super) fn came(&self) -> Instant {
        self.came
    }

    pub(super) fn tcp(&self) -> &TcpStream {
        &self.tcp
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        #[cfg(target_os = "linux")]
        if self.is_stamped {
            let age = std::task::ready!(stamps::poll_read(&self.tcp, cx, buffer))?;
            let now = Instant::now();
            let came = now.checked_sub(age).unwrap_or(now);
            self.came = self.earliest.map_or(came, |earliest| came.max(earliest));
            return Poll::Ready(Ok(()));
        }
        let polled = Pin::new(&mut self.tcp).poll_read(cx, buffer);
        if polled.is_ready() {
            self.came = Instant::now();
        }
        polled
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// Has the system note when bytes come on the connections of a listener. Returns
/// whether it does.
pub(crate) fn ask_for_stamps(listener: &std::net::TcpListener) -> bool {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::socket::{setsockopt, sockopt};
        // Connections take it from their listener.
        setsockopt(listener, sockopt::ReceiveTimestampns, &true).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = listener;
        false
    }
}

#[cfg(target_os = "linux")]
mod stamps {
    use std::cell::RefCell;
    use std::io::{self, IoSliceMut};
    use std::os::fd::AsRawFd;
    use std::task::{Context, Poll, ready};
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
    use nix::sys::time::TimeSpec;
    use tokio::io::{Interest, ReadBuf};
    use tokio::net::TcpStream;

    /// The most that is read at once.
    const MOST: usize = 64 * 1024;

    thread_local! {
        static SCRATCH: RefCell<(Vec<u8>, Vec<u8>)> =
            RefCell::new((vec![0; MOST], nix::cmsg_space!(TimeSpec)));
    }

    /// Reads, and returns how long ago the last of the bytes came: zero where the
    /// system does not say.
    pub(super) fn poll_read(
        tcp: &TcpStream,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Duration>> {
        loop {
            ready!(tcp.poll_read_ready(cx))?;
            let mut received = None;
            let tried = tcp.try_io(Interest::READABLE, || {
                let (count, age) = receive(tcp, buffer)?;
                received = Some(age);
                // Less than there is room for is all that there was: tokio need
                // not try again to find out.
                if 0 < count && buffer.remaining() > 0 {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Ok(())
            });
            match (received, tried) {
                (Some(age), _) => return Poll::Ready(Ok(age)),
                (None, Err(error)) if error.kind() != io::ErrorKind::WouldBlock => {
                    return Poll::Ready(Err(error));
                }
                (None, _) => {}
            }
        }
    }

    fn receive(tcp: &TcpStream, buffer: &mut ReadBuf<'_>) -> io::Result<(usize, Duration)> {
        SCRATCH.with_borrow_mut(|(bytes, control)| {
            let most = buffer.remaining().min(MOST);
            let mut slices = [IoSliceMut::new(&mut bytes[..most])];
            let received = recvmsg::<()>(
                tcp.as_raw_fd(),
                &mut slices,
                Some(control),
                MsgFlags::empty(),
            )?;
            let stamp = received.cmsgs().ok().and_then(|mut all| {
                all.find_map(|control| match control {
                    ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp),
                    _ => None,
                })
            });
            let count = received.bytes;
            // The clocks are read in this order: what lies between them makes the
            // bytes younger, and no answer early.
            let came = stamp.map(|stamp| UNIX_EPOCH + Duration::from(stamp));
            let age = came.and_then(|came| SystemTime::now().duration_since(came).ok());
            buffer.put_slice(&bytes[..count]);
            Ok((count, age.unwrap_or_default()))
        })
    }
}
