//! Which cells fail more than others: a question about rates.
//!
//! Requests fail by chance, so of many cells with the same chance some had more
//! failures than others. A cell fails more only where a test over the failures of
//! all its samples says so. What the tests rest on is in METHODOLOGY.md.

use serde::Serialize;

use super::recommend::TOLERANCE;
use super::statistics::Sorted;
use super::summary::Row;
use crate::record::Measurement;

/// The probability of calling any cell of a record worse where all have the same
/// chance of failures.
const LEVEL: f64 = 0.01;
/// The same for one cell that fails more by so much that its times would compare no
/// more: a request that fails at once makes its batch shorter.
const PLAIN_LEVEL: f64 = 0.05;
/// So much: as far as times are told apart.
const MUCH: f64 = TOLERANCE;
/// The standard normal quantile of `1 − LEVEL`.
const QUANTILE: f64 = 2.326_347_874;

/// Requests over all samples of a cell, and how many of them failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Failed {
    /// Requests that failed.
    pub failed: u64,
    /// Requests.
    pub requests: u64,
    /// By how much more the samples differ in their failures than independent
    /// requests would: the design effect, at least 1.
    pub effect: f64,
}

impl Failed {
    /// The failures of a cell's samples.
    pub(super) fn of(measured: &[&Measurement]) -> Self {
        let counts = measured.iter().map(|m| (m.failed(), m.ok + m.failed()));
        let (failed, requests) = counts
            .clone()
            .fold((0, 0), |(x, n), (failed, all)| (x + failed, n + all));
        let share = share(failed as f64, requests as f64);
        let variance = share * (1.0 - share);
        let samples = measured.len() as f64;
        let squares: f64 = counts
            .map(|(failed, all)| (failed as f64 - share * all as f64).powi(2))
            .sum();
        let effect = squares * samples / (samples - 1.0) / (requests as f64 * variance);
        Self {
            failed,
            requests,
            effect: if effect.is_finite() {
                effect.max(1.0)
            } else {
                1.0
            },
        }
    }

    /// The share of requests that failed.
    pub fn share(&self) -> f64 {
        share(self.failed as f64, self.requests as f64)
    }

    /// As many independent requests as say the same.
    fn counts(&self) -> Counts {
        Counts {
            failed: self.failed as f64 / self.effect,
            requests: self.requests as f64 / self.effect,
        }
    }
}

fn share(failed: f64, requests: f64) -> f64 {
    failed / requests.max(1.0)
}

/// Failures among independent requests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counts {
    failed: f64,
    requests: f64,
}

impl Counts {
    fn of<'a>(failed: impl IntoIterator<Item = &'a Failed>) -> Self {
        let counts = failed.into_iter().map(Failed::counts);
        counts.fold(Self::default(), |sum, one| Self {
            failed: sum.failed + one.failed,
            requests: sum.requests + one.requests,
        })
    }

    fn share(&self) -> f64 {
        share(self.failed, self.requests)
    }

    /// The probability of so many failures here or more, given those of both, where
    /// these fail no more than the others: Fisher's exact test, one-sided.
    fn chance_beside(&self, others: &Self) -> f64 {
        if self.share() <= others.share() {
            return 1.0;
        }
        let (n, m) = (self.requests.round(), others.requests.round());
        // Rounded so that what is left of a failure counts for the others.
        let (x, y) = (self.failed.floor(), others.failed.ceil());
        let all = x + y;
        let log = |x: f64| log_choose(n, x) + log_choose(m, all - x) - log_choose(n + m, all);
        tail(log(x), x, all.min(n), |x| {
            (n - x) * (all - x) / ((x + 1.0) * (m - all + x + 1.0))
        })
    }

    /// Whether the failures are likelier with the one chance than with the other.
    fn is_rather(&self, this: f64, other: f64) -> bool {
        let [this, other] = [this, other].map(|chance| chance.clamp(1e-9, 1.0 - 1e-9));
        let good = self.requests - self.failed;
        self.failed * (this / other).ln() + good * ((1.0 - this) / (1.0 - other)).ln() > 0.0
    }

    /// The probability of so many failures or more, where a share of requests
    /// fails: binomial.
    fn chance_at(&self, share: f64) -> f64 {
        if self.share() <= share {
            return 1.0;
        }
        let (n, x) = (self.requests.round(), self.failed.floor());
        if x < 1.0 {
            return 1.0;
        }
        let log = log_choose(n, x) + x * share.ln() + (n - x) * (-share).ln_1p();
        tail(log, x, n, |x| (n - x) / (x + 1.0) * share / (1.0 - share))
    }
}

/// `e^log`, the probability of a count, and the probabilities of all greater ones
/// up to a last, each of which is the one before times a ratio.
fn tail(log: f64, from: f64, last: f64, ratio: impl Fn(f64) -> f64) -> f64 {
    let (mut term, mut sum, mut x) = (1.0, 1.0, from);
    while x < last && term > f64::EPSILON * sum {
        term *= ratio(x);
        sum += term;
        x += 1.0;
    }
    (log + f64::ln(sum)).exp().min(1.0)
}

fn log_choose(n: f64, k: f64) -> f64 {
    libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0)
}

/// Whether more requests fail with more workers: the Cochran–Armitage trend test,
/// one-sided, with the places of the worker counts as scores. Pairs of workers
/// and failures.
pub(super) fn rises(cells: &[(usize, Failed)]) -> bool {
    let levels = levels(cells);
    let groups = || levels.iter().map(|workers| at(cells, |w| w == *workers));
    let all = Counts::of(cells.iter().map(|(_, failed)| failed));
    let sum = |of: &dyn Fn(f64, Counts) -> f64| -> f64 {
        groups().enumerate().map(|(i, n)| of(i as f64, n)).sum()
    };
    let p = all.share();
    let excess = sum(&|score, n| score * (n.failed - n.requests * p));
    let mean = sum(&|score, n| score * n.requests) / all.requests;
    let spread = sum(&|score, n| n.requests * (score - mean).powi(2));
    excess / (p * (1.0 - p) * spread).sqrt() > QUANTILE
}

/// The worker counts of cells, ascending.
fn levels(cells: &[(usize, Failed)]) -> Vec<usize> {
    let mut levels: Vec<_> = cells.iter().map(|(workers, _)| *workers).collect();
    levels.sort_unstable();
    levels.dedup();
    levels
}

/// The failures of the cells with some counts of workers.
fn at(cells: &[(usize, Failed)], is: impl Fn(usize) -> bool) -> Counts {
    let there = cells.iter().filter(|(workers, _)| is(*workers));
    Counts::of(there.map(|(_, failed)| failed))
}

/// The worker count from which on more requests fail than with fewer workers, where
/// failures rise with workers.
fn knee(cells: &[(usize, Failed)]) -> Option<usize> {
    let levels = levels(cells);
    let is_knee = |from: &usize| {
        let fewer = at(cells, |w| w < *from);
        let beyond = at(cells, |w| w >= *from).share();
        let further = levels.iter().filter(|level| *level > from);
        fewer.requests > 0.0
            && at(cells, |w| w == *from).chance_beside(&fewer) < LEVEL / levels.len() as f64
            && further
                .map(|level| at(cells, |w| w == *level))
                .all(|level| level.is_rather(beyond, fewer.share()))
    };
    levels
        .iter()
        .copied()
        .find(is_knee)
        .filter(|_| rises(cells))
}

/// Marks the rows that fail more than the best ones of as many requests.
pub(super) fn judge(rows: &mut [Row], tolerance: Option<f64>) {
    let mut batches: Vec<_> = rows.iter().map(|row| row.cell.requests).collect();
    batches.sort_unstable();
    batches.dedup();
    for requests in batches {
        let of_batch = (0..rows.len()).filter(|place| rows[*place].cell.requests == requests);
        let of_batch: Vec<_> = of_batch.collect();
        let good = no_worse(rows, &of_batch, tolerance);
        for place in of_batch {
            rows[place].fails_more = !good.contains(&place);
        }
    }
}

/// The rows of one batch that fail no more than the best of them.
fn no_worse(rows: &[Row], of_batch: &[usize], tolerance: Option<f64>) -> Vec<usize> {
    let failed = |place: &usize| rows[*place].figures.as_ref().map(|figures| figures.pooled);
    // A server that has died answers nothing, and says nothing of a strategy.
    let answered = |place: &usize| {
        let figures = rows[*place].figures.as_ref();
        figures.is_some_and(|figures| 2 * figures.answered >= figures.samples)
    };
    let mut places: Vec<_> = of_batch.iter().copied().filter(answered).collect();
    keep_measured(rows, &mut places);
    let counts = |place: &usize| failed(place).unwrap_or_default().counts();
    let counts_all = |place: &usize| {
        let all = failed(place).unwrap_or_default();
        Failed { effect: 1.0, ..all }.counts()
    };
    let level = LEVEL / places.len().max(1) as f64;
    if let Some(most) = tolerance {
        // Failures of one bad sample are few by chance, and still the share that was had.
        let share = |place: &usize| failed(place).unwrap_or_default().share();
        let within =
            |place: &&usize| share(place) <= most || counts_all(place).chance_at(most) >= level;
        let within: Vec<_> = places.iter().filter(within).copied().collect();
        if !within.is_empty() {
            return within;
        }
    }
    let rising = rising(rows, of_batch);
    if places.iter().any(|place| !rising.contains(place)) {
        places.retain(|place| !rising.contains(place));
    }
    keep_best(
        &mut places,
        counts,
        |much| {
            if much { PLAIN_LEVEL } else { level }
        },
    );
    places
}

/// Leaves out rows of which more samples came to nothing than chance explains, or more
/// than were measured. A sample that a crash of the server cost says nothing of its
/// strategy, so the other samples of the row still count.
fn keep_measured(rows: &[Row], places: &mut Vec<usize>) {
    let is_measured = |place: &usize| {
        let samples = rows[*place].samples();
        2 * rows[*place].errors <= samples
    };
    if places.iter().any(is_measured) {
        places.retain(is_measured);
    }
    let level = LEVEL / places.len().max(1) as f64;
    let lost = |place: &usize| Counts {
        failed: rows[*place].errors as f64,
        requests: rows[*place].samples() as f64,
    };
    keep_best(places, lost, |_| level);
}

/// Keeps the rows that fail no more than the best of them, by a level of probability
/// that is told whether they fail by [`MUCH`] more.
fn keep_best(
    places: &mut Vec<usize>,
    counts: impl Fn(&usize) -> Counts,
    level: impl Fn(bool) -> f64,
) {
    places.sort_by(|a, b| counts(a).share().total_cmp(&counts(b).share()));
    let mut best = Counts::default();
    places.retain(|place| {
        let own = counts(place);
        let much = own.share() > best.share() + MUCH;
        let joins = own.chance_beside(&best) >= level(much);
        if joins {
            best.failed += own.failed;
            best.requests += own.requests;
        }
        joins
    });
}

/// The rows of one batch whose strategy begins to fail with as many workers as
/// they have. The cells of all strategies together show a rise that each of them by
/// itself is too small to show.
fn rising(rows: &[Row], places: &[usize]) -> Vec<usize> {
    let failed = |place: &usize| rows[*place].figures.as_ref().map(|figures| figures.pooled);
    let cell = |place: &usize| Some((rows[*place].workers(), failed(place)?));
    let cells: Vec<_> = places.iter().filter_map(cell).collect();
    let Some(from) = knee(&cells) else {
        return Vec::new();
    };
    let fewer = at(&cells, |workers| workers < from).share();
    let beyond = |place: &usize| {
        let line = places.iter();
        let line = line.filter(|other| rows[*place].is_like(&rows[**other]));
        at(&line.filter_map(cell).collect::<Vec<_>>(), |workers| {
            workers >= from
        })
    };
    let places = places
        .iter()
        .filter(|place| rows[**place].workers() >= from);
    let lines: Vec<_> = places.map(|place| (*place, beyond(place))).collect();
    // One strategy that fails much says nothing of the others.
    let usual = Sorted::new(lines.iter().map(|(_, line)| line.share()));
    let usual = usual.map_or(fewer, |shares| shares.median());
    // Nor do those that fail at one count of a strategy that just keeps below a limit.
    let is_spared = |place: usize| {
        let level = rows[place].workers();
        let others = lines.iter().map(|(other, _)| *other);
        let others = others.filter(|other| *other != place && rows[*other].workers() == level);
        let others = Counts::of(
            &others
                .filter_map(|other| failed(&other))
                .collect::<Vec<_>>(),
        );
        let own = failed(&place).map_or(Counts::default(), |own| own.counts());
        others.chance_beside(&own) < LEVEL
    };
    let rises = lines
        .iter()
        .filter(|(_, line)| line.is_rather(usual, fewer));
    let rises = rises.map(|(place, _)| *place);
    rises.filter(|place| !is_spared(*place)).collect()
}

#[cfg(test)]
mod tests;
