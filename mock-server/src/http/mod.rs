//! HTTP on one connection, by hyper: version 1 and 2, in the clear or encrypted.
//!
//! hyper reads and writes the messages. What the instrument adds sits on either
//! side of it: an [`Io`](hyper_io::Io) below, which knows when bytes came and
//! when an answer has really left, and a [`Payload`](payload::Payload) above,
//! which can be slow or end early.

mod chunk;
mod connection;
mod exchange;
mod frames;
mod heads;
mod hyper_io;
mod leaving;
mod payload;
mod socket;
mod thread;
mod timing;
pub(crate) mod tls;
mod transport;

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::time::{Duration, Instant};

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use connection::Connection;
use hyper_io::Io;
pub(crate) use socket::{Socket, ask_for_stamps};
pub(crate) use thread::{Common, Worker};
use transport::Transport;

/// Runs what hyper spawns (the streams of HTTP/2) on the thread it is on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalExec;

impl<F> hyper::rt::Executor<F> for LocalExec
where
    F: Future + 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async move {
            future.await;
        });
    }
}

/// The longest request head that is read; hyper refuses a longer one with 431.
const MAX_HEAD: usize = 16 * 1024;

/// Streams that an HTTP/2 client may have open at once: enough for any number of
/// workers on one connection.
const MAX_STREAMS: u32 = 20_000;

/// How long the first four bytes of a connection may take once the first has
/// come, before they are taken for HTTP/1.
const PREFACE_LIMIT: Duration = Duration::from_secs(1);

/// hyper, set up for this server; made once a thread.
pub(crate) struct Builders {
    http1: http1::Builder,
    http2: http2::Builder<LocalExec>,
}

impl Builders {
    pub(crate) fn new() -> Self {
        let mut http1 = http1::Builder::new();
        http1
            // A client that has said all it will is still owed its answer.
            .half_close(true)
            // Head and body are copied into one buffer and leave in one write.
            .writev(false)
            .max_buf_size(MAX_HEAD);
        let mut http2 = http2::Builder::new(LocalExec);
        http2
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(MAX_HEAD as u32);
        Self { http1, http2 }
    }
}

/// Serves a connection in the clear, in the version that its first bytes speak.
pub(crate) async fn serve_plain(stream: Socket, worker: Rc<Worker>) {
    // A connection that fails this early has nobody to be told.
    if let Ok(is_http2) = greets_http2(stream.tcp(), &worker).await {
        serve(stream, worker, is_http2).await;
    }
}

/// Serves an encrypted connection, in the version that the handshake agreed on.
pub(crate) async fn serve_encrypted(stream: TlsStream<Socket>, worker: Rc<Worker>) {
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    serve(stream, worker, is_http2).await;
}

/// Whether a client starts with the preface of HTTP/2 (RFC 9113, section 3.4).
/// The bytes stay where they are: only the first four are looked at, which no
/// other method begins with, and hyper then reads as if nobody had. That is a
/// system call a connection, where a buffer in between would cost every request.
async fn greets_http2(stream: &TcpStream, worker: &Worker) -> io::Result<bool> {
    const PREFACE: &[u8; 4] = b"PRI ";
    let mut start = [0; PREFACE.len()];
    let mut undecided_since = None;
    loop {
        let mut buffer = tokio::io::ReadBuf::new(&mut start);
        let peeked = poll_fn(|cx| match stream.poll_peek(cx, &mut buffer) {
            std::task::Poll::Pending if worker.is_stopping() => {
                std::task::Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            }
            other => other,
        });
        let idle = worker.idle_timeout().unwrap_or(Duration::MAX);
        let count = tokio::time::timeout(idle, peeked).await??;
        let seen = &start[..count];
        if count == 0 || count == PREFACE.len() || !PREFACE.starts_with(seen) {
            return Ok(seen == PREFACE);
        }
        // Less than four bytes have come, and may be a preface yet. They stay
        // readable, so there is nothing to wait for but time; and behind them the
        // end of the connection cannot be seen, so that has a limit.
        if undecided_since.get_or_insert_with(Instant::now).elapsed() >= PREFACE_LIMIT {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Serves one connection to its end. An error of the transport ends it; nobody
/// is left to be told.
async fn serve(stream: impl Transport, worker: Rc<Worker>, is_http2: bool) {
    let line = Rc::new(Connection::new(
        Box::new(stream),
        Rc::clone(&worker),
        is_http2,
    ));
    let wire = TokioIo::new(Io::new(Rc::clone(&line)));
    let service = {
        let (worker, line) = (Rc::clone(&worker), Rc::clone(&line));
        service_fn(move |request| exchange::exchange(&worker, &line, request))
    };
    let builders = worker.builders();
    // HTTP/1 is told with the answer to the last request.
    let is_ending = || worker.is_stopping() || is_http2 && line.is_ending();
    let served = if is_http2 {
        let connection = pin!(builders.http2.serve_connection(wire, service));
        until_ended(connection, is_ending, |connection| {
            connection.graceful_shutdown();
        })
        .await
    } else {
        let connection = pin!(builders.http1.serve_connection(wire, service));
        until_ended(connection, is_ending, |connection| {
            connection.graceful_shutdown();
        })
        .await
    };
    if served.is_err_and(|error| error.is_parse()) {
        worker.clerk().count_unmatched();
    }
}

/// Drives a connection, and tells it once when it is to end.
async fn until_ended<C>(
    mut connection: Pin<&mut C>,
    is_ending: impl Fn() -> bool,
    tell: impl Fn(Pin<&mut C>),
) -> hyper::Result<()>
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut told = false;
    poll_fn(|cx| {
        loop {
            if is_ending() && !told {
                told = true;
                tell(connection.as_mut());
            }
            let polled = connection.as_mut().poll(cx);
            // It may have read its last request just now.
            if polled.is_ready() || told || !is_ending() {
                return polled;
            }
        }
    })
    .await
}
