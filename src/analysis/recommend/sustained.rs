//! Whether a batch was let through faster than a rate limit allows for long.

use serde::Serialize;

use super::{Basis, Choice, Terms};
use crate::analysis::summary::Row;
use crate::record::{RateLimit, ServerKind, Session};

/// A throughput above the limit by less than this, as a fraction, keeps to it.
const ABOVE: f64 = 0.01;

/// A rate limit whose burst lets this batch through faster than a longer one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sustained {
    /// Requests per second that the limit allows for long.
    pub per_s: f64,
    /// Requests that it lets through at once before that.
    pub burst: u64,
    /// Whether the batch is no larger than the burst, so that its cell need not keep to
    /// the rate. The recommendation holds for batches of up to `burst` requests.
    pub fits: bool,
    /// Whether the recommended cell keeps to the rate; where the batch does not fit, no
    /// measured one does otherwise.
    pub kept: bool,
    /// Workers for longer batches, where the recommended cell does not keep to the rate:
    /// of the best measured cell that does, or as many as the rate keeps busy. `None`
    /// where neither is known.
    pub workers: Option<usize>,
}

/// The rate that cells must keep to: that of a known limit, unless requests that it
/// refuses are sent again. Its burst is what it lets through for sure.
pub(in crate::analysis) fn rate(session: &Session) -> Option<RateLimit> {
    let rate = session.server.limits.rate;
    let rate = rate.filter(|_| session.conditions.retries == 0)?;
    // The bound allows a stated quota twice, as where two windows meet.
    let quotas = match session.server.kind {
        ServerKind::Url => 2,
        ServerKind::Bundled | ServerKind::Local => 1,
    };
    Some(RateLimit {
        burst: rate.burst / quotas,
        ..rate
    })
}

/// Whether a batch is let through at once.
pub(super) fn fits(requests: usize, rate: RateLimit) -> bool {
    requests as u64 <= rate.burst
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
    pub(super) fn of(basis: &Basis<'_>, choice: &Choice<'_>) -> Option<Self> {
        let rate = choice.terms.rate?;
        let kept = keeps_to(&choice.rows[choice.chosen], rate);
        (choice.beyond_rate || !kept).then(|| Self {
            per_s: rate.per_s,
            burst: rate.burst,
            fits: fits(choice.cell(choice.chosen).requests, rate),
            kept,
            workers: (!kept).then(|| workers(basis, choice, rate)).flatten(),
        })
    }
}

/// Workers that keep to a rate for long.
fn workers(basis: &Basis<'_>, choice: &Choice<'_>, rate: RateLimit) -> Option<usize> {
    let without_burst = Terms {
        rate: Some(RateLimit { burst: 0, ..rate }),
        ..choice.terms
    };
    let measured = Choice::of(choice.rows, without_burst)
        .filter(|other| keeps_to(&other.rows[other.chosen], rate));
    measured
        .map(|other| other.workers(other.chosen))
        .or_else(|| {
            // Little's law: so many are in flight at that rate.
            let busy = rate.per_s * basis.session.server.service_s?;
            (busy >= 1.0).then_some(busy as usize)
        })
}
