//! The client local for tasks of a runtime.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::time::Duration;

use super::super::{AsyncClient, Network, Spawner, Target};
use super::{CLIENT, Client, answer};
use crate::outcome::{Failure, Response};
use crate::request::Request;

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
