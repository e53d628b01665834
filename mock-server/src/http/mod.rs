//! HTTP on one connection, by hyper: version 1 and 2, in the clear or encrypted.
//!
//! hyper reads and writes the messages. What the instrument adds sits on either
//! side of it: a [`Wire`](wire::Wire) below, which knows when bytes came and
//! when an answer has really left, and a [`Payload`](payload::Payload) above,
//! which can be slow or end early.

mod exchange;
mod line;
mod payload;
mod timing;
pub(crate) mod tls;
mod wire;

use std::pin::pin;
use std::rc::Rc;

use hyper::service::service_fn;
use hyper_util::server::conn::auto;

pub(crate) use wire::Transport;

use crate::server::Worker;
use line::Line;
use wire::Wire;

/// How hyper is set up; made once a thread.
pub(crate) type Builder = auto::Builder<LocalExec>;

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

/// hyper, set up for this server.
pub(crate) fn builder() -> Builder {
    let mut builder = auto::Builder::new(LocalExec);
    builder
        .http1()
        // A client that has said all it will is still owed its answer.
        .half_close(true)
        // Head and body are copied into one buffer and leave in one write.
        .writev(false)
        .max_buf_size(MAX_HEAD)
        .header_read_timeout(None);
    builder
        .http2()
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD as u32);
    builder
}

/// Serves one connection to its end. An error of the transport ends it; nobody
/// is left to be told.
pub(crate) async fn serve<S: Transport>(stream: S, worker: Rc<Worker>) {
    let line = Rc::new(Line::new());
    let wire = Wire::new(stream, Rc::clone(&line), Rc::clone(&worker));
    let service = {
        let worker = Rc::clone(&worker);
        service_fn(move |request| exchange::exchange(Rc::clone(&worker), Rc::clone(&line), request))
    };
    let mut connection = pin!(worker.builder().serve_connection(wire, service));
    let mut told = false;
    let served = std::future::poll_fn(|cx| {
        if worker.is_stopping() && !told {
            told = true;
            connection.as_mut().graceful_shutdown();
        }
        connection.as_mut().poll(cx)
    })
    .await;
    if let Err(error) = served {
        let malformed = error.downcast_ref().is_some_and(hyper::Error::is_parse);
        if malformed {
            worker.clerk().count_unmatched();
        }
    }
}
