//! What keeps more workers from being faster, and how that is known.

use serde::Serialize;

use super::choice::failures;
use super::{Basis, Choice, Scaling, TOLERANCE};
use crate::analysis::Constraint;
use crate::analysis::bound::Model;
use crate::analysis::summary::Row;
use crate::analysis::units;
use crate::record::{FailureCount, RateLimit};

/// What keeps more workers from being faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binding {
    /// Nothing that was seen: the service times are shared out over the
    /// workers, and the most that were measured are not enough to tell more.
    ServiceTime,
    /// Every request is in flight at once.
    Batch,
    /// The longest request.
    LongestRequest,
    /// The server's rate limit.
    RateLimit,
    /// The requests that the server serves at once.
    Capacity,
    /// The server's link.
    Bandwidth,
    /// The CPU: the work on the answers, or what the client itself takes.
    Cpu,
    /// Requests that fail where there are more workers, for no reason that is
    /// known beforehand.
    Failures,
    /// The connections that the server keeps open at once.
    Connections,
    /// Service that slows down under load.
    Load,
    /// The bundled server's own CPU time: a limit of the measurement.
    Server,
    /// Something that was seen, and is not known.
    Unknown,
}

/// The binding constraint, and a sentence that says so.
pub(super) fn of(basis: &Basis<'_>, choice: &Choice<'_>, scaling: &Scaling) -> (Binding, String) {
    if let Some(found) = server(choice) {
        return found;
    }
    if let Some(found) = refusals(basis, choice) {
        return found;
    }
    if let Scaling::Peak(peak) = scaling {
        return load(basis, choice, peak.measured);
    }
    match &basis.model {
        Some(model) => bound(basis, model, choice),
        None => unexplained(basis, choice),
    }
}

fn server(choice: &Choice<'_>) -> Option<(Binding, String)> {
    let places = [choice.chosen, choice.fastest];
    let bound = places.iter().find_map(|place| {
        let server = choice.figures(*place).server?;
        server.is_bound().then_some(server)
    })?;
    let said = format!(
        "The bundled server itself was the limit (busy for {:.0} % of its time), so this says \
         little of other servers: more workers may help there.",
        100.0 * bound.busy
    );
    Some((Binding::Server, said))
}

/// Where every cell with more workers fails more, the failures decide.
fn refusals(basis: &Basis<'_>, choice: &Choice<'_>) -> Option<(Binding, String)> {
    let mine = failures(&choice.rows[choice.chosen]);
    let most = most(choice);
    let requests = choice.cell(choice.chosen).requests;
    let more = choice.rows.iter().filter(|row| {
        row.cell.requests == requests && row.cell.workers_usable.min(requests) > most
    });
    let first = more
        .filter(|row| failures(row) > mine && row.figures.is_some())
        .min_by_key(|row| row.cell.workers_usable)?;
    Some(refused(basis, choice, first))
}

/// Why requests fail from a cell on.
fn refused(basis: &Basis<'_>, choice: &Choice<'_>, first: &Row) -> (Binding, String) {
    let from = units::counted(first.cell.workers_usable as u64, "worker");
    let failed = told(first);
    let limits = basis
        .model
        .as_ref()
        .map(|model| *model.limits())
        .unwrap_or_default();
    let any = |is: fn(&FailureCount) -> bool| {
        let figures = first.figures.as_ref();
        figures.is_some_and(|figures| figures.failures.iter().any(is))
    };
    if any(|failure| failure.example.contains("429")) {
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
        && any(|failure| failure.example.contains("503"))
    {
        let said = format!(
            "The capacity of {} at once binds: from {from} on its queue is full, and more only \
             buys 503s: {failed}.",
            units::counted(servers as u64, "request")
        );
        return (Binding::Capacity, said);
    }
    if any(|failure| ["connect", "timeout"].contains(&failure.kind.as_str()))
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
    // Little's law: so many are in flight at that rate.
    let mean_s = basis.session.server.service_s.unwrap_or(0.0);
    let feeds = (per_s * mean_s + 1e-9).floor();
    if feeds >= 1.0 && (first.cell.workers_usable as f64) > feeds {
        return format!(
            "The rate limit of {per_s}/s binds at {} workers: requests of {} are {feeds} in \
             flight at that rate, and more only buys 429s (with {}: {failed}).",
            feeds + 1.0,
            units::plain_seconds(mean_s),
            first.cell.workers_usable,
        );
    }
    format!(
        "The rate limit of {per_s}/s binds: from {} on, more only buys 429s ({failed}).",
        units::counted(first.cell.workers_usable as u64, "worker")
    )
}

/// A cell's failures in words: `60 of 100 failed: 60 status (status 429)`.
fn told(row: &Row) -> String {
    let Some(figures) = &row.figures else {
        return String::new();
    };
    let kinds: Vec<_> = figures
        .failures
        .iter()
        .map(|failure| format!("{} {} ({})", failure.count, failure.kind, failure.example))
        .collect();
    format!(
        "{} of {} failed: {}",
        units::count(figures.failed),
        units::count(row.cell.requests as u64),
        kinds.join("; ")
    )
}

fn load(basis: &Basis<'_>, choice: &Choice<'_>, peak: usize) -> (Binding, String) {
    let rises = format!(
        "Beyond {} the runtime rises again",
        units::counted(peak as u64, "worker")
    );
    if let Some(waits) = connections(basis, choice, most(choice)) {
        return (Binding::Connections, format!("{rises}: {waits}."));
    }
    let slows = if basis.session.server.limits.load {
        "the server slows down with what it has in service"
    } else {
        "server or machine slow down with what they have in hand"
    };
    (Binding::Load, format!("{rises}: {slows}."))
}

/// Who waits, where so many workers are more than the server keeps connections
/// open, and fewer of them do not slow it down already.
fn connections(basis: &Basis<'_>, choice: &Choice<'_>, workers: usize) -> Option<String> {
    let limit = basis.session.server.limits.connections?;
    let fastest = choice.fastest;
    let accepted = choice.workers(fastest) + 1..=limit;
    let slows = |place: &usize| {
        choice.same_line(*place, fastest)
            && accepted.contains(&choice.workers(*place))
            && choice.time(*place) > choice.time(fastest) * (1.0 + TOLERANCE)
    };
    let before = choice.eligible.iter().any(slows);
    (limit < workers && !before).then(|| {
        format!(
            "the server keeps {} open at once, and workers beyond that wait to be accepted",
            units::counted(limit as u64, "connection")
        )
    })
}

/// The most workers of the cells that the choice was made from.
fn most(choice: &Choice<'_>) -> usize {
    let workers = choice.eligible.iter().map(|place| choice.workers(*place));
    workers.max().unwrap_or(choice.workers(choice.chosen))
}

/// What the bound says where more workers bring nothing.
fn bound(basis: &Basis<'_>, model: &Model, choice: &Choice<'_>) -> (Binding, String) {
    let chosen = choice.cell(choice.chosen);
    let (requests, workers) = (chosen.requests, choice.workers(choice.chosen));
    let most = most(choice);
    let at_most = model.bound(requests, most);
    let seconds = units::plain_seconds(at_most.seconds);
    // What decides with the most workers explains a plateau only where the
    // plateau is near it.
    let near = choice.time(choice.fastest) <= at_most.seconds * (1.0 + 5.0 * TOLERANCE);
    let (binding, said) = match at_most.constraint {
        Constraint::ServiceTime if workers >= requests => {
            let said = format!(
                "All {requests} requests are in flight at once: more workers would have nothing to do."
            );
            return (Binding::Batch, said);
        }
        Constraint::ServiceTime if workers == most => {
            let said = "No limit was met: with more workers than were measured it may be faster.";
            return (Binding::ServiceTime, said.to_owned());
        }
        _ if !near => return unexplained(basis, choice),
        Constraint::ServiceTime => (
            Binding::ServiceTime,
            plateau(model, requests, workers, most),
        ),
        Constraint::LongestRequest => (
            Binding::LongestRequest,
            format!("The longest request takes {seconds}, and no number of workers shortens it."),
        ),
        Constraint::RateLimit => (
            Binding::RateLimit,
            format!("The rate limit binds: it lets no batch end before {seconds}."),
        ),
        Constraint::Capacity => (
            Binding::Capacity,
            format!(
                "The server's capacity binds: it serves {} at once, so more workers only queue.",
                units::counted(model.limits().capacity.unwrap_or(1) as u64, "request")
            ),
        ),
        Constraint::Bandwidth => (
            Binding::Bandwidth,
            format!("The server's link binds: it carries all answers in {seconds} at best."),
        ),
        Constraint::Cpu => (
            Binding::Cpu,
            format!("The work on the answers binds: it takes the cores {seconds} at best."),
        ),
    };
    (binding, said)
}

/// Why fewer workers do where more have service times to share out.
fn plateau(model: &Model, requests: usize, workers: usize, most: usize) -> String {
    let rounds = requests.div_ceil(most);
    if model.service().longest_s.is_none() && requests.div_ceil(workers) == rounds {
        return format!(
            "{workers} workers need as many rounds of the service time as {most}: {rounds}."
        );
    }
    format!(
        "More workers shorten it by little: with up to {most}, the fastest is within {:.0} % of \
         the runtime with {workers}.",
        100.0 * TOLERANCE
    )
}

/// More workers should have been faster and were not.
fn unexplained(basis: &Basis<'_>, choice: &Choice<'_>) -> (Binding, String) {
    if choice.workers(choice.chosen) == most(choice) {
        let said = "With more workers than were measured it may be faster.";
        return (Binding::Unknown, said.to_owned());
    }
    if let Some(waits) = connections(basis, choice, most(choice)) {
        let said = format!("More workers bring nothing: {waits}.");
        return (Binding::Connections, said);
    }
    let figures = choice.figures(choice.fastest);
    let busy = figures.cpu_s / figures.warm_s.median;
    if busy.is_finite() && busy >= 0.5 {
        let said = format!(
            "The client's own work limits it: the fastest cell keeps {busy:.1} cores busy."
        );
        return (Binding::Cpu, said);
    }
    let said = "More workers bring nothing here, for a reason that the figures do not tell: the \
                server, the machine, or the longest of the requests.";
    (Binding::Unknown, said.to_owned())
}
