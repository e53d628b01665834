//! The journal as others read it: a snapshot in the library, a page of JSON on
//! the wire.

use serde::{Deserialize, Serialize};

use super::expectation::Check;
use super::ledger::{Id, Ledger};
use super::{Counts, Expectation, Proof, Route, Summary};

/// The journal at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The totals.
    pub summary: Summary,
    /// What happened to each (route, id), by route; whole numbers first and in
    /// order, then other ids in order.
    pub entries: Vec<Entry>,
}

/// What happened to one (route, id).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The route.
    pub route: Route,
    /// The id as it arrived, percent-decoded.
    pub id: String,
    /// The counts.
    #[serde(flatten)]
    pub counts: Counts,
}

impl Snapshot {
    pub(super) fn of(ledger: &Ledger) -> Self {
        let mut entries = Vec::new();
        let summary = ledger.read(|route, id, counts| entries.push(entry(route, id, counts)));
        Self { summary, entries }
    }

    /// What happened to one (route, id); nothing when it never arrived.
    #[must_use]
    pub fn counts(&self, route: Route, id: &str) -> Counts {
        self.entries
            .iter()
            .find(|entry| entry.route == route && entry.id == id)
            .map_or_else(Counts::default, |entry| entry.counts)
    }
}

fn entry(route: Route, id: Id<'_>, counts: Counts) -> Entry {
    let id = match id {
        Id::Number(number) => number.to_string(),
        Id::Text(text) => text.to_owned(),
    };
    Entry { route, id, counts }
}

/// The answer of `GET /journal?offset=&limit=`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page {
    /// The totals of the whole journal, not of the page.
    pub summary: Summary,
    /// Whether what was expected is what arrived; only when asked with
    /// `expect=`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// How many (route, id) pairs the journal has.
    pub total: u64,
    /// The number of the first one on this page.
    pub offset: u64,
    /// The offset of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_offset: Option<u64>,
    /// The (route, id) pairs of this page.
    pub ids: Vec<Entry>,
}

impl Page {
    /// How many ids a page has unless asked otherwise.
    pub const DEFAULT_LIMIT: u64 = 1_000;
    /// The most ids that a page has.
    pub const MAX_LIMIT: u64 = 10_000;

    pub(crate) fn of(
        ledger: &Ledger,
        offset: u64,
        limit: u64,
        expected: Option<&Expectation>,
    ) -> Self {
        let end = offset.saturating_add(limit);
        let (mut at, mut ids) = (0, Vec::new());
        let mut check = expected.map(Check::new);
        let summary = ledger.read(|route, id, counts| {
            if (offset..end).contains(&at) {
                ids.push(entry(route, id, counts));
            }
            at += 1;
            if let Some(check) = &mut check {
                check.see(route, id, counts);
            }
        });
        Self {
            summary,
            proof: check.map(|check| check.end(summary.untracked)),
            total: at,
            offset,
            next_offset: (end < at).then_some(end),
            ids,
        }
    }
}
