//! What can be varied of a cell beside its strategy and its workers.

use super::{Sweep, distinct};
use crate::client::{Client, Reuse};
use crate::strategy::{Dispatch, Entry};

/// All of a cell but its strategy and workers.
#[derive(Clone, Copy)]
pub(super) struct Variant {
    pub(super) client: Client,
    pub(super) dispatch: Dispatch,
    pub(super) reuse: Reuse,
    pub(super) runtime_threads: Option<usize>,
    pub(super) processes: Option<usize>,
}

impl Variant {
    /// Every combination that means something to a strategy.
    pub(super) fn all(entry: &Entry, clients: &[Client], request: &Sweep) -> Vec<Self> {
        let mut dispatches = distinct(&request.dispatches);
        if entry.max_workers == Some(1) {
            // One after the other is one after the other, in whichever chunks.
            dispatches.clear();
        }
        let dispatches = or_usual(dispatches);
        let reuses = or_usual(distinct(&request.reuses));
        let threads = chosen(entry.chooses_runtime_threads, &request.runtime_threads);
        let processes = chosen(entry.chooses_processes, &request.processes);
        let mut all = Vec::new();
        for client in clients.iter().copied() {
            // Without connections there is nothing to keep.
            let reuses = if client.is_http() {
                &reuses[..]
            } else {
                &[Reuse::Session]
            };
            for dispatch in dispatches.iter().copied() {
                for reuse in reuses.iter().copied() {
                    for runtime_threads in threads.iter().copied() {
                        all.extend(processes.iter().copied().map(|processes| Self {
                            client,
                            dispatch,
                            reuse,
                            runtime_threads,
                            processes,
                        }));
                    }
                }
            }
        }
        all
    }

    /// Whether another number of processes that is asked for comes to the same:
    /// there are no more processes than workers.
    pub(super) fn is_doubled(self, workers: usize, request: &Sweep) -> bool {
        self.processes.is_some_and(|processes| {
            let mut others = request.processes.iter();
            others.any(|other| (workers..processes).contains(other))
        })
    }

    /// The worker counts to measure it at.
    pub(super) fn workers(self, asked: &[usize], requests: usize) -> Vec<usize> {
        match self.dispatch {
            Dispatch::Queue | Dispatch::Chunked => asked.to_vec(),
            Dispatch::Unbounded => vec![requests],
        }
    }
}

/// The values that an entry may choose among; that none was chosen where it may
/// not, or where there are none.
fn chosen(chooses: bool, values: &[usize]) -> Vec<Option<usize>> {
    match chooses && !values.is_empty() {
        true => distinct(values).into_iter().map(Some).collect(),
        false => vec![None],
    }
}

/// The values, or the usual one where there are none.
fn or_usual<T: Default>(values: Vec<T>) -> Vec<T> {
    if values.is_empty() {
        vec![T::default()]
    } else {
        values
    }
}
