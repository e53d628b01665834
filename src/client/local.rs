//! local: no HTTP at all. The answer is the square of the request's place in
//! the batch, computed by whoever asks, so that a batch can be CPU work alone.

#[cfg(feature = "async")]
mod tasks;

use std::sync::Arc;

use super::{BlockingClient, Client, Connections};
use crate::outcome::{Failure, Response};
use crate::request::Request;

#[cfg(feature = "async")]
pub use self::tasks::LocalClient;

/// The list's line.
pub(super) const CLIENT: Client = Client {
    name: "local",
    summary: "no HTTP: each response is computed by the worker (workload squares)",
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
