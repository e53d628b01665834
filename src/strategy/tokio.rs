//! `tokio`: a task per worker on tokio's multi-threaded runtime, with as many
//! threads as there are cores, which is what `#[tokio::main]` gives, or on as
//! many as are asked for.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Built, Entry, Runtime, Setup, StrategyError, async_pool};
use crate::client::{Client, Counted, Network, Spawner, Target};

/// The catalogue's line.
pub(super) const ENTRY: Entry = Entry::new("tokio", build)
    .summary("a task per worker on a tokio runtime, a thread per core")
    .good_for("many workers for little memory; code that is asynchronous already")
    .clients(&[
        Client::HYPER,
        #[cfg(feature = "reqwest")]
        Client::REQWEST,
        Client::HYPER_STOCK,
        Client::LOCAL,
    ])
    .swept(&[
        Client::HYPER,
        #[cfg(feature = "reqwest")]
        Client::REQWEST,
    ])
    .chooses_runtime_threads();

struct Tokio(tokio::runtime::Runtime);

fn build(setup: &Setup) -> Built {
    let mut builder = match setup.runtime_threads {
        Some(0) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    // Where nothing is said, tokio would ask the environment first.
    let cores = || available_parallelism().map_or(1, usize::from);
    if let threads @ 1.. = setup.runtime_threads.unwrap_or_else(cores) {
        builder.worker_threads(threads);
    }
    let runtime =
        builder
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| StrategyError::Runtime {
                what: "tokio runtime",
                detail: error.to_string(),
            })?;
    #[cfg(feature = "reqwest")]
    if setup.client == Client::REQWEST {
        use crate::client::ReqwestClient;
        return super::AsyncPool::<_, ReqwestClient>::build(Tokio(runtime), setup);
    }
    async_pool(Tokio(runtime), setup)
}

impl Network for Tokio {
    type Stream = TokioIo<Counted<TcpStream>>;

    async fn connect(address: SocketAddr, target: &Target) -> io::Result<Self::Stream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(TokioIo::new(Counted::new(stream, target)))
    }

    fn sleep(wait: Duration) -> impl Future<Output = ()> + Send + 'static {
        tokio::time::sleep(wait)
    }

    async fn unblock<T, W>(work: W) -> T
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        joined(tokio::task::spawn_blocking(work)).await
    }
}

impl Runtime for Tokio {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }

    fn spawn<F>(&self, future: F) -> impl Future<Output = F::Output> + Send
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        joined(self.0.spawn(future))
    }

    fn spawner(&self) -> Spawner {
        let handle = self.0.handle().clone();
        Arc::new(move |task| drop(handle.spawn(task)))
    }

    fn threads(&self) -> Option<usize> {
        Some(self.0.metrics().num_workers())
    }
}

/// Waits for a task, and panics where it did.
async fn joined<T>(task: tokio::task::JoinHandle<T>) -> T {
    task.await
        .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
