//! A server that does to each request what a test tells it to, byte by byte.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// What a connection does after a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Keep,
    Close,
}

/// A server on a free port; it stops when this is dropped.
pub struct Scripted {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// What a script has at hand: the connection, and a way to hang.
pub struct Exchange<'a> {
    /// Path and query of the request.
    pub target: &'a str,
    /// Requests that came before it, over all connections.
    pub earlier: usize,
    /// Requests that came before it on this connection.
    pub earlier_here: usize,
    pub stream: &'a mut TcpStream,
    shared: &'a Shared,
}

#[derive(Default)]
struct Shared {
    stopped: AtomicBool,
    requests: std::sync::atomic::AtomicUsize,
    hanging: Mutex<bool>,
    released: Condvar,
}

impl Exchange<'_> {
    /// Answers as HTTP has it.
    pub fn answer(&mut self, status: u16, body: &[u8]) -> Then {
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.raw(&[head.as_bytes(), body].concat())
    }

    /// Sends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> Then {
        match self.stream.write_all(bytes) {
            Ok(()) => Then::Keep,
            Err(_) => Then::Close,
        }
    }

    /// Says nothing until the server is dropped.
    pub fn hang(&self) -> Then {
        let mut released = self.shared.hanging.lock().unwrap();
        while !*released {
            released = self.shared.released.wait(released).unwrap();
        }
        Then::Close
    }
}

impl Scripted {
    /// Starts a server with a script for its requests.
    pub fn start(script: impl Fn(&mut Exchange<'_>) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let script = Arc::new(script);
        let acceptor = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for stream in listener.incoming() {
                    if shared.stopped.load(Ordering::SeqCst) {
                        return;
                    }
                    let (script, shared) = (Arc::clone(&script), Arc::clone(&shared));
                    let stream = stream.unwrap();
                    std::thread::spawn(move || serve(stream, &shared, script.as_ref()));
                }
            }
        });
        Self {
            address,
            shared,
            acceptor: Some(acceptor),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn serve(stream: TcpStream, shared: &Shared, script: &dyn Fn(&mut Exchange<'_>) -> Then) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    let mut earlier_here = 0;
    while let Some(target) = read_head(&mut reader) {
        let mut exchange = Exchange {
            target: &target,
            earlier: shared.requests.fetch_add(1, Ordering::SeqCst),
            earlier_here,
            stream: &mut stream,
            shared,
        };
        earlier_here += 1;
        if script(&mut exchange) == Then::Close {
            return;
        }
    }
}

/// The target of the next request; `None` at the end of the connection.
fn read_head(reader: &mut impl BufRead) -> Option<String> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 2 {
        line.clear();
    }
    first.split(' ').nth(1).map(str::to_owned)
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        *self.shared.hanging.lock().unwrap() = true;
        self.shared.released.notify_all();
        // One last connection, for the acceptor to see that it is over.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}
