//! How throughput goes with workers: the Universal Scalability Law, fitted
//! where the data shows what it is about, a peak.

use serde::Serialize;

use super::Choice;
use crate::record::Purpose;

/// How throughput goes with the number of workers, for the recommended
/// strategy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "shape")]
pub enum Scaling {
    /// It rises to a peak, and falls again.
    Peak(Peak),
    /// No peak was seen, so there is nothing to fit one to.
    NoPeak(NoPeak),
}

/// What was seen instead of a peak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "because")]
pub enum NoPeak {
    /// A limit of the server decides the runtime.
    Limited,
    /// No runtime compares.
    NothingCompares,
    /// The strategy has figures that compare at one worker count only.
    OneCount,
    /// It is not clearly slower with the most workers that compare.
    NotSlower {
        /// So many.
        most: usize,
    },
    /// It is slower beyond its best count, with too few counts to fit a curve.
    TooFewCounts {
        /// The count at which it is fastest.
        best: usize,
        /// The most workers that compare.
        most: usize,
    },
}

/// The Universal Scalability Law, `X(w) = λw / (1 + σ(w − 1) + κw(w − 1))`
/// (Gunther, "Guerrilla Capacity Planning", 2007), as fitted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Peak {
    /// λ: requests per second of one worker.
    pub lambda: f64,
    /// σ, contention: at least 0.
    pub sigma: f64,
    /// κ, coherency: at least 0.
    pub kappa: f64,
    /// The worker count of the fit's peak, `√((1 − σ)/κ)`. `None` where the
    /// fit has none within the measured counts.
    pub workers: Option<f64>,
    /// The worker count at which the throughput was highest as measured.
    pub measured: usize,
    /// The root mean square of the fit's relative error.
    pub error: f64,
}

/// A measured count of workers.
#[derive(Clone, Copy, Debug)]
struct Point {
    workers: f64,
    /// Seconds a request, of all workers together.
    time: f64,
    low: f64,
    high: f64,
}

/// A runtime beyond the best count that is longer by less than this is no
/// sign of a peak, but of noise or of a step.
const SLOWER: f64 = 0.05;
/// The fewest points that three coefficients are fitted to.
const FEWEST: usize = 4;

impl Scaling {
    /// What the cells of the chosen strategy show.
    pub(super) fn of(choice: &Choice<'_>) -> Self {
        let points = points(choice);
        let Some(best) = points.iter().min_by(|a, b| a.time.total_cmp(&b.time)) else {
            return Self::NoPeak(NoPeak::NothingCompares);
        };
        let most = points.last().map_or(0.0, |point| point.workers);
        let falls = |point: &&Point| {
            point.workers > best.workers
                && point.low > best.high
                && point.time > best.time * (1.0 + SLOWER)
        };
        if points.len() < 2 {
            return Self::NoPeak(NoPeak::OneCount);
        }
        // One slower cell may be chance; all that lie further out are not.
        let peaked = points.last().is_some_and(|last| falls(&last));
        if !peaked {
            return Self::NoPeak(NoPeak::NotSlower {
                most: most as usize,
            });
        }
        let fitted = (points.len() >= FEWEST).then(|| fit(&points)).flatten();
        fitted.map_or_else(
            || {
                Self::NoPeak(NoPeak::TooFewCounts {
                    best: best.workers as usize,
                    most: most as usize,
                })
            },
            |peak| {
                Self::Peak(Peak {
                    measured: best.workers as usize,
                    workers: peak.workers.filter(|workers| *workers <= most),
                    ..peak
                })
            },
        )
    }
}

/// The eligible cells of the chosen strategy, by workers.
fn points(choice: &Choice<'_>) -> Vec<Point> {
    let mut points: Vec<_> = choice
        .eligible
        .iter()
        .filter(|place| choice.same_line(**place, choice.chosen))
        .map(|place| {
            let figures = choice.figures(*place);
            let requests = choice.cell(*place).requests as f64;
            // Building is no part of throughput, whatever decides.
            let interval = figures.runtimes.interval(Purpose::Repeated);
            Point {
                workers: choice.workers(*place) as f64,
                time: figures.warm_s.median / requests,
                low: interval.low / requests,
                high: interval.high / requests,
            }
        })
        .filter(|point| point.time > 0.0)
        .collect();
    points.sort_by(|a, b| a.workers.total_cmp(&b.workers));
    points
}

/// Fits by least squares of relative errors: `w · time(w)`, which is linear in
/// `a = 1/λ`, `b = σ/λ` and `c = κ/λ`, with none of them below 0. With three
/// coefficients every choice of those that are 0 can be tried.
fn fit(points: &[Point]) -> Option<Peak> {
    let rows: Vec<[f64; 3]> = points
        .iter()
        .map(|point| {
            let (w, y) = (point.workers, point.workers * point.time);
            [1.0 / y, (w - 1.0) / y, w * (w - 1.0) / y]
        })
        .collect();
    let tried = (0..4_usize).filter_map(|free| {
        let used: Vec<usize> = (0..3)
            .filter(|i| *i == 0 || free >> (i - 1) & 1 == 1)
            .collect();
        let found = least_squares(&rows, &used)?;
        found.iter().all(|x| *x >= 0.0).then_some(found)
    });
    let squares = |x: &[f64; 3]| -> f64 {
        let error = |row: &[f64; 3]| row.iter().zip(x).map(|(r, x)| r * x).sum::<f64>() - 1.0;
        rows.iter().map(|row| error(row).powi(2)).sum()
    };
    let found = tried.min_by(|x, y| squares(x).total_cmp(&squares(y)))?;
    let [a, b, c] = found;
    let peak = Peak {
        lambda: 1.0 / a,
        sigma: b / a,
        kappa: c / a,
        workers: Some((1.0 - b / a) / (c / a))
            .filter(|square| square.is_finite() && *square >= 1.0)
            .map(f64::sqrt),
        measured: 0,
        error: (squares(&found) / rows.len() as f64).sqrt(),
    };
    let numbers = [peak.lambda, peak.sigma, peak.kappa, peak.error];
    numbers.iter().all(|x| x.is_finite()).then_some(peak)
}

/// The coefficients in `used` that bring the rows closest to 1, by the normal
/// equations; the others 0. `None` where they are not determined.
fn least_squares(rows: &[[f64; 3]], used: &[usize]) -> Option<[f64; 3]> {
    let n = used.len();
    let mut system = vec![vec![0.0; n + 1]; n];
    for row in rows {
        for (i, p) in used.iter().enumerate() {
            for (j, q) in used.iter().enumerate() {
                system[i][j] += row[*p] * row[*q];
            }
            system[i][n] += row[*p];
        }
    }
    // Gauss and Jordan; the matrix is positive definite, so it needs no pivots.
    for i in 0..n {
        let pivot = system[i][i];
        if pivot.is_nan() || pivot <= 0.0 {
            return None;
        }
        let line: Vec<f64> = system[i].iter().map(|x| x / pivot).collect();
        for (j, other) in system.iter_mut().enumerate() {
            let factor = other[i];
            if j == i {
                other.clone_from(&line);
            } else {
                other
                    .iter_mut()
                    .zip(&line)
                    .for_each(|(x, y)| *x -= factor * y);
            }
        }
    }
    let mut found = [0.0; 3];
    for (i, p) in used.iter().enumerate() {
        found[*p] = system[i][n];
    }
    found.iter().all(|x| x.is_finite()).then_some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Point, fit};

    fn law(lambda: f64, sigma: f64, kappa: f64) -> Vec<Point> {
        let counts = [1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0];
        let time = |w: f64| (1.0 + sigma * (w - 1.0) + kappa * w * (w - 1.0)) / (lambda * w);
        counts
            .map(|workers| Point {
                workers,
                time: time(workers),
                low: time(workers),
                high: time(workers),
            })
            .to_vec()
    }

    #[test]
    fn a_law_without_noise_is_found_again() {
        let peak = fit(&law(20.0, 0.02, 0.001)).expect("a fit");
        assert!((peak.lambda - 20.0).abs() < 1e-6, "{peak:?}");
        assert!((peak.sigma - 0.02).abs() < 1e-6, "{peak:?}");
        assert!((peak.kappa - 0.001).abs() < 1e-7, "{peak:?}");
        assert!((peak.workers.expect("a peak") - 31.3).abs() < 0.1);
        assert!(peak.error < 1e-6);
    }

    #[test]
    fn a_speedup_beyond_the_workers_leaves_no_coefficient_below_zero() {
        let mut points = law(20.0, 0.0, 0.0);
        for point in &mut points {
            point.time /= 1.0 + 0.01 * point.workers;
        }
        let peak = fit(&points).expect("a fit");
        assert_eq!((peak.sigma, peak.kappa, peak.workers), (0.0, 0.0, None));
    }

    proptest! {
        #[test]
        fn a_fit_holds_numbers_and_none_below_zero(
            times in prop::collection::vec(1e-9_f64..1e6, 4..12),
        ) {
            let points: Vec<_> = times
                .iter()
                .enumerate()
                .map(|(w, time)| Point {
                    workers: (w * w + 1) as f64, time: *time, low: *time, high: *time,
                })
                .collect();
            if let Some(peak) = fit(&points) {
                for number in [peak.lambda, peak.sigma, peak.kappa, peak.error] {
                    prop_assert!(number.is_finite() && number >= 0.0);
                }
            }
        }
    }
}
