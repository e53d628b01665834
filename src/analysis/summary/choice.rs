//! Which samples of a cell count, and which are shown whole.

use std::collections::BTreeSet;

use super::{Row, contradiction};
use crate::analysis::split;
use crate::analysis::timeline::Timeline;
use crate::record::{Cell, Measurement, Sample, SampleResult};

/// The samples of a cell that were measured, and why the others were not.
pub(super) fn sorted_out<'a>(
    cell: &Cell,
    samples: &[&'a Sample],
) -> (Vec<&'a Measurement>, Vec<String>) {
    let mut measured = Vec::new();
    let mut reasons = Vec::new();
    for sample in samples {
        match &sample.result {
            SampleResult::Measured(measurement) => match contradiction(cell, measurement) {
                None => measured.push(measurement.as_ref()),
                Some(reason) => reasons.push(reason),
            },
            SampleResult::Error(reason) => reasons.push(reason.clone()),
        }
    }
    (measured, reasons)
}

/// Of the planned cells one for each strategy, client and so on of which no cell has
/// a row.
pub(super) fn unmeasured(planned: &[Cell], rows: &[Row]) -> Vec<Cell> {
    let measured: BTreeSet<Cell> = rows.iter().map(|row| row.cell.without_workers()).collect();
    let planned: BTreeSet<Cell> = planned.iter().map(Cell::without_workers).collect();
    planned.difference(&measured).cloned().collect()
}

/// The samples whose times count. A failure can be fast, or as slow as a timeout:
/// those without count, or where there are none, those with few, or else all.
pub(in crate::analysis) fn timed<'a>(measured: &[&'a Measurement]) -> Vec<&'a Measurement> {
    let only = |is: fn(&Measurement) -> bool| -> Vec<_> {
        measured.iter().copied().filter(|m| is(m)).collect()
    };
    [
        only(|m| m.failed() == 0),
        only(Measurement::is_nearly_whole),
    ]
    .into_iter()
    .find(|samples| !samples.is_empty())
    .unwrap_or_else(|| measured.to_vec())
}

/// The timelines that a summary shows, each of a median sample.
pub(super) fn timelines(
    cells: &[(&Cell, Vec<&Sample>)],
    rows: &[Row],
    best: Option<usize>,
) -> Vec<Timeline> {
    let first = best.and_then(|best| rows.get(best)).or_else(|| {
        let mut measured = rows.iter().filter(|row| row.figures.is_some());
        measured.next()
    });
    let workers = first.map(|row| row.cell.workers);
    let chunked = rows
        .iter()
        .filter(|row| row.figures.is_some() && row.cell.dispatch == "chunked")
        // The fastest of as many workers, or else the fastest.
        .min_by_key(|row| Some(row.cell.workers) != workers)
        .filter(|row| first.is_some_and(|first| first.cell != row.cell));
    let timeline = |row: &Row| {
        let (cell, samples) = cells.iter().find(|(cell, _)| **cell == row.cell)?;
        let (measured, _) = sorted_out(cell, samples);
        let (median, _) = split::middle(&timed(&measured))?;
        Timeline::of(cell, median)
    };
    first
        .into_iter()
        .chain(chunked)
        .filter_map(timeline)
        .collect()
}
