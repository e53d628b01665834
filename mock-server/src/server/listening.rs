//! Binding the listener, with a backlog that a burst of clients fits in.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that may wait to be accepted. The kernel caps it at
/// `net.core.somaxconn`, 4,096 by default.
const BACKLOG: i32 = 16_384;

/// Binds and listens on `addr`; port 0 takes a free one.
///
/// # Errors
/// An error that names the address and the way out, when the port is in use,
/// needs more rights, or the address is not one of this machine.
pub fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    bind(addr).map_err(|error| {
        let way_out = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "; stop the program that uses it, or choose another --port (0 takes a free one)"
            }
            io::ErrorKind::PermissionDenied => {
                "; ports below 1024 need rights, choose another --port"
            }
            io::ErrorKind::AddrNotAvailable => {
                "; --host must be an address of this machine, as 127.0.0.1 or 0.0.0.0"
            }
            _ => "",
        };
        io::Error::new(
            error.kind(),
            format!("cannot listen on {addr}: {error}{way_out}"),
        )
    })
}

fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted server must not wait a minute for the connections of the one
    // before. On Windows the option would let two servers share a port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
