//! local: no HTTP at all. The answer is the square of the request's place in
//! the batch, computed by whoever asks, so that a batch can be CPU work alone.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::{AsyncClient, BlockingClient, Client, Connections, Network, Spawner, Target};
use crate::outcome::{Failure, Response};
use crate::request::Request;

/// The list's line.
pub(super) const CLIENT: Client = Client {
    name: "local",
    summary: "no HTTP: each answer is computed where it is asked for (workload squares)",
    connections: Connections::None,
    counts_bytes: true,
    stock: None,
    blocking: Some(|_, _| Ok(Arc::new(|| Box::new(Local)))),
};

fn answer(request: &Request) -> Response {
    let number = request.index as u128;
    Response::new(200, (number * number).to_string())
}

struct Local;

impl BlockingClient for Local {
    fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        Ok(answer(request))
    }
}

/// The same for tasks of a runtime.
pub struct LocalClient<N>(PhantomData<fn() -> N>);

impl<N: Network> AsyncClient for LocalClient<N> {
    const CLIENT: Client = CLIENT;

    async fn connect(_: &Target, workers: usize, _: &Spawner) -> io::Result<Vec<Self>> {
        Ok((0..workers).map(|_| Self(PhantomData)).collect())
    }

    async fn send(&mut self, request: &Request) -> Result<Response, Failure> {
        Ok(answer(request))
    }

    fn sleep(&self, wait: Duration) -> impl Future<Output = ()> + Send {
        N::sleep(wait)
    }

    fn unblock<T, W>(&self, work: W) -> impl Future<Output = T> + Send
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        N::unblock(work)
    }
}
