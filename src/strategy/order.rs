//! Outcomes in the order of their requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Sink;
use crate::outcome::Outcome;

/// Items in the order of their numbers, from 0: one that comes early waits here
/// until those before it have come.
pub(crate) struct Turns<T>(Mutex<Waiting<T>>);

struct Waiting<T> {
    /// The number whose turn is next.
    next: usize,
    early: BTreeMap<usize, T>,
}

impl<T> Default for Turns<T> {
    fn default() -> Self {
        Self(Mutex::new(Waiting {
            next: 0,
            early: BTreeMap::new(),
        }))
    }
}

impl<T> Turns<T> {
    /// Takes an item, and hands on those whose turn has come, one at a time. A
    /// second one of its number is handed on at once.
    pub(crate) fn take(&self, number: usize, item: T, mut hand_on: impl FnMut(T)) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if number < waiting.next || waiting.early.contains_key(&number) {
            hand_on(item);
            return;
        }
        waiting.early.insert(number, item);
        while let Some(item) = {
            let next = waiting.next;
            waiting.early.remove(&next)
        } {
            waiting.next += 1;
            hand_on(item);
        }
    }
}

/// Hands outcomes on in the order of their requests, from 0: one that comes
/// early waits here, with its body, until those before it have come. The other
/// sink is given one at a time, so what it does holds up whoever comes next.
///
/// One request that hangs holds up all that come after it, so the memory that
/// this takes has no bound but the batch.
pub struct InOrder {
    inner: Arc<dyn Sink>,
    turns: Turns<Outcome>,
}

impl InOrder {
    /// Hands on to another sink.
    pub fn new(inner: Arc<dyn Sink>) -> Self {
        Self {
            inner,
            turns: Turns::default(),
        }
    }
}

impl Sink for InOrder {
    fn accept(&self, outcome: Outcome) {
        // A second one is for the inner sink to complain of.
        let hand_on = |outcome| self.inner.accept(outcome);
        self.turns.take(outcome.index, outcome, hand_on);
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
            checked: false,
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
