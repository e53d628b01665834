//! The reasons in sentences.

use super::choice::paid_cpu_s;
use super::{Basis, Choice, TOLERANCE, estimate, over};
use crate::analysis::{Source, units};
use crate::record::Ending;

/// Why the chosen cell, the most important reason first.
pub(super) fn sentences(basis: &Basis<'_>, choice: &Choice<'_>, binds: String) -> Vec<String> {
    let mut sentences = vec![workers(choice), binds];
    sentences.extend(strategies(choice));
    sentences.extend(failures(basis, choice));
    sentences.extend(step(basis, choice));
    sentences.extend(doubts(basis, choice));
    sentences.push(estimate::sentence(choice));
    sentences
}

fn workers(choice: &Choice<'_>) -> String {
    let workers = choice.cell(choice.chosen).workers_usable;
    let workers = units::counted(workers as u64, "worker");
    if choice.eligible.len() == 1 && choice.beyond_rate {
        return format!(
            "{} is the only measured setting that keeps to the rate limit.",
            choice.cell(choice.chosen)
        );
    }
    if choice.eligible.len() == 1 {
        return format!(
            "{} is the only setting that can be judged: there is nothing to compare it with.",
            choice.cell(choice.chosen)
        );
    }
    let time = units::seconds(choice.time(choice.chosen));
    let tolerance = 100.0 * TOLERANCE;
    if choice.chosen == choice.fastest {
        return format!(
            "With {workers} it is the fastest, {time}, and nothing with fewer comes within \
             {tolerance:.0} % of that."
        );
    }
    let slower = over(choice.time(choice.chosen), choice.time(choice.fastest));
    format!(
        "{workers} {} the fewest within {tolerance:.0} % of the fastest: {time}, {:.1} % over {}.",
        if choice.workers(choice.chosen) == 1 {
            "is"
        } else {
            "are"
        },
        100.0 * slower,
        choice.cell(choice.fastest)
    )
}

/// How the strategies compare with the chosen number of workers.
fn strategies(choice: &Choice<'_>) -> Option<String> {
    let others: Vec<_> = choice
        .equals
        .iter()
        .filter(|place| **place != choice.chosen)
        .map(|place| choice.cell(*place).line())
        .collect();
    if others.is_empty() {
        return None;
    }
    let bound = choice.rows[choice.chosen].bound_s;
    let at_bound = bound.filter(|bound_s| {
        let times = choice.equals.iter().map(|place| choice.time(*place));
        times.fold(0.0, f64::max) <= bound_s * (1.0 + TOLERANCE)
    });
    let figures = choice.figures(choice.chosen);
    let memory = figures.peak_rss_bytes;
    let takes = format!(
        "{} of CPU time{}",
        units::seconds(paid_cpu_s(figures, choice.terms.purpose)),
        memory.map_or(String::new(), |bytes| format!(
            " and {}",
            units::bytes(bytes)
        ))
    );
    let mine = choice.cell(choice.chosen).line();
    Some(if at_bound.is_some() {
        format!(
            "{} strategies are at the bound there: choose by memory and CPU time. {mine} takes \
             the least of both together, {takes}.",
            others.len() + 1
        )
    } else {
        format!(
            "As fast there: {}; {mine} takes the least CPU time and memory together, {takes}.",
            others.join(", ")
        )
    })
}

fn failures(basis: &Basis<'_>, choice: &Choice<'_>) -> Option<String> {
    let row = &choice.rows[choice.chosen];
    let pooled = choice.figures(choice.chosen).pooled;
    let mut said = Vec::new();
    if pooled.failed > 0 {
        said.push(format!(
            "{} of its requests failed ({} of {}), {}.",
            units::share(pooled.share()),
            units::count(pooled.failed),
            units::count(pooled.requests),
            basis.session.max_failures.map_or_else(
                || "and no cell fails less by more than chance explains".to_owned(),
                |most| format!("where {} may fail", units::share(most)),
            ),
        ));
    }
    if row.errors > 0 {
        said.push(format!(
            "{} of its {} came to no measurement: its figures are those of the rest.",
            row.errors,
            units::counted(row.samples() as u64, "sample")
        ));
    }
    (!said.is_empty()).then(|| said.join(" "))
}

/// Where fewer workers that were not measured need as many rounds.
fn step(basis: &Basis<'_>, choice: &Choice<'_>) -> Option<String> {
    let service = basis.model.as_ref()?.service();
    if service.longest_s.is_some() || service.source != Source::Stated {
        return None;
    }
    let cell = choice.cell(choice.chosen);
    let rounds = cell.requests.div_ceil(cell.workers_usable.max(1));
    let edge = cell.requests.div_ceil(rounds.max(1));
    let measured = (0..choice.rows.len()).any(|place| {
        choice.same_line(place, choice.chosen) && choice.cell(place).workers_usable == edge
    });
    (edge < cell.workers_usable && !measured).then(|| {
        format!(
            "{} would need no more rounds, {rounds}; that was not measured.",
            units::counted(edge as u64, "worker")
        )
    })
}

/// What to mind.
fn doubts(basis: &Basis<'_>, choice: &Choice<'_>) -> Vec<String> {
    let mut doubts = Vec::new();
    match basis.ending {
        Ending::Complete => {}
        Ending::Interrupted | Ending::CutOff => doubts.push(
            "The session did not end: this is drawn from the samples taken until then.".to_owned(),
        ),
    }
    let bound = |place: &&usize| {
        let server = choice.figures(**place).server;
        server.is_some_and(|server| server.is_bound())
    };
    let bound = choice.eligible.iter().filter(bound).count();
    let involved = [choice.chosen, choice.fastest];
    if bound > 0 && !involved.iter().any(|place| bound_at(choice, *place)) {
        doubts.push(format!(
            "In {} the server itself was the limit: what they say of their strategies counts less.",
            units::counted(bound as u64, "other cell")
        ));
    }
    doubts.extend(spoilt(choice));
    doubts
}

/// What the machine did to the samples that the recommendation rests on.
fn spoilt(choice: &Choice<'_>) -> Option<String> {
    let mut places = vec![choice.chosen, choice.fastest];
    places.dedup();
    let told: Vec<String> = places
        .into_iter()
        .filter_map(|place| {
            let spoilt = choice.rows[place].sampled.spoilt;
            let samples = choice.rows[place].samples();
            (spoilt > 0).then(|| format!("{spoilt} of {samples} samples of {}", choice.cell(place)))
        })
        .collect();
    (!told.is_empty()).then(|| {
        format!(
            "The machine did something else while {} ran: measure again on an idle one before \
             trusting a small difference.",
            told.join(" and ")
        )
    })
}

fn bound_at(choice: &Choice<'_>, place: usize) -> bool {
    let server = choice.figures(place).server;
    server.is_some_and(|server| server.is_bound())
}
