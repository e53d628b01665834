//! Which further cells could change the recommendation: a sweep measures a few
//! worker counts, and the best one may lie between them.

use std::collections::BTreeSet;

use super::bound::{Model, Source};
use super::recommend::{Choice, TOLERANCE, Terms};
use super::summary::Summary;
use crate::record::{Cell, Sampling};

/// The most worker counts that one call proposes for a strategy.
const AT_ONCE: usize = 6;
/// A gain in runtime below this, as a fraction, is not worth measuring for.
const GAIN: f64 = 0.01;
/// Neighbours whose runtimes differ by less than this, as a fraction, make a
/// plateau.
const LEVEL: f64 = 0.01;
/// Beside a count whose runtime is within this of the fastest, as a fraction, a
/// faster one may lie.
const NEAR: f64 = 0.08;
/// Strategies whose runtimes differ by more than this somewhere, as a fraction,
/// are searched apart.
const UNLIKE: f64 = 0.02;
/// The most strategies that are searched.
const LINES: usize = 3;

/// Where times differ, a smaller count can be faster than a larger one (Graham's
/// anomalies). Down to this share of the chosen count, all are tried.
const ANOMALY: f64 = 0.8;

/// Samples that a cell has before a recommendation rests on it: so many hold a
/// median with 95 % confidence. Whoever is the best of many cells was lucky as
/// well, and luck does not come again.
pub const CONFIRMED: usize = 6;

/// Cells that are worth measuring beside those of a summary or once more, for up
/// to `most_workers` workers; none where they would not change the
/// recommendation. Ask again when they are measured: each call narrows the
/// range by as much as it proposes, and after a few nothing is left.
///
/// For the recommended strategy and for the fastest cell's, these are the
/// worker counts just below the recommended one and those around the fastest,
/// as far as the bound says that they could be within the tolerance, or
/// faster. With equal service times only counts that save a round matter
/// (⌈N/w⌉). When no count is left, the strategies that were not measured with
/// the recommended one; then once more those cells that the recommendation
/// rests on, until they have samples enough.
pub fn next(summary: &Summary, most_workers: usize) -> Vec<Cell> {
    let Some(choice) = Choice::of(&summary.rows, Terms::of(&summary.session)) else {
        return Vec::new();
    };
    let search = Search {
        model: summary.model(),
        requests: choice.cell(choice.chosen).requests,
        most_workers,
        counted: summary
            .session
            .sampling
            .as_ref()
            .is_none_or(|sampling| sampling.samples.is_some()),
        choice,
    };
    let mut steps = [Search::between, Search::beside, Search::again].into_iter();
    steps
        .find_map(|step| Some(step(&search)).filter(|cells| !cells.is_empty()))
        .unwrap_or_default()
}

/// The cells whose runtime is to be known from samples that had no part in choosing
/// them: the recommended one, and the fastest. None where there was nothing to choose
/// from, and where the number of samples is left to a time.
pub fn confirm(summary: &Summary) -> Vec<Cell> {
    let counted = |sampling: &Sampling| sampling.samples.is_some();
    let is_counted = summary.session.sampling.as_ref().is_none_or(counted);
    let several = summary.rows.iter().filter(|row| row.compares()).count() > 1;
    let advice = summary.recommendation.as_ref();
    let advice = advice.filter(|_| is_counted && several);
    let places = advice.map(|advice| BTreeSet::from([advice.row, advice.fastest]));
    let cells = places.into_iter().flatten();
    cells
        .filter_map(|place| Some(summary.rows.get(place)?.cell.clone()))
        .collect()
}

struct Search<'a> {
    choice: Choice<'a>,
    model: Option<Model>,
    requests: usize,
    most_workers: usize,
    /// Whether the number of samples was fixed, and not left to a time.
    counted: bool,
}

impl Search<'_> {
    fn between(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for place in self.lines() {
            let measured = self.measured(place);
            let most = self.most(place);
            let mut wanted = self.smaller(&measured);
            wanted.extend(self.faster(place, &measured));
            wanted.retain(|workers| *workers <= most && !measured.contains(workers));
            let wanted: Vec<_> = wanted.into_iter().collect();
            cells.extend(spread(&wanted).map(|workers| self.cell(place, workers)));
        }
        cells.extend(self.batch());
        cells
    }

    /// A cell of each strategy whose counts are searched: the chosen, the
    /// fastest, and those that somewhere take another time than these, as one
    /// does that makes requests in another order.
    fn lines(&self) -> Vec<usize> {
        let choice = &self.choice;
        let mut lines: Vec<usize> = Vec::new();
        for place in [choice.chosen, choice.fastest] {
            if lines.iter().all(|line| !choice.same_line(*line, place)) {
                lines.push(place);
            }
        }
        if self.equal_times() {
            return lines;
        }
        for place in choice.within() {
            if lines.len() < LINES && lines.iter().all(|line| self.unlike(*line, place)) {
                lines.push(place);
            }
        }
        lines
    }

    /// Whether two strategies differ at a count below the chosen one that both
    /// were measured with.
    fn unlike(&self, one: usize, other: usize) -> bool {
        let counts = self.measured(one);
        let below = counts.range(..self.choice.workers(self.choice.chosen));
        let times = |count: &usize| Some((self.time(one, *count)?, self.time(other, *count)?));
        !self.choice.same_line(one, other)
            && below
                .filter_map(times)
                .any(|(one, other)| (one / other - 1.0).abs() > UNLIKE)
    }

    /// Whether every request is known to take the same time.
    fn equal_times(&self) -> bool {
        let service = self.model.as_ref().map(Model::service);
        service
            .is_some_and(|service| service.source == Source::Stated && service.longest_s.is_none())
    }

    /// The cells of a strategy that were tried, whatever came of it.
    fn line(&self, place: usize) -> impl Iterator<Item = &Cell> {
        let rows = 0..self.choice.rows.len();
        let line = rows.filter(move |row| self.choice.same_line(*row, place));
        line.map(|row| self.choice.cell(row))
    }

    /// The worker counts of a strategy that were tried, those beyond the batch
    /// as the batch's.
    fn measured(&self, place: usize) -> BTreeSet<usize> {
        let counts = self.line(place).map(|cell| cell.workers_usable);
        counts.map(|count| count.min(self.requests)).collect()
    }

    /// A worker for each request, for the strategies that would be recommended
    /// with more than that: the count to name, though the runtime is the same.
    fn batch(&self) -> impl Iterator<Item = Cell> {
        let beyond = |place: &usize| {
            self.choice.cell(*place).workers_usable > self.requests
                && self.requests <= self.most(*place)
                && self
                    .line(*place)
                    .all(|cell| cell.workers_usable != self.requests)
        };
        let equals = self.choice.equals.iter().copied().filter(beyond);
        equals.map(|place| self.cell(place, self.requests))
    }

    /// The most workers that a strategy can be tried with; 0 where its count is
    /// not a matter of choice, because it has one worker a request, or one in
    /// all. A strategy that did not use all that it was given can use no more.
    fn most(&self, place: usize) -> usize {
        let counts = self.measured(place);
        let capped = |cell: &Cell| cell.workers_usable < cell.workers;
        if self.choice.cell(place).dispatch == "unbounded" || counts.len() == 1 {
            0
        } else if self.line(place).any(capped) {
            counts.last().copied().unwrap_or(0)
        } else {
            self.most_workers
        }
    }

    /// Counts below the chosen one that could be within the tolerance.
    fn smaller(&self, measured: &BTreeSet<usize>) -> BTreeSet<usize> {
        let chosen = self.choice.workers(self.choice.chosen);
        let limit = self.choice.time(self.choice.fastest) * (1.0 + TOLERANCE);
        let from = |count: usize| -> BTreeSet<usize> {
            self.edges(count, chosen)
                .filter(|workers| !measured.contains(workers) && self.bound(*workers) <= limit)
                .collect()
        };
        let below = measured.range(..chosen).next_back();
        let next = from(below.map_or(1, |below| below + 1));
        if next.is_empty() {
            return from((chosen as f64 * ANOMALY) as usize + 1);
        }
        next
    }

    /// Counts that could be faster than the fastest: those beside a count that
    /// is nearly as fast, unless its neighbours say that they lie on a plateau.
    fn faster(&self, place: usize, measured: &BTreeSet<usize>) -> BTreeSet<usize> {
        let best = self.choice.time(self.choice.fastest);
        let near = |time: &f64| *time <= best * (1.0 + NEAR);
        let level = |one: f64, other: f64| (one / other - 1.0).abs() < LEVEL;
        let most = self.most_workers.min(self.requests);
        let mut counts: Vec<_> = measured.iter().copied().collect();
        counts.insert(0, 0);
        let times: Vec<_> = counts
            .iter()
            .map(|count| self.time(place, *count))
            .collect();
        let is_level = |at: usize| match (times.get(at), times.get(at + 1)) {
            (Some(Some(one)), Some(Some(other))) => level(*one, *other),
            _ => false,
        };
        let mut wanted = BTreeSet::new();
        for (at, from) in counts.iter().enumerate() {
            // Three in a row make a plateau, two may stand on either side of a
            // valley; beyond the last there is only what lies before.
            let to = counts.get(at + 1);
            let before = at > 0 && is_level(at - 1);
            let flat = match to {
                Some(_) => is_level(at) && (before || is_level(at + 1)),
                None => before,
            };
            let ends = times[at]
                .iter()
                .chain(times.get(at + 1).into_iter().flatten());
            if !flat && ends.into_iter().any(near) {
                let counts = self.edges(from + 1, to.map_or(most + 1, |to| *to));
                let faster = best * (1.0 - GAIN);
                wanted.extend(counts.filter(|workers| self.bound(*workers) < faster));
            }
        }
        wanted
    }

    /// The runtime of a strategy with so many workers, if it failed no more
    /// than the others.
    fn time(&self, place: usize, workers: usize) -> Option<f64> {
        let choice = &self.choice;
        let mut eligible = choice.eligible.iter().copied();
        let there = |row: &usize| choice.workers(*row) == workers && choice.same_line(*row, place);
        eligible.find(there).map(|row| choice.time(row))
    }

    /// The counts from one to before another that can differ from the one
    /// below them.
    fn edges(&self, from: usize, before: usize) -> impl Iterator<Item = usize> {
        let equal = self.equal_times();
        let rounds = |workers: usize| self.requests.div_ceil(workers);
        (from..before.min(self.requests + 1)).filter(move |workers| {
            !equal || *workers == 1 || rounds(*workers) < rounds(workers - 1)
        })
    }

    fn bound(&self, workers: usize) -> f64 {
        let bound = self
            .model
            .as_ref()
            .map(|model| model.bound(self.requests, workers));
        let bound_s = bound.map_or(0.0, |bound| bound.seconds);
        // What is faster than the rate limit allows for long is not recommended.
        let rate = self.choice.terms.rate;
        rate.map_or(bound_s, |rate| {
            bound_s.max(self.requests as f64 / rate.per_s)
        })
    }

    /// The strategies that were not measured with the chosen count, nor with
    /// the one where requests begin to fail: a slower one may keep just below
    /// what the server refuses.
    fn beside(&self) -> Vec<Cell> {
        let choice = &self.choice;
        let mut counts = vec![choice.workers(choice.chosen)];
        counts.extend(self.knee());
        let mut cells: Vec<Cell> = Vec::new();
        let mut lines: Vec<usize> = Vec::new();
        for place in 0..choice.rows.len() {
            if lines.iter().all(|line| !choice.same_line(*line, place)) {
                lines.push(place);
                let (measured, most) = (self.measured(place), self.most(place));
                let missing = counts
                    .iter()
                    .filter(|count| **count <= most && !measured.contains(count));
                cells.extend(missing.map(|count| self.cell(place, *count)));
            }
        }
        cells
    }

    /// The cells that the recommendation rests on, where their samples are few:
    /// those it was chosen from, and the fastest.
    fn again(&self) -> Vec<Cell> {
        let choice = &self.choice;
        if !self.counted {
            return Vec::new();
        }
        let mut places = choice.equals.clone();
        if !places.contains(&choice.fastest) {
            places.push(choice.fastest);
        }
        places.retain(|place| choice.rows[*place].samples() < CONFIRMED);
        let cells = places.into_iter().map(|place| choice.cell(place).clone());
        cells.collect()
    }

    /// The count above the fastest one at which its strategy fails more, where
    /// it would be faster if it did not.
    fn knee(&self) -> Option<usize> {
        let choice = &self.choice;
        let fastest = choice.workers(choice.fastest);
        let measured = self.measured(choice.fastest);
        let next = measured.range(fastest + 1..).next().copied()?;
        let failing = choice.eligible.iter().all(|place| {
            choice.workers(*place) != next || !choice.same_line(*place, choice.fastest)
        });
        let limit = choice.time(choice.fastest) * (1.0 - GAIN);
        (failing && self.bound(next) < limit).then_some(next)
    }

    fn cell(&self, place: usize, workers: usize) -> Cell {
        Cell {
            workers,
            workers_usable: workers,
            ..self.choice.cell(place).clone()
        }
    }
}

/// At most so many of the counts as are proposed at once, evenly spread.
fn spread(counts: &[usize]) -> impl Iterator<Item = usize> {
    let kept = counts.len().min(AT_ONCE);
    (0..kept).map(move |i| {
        // The middles of equal parts.
        counts[(2 * i + 1) * counts.len() / (2 * kept)]
    })
}

#[cfg(test)]
mod tests;
