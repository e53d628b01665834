//! `smol`: a task per worker on a smol executor, with as many threads as there
//! are cores unless another number is asked for.
//!
//! smol's own global executor has one thread unless the environment says
//! otherwise, which would compare thread counts, not runtimes. So the executor
//! is the strategy's own, and its threads end with it.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{JoinHandle, available_parallelism};
use std::time::Duration;

use smol::channel::{Receiver, Sender, bounded};
use smol::net::TcpStream;
use smol::{Executor, Timer};
use smol_hyper::rt::FuturesIo;

use super::{Built, Entry, Runtime, Setup, StrategyError, async_pool};
use crate::client::{Client, Counted, Network, Spawner, Target};

/// The catalogue's line.
pub(super) const ENTRY: Entry = Entry::new("smol", build)
    .summary("a task per worker on a smol executor, a thread per core")
    .good_for("a small runtime; the successor of async-std")
    .clients(Client::ASYNC)
    .chooses_runtime_threads();

struct Smol {
    executor: Arc<Executor<'static>>,
    /// Closed to end the threads; nothing is ever sent.
    running: Sender<()>,
    threads: Vec<JoinHandle<()>>,
}

fn build(setup: &Setup) -> Built {
    async_pool(Smol::start(setup.runtime_threads)?, setup)
}

impl Smol {
    fn start(threads: Option<usize>) -> Result<Self, StrategyError> {
        let (running, ended) = bounded(1);
        let mut smol = Self {
            executor: Arc::default(),
            running,
            threads: Vec::new(),
        };
        let cores = || available_parallelism().map_or(1, usize::from);
        let wanted = threads.unwrap_or_else(cores);
        for started in 0..wanted {
            let (executor, ended) = (Arc::clone(&smol.executor), ended.clone());
            let thread = std::thread::Builder::new()
                .name(format!("smol-{started}"))
                .spawn(move || drive(&executor, &ended))
                .map_err(|source| StrategyError::Thread {
                    started,
                    wanted,
                    source,
                })?;
            smol.threads.push(thread);
        }
        Ok(smol)
    }
}

/// A thread's life: tasks, until there is nobody who could start one.
fn drive(executor: &Executor<'_>, ended: &Receiver<()>) {
    // Closed is how it ends; there is no message to miss.
    let _ = smol::block_on(executor.run(ended.recv()));
}

impl Drop for Smol {
    fn drop(&mut self) {
        self.running.close();
        for thread in self.threads.drain(..) {
            // A task's panic goes to whoever waits for the task.
            let _ = thread.join();
        }
    }
}

impl Network for Smol {
    type Stream = FuturesIo<Counted<TcpStream>>;

    async fn connect(address: SocketAddr, target: &Target) -> io::Result<Self::Stream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(FuturesIo::new(Counted::new(stream, target)))
    }

    async fn sleep(wait: Duration) {
        Timer::after(wait).await;
    }

    fn unblock<T, W>(work: W) -> impl Future<Output = T> + Send
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        smol::unblock(work)
    }
}

impl Runtime for Smol {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        if self.threads.is_empty() {
            return smol::block_on(self.executor.run(future));
        }
        smol::block_on(future)
    }

    fn spawn<F>(&self, future: F) -> impl Future<Output = F::Output> + Send
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.executor.spawn(future)
    }

    fn spawner(&self) -> Spawner {
        let executor = Arc::clone(&self.executor);
        Arc::new(move |task| executor.spawn(task).detach())
    }

    fn threads(&self) -> Option<usize> {
        Some(self.threads.len().max(1))
    }
}
