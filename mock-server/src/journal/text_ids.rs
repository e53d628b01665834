//! Counters by ids that are not small whole numbers: maps with a budget, split
//! so that two threads rarely want the same lock.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Counts, Route};

const SHARDS: usize = 16;

/// The memory that one shard may spend on ids: 16 shards hold 32 MiB in all.
const SHARD_BUDGET: usize = 2 << 20;

/// What an entry costs beside the bytes of its id: key, counters and table.
const ENTRY_COST: usize = 80;

pub(super) type Key = (Route, Box<str>);

#[derive(Default)]
struct Shard {
    counts: HashMap<Key, Counts>,
    spent: usize,
}

/// The counters of text ids.
pub(super) struct TextIds {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

impl Default for TextIds {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
        }
    }
}

impl TextIds {
    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        let at = self.hasher.hash_one(key) as usize % SHARDS;
        // Counters are whole after any panic: each change is one addition.
        self.shards[at]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an arrival and says how many there were before; `None` when the
    /// budget is spent and the id is a new one.
    pub(super) fn arrive(&self, key: &Key) -> Option<u64> {
        let mut shard = self.shard(key);
        if let Some(counts) = shard.counts.get_mut(key) {
            counts.arrived += 1;
            return Some(counts.arrived - 1);
        }
        let cost = ENTRY_COST + key.1.len();
        if shard.spent + cost > SHARD_BUDGET {
            return None;
        }
        shard.spent += cost;
        let counts = Counts {
            arrived: 1,
            ..Counts::default()
        };
        shard.counts.insert(key.clone(), counts);
        Some(0)
    }

    /// Changes the counters of an id that arrived.
    pub(super) fn count(&self, key: &Key, change: impl FnOnce(&mut Counts)) {
        if let Some(counts) = self.shard(key).counts.get_mut(key) {
            change(counts);
        }
    }

    /// Every text id of a route with its counts, sorted by id.
    pub(super) fn sorted(&self, route: Route) -> Vec<(Box<str>, Counts)> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let here = shard.counts.iter().filter(|((of, _), _)| *of == route);
            all.extend(here.map(|((_, id), counts)| (id.clone(), *counts)));
        }
        all.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spent_budget_refuses_new_ids_and_keeps_counting_known_ones() {
        let odd = TextIds::default();
        let long = "x".repeat(1000);
        let key = |n: usize| (Route::Products, format!("{long}{n}").into_boxed_str());
        let taken = (0..100_000)
            .filter(|&n| odd.arrive(&key(n)).is_some())
            .count();
        let room = SHARDS * SHARD_BUDGET / (ENTRY_COST + 1000);
        assert!(taken > room * 9 / 10 && taken <= room, "{taken} of {room}");
        assert_eq!(odd.arrive(&key(0)), Some(1));
        assert_eq!(odd.sorted(Route::Products).len(), taken);
        assert!(odd.sorted(Route::Materials).is_empty());
    }
}
