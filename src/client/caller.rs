//! A caller: a worker's client, with the handling of each request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::handling::{Handling, Next, Tries};
use super::{AsyncClient, BlockingClient};
use crate::outcome::{Call, Failure, FailureKind, Response};
use crate::request::Request;

/// Client of a worker, with the handling of each request.
pub struct Caller<C> {
    client: C,
    handling: Arc<Handling>,
    timeout: Duration,
}

/// A caller over any blocking client.
pub type BlockingCaller = Caller<Box<dyn BlockingClient>>;

impl<C> Caller<C> {
    /// A caller over a client, with a time limit per attempt.
    pub fn new(client: C, handling: Arc<Handling>, timeout: Duration) -> Self {
        Self {
            client,
            handling,
            timeout,
        }
    }
}

impl<C: BlockingClient> Caller<C> {
    /// Makes a request with its retries, and works on the response.
    pub fn call(&mut self, request: &Request) -> Call {
        let Self {
            client,
            handling,
            timeout,
        } = self;
        let mut tries = Tries::new(&handling.retry);
        let (mut result, tried) = loop {
            let begun = tries.begin();
            let result = in_time(request).and_then(|()| client.send(request));
            let result = result.and_then(|answer| punctual(request, begun, *timeout, answer));
            match tries.next(request, result) {
                Next::After(wait) => std::thread::sleep(wait),
                Next::Done(result, tried) => break (judged(request, result), tried),
            }
        };
        if let Ok(response) = &result
            && let Err(failure) = handling.digest(request.index, response)
        {
            result = Err(failure);
        }
        Call {
            tried,
            ..result.into()
        }
    }
}

impl<C: AsyncClient> Caller<C> {
    /// Does the same as [`call`](Self::call), for a task.
    pub async fn call_async(&mut self, request: &Request) -> Call {
        let Self {
            client,
            handling,
            timeout,
        } = self;
        let mut tries = Tries::new(&handling.retry);
        let (mut result, tried) = loop {
            let begun = tries.begin();
            let result = match in_time(request) {
                Ok(()) => client.send(request).await,
                Err(late) => Err(late),
            };
            let result = result.and_then(|answer| punctual(request, begun, *timeout, answer));
            match tries.next(request, result) {
                Next::After(wait) => client.sleep(wait).await,
                Next::Done(result, tried) => break (judged(request, result), tried),
            }
        };
        if let Ok(response) = &result {
            let digested = if handling.waits() {
                let (handling, index) = (Arc::clone(handling), request.index);
                let response = response.clone();
                let digest = move || handling.digest(index, &response);
                client.unblock(digest).await
            } else {
                handling.digest(request.index, response)
            };
            if let Err(failure) = digested {
                result = Err(failure);
            }
        }
        Call {
            tried,
            ..result.into()
        }
    }
}

/// Whether an attempt may still begin.
fn in_time(request: &Request) -> Result<(), Failure> {
    if request.is_expired() {
        Err(Failure::deadline())
    } else {
        Ok(())
    }
}

/// An answer, if it came within its time. Clients keep the limit each in its own
/// way, those on sockets' timeouts only to the system's next tick: whether an
/// answer still counts is decided here, for all of them alike.
fn punctual(
    request: &Request,
    begun: Instant,
    timeout: Duration,
    answer: Response,
) -> Result<Response, Failure> {
    let now = Instant::now();
    if request.expires.is_some_and(|expires| expires < now) {
        Err(Failure::deadline())
    } else if now - begun > timeout {
        Err(Failure::timeout(timeout))
    } else {
        Ok(answer)
    }
}

/// An attempt that the deadline cut short did not take too long by itself.
fn judged(request: &Request, result: Result<Response, Failure>) -> Result<Response, Failure> {
    result.map_err(|failure| match failure.kind {
        FailureKind::Timeout if request.is_expired() => Failure::deadline(),
        _ => failure,
    })
}
