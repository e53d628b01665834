//! Outcomes in the order of their requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Sink;
use crate::outcome::Outcome;

/// Hands outcomes on in the order of their requests, from 0: one that comes
/// early waits here, with its body, until those before it have come.
///
/// One request that hangs holds up all that come after it, so the memory that
/// this takes has no bound but the batch.
pub struct InOrder {
    inner: Arc<dyn Sink>,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// The request that is handed on next.
    next: usize,
    early: BTreeMap<usize, Outcome>,
}

impl InOrder {
    /// Hands on to another sink.
    pub fn new(inner: Arc<dyn Sink>) -> Self {
        Self {
            inner,
            waiting: Mutex::default(),
        }
    }
}

impl Sink for InOrder {
    fn accept(&self, outcome: Outcome) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if outcome.index < waiting.next || waiting.early.contains_key(&outcome.index) {
            // A second one is for the inner sink to complain of.
            self.inner.accept(outcome);
            return;
        }
        waiting.early.insert(outcome.index, outcome);
        while let Some(outcome) = {
            let next = waiting.next;
            waiting.early.remove(&next)
        } {
            waiting.next += 1;
            self.inner.accept(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::outcome::{Doer, Response};

    #[derive(Default)]
    struct Seen(Mutex<Vec<usize>>);

    impl Sink for Seen {
        fn accept(&self, outcome: Outcome) {
            self.0.lock().unwrap().push(outcome.index);
        }
    }

    fn outcome(index: usize) -> Outcome {
        Outcome {
            index,
            worker: 0,
            started: Duration::ZERO,
            finished: Duration::ZERO,
            result: Ok(Response::new(200, "")),
            tried: Vec::new(),
            doer: Doer::here(),
        }
    }

    proptest! {
        #[test]
        fn any_order_becomes_that_of_the_requests(
            order in (1_usize..50).prop_flat_map(|n| Just((0..n).collect::<Vec<_>>()).prop_shuffle()),
        ) {
            let seen = Arc::new(Seen::default());
            let ordered = InOrder::new(Arc::clone(&seen) as Arc<_>);
            for index in &order {
                ordered.accept(outcome(*index));
            }
            let expected: Vec<_> = (0..order.len()).collect();
            prop_assert_eq!(&*seen.0.lock().unwrap(), &expected);
        }
    }

    #[test]
    fn what_comes_twice_is_handed_on_at_once() {
        let seen = Arc::new(Seen::default());
        let ordered = InOrder::new(Arc::clone(&seen) as Arc<_>);
        for index in [0, 0, 2, 2] {
            ordered.accept(outcome(index));
        }
        assert_eq!(*seen.0.lock().unwrap(), [0, 0, 2]);
    }
}
