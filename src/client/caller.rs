//! A caller: a worker's client, and what is done around each of its requests.

use std::sync::Arc;

use super::handling::{Handling, Next, Tries};
use super::{AsyncClient, BlockingClient};
use crate::outcome::{Call, Failure, FailureKind, Response};
use crate::request::Request;

/// What a worker makes its requests with.
pub struct Caller<C> {
    client: C,
    handling: Arc<Handling>,
}

/// A caller over whichever blocking client.
pub type BlockingCaller = Caller<Box<dyn BlockingClient>>;

impl<C> Caller<C> {
    /// A caller over a client.
    pub fn new(client: C, handling: Arc<Handling>) -> Self {
        Self { client, handling }
    }
}

impl<C: BlockingClient> Caller<C> {
    /// Makes a request, with as many attempts as it may have, and works on its
    /// answer.
    pub fn call(&mut self, request: &Request) -> Call {
        let Self { client, handling } = self;
        let mut call = if handling.retry.retries == 0 {
            Call::from(in_time(request).and_then(|()| client.send(request)))
        } else {
            let mut tries = Tries::new(&handling.retry);
            loop {
                tries.begin();
                let result = in_time(request).and_then(|()| client.send(request));
                match tries.next(request, result) {
                    Next::After(wait) => std::thread::sleep(wait),
                    Next::Done(result, tried) => {
                        break Call {
                            tried,
                            ..result.into()
                        };
                    }
                }
            }
        };
        call.result = judged(request, call.result).and_then(|response| {
            let digested = handling.digest(request.index, &response);
            digested.map(|()| response)
        });
        call
    }
}

impl<C: AsyncClient> Caller<C> {
    /// As [`call`](Self::call), for a task.
    pub async fn call_async(&mut self, request: &Request) -> Call {
        let Self { client, handling } = self;
        let mut tried = Vec::new();
        let mut result = if handling.retry.retries == 0 {
            attempt(client, request).await
        } else {
            let mut tries = Tries::new(&handling.retry);
            loop {
                tries.begin();
                let result = attempt(client, request).await;
                match tries.next(request, result) {
                    Next::After(wait) => client.sleep(wait).await,
                    Next::Done(result, before) => {
                        tried = before;
                        break result;
                    }
                }
            }
        };
        result = judged(request, result);
        if let Ok(response) = result {
            let digested = if handling.waits() {
                let (handling, index) = (Arc::clone(handling), request.index);
                let response = response.clone();
                let digest = move || handling.digest(index, &response);
                client.unblock(digest).await
            } else {
                handling.digest(request.index, &response)
            };
            result = digested.map(|()| response);
        }
        Call {
            tried,
            ..result.into()
        }
    }
}

async fn attempt<C: AsyncClient>(client: &mut C, request: &Request) -> Result<Response, Failure> {
    in_time(request)?;
    client.send(request).await
}

/// Whether an attempt may still begin.
fn in_time(request: &Request) -> Result<(), Failure> {
    if request.is_expired() {
        Err(Failure::deadline())
    } else {
        Ok(())
    }
}

/// An attempt that the deadline cut short did not take too long by itself.
fn judged(request: &Request, result: Result<Response, Failure>) -> Result<Response, Failure> {
    result.map_err(|failure| match failure.kind {
        FailureKind::Timeout if request.is_expired() => Failure::deadline(),
        _ => failure,
    })
}
