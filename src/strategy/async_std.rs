//! `async-std`: a task per worker on async-std's global runtime.
//!
//! Its maintainers have discontinued async-std in favour of smol; it is
//! measured, with smol beside it, because much code still runs on it. The
//! runtime is global: its threads start with its first task and end with the
//! process.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_std::net::TcpStream;
use smol_hyper::rt::FuturesIo;

use super::{Built, Discontinued, Entry, Runtime, Setup, async_pool};
use crate::client::{Client, Counted, Network, Spawner, Target};

/// The catalogue's line.
pub(super) const ENTRY: Entry = Entry::new("async-std", build)
    .summary("a task per worker on async-std's global runtime")
    .good_for("comparing existing async-std code with smol")
    .clients(Client::ASYNC)
    .discontinued(Discontinued {
        instead: "smol",
        advisory: "RUSTSEC-2025-0052",
    });

/// The name of its threads, of which the system keeps 15 bytes.
const THREAD_NAME: &str = "async-std/runtime";

struct AsyncStd;

fn build(setup: &Setup) -> Built {
    async_pool(AsyncStd, setup)
}

impl Network for AsyncStd {
    type Stream = FuturesIo<Counted<TcpStream>>;

    async fn connect(address: SocketAddr, target: &Target) -> io::Result<Self::Stream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(FuturesIo::new(Counted::new(stream, target)))
    }

    fn sleep(wait: Duration) -> impl Future<Output = ()> + Send + 'static {
        async_std::task::sleep(wait)
    }

    fn unblock<T, W>(work: W) -> impl Future<Output = T> + Send
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        async_std::task::spawn_blocking(work)
    }
}

impl Runtime for AsyncStd {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        async_std::task::block_on(future)
    }

    fn spawn<F>(&self, future: F) -> impl Future<Output = F::Output> + Send
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        async_std::task::spawn(future)
    }

    fn spawner(&self) -> Spawner {
        Arc::new(|task| drop(async_std::task::spawn(task)))
    }

    /// async-std does not tell, but names its threads.
    fn threads(&self) -> Option<usize> {
        let threads = std::fs::read_dir("/proc/self/task").ok()?;
        let named = threads.flatten().filter(|thread| {
            std::fs::read_to_string(thread.path().join("comm"))
                .is_ok_and(|name| THREAD_NAME.starts_with(name.trim_end()))
        });
        Some(named.count()).filter(|count| *count > 0)
    }
}
