//! What keeps more workers from being faster, and how that is known.

use serde::Serialize;

use super::{Basis, Choice, Scaling, TOLERANCE, refusals};
use crate::analysis::Constraint;
use crate::analysis::bound::Model;
use crate::analysis::summary::Figures;
use crate::analysis::units;
use crate::record::Purpose;

/// Runtimes that differ by less than this, as a fraction, are those of one
/// throughput.
const LEVEL: f64 = 0.1;
/// Latencies grow with the workers where the ratios differ by less than this, as a
/// fraction.
const PROPORTIONAL: f64 = 0.25;

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
    /// The responses that the server gives per second, where that is seen alone.
    Throughput,
    /// Service that slows down under load.
    Load,
    /// Building the strategy: more workers take longer to build than they save.
    Building,
    /// The bundled server's own CPU time: a limit of the measurement.
    Server,
    /// Something that was seen, and is not known.
    Unknown,
}

impl Binding {
    /// Whether it is a limit of the server's own, and no matter of how throughput goes
    /// with workers.
    pub(super) fn is_limit(self) -> bool {
        matches!(self, Self::RateLimit | Self::Capacity)
    }
}

/// A limit that was met, whatever the runtimes look like, and a sentence that says
/// so.
pub(super) fn met(basis: &Basis<'_>, choice: &Choice<'_>) -> Option<(Binding, String)> {
    server(choice)
        .or_else(|| burst(choice))
        .or_else(|| refusals::failed(basis, choice))
        .or_else(|| refusals::retried(basis, choice))
}

/// What binds where no limit was met.
pub(super) fn of(basis: &Basis<'_>, choice: &Choice<'_>, scaling: &Scaling) -> (Binding, String) {
    if let Some(found) = building(choice) {
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

/// Where more workers of the chosen strategy would be faster, were it not for
/// building them.
fn building(choice: &Choice<'_>) -> Option<(Binding, String)> {
    if choice.terms.purpose == Purpose::Repeated {
        return None;
    }
    let chosen = choice.chosen;
    let (warm, cold) = (
        |place: usize| choice.figures(place).warm_s.median,
        |place: usize| choice.figures(place).cold_s.median,
    );
    let more = choice.eligible.iter().copied().filter(|place| {
        choice.same_line(*place, chosen)
            && choice.workers(*place) > choice.workers(chosen)
            && warm(*place) < warm(chosen) * (1.0 - TOLERANCE)
    });
    let quickest = more.min_by(|a, b| warm(*a).total_cmp(&warm(*b)))?;
    let said = format!(
        "Building more workers takes longer than they save: {} take {} warm, but {} with building \
         them.",
        units::counted(choice.workers(quickest) as u64, "worker"),
        units::seconds(warm(quickest)),
        units::seconds(cold(quickest)),
    );
    Some((Binding::Building, said))
}

/// Where faster cells were left out because a burst alone let them through.
fn burst(choice: &Choice<'_>) -> Option<(Binding, String)> {
    let rate = choice.terms.rate.filter(|_| choice.beyond_rate)?;
    let said = format!(
        "The rate limit of {} binds, and this keeps to it for a batch of any length. Faster cells \
         passed only because a burst of {} is let through before.",
        units::rate(rate.per_s),
        units::count(rate.burst)
    );
    Some((Binding::RateLimit, said))
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
pub(super) fn connections(
    basis: &Basis<'_>,
    choice: &Choice<'_>,
    workers: usize,
) -> Option<String> {
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
pub(super) fn most(choice: &Choice<'_>) -> usize {
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
    let near =
        choice.figures(choice.fastest).warm_s.median <= at_most.seconds * (1.0 + 5.0 * TOLERANCE);
    if at_most.constraint == Constraint::ServiceTime
        && let Some(used_up) = used_up(choice)
    {
        return used_up;
    }
    let (binding, said) = match at_most.constraint {
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

/// Why no more workers could be used.
fn used_up(choice: &Choice<'_>) -> Option<(Binding, String)> {
    let chosen = choice.cell(choice.chosen);
    if choice.workers(choice.chosen) >= chosen.requests {
        let said = format!(
            "All {} requests are in flight at once: more workers would have nothing to do.",
            chosen.requests
        );
        return Some((Binding::Batch, said));
    }
    let capped = |place: &usize| {
        let cell = choice.cell(*place);
        cell.workers_usable < cell.workers || cell.strategy == "sequential"
    };
    choice.eligible.iter().all(capped).then(|| {
        let said = format!(
            "{} cannot use more workers: with more requests in flight another strategy may be \
             faster.",
            chosen.strategy
        );
        (Binding::ServiceTime, said)
    })
}

/// More workers should have been faster and were not.
fn unexplained(basis: &Basis<'_>, choice: &Choice<'_>) -> (Binding, String) {
    if let Some(used_up) = used_up(choice) {
        return used_up;
    }
    if choice.workers(choice.chosen) == most(choice) {
        let said = "With more workers than were measured it may be faster.";
        return (Binding::Unknown, said.to_owned());
    }
    if let Some(waits) = connections(basis, choice, most(choice)) {
        let said = format!("More workers bring nothing: {waits}.");
        return (Binding::Connections, said);
    }
    let busy = busy(choice.figures(choice.fastest), basis);
    if busy >= 0.5 {
        let said = format!(
            "The client's own work limits it: the fastest cell keeps {busy:.1} cores busy."
        );
        return (Binding::Cpu, said);
    }
    if let Some(said) = throughput(choice) {
        return (Binding::Throughput, said);
    }
    let said = "More workers bring nothing here, for a reason that the figures do not tell: the \
                server, the machine, or the longest of the requests.";
    (Binding::Unknown, said.to_owned())
}

/// The cores that a cell keeps busy while it runs, never more than there are. Where a
/// record does not tell the run's CPU time, all of it is set against the cold runtime,
/// as building is in both.
fn busy(figures: &Figures, basis: &Basis<'_>) -> f64 {
    let busy = match figures.run_cpu_s {
        Some(run_s) => run_s / figures.warm_s.median,
        None => figures.cpu_s / figures.cold_s.median,
    };
    if busy.is_finite() {
        busy.min(basis.session.receipt.cores.max(1) as f64)
    } else {
        0.0
    }
}

/// Where responses take longer in the same measure as there are more workers, the
/// server serves no more at once (Little's law).
fn throughput(choice: &Choice<'_>) -> Option<String> {
    let middle = |place: usize| {
        let latencies = choice.figures(place).latencies.as_ref();
        latencies.map(|latencies| latencies.percentile(0.5))
    };
    let fastest = choice.fastest;
    let line = || {
        let eligible = choice.eligible.iter().copied();
        eligible.filter(|place| choice.same_line(*place, fastest))
    };
    let most = line().max_by_key(|place| choice.workers(*place))?;
    let least = line()
        .filter(|place| choice.time(*place) <= choice.time(most) * (1.0 + LEVEL))
        .min_by_key(|place| choice.workers(*place))?;
    let more = choice.workers(most) as f64 / choice.workers(least) as f64;
    let longer = middle(most)? / middle(least)?;
    (more > 1.0 && (longer / more - 1.0).abs() <= PROPORTIONAL).then(|| {
        format!(
            "The server gives no more than {:.0} responses per second, about {} at once: with {} \
             workers each takes {longer:.1} times as long as with {}.",
            choice.cell(most).requests as f64 / choice.time(most),
            choice.workers(least),
            choice.workers(most),
            choice.workers(least),
        )
    })
}
