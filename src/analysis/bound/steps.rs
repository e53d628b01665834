//! The bound over worker counts. It falls in steps: a worker more helps only
//! where it saves a round, and straight lines between a few counts would claim
//! bounds that no count has.

use super::model::{Bound, Model};

/// The most worker counts that are looked at: more than a plot has pixels.
const MOST: usize = 2_000;

impl Model {
    /// The bound at each worker count from one to another at which it, or its
    /// ceiling, differs from that of the count before; both ends are always
    /// among them. Every integer is looked at, or where they are too many to
    /// draw, integers at equal ratios.
    pub fn steps(&self, requests: usize, least: usize, most: usize) -> Vec<(usize, Bound)> {
        let least = least.max(1);
        let most = most.max(least);
        let mut steps: Vec<(usize, Bound)> = Vec::new();
        for workers in counts(least, most) {
            let bound = self.bound(requests, workers);
            let is_level = |(_, last): &(usize, Bound)| {
                level(last.seconds, bound.seconds)
                    && level(
                        last.ceiling_s.unwrap_or(last.seconds),
                        bound.ceiling_s.unwrap_or(bound.seconds),
                    )
            };
            if workers == most || !steps.last().is_some_and(is_level) {
                steps.push((workers, bound));
            }
        }
        steps
    }
}

/// Whether two times differ by rounding alone.
fn level(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs()
}

/// Integers from one to another, ascending, both among them.
fn counts(least: usize, most: usize) -> Vec<usize> {
    if most - least < MOST {
        return (least..=most).collect();
    }
    let ratio = (most as f64 / least as f64).ln();
    let at = |step: usize| (least as f64 * (ratio * step as f64 / MOST as f64).exp()) as usize;
    let mut counts: Vec<usize> = (0..MOST).map(|step| at(step).clamp(least, most)).collect();
    counts.push(most);
    counts.dedup();
    counts
}

#[cfg(test)]
mod tests {
    use super::counts;
    use crate::analysis::Summary;
    use crate::analysis::fixture::{RecordBuilder, measured};

    fn steps(requests: usize, least: usize, most: usize) -> Vec<(usize, f64)> {
        let record = RecordBuilder::new()
            .service(Some(0.2))
            .sample("tokio", 1, measured(100, 20.1))
            .build();
        let model = Summary::of(&record).model().expect("a service time");
        let steps = model.steps(requests, least, most).into_iter();
        steps
            .map(|(workers, bound)| (workers, (bound.seconds * 1e9).round() / 1e9))
            .collect()
    }

    #[test]
    fn bound_holds_until_a_round_is_saved() {
        // 50 to 99 workers take two rounds: a straight line from 50 to 100 would
        // say 0.2 s at 99.
        assert_eq!(steps(100, 49, 100), [(49, 0.6), (50, 0.4), (100, 0.2)]);
        let all = steps(100, 1, 100);
        let at = |workers: usize| {
            let mut until = all.iter().rev();
            until.find(|step| step.0 <= workers).expect("a step").1
        };
        for workers in 1..=100_usize {
            let bound = 100_usize.div_ceil(workers) as f64 * 0.2;
            assert!((at(workers) - bound).abs() < 1e-6, "{workers}");
        }
    }

    #[test]
    fn both_ends_are_steps_and_one_count_is_one() {
        assert_eq!(steps(100, 60, 80), [(60, 0.4), (80, 0.4)]);
        assert_eq!(steps(100, 20, 20), [(20, 1.0)]);
        assert_eq!(steps(100, 0, 0), [(1, 20.0)]);
    }

    #[test]
    fn millions_of_counts_are_thinned_and_keep_both_ends() {
        let counts = counts(1, 5_000_000);
        assert!(counts.len() <= 2_001);
        assert_eq!((counts[0], counts[counts.len() - 1]), (1, 5_000_000));
        assert!(counts.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
