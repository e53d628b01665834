//! Whether a batch was let through faster than a rate limit allows for long.

use serde::Serialize;

use super::Choice;
use crate::analysis::summary::Row;
use crate::record::{RateLimit, Session};

/// A throughput above the limit by less than this, as a fraction, keeps to it.
const ABOVE: f64 = 0.01;

/// A rate limit whose burst lets this batch through faster than a longer one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sustained {
    /// Requests per second that the limit allows for long.
    pub per_s: f64,
    /// Requests that it lets through at once before that.
    pub burst: u64,
    /// Whether the recommended cell keeps to the rate; no measured one does otherwise.
    pub kept: bool,
}

/// The rate that cells must keep to: that of a known limit, unless requests that it
/// refuses are sent again.
pub(in crate::analysis) fn rate(session: &Session) -> Option<RateLimit> {
    let rate = session.server.limits.rate;
    rate.filter(|_| session.conditions.retries == 0)
}

/// Whether a cell keeps to a rate.
pub(super) fn keeps_to(row: &Row, rate: RateLimit) -> bool {
    let figures = row.figures.as_ref();
    figures.is_some_and(|figures| {
        row.cell.requests as f64 <= figures.warm_s.median * rate.per_s * (1.0 + ABOVE)
    })
}

impl Sustained {
    /// What is to be said of a choice; nothing where every cell keeps to the rate.
    pub(super) fn of(choice: &Choice<'_>) -> Option<Self> {
        let rate = choice.terms.rate?;
        let kept = keeps_to(&choice.rows[choice.chosen], rate);
        (choice.beyond_rate || !kept).then_some(Self {
            per_s: rate.per_s,
            burst: rate.burst,
            kept,
        })
    }
}
