//! What a client meant to ask for, held against what arrived: the proof that a
//! batch was served exactly once.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ledger::Id;
use super::{Counts, Route};

/// The ids that a batch asks for, by route: `materials:0-49,products:0-49`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    ranges: BTreeMap<Route, RangeInclusive<u32>>,
}

/// Ids that are listed by name; beyond that they are only counted.
const LISTED: usize = 100;

/// The most ids that a route can expect.
const MOST: u32 = super::numeric_ids::DENSE_IDS;

/// Whether what was expected is what was served.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Proof {
    /// Every expected id completed exactly once, and nothing else arrived.
    pub exactly_once: bool,
    /// Ids that were expected.
    pub expected: u64,
    /// Expected ids that were never completed.
    pub missing: u64,
    /// Expected ids that were completed more than once.
    pub repeated: u64,
    /// Ids that arrived without being expected, on any route, and requests that
    /// were not tracked by id.
    pub extra: u64,
    /// The first hundred of the missing, as `route:id`.
    pub missing_ids: Vec<String>,
    /// The first hundred of the extra, as `route:id`.
    pub extra_ids: Vec<String>,
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut ranges = BTreeMap::new();
        for part in text.split(',') {
            let wrong = || {
                format!(
                    "`{part}` expects nothing that can be checked: write ROUTE:FROM-TO, as in materials:0-49, with ids from 0 to {}",
                    MOST - 1
                )
            };
            let (name, range) = part.split_once(':').ok_or_else(wrong)?;
            let route = Route::ALL.into_iter().find(|route| route.as_str() == name);
            let (from, to) = range.split_once('-').ok_or_else(wrong)?;
            let (Some(route), Ok(from), Ok(to)) = (route, from.parse(), to.parse()) else {
                return Err(wrong());
            };
            if from > to || to >= MOST {
                return Err(wrong());
            }
            if ranges.insert(route, from..=to).is_some() {
                return Err(format!(
                    "`{part}` is the second range of {name}: a route can have one"
                ));
            }
        }
        Ok(Self { ranges })
    }
}

/// An expectation on its way through a journal.
pub(super) struct Check<'e> {
    expectation: &'e Expectation,
    proof: Proof,
    /// The first id of each expected route that has not been passed.
    next: BTreeMap<Route, u32>,
}

impl<'e> Check<'e> {
    pub(super) fn new(expectation: &'e Expectation) -> Self {
        let ranges = &expectation.ranges;
        let sizes = ranges.values().map(|range| range.end() - range.start());
        let proof = Proof {
            expected: sizes.map(|size| u64::from(size) + 1).sum(),
            ..Proof::default()
        };
        let next = ranges.iter().map(|(route, range)| (*route, *range.start()));
        Self {
            expectation,
            proof,
            next: next.collect(),
        }
    }

    /// An id of the journal, in its order.
    pub(super) fn see(&mut self, route: Route, id: Id<'_>, counts: Counts) {
        match id {
            Id::Number(number) if self.expectation.covers(route, number) => {
                let from = self.next.insert(route, number + 1).unwrap_or(number);
                self.proof.miss(route, from..number);
                self.proof.judge(route, number, counts);
            }
            Id::Number(number) => self.proof.surplus(route, &number.to_string()),
            Id::Text(text) => self.proof.surplus(route, text),
        }
    }

    /// What it comes to, once every id was seen; `untracked` is how many requests
    /// the journal does not have by their id.
    pub(super) fn end(mut self, untracked: u64) -> Proof {
        for (route, range) in &self.expectation.ranges {
            let from = self.next.get(route).copied();
            let from = from.unwrap_or(*range.start());
            self.proof.miss(*route, from..range.end() + 1);
        }
        let mut proof = self.proof;
        proof.extra += untracked;
        proof.exactly_once = proof.missing == 0 && proof.repeated == 0 && proof.extra == 0;
        proof
    }
}

impl Expectation {
    fn covers(&self, route: Route, id: u32) -> bool {
        self.ranges
            .get(&route)
            .is_some_and(|range| range.contains(&id))
    }
}

impl Proof {
    fn judge(&mut self, route: Route, id: u32, counts: Counts) {
        match counts.completed {
            0 => self.miss(route, id..id + 1),
            1 => {}
            _ => self.repeated += 1,
        }
    }

    fn miss(&mut self, route: Route, ids: std::ops::Range<u32>) {
        self.missing += ids.len() as u64;
        let room = LISTED - self.missing_ids.len();
        let listed = ids.take(room).map(|id| format!("{}:{id}", route.as_str()));
        self.missing_ids.extend(listed);
    }

    fn surplus(&mut self, route: Route, id: &str) {
        self.extra += 1;
        if self.extra_ids.len() < LISTED {
            self.extra_ids.push(format!("{}:{id}", route.as_str()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Clerk, Journal, Page};
    use crate::model::Profile;
    use std::sync::Arc;

    fn proof(expected: &str, served: &[(Route, &str)]) -> Proof {
        let journal = Arc::new(Journal::new(1, Arc::new(Profile::default())));
        let mut clerk = Clerk::new(Arc::clone(&journal), 0);
        for (route, id) in served {
            clerk.arrive(*route, id).complete();
        }
        drop(clerk.arrive(Route::Products, "2"));
        let expected = expected.parse().unwrap();
        Page::of(&journal.ledger(), 0, 0, Some(&expected))
            .proof
            .unwrap()
    }

    #[test]
    fn missing_repeated_and_extra_ids_are_told_apart() {
        let served = [
            (Route::Materials, "0"),
            (Route::Materials, "2"),
            (Route::Materials, "2"),
            (Route::Materials, "5"),
            (Route::Products, "x"),
        ];
        let proof = proof("materials:0-3,products:2-2", &served);
        assert_eq!(
            (proof.expected, proof.missing, proof.repeated, proof.extra),
            (5, 3, 1, 2)
        );
        // Ids past the last arrival of their route are found at the end.
        assert_eq!(
            proof.missing_ids,
            ["materials:1", "products:2", "materials:3"]
        );
        assert_eq!(proof.extra_ids, ["materials:5", "products:x"]);
        assert!(!proof.exactly_once);
    }

    #[test]
    fn a_batch_that_was_served_once_is_proved() {
        let ids: Vec<String> = (0..50).map(|id| id.to_string()).collect();
        let mut served: Vec<_> = ids
            .iter()
            .map(|id| (Route::Materials, id.as_str()))
            .collect();
        served.push((Route::Products, "2"));
        let proof = proof("materials:0-49,products:2-2", &served);
        assert!(proof.exactly_once, "{proof:?}");
    }

    #[test]
    fn what_cannot_be_checked_is_named() {
        for text in [
            "",
            "materials",
            "materials:1",
            "gadgets:0-1",
            "users:2-1",
            "files:0-9999999",
        ] {
            let error = text.parse::<Expectation>().expect_err(text);
            assert!(error.contains("materials:0-49"), "{error}");
        }
        let twice = "materials:0-9,users:0-9,materials:20-29";
        let error = twice.parse::<Expectation>().unwrap_err();
        assert!(
            error.contains("`materials:20-29` is the second range of materials"),
            "{error}"
        );
    }
}
