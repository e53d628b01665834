//! What the figures themselves give a reader to know.

use super::{Row, ServerFigures};
use crate::analysis::bound::{ServiceTime, Source, is_time};
use crate::analysis::{sampled, units};
use crate::record::{Cell, Ending, Record};

/// A runtime may fall below its bound by this fraction before a note says so:
/// timers are not finer.
const UNDER_BOUND: f64 = -0.001;

/// The notes of a summary.
pub(super) fn of(record: &Record, service: Option<ServiceTime>, rows: &[Row]) -> Vec<String> {
    let mut notes = Vec::new();
    if record.session.receipt.profile == "debug" {
        notes.push(
            "measured with a debug build: use a release build for figures that count".to_owned(),
        );
    }
    match record.ending {
        Ending::Complete => {}
        Ending::Interrupted => notes.push(
            "the session was stopped before its end: these are the samples taken until then"
                .to_owned(),
        ),
        Ending::CutOff => notes
            .push("the record is cut off: these are the samples that stand before that".to_owned()),
    }
    if !rows.is_empty() && rows.iter().all(|row| row.figures.is_none()) {
        notes.push("no sample was measured, so there is nothing to plot".to_owned());
    }
    notes.extend(record.session.discontinued.iter().map(|one| {
        format!(
            "{} rests on what its maintainers have discontinued in favour of {} ({}): of equals \
             it is not the one to recommend",
            one.strategy, one.instead, one.advisory
        )
    }));
    notes.extend(side_by_side(record, service, rows));
    notes.extend(under_the_bound(record, service, rows));
    notes.extend(server_bound(rows));
    notes.extend(sampled::findings(rows));
    notes.extend(first_rounds(rows));
    notes.extend(held(rows));
    notes
}

/// Contenders without a sample: nothing that is said holds for them.
pub(super) fn unmeasured(contenders: &[Cell]) -> Option<String> {
    let names: Vec<_> = contenders.iter().map(Cell::line).collect();
    (!names.is_empty()).then(|| {
        format!(
            "not measured, though asked for: {}; what is said of the others is provisional",
            names.join("; ")
        )
    })
}

/// What samples side by side owe to one another: they keep processors awake. So
/// their gaps and those of samples taken alone are of two kinds.
fn side_by_side(record: &Record, service: Option<ServiceTime>, rows: &[Row]) -> Option<String> {
    let marked = rows.iter().filter(|row| row.sampled.was_beside()).count();
    let most = rows.iter().filter_map(|row| row.sampled.beside).max();
    let most = most.filter(|most| *most > 0)?;
    // The server wakes to answer, and the client to be answered.
    let wake_s = record.session.sampling.as_ref().and_then(|s| s.wake_s);
    let wake_s = wake_s.filter(|wake| is_time(*wake));
    let share = service
        .zip(wake_s)
        .map(|(time, wake)| (wake, 2.0 * wake / time.seconds));
    let by = match share {
        Some((wake, share)) if share < 0.1 => format!(
            "about {:.2} %, as this machine, idle, took {} to wake",
            100.0 * share,
            units::plain_seconds(wake)
        ),
        _ => "some tenths of a per cent, where an idle machine is slow to wake".to_owned(),
    };
    let others = if most == 1 { "other" } else { "others" };
    Some(format!(
        "∥ marks {marked} of {}: their samples ran beside up to {most} {others}, and those of the \
         rest alone; side by side and alone differ by {by}, so compare gaps within one kind, or \
         take all alone with --serial",
        units::counted(rows.len() as u64, "cell"),
    ))
}

/// Cells in which each request is its worker's first, where others are not.
fn first_rounds(rows: &[Row]) -> Option<String> {
    let marked = rows.iter().filter(|row| row.is_first_round());
    let most = rows.iter().map(|row| row.cell.workers_usable).max()?;
    let count = marked.clone().count();
    let longest = marked.map(|row| row.cell.requests).max()?;
    Some(format!(
        "¹ marks {count} of {}: each request is its worker's first there, which takes longer than \
         its later ones; --requests {} gives the largest number of workers several each",
        units::counted(rows.len() as u64, "cell"),
        most.saturating_mul(5).max(longest),
    ))
}

/// What results wait for where they are handed on in order.
fn held(rows: &[Row]) -> Option<String> {
    let row = rows.iter().find(|row| row.every_request_succeeded())?;
    let usage = row.figures.as_ref()?.usage;
    let (mean, longest) = usage.held_mean_s.zip(usage.held_max_s)?;
    Some(format!(
        "results in order: in {} each waited {} on average for those before it, the longest {}; \
         runtimes do not show it",
        row.cell,
        units::seconds(mean),
        units::seconds(longest),
    ))
}

/// Cells in which the server was the limit say little of their strategies.
fn server_bound(rows: &[Row]) -> Option<String> {
    let server = |row: &Row| row.figures.as_ref().and_then(|figures| figures.server);
    let bound: Vec<_> = rows
        .iter()
        .filter(|row| server(row).is_some_and(|server| server.is_bound()))
        .map(|row| row.cell.to_string())
        .collect();
    (!bound.is_empty()).then(|| {
        format!(
            "the server was the limit (busy for {:.0} % of its time or more) in: {}",
            100.0 * ServerFigures::BOUND_FROM,
            bound.join("; ")
        )
    })
}

/// A runtime that beats a bound shows that what was stated is wrong: the service
/// time, or where that was measured, the work on an answer.
fn under_the_bound(record: &Record, service: Option<ServiceTime>, rows: &[Row]) -> Option<String> {
    let gap = |row: &Row| row.figures.as_ref().and_then(|figures| figures.gap);
    let row = rows
        .iter()
        .filter(|row| {
            row.every_request_succeeded() && gap(row).is_some_and(|gap| gap < UNDER_BOUND)
        })
        .min_by(|a, b| gap(a).unwrap_or(0.0).total_cmp(&gap(b).unwrap_or(0.0)))?;
    let fastest = ServiceTime::fastest(record)?.seconds;
    let under = format!(
        "{} ran {:.1} % under the lower bound",
        row.cell,
        -100.0 * gap(row)?
    );
    let service = service?;
    Some(match service.source {
        Source::Stated => format!(
            "{under}: the server answers faster than the stated {} s (the fastest answer took \
             {fastest:.6} s), so bounds and gaps here are not to be trusted",
            service.seconds
        ),
        Source::Fastest { .. } => format!(
            "{under}, which is that of {} here: it was taken to be more than it is, so bounds and \
             gaps here are not to be trusted",
            row.constraint?
        ),
    })
}
