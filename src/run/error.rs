//! Errors of a run as a whole.

use crate::client::Client;
use crate::request::EndpointError;
use crate::strategy::{StrategyError, UnknownName};
use crate::workload::TemplateError;

/// Reason why a batch could not be run to its end.
///
/// A request that fails is no error of the run: it is an
/// [`Outcome`](crate::outcome::Outcome) with a failure in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// No bundled strategy has this name.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// The strategy cannot use the client.
    #[error("strategy {strategy} cannot use client {client}; it goes with {}", .goes_with.join(", "))]
    Client {
        /// Name of the strategy.
        strategy: &'static str,
        /// The client that was chosen.
        client: Client,
        /// Names of the clients that it goes with.
        goes_with: Vec<&'static str>,
    },
    /// The number of workers is 0.
    #[error("a batch needs at least 1 worker; 0 were chosen")]
    NoWorkers,
    /// The client makes HTTP requests, and no URL says where to.
    #[error("no URL to send requests to; name one with `against`")]
    NoUrl,
    /// The URL is none that can be connected to.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The URL has a placeholder that cannot be filled.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The strategy starts worker processes, and no program says which.
    #[error(
        "strategy {0} starts worker processes; name the program with `worker_program`: \
         fanout, or one whose main calls `fanout::cli::main`"
    )]
    NoWorkerProgram(&'static str),
    /// The strategy could not be built, or could not go on.
    #[error(transparent)]
    Strategy(#[from] StrategyError),
    /// The strategy returned before every request had an outcome.
    #[error("the strategy lost {lost} of {requests} requests")]
    Lost {
        /// Requests without an outcome.
        lost: usize,
        /// Requests in the batch.
        requests: usize,
    },
    /// The strategy delivered an outcome twice, or for no request of the batch.
    #[error("the strategy delivered request {0} twice, or it is none of the batch's")]
    Stray(usize),
}
