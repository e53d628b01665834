//! What binds where requests fail with more workers, or have to be tried again.

use super::binding::{connections, most};
use super::{Basis, Binding, Choice};
use crate::analysis::failures;
use crate::analysis::summary::Row;
use crate::analysis::units;
use crate::record::RateLimit;

const TOO_MANY_REQUESTS: u16 = 429;
const UNAVAILABLE: u16 = 503;

/// Of a cell's attempts, the share that was refused and made again from which on
/// that decides the runtime.
const REFUSED: f64 = 0.05;

/// Where every cell with more workers fails more, the failures decide.
pub(super) fn failed(basis: &Basis<'_>, choice: &Choice<'_>) -> Option<(Binding, String)> {
    let most = most(choice);
    let requests = choice.cell(choice.chosen).requests;
    let of_batch = || {
        choice
            .rows
            .iter()
            .filter(|row| row.cell.requests == requests)
    };
    let first = of_batch()
        .filter(|row| row.workers() > most && row.fails_more && row.figures.is_some())
        .min_by(|a, b| {
            let share = |row: &Row| row.figures.as_ref().map_or(0.0, |f| f.pooled.share());
            let workers = a.workers().cmp(&b.workers());
            workers.then(share(b).total_cmp(&share(a)))
        })?;
    let pooled = |row: &Row| Some((row.workers(), row.figures.as_ref()?.pooled));
    let cells: Vec<_> = of_batch().filter_map(pooled).collect();
    if failures::rises(&cells) {
        return Some(rising(basis, choice, first));
    }
    let said = format!(
        "More workers were measured and left out. {}: {}.",
        first.cell,
        told(first)
    );
    Some((Binding::Failures, said))
}

/// Why more requests fail from a cell on.
fn rising(basis: &Basis<'_>, choice: &Choice<'_>, first: &Row) -> (Binding, String) {
    let from = units::counted(first.cell.workers_usable as u64, "worker");
    let failed = told(first);
    let limits = basis.limits();
    let figures = first.figures.as_ref();
    let any = |is: &dyn Fn(&str, Option<u16>) -> bool| {
        let failures = figures.map_or([].as_slice(), |figures| &figures.failed_by);
        failures
            .iter()
            .any(|failure| is(&failure.kind, failure.status))
    };
    if any(&|_, status| status == Some(TOO_MANY_REQUESTS)) {
        let said = limits.rate.map_or_else(
            || {
                format!(
                    "A rate limit of the server binds: from {from} on, more only buys 429s \
                     ({failed})."
                )
            },
            |rate| rate_limit(basis, rate, first),
        );
        return (Binding::RateLimit, said);
    }
    if let Some(servers) = limits.capacity
        && any(&|_, status| status == Some(UNAVAILABLE))
    {
        let said = format!(
            "The capacity of {} at once binds: from {from} on its queue is full, and more only \
             buys 503s: {failed}.",
            units::counted(servers as u64, "request")
        );
        return (Binding::Capacity, said);
    }
    if any(&|kind, _| ["connect", "timeout"].contains(&kind))
        && let Some(waits) = connections(basis, choice, first.cell.workers_usable)
    {
        let said = format!("From {from} on, more requests fail, because {waits}: {failed}.");
        return (Binding::Connections, said);
    }
    let said = format!("From {from} on, more requests fail: {failed}.");
    (Binding::Failures, said)
}

fn rate_limit(basis: &Basis<'_>, rate: RateLimit, first: &Row) -> String {
    let (per_s, failed) = (rate.per_s, told(first));
    let limit = units::rate(per_s);
    // Little's law: so many are in flight at that rate.
    let mean_s = basis.session.server.service_s.unwrap_or(0.0);
    let feeds = (per_s * mean_s + 1e-9).floor();
    if feeds >= 1.0 && (first.cell.workers_usable as f64) > feeds {
        return format!(
            "The rate limit of {limit} binds at {} workers: requests of {} are {feeds} in \
             flight at that rate, and more only buys 429s (with {}: {failed}).",
            feeds + 1.0,
            units::plain_seconds(mean_s),
            first.cell.workers_usable,
        );
    }
    format!(
        "The rate limit of {limit} binds: from {} on, more only buys 429s ({failed}).",
        units::counted(first.cell.workers_usable as u64, "worker")
    )
}

/// Where requests are refused by a limit and tried again, the limit decides.
pub(super) fn retried(basis: &Basis<'_>, choice: &Choice<'_>) -> Option<(Binding, String)> {
    let limits = basis.limits();
    let (binding, status, limit) = if first_refused(choice, TOO_MANY_REQUESTS).is_some() {
        let limit = limits.rate.map_or_else(
            || "A rate limit of the server".to_owned(),
            |rate| format!("The rate limit of {}", units::rate(rate.per_s)),
        );
        (Binding::RateLimit, TOO_MANY_REQUESTS, limit)
    } else {
        let served = units::counted(limits.capacity? as u64, "request");
        let limit = format!("The capacity of {served} at once");
        (Binding::Capacity, UNAVAILABLE, limit)
    };
    let first = first_refused(choice, status)?;
    let (cell, figures) = (choice.cell(first), choice.figures(first));
    let refused = figures.retried_with(status);
    let said = format!(
        "{limit} binds: from {} on, requests are refused with {status} and tried again ({} of \
         them for {}).",
        units::counted(cell.workers_usable as u64, "worker"),
        units::count(refused),
        units::counted(figures.pooled.requests, "request"),
    );
    Some((binding, said))
}

/// The eligible cell with the fewest workers that had a good part of its attempts
/// refused with a status and made again, where more workers than the chosen cell's
/// do.
fn first_refused(choice: &Choice<'_>, status: u16) -> Option<usize> {
    let refused = |place: &usize| {
        let figures = choice.figures(*place);
        let refused = figures.retried_with(status) as f64;
        refused / (refused + figures.pooled.requests as f64) >= REFUSED
    };
    let eligible = choice.eligible.iter().copied();
    let refused: Vec<_> = eligible.filter(refused).collect();
    let chosen = choice.workers(choice.chosen);
    let beyond = |place: &usize| choice.workers(*place) >= chosen;
    let first = refused.iter().min_by_key(|place| choice.workers(**place));
    first.copied().filter(|_| refused.iter().any(beyond))
}

/// A cell's failures in words: `60 of 100 requests failed: 60 with status 429`.
fn told(row: &Row) -> String {
    let mut parts = Vec::new();
    if let Some(figures) = row.figures.as_ref().filter(|figures| figures.failed > 0) {
        let kinds: Vec<_> = figures
            .failures
            .iter()
            .map(|failure| match failure.status {
                Some(status) => format!("{} with status {status}", failure.count),
                None => format!("{} {} ({})", failure.count, failure.kind, failure.example),
            })
            .collect();
        parts.push(format!(
            "{} of {} failed: {}",
            units::count(figures.failed),
            units::count(row.cell.requests as u64),
            kinds.join("; ")
        ));
    }
    if row.errors > 0 {
        parts.push(format!(
            "{} of {} came to no measurement",
            row.errors,
            units::counted(row.samples() as u64, "sample")
        ));
    }
    parts.join("; ")
}
