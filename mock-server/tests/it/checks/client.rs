//! A client that sends any bytes and says how the server took them.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Longer than any time that the server allows a client.
const PATIENCE: Duration = Duration::from_secs(25);

/// An answer beyond this is not read to its end: files can have 256 MiB.
const ENOUGH: u64 = 256 * 1024;

/// Sends bytes on a connection of their own, and returns what came back until the
/// server closed it. The client says all it will at once, and then listens.
pub(crate) fn exchange(addr: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(addr).expect("a server that runs accepts");
    for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
        set(&stream, Some(PATIENCE)).expect("a timeout above 0 can be set");
    }
    // A server that has refused the beginning need not read the rest.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    if let Err(error) = stream.take(ENOUGH).read_to_end(&mut answer) {
        assert!(
            !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            "the server neither answers nor closes"
        );
    }
    answer
}

/// `GET target`, whole.
pub(crate) fn get(addr: SocketAddr, target: &str) -> Vec<u8> {
    let head = format!("GET {target} HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n\r\n");
    exchange(addr, head.as_bytes())
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// How many threads of a server have panicked in this process since the first
/// call. A runtime catches a panic, so that a client only sees a connection end.
pub(crate) fn panics() -> usize {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let thread = std::thread::current();
            if thread.name().is_some_and(|name| name.starts_with("mock-")) {
                PANICS.fetch_add(1, Ordering::Relaxed);
            }
            before(info);
        }));
    });
    PANICS.load(Ordering::Relaxed)
}
