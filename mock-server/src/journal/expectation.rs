//! What a client meant to ask for, held against what arrived: the proof that a
//! batch was served exactly once.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ledger::{Id, Ledger};
use super::{Counts, Route};

/// The ids that a batch asks for, by route: `materials:0-49,products:0-49`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    ranges: BTreeMap<Route, RangeInclusive<u32>>,
}

/// Ids that are listed by name; beyond that they are only counted.
const LISTED: usize = 100;

/// The most ids that a route can expect.
const MOST: u32 = super::book::DENSE_IDS;

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

impl Expectation {
    pub(super) fn check(&self, ledger: &Ledger) -> Proof {
        let mut proof = Proof::default();
        let mut next: BTreeMap<Route, u32> = self
            .ranges
            .iter()
            .map(|(route, range)| (*route, *range.start()))
            .collect();
        proof.expected = self
            .ranges
            .values()
            .map(|range| u64::from(range.end() - range.start()) + 1)
            .sum();
        ledger.each(|route, id, counts| match id {
            Id::Number(number) if self.covers(route, number) => {
                let from = next.insert(route, number + 1).unwrap_or(number);
                proof.miss(route, from..number);
                proof.judge(route, number, counts);
            }
            Id::Number(number) => proof.surplus(route, &number.to_string()),
            Id::Text(text) => proof.surplus(route, text),
        });
        for (route, range) in &self.ranges {
            let from = next.get(route).copied().unwrap_or(*range.start());
            proof.miss(*route, from..range.end() + 1);
        }
        proof.extra += ledger.summary().untracked;
        proof.exactly_once = proof.missing == 0 && proof.repeated == 0 && proof.extra == 0;
        proof
    }

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
    use crate::journal::{Clerk, Journal};
    use crate::profile::Profile;
    use std::sync::Arc;

    fn proof(expected: &str, served: &[(Route, &str)]) -> Proof {
        let journal = Arc::new(Journal::new(1, Arc::new(Profile::default())));
        let mut clerk = Clerk::new(Arc::clone(&journal), 0);
        for (route, id) in served {
            clerk.arrive(*route, id).complete();
        }
        drop(clerk.arrive(Route::Products, "2"));
        expected
            .parse::<Expectation>()
            .unwrap()
            .check(&journal.ledger())
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
