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
        let mut threads: Vec<_> = distinct(&request.runtime_threads);
        if !entry.chooses_runtime_threads {
            threads.clear();
        }
        let threads: Vec<Option<usize>> = match threads.is_empty() {
            true => vec![None],
            false => threads.into_iter().map(Some).collect(),
        };
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
                    all.extend(threads.iter().copied().map(|runtime_threads| Self {
                        client,
                        dispatch,
                        reuse,
                        runtime_threads,
                    }));
                }
            }
        }
        all
    }

    /// The worker counts to measure it at.
    pub(super) fn workers(self, asked: &[usize], requests: usize) -> Vec<usize> {
        match self.dispatch {
            Dispatch::Queue | Dispatch::Chunked => asked.to_vec(),
            Dispatch::Unbounded => vec![requests],
        }
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
