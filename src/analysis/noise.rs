//! Whether two cells differ by more than chance. One or two samples say nothing of
//! their own noise, so the noise of all cells of a record stands in for it.

use super::statistics::Sorted;

/// With so many samples or more, the medians of two cells are told apart by their own
/// intervals.
const ENOUGH: usize = 3;
/// The fewest degrees of freedom from which the pooled noise is known.
const KNOWN: u32 = 6;
/// The probability of calling equal cells of few samples different.
const LEVEL: f64 = 0.05;

/// How the runtimes of two cells compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// They differ by more than chance explains.
    Apart,
    /// Chance explains their difference.
    Level,
    /// There are too few samples to tell.
    Untold,
}

/// The noise of a record's runtimes: the variance of their logarithms within cells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Noise {
    squares: f64,
    freedom: u32,
}

impl Noise {
    /// The pooled noise of the runtimes of some cells.
    pub fn of<'a>(cells: impl IntoIterator<Item = &'a Sorted>) -> Self {
        cells.into_iter().fold(Self::default(), |sum, one| Self {
            squares: sum.squares + one.log_squares(),
            freedom: sum.freedom + one.len() as u32 - 1,
        })
    }

    /// How two sets of runtimes compare, where so many are compared with one of them.
    pub fn compare(&self, one: &Sorted, other: &Sorted, comparisons: usize) -> Comparison {
        let apart = if one.len().min(other.len()) >= ENOUGH {
            one.is_apart_among(other, comparisons)
        } else if self.freedom >= KNOWN {
            let per_sample = 1.0 / one.len() as f64 + 1.0 / other.len() as f64;
            let error = (self.squares / f64::from(self.freedom) * per_sample).sqrt();
            let t = (one.median() / other.median()).ln().abs() / error;
            chance(t, self.freedom) < LEVEL / comparisons.max(1) as f64
        } else {
            return Comparison::Untold;
        };
        match apart {
            true => Comparison::Apart,
            false => Comparison::Level,
        }
    }
}

/// The probability of a value of Student's t as far from 0 or farther: Abramowitz and
/// Stegun, 26.7.3 and 26.7.4.
fn chance(t: f64, freedom: u32) -> f64 {
    let angle = (t / f64::from(freedom).sqrt()).atan();
    let (sine, cosine) = angle.sin_cos();
    let is_odd = freedom % 2 == 1;
    let (mut term, mut sum) = if is_odd { (cosine, 0.0) } else { (1.0, 0.0) };
    let mut k = if is_odd { 1 } else { 0 };
    while k + 2 <= freedom {
        sum += term;
        term *= f64::from(k + 1) / f64::from(k + 2) * cosine * cosine;
        k += 2;
    }
    let within = match is_odd {
        true => (angle + sine * sum) * std::f64::consts::FRAC_2_PI,
        false => sine * sum,
    };
    // Of no noise at all comes no number.
    if within.is_nan() {
        1.0
    } else {
        (1.0 - within).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Noise, chance};
    use crate::analysis::Summary;
    use crate::analysis::fixture::{RecordBuilder, measured};
    use crate::record::Purpose;

    #[test]
    fn chances_are_those_of_students_table() {
        for (t, freedom, expected) in [
            (12.706, 1, 0.05),
            (4.303, 2, 0.05),
            (3.182, 3, 0.05),
            (2.447, 6, 0.05),
            (2.365, 7, 0.05),
            (3.169, 10, 0.01),
            (2.660, 60, 0.01),
        ] {
            let found = chance(t, freedom);
            assert!((found - expected).abs() < 5e-5, "{t} {freedom}: {found}");
        }
        assert_eq!(chance(0.0, 6), 1.0);
    }

    /// How tokio and rayon compare by the cold runtime, where the one is so many times
    /// as slow, with so many samples each, beside so many other cells of two.
    fn compared(seed: u64, slower: f64, samples: usize, others: usize) -> Comparison {
        let mut noise = crate::analysis::fixture::normal(seed);
        let mut record = RecordBuilder::new();
        let mut run = |warm_s: f64| measured(100, warm_s * (0.007 * noise()).exp());
        for _ in 0..samples {
            record = record.sample("tokio", 20, run(1.01));
            record = record.sample("rayon", 20, run(1.01 * slower));
        }
        for workers in 1..=others {
            for _ in 0..2 {
                record = record.sample("smol", workers, run(20.0 / workers as f64));
            }
        }
        let rows = Summary::of(&record.build()).rows;
        let of = |strategy: &str| {
            let row = rows.iter().find(|row| row.cell.strategy == strategy);
            row.and_then(|row| row.judged(Purpose::Once))
                .expect("measured")
        };
        let runtimes = rows.iter().filter_map(|row| row.judged(Purpose::Once));
        Noise::of(runtimes).compare(of("tokio"), of("rayon"), 1)
    }

    #[test]
    fn single_samples_tell_nothing_without_known_noise() {
        for slower in [1.0, 1.02, 3.0] {
            assert_eq!(compared(1, slower, 1, 0), Comparison::Untold);
            assert_eq!(compared(1, slower, 2, 3), Comparison::Untold);
        }
    }

    #[test]
    fn few_samples_are_compared_by_the_noise_of_the_record() {
        for samples in [1, 2] {
            let apart = |slower: f64| {
                let is_apart =
                    |seed: &u64| compared(*seed, slower, samples, 8) == Comparison::Apart;
                (0..200).filter(is_apart).count()
            };
            let (same, slower) = (apart(1.0), apart(1.05));
            assert!(same <= 20, "{samples} samples: {same} of 200 equal ones");
            assert!(slower >= 180, "{samples} samples: {slower} of 200");
        }
    }
}
