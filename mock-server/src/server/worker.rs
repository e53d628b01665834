//! A serving thread: a single-threaded runtime with the connections it was
//! dealt.

use std::io;
use std::net::TcpStream;
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::runtime::LocalRuntime;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::http::{self, Common, Worker};

/// A connection that was accepted, with its place under the profile's limit.
pub(super) struct Dealt {
    pub(super) stream: TcpStream,
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

/// The serving threads. Dropping the senders tells them to stop.
pub(super) struct Workers {
    threads: Vec<(mpsc::UnboundedSender<Dealt>, JoinHandle<()>)>,
    timer: &'static str,
}

/// Starts a thread for each of the configuration's.
pub(super) fn spawn_all(common: &Common) -> io::Result<Workers> {
    let mut threads = Vec::new();
    let mut timer = "";
    for number in 0..common.config.thread_count() {
        let (deal, dealt) = mpsc::unbounded_channel();
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let common = common.clone();
        let thread = std::thread::Builder::new()
            .name(format!("mock-serve-{number}"))
            .spawn(move || run(common, number, dealt, &tell))?;
        // What one thread is refused the others are refused too.
        timer = told
            .recv()
            .unwrap_or_else(|_| Err(io::Error::other("a serving thread died at its start")))?;
        threads.push((deal, thread));
    }
    Ok(Workers { threads, timer })
}

/// The body of a serving thread; `tell` hears whether it could start, and by
/// which timer it waits.
fn run(
    common: Common,
    number: usize,
    dealt: mpsc::UnboundedReceiver<Dealt>,
    tell: &std::sync::mpsc::SyncSender<io::Result<&'static str>>,
) {
    // The starter waits for exactly one message.
    let runtime = match LocalRuntime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = tell.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        match Worker::new(common, number) {
            Ok(worker) => {
                let _ = tell.send(Ok(worker.timer().name()));
                work(Rc::new(worker), dealt).await;
            }
            Err(error) => {
                let _ = tell.send(Err(error));
            }
        }
    });
}

impl Workers {
    /// The name of the timer that they wait by.
    pub(super) fn timer(&self) -> &'static str {
        self.timer
    }

    /// Hands a connection to the worker whose turn it is.
    pub(super) fn deal(&self, turn: usize, dealt: Dealt) {
        let (sender, _) = &self.threads[turn % self.threads.len()];
        // A worker only ends after its sender is gone.
        let _ = sender.send(dealt);
    }

    /// Tells all workers to stop and waits until they have.
    pub(super) fn finish(self) {
        let (senders, threads): (Vec<_>, Vec<_>) = self.threads.into_iter().unzip();
        drop(senders);
        for thread in threads {
            if thread.join().is_err() {
                eprintln!("a serving thread panicked; its connections were cut");
            }
        }
    }
}

/// Serves the connections that are dealt, then finishes those that are open.
async fn work(worker: Rc<Worker>, mut dealt: mpsc::UnboundedReceiver<Dealt>) {
    while let Some(Dealt { stream, permit }) = dealt.recv().await {
        worker.clerk().count_connection();
        // A socket that this runtime cannot watch is closed by dropping it.
        if let Ok(stream) = tokio::net::TcpStream::from_std(stream) {
            let worker = Rc::clone(&worker);
            tokio::task::spawn_local(async move {
                let _permit = permit;
                let _open = worker.open().await;
                connection(stream, &worker).await;
            });
        }
    }
    worker.stop();
    let grace = worker.common().config.grace;
    // Connections that outlast the grace end with the runtime, and their
    // requests count as aborted.
    let _ = tokio::time::timeout(grace, worker.all_closed()).await;
}

/// Serves one connection, after the delays that come before its first request.
async fn connection(stream: tokio::net::TcpStream, worker: &Rc<Worker>) {
    let limits = &worker.config().profile.connections;
    let delay = limits.accept_delay;
    if !delay.is_zero() {
        worker.timer().until(Instant::now() + delay).await;
    }
    let mut stream = http::Socket::new(stream);
    if worker.common().stamps {
        // What a request waits for its connection is then the profile's doing.
        let is_held = limits.max.is_some() || !delay.is_zero();
        stream = stream.stamped(is_held.then(Instant::now));
    }
    match &worker.common().tls {
        None => http::serve_plain(stream, Rc::clone(worker)).await,
        Some(tls) => {
            let patience = worker.config().patience.handshake;
            let shaken = tokio::time::timeout(patience, tls.accept(stream)).await;
            // A client that cannot agree has been told so by the alert.
            if let Ok(Ok(stream)) = shaken {
                http::serve_encrypted(stream, Rc::clone(worker)).await;
            }
        }
    }
}
