//! `tokio`: a task per worker on tokio's multi-threaded runtime, with as many
//! threads as there are cores, which is what `#[tokio::main]` gives.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{AsyncPool, Entry, Runtime, Setup, Strategy, StrategyError};
use crate::client::{Client, Network, ReqwestClient};

/// The catalogue's line.
pub(super) const ENTRY: Entry = Entry {
    name: "tokio",
    summary: "a task per worker on tokio's multi-threaded runtime",
    good_for: "many workers for little memory; code that is asynchronous already",
    clients: &[Client::HYPER, Client::REQWEST],
    max_workers: None,
    build,
};

struct Tokio(tokio::runtime::Runtime);

fn build(setup: &Setup) -> Result<Box<dyn Strategy>, StrategyError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| StrategyError::Runtime {
            what: "tokio runtime",
            detail: error.to_string(),
        })?;
    if setup.client == Client::REQWEST {
        return AsyncPool::<_, ReqwestClient>::build(Tokio(runtime), setup);
    }
    AsyncPool::<_>::build(Tokio(runtime), setup)
}

impl Network for Tokio {
    type Stream = TokioIo<TcpStream>;

    async fn connect(address: SocketAddr) -> io::Result<Self::Stream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(TokioIo::new(stream))
    }

    async fn timeout<F>(limit: Duration, future: F) -> Option<F::Output>
    where
        F: Future + Send,
        F::Output: Send,
    {
        tokio::time::timeout(limit, future).await.ok()
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
        let task = self.0.spawn(future);
        async {
            task.await
                .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
        }
    }
}
