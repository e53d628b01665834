//! Base of the asynchronous strategies: a task per worker, each with a
//! client of its own, all claiming from the batch.
//!
//! A runtime is a [`Network`] that can also spawn and block; the rest is the
//! same code on each, so that runtimes compare fairly.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::join_all;

use super::{Batch, Built, Setup, Strategy, StrategyError};
use crate::client::{
    AsyncClient, Caller, Client, HyperClient, LocalClient, Network, Spawner, StockHyperClient,
};

/// An asynchronous runtime.
pub trait Runtime: Network {
    /// Runs a future to its end; the calling thread waits for it.
    fn block_on<F: Future>(&self, future: F) -> F::Output;

    /// Starts a task; the future that it returns waits for it, and panics
    /// where the task did.
    fn spawn<F>(&self, future: F) -> impl Future<Output = F::Output> + Send
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    /// Starter of tasks that nobody waits for.
    fn spawner(&self) -> Spawner;

    /// The threads that it has for tasks, 1 where the calling thread runs them;
    /// `None` where it does not tell.
    fn threads(&self) -> Option<usize> {
        None
    }
}

/// A strategy of one task per worker on a runtime.
pub struct AsyncPool<R: Runtime, C: AsyncClient = HyperClient<R>> {
    /// One a worker, between batches. Dropped before the runtime that drives
    /// their connections.
    callers: Vec<Caller<C>>,
    runtime: R,
}

/// Builds a pool on a runtime with whichever of [`Client::ASYNC`] the setup
/// names.
///
/// # Errors
/// Where the setup names another client, or it cannot be built.
pub fn async_pool<R: Runtime>(runtime: R, setup: &Setup) -> Built {
    if setup.client == Client::LOCAL {
        return AsyncPool::<R, LocalClient<R>>::build(runtime, setup);
    }
    if setup.client == Client::HYPER_STOCK {
        return AsyncPool::<R, StockHyperClient<R>>::build(runtime, setup);
    }
    AsyncPool::<R>::build(runtime, setup)
}

impl<R: Runtime, C: AsyncClient> AsyncPool<R, C> {
    /// Builds a pool on a runtime, a client a worker.
    ///
    /// # Errors
    /// Where the setup names another client, or it cannot be built.
    pub fn build(runtime: R, setup: &Setup) -> Built {
        if setup.client != C::CLIENT {
            return Err(StrategyError::Client(setup.client));
        }
        let clients = runtime
            .block_on(C::connect(&setup.target, setup.workers, &runtime.spawner()))
            .map_err(|error| setup.no_client(&error))?;
        let timeout = setup.target.timeout;
        let with_handling = |client| Caller::new(client, Arc::clone(&setup.handling), timeout);
        Ok(Box::new(Self {
            callers: clients.into_iter().map(with_handling).collect(),
            runtime,
        }))
    }
}

/// A worker: request after request over its own connection.
async fn work<C: AsyncClient>(
    batch: Arc<Batch>,
    worker: usize,
    mut caller: Caller<C>,
) -> Caller<C> {
    batch.work_async(worker, &mut caller).await;
    caller
}

impl<R: Runtime, C: AsyncClient> Strategy for AsyncPool<R, C> {
    fn run(&mut self, batch: &Arc<Batch>) -> Result<(), StrategyError> {
        let Self { callers, runtime } = self;
        let idle = std::mem::take(callers);
        *callers = runtime.block_on(async {
            // All of them are started before the first is waited for.
            let tasks: Vec<_> = idle
                .into_iter()
                .enumerate()
                .map(|(worker, caller)| runtime.spawn(work(Arc::clone(batch), worker, caller)))
                .collect();
            join_all(tasks).await
        });
        Ok(())
    }

    fn runtime_threads(&self) -> Option<usize> {
        self.runtime.threads()
    }
}
