//! Sums of service times that differ, from which the bound of a batch follows.

use crate::analysis::bound::is_time;
use crate::record::ServiceTimes;

/// Service times of a batch, the longest first, as running sums.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sums {
    requests: usize,
    shortest_s: f64,
    /// The sum of the longest n times at place n.
    longest_s: Vec<f64>,
}

impl Sums {
    /// Sums of what a record holds. `None` where that cannot be: a number that is
    /// no time, an order that is not the promised one.
    pub(super) fn of(times: &ServiceTimes) -> Option<Self> {
        let listed = &times.longest_first_s;
        let sorted = listed.is_sorted_by(|longer, shorter| longer >= shorter);
        let possible = listed.iter().all(|time| is_time(*time)) && is_time(times.shortest_s);
        if listed.is_empty() || listed.len() > times.requests || !sorted || !possible {
            return None;
        }
        let mut longest_s = vec![0.0];
        let mut sum = 0.0;
        longest_s.extend(listed.iter().map(|time| {
            sum += time;
            sum
        }));
        Some(Self {
            requests: times.requests,
            shortest_s: times.shortest_s,
            longest_s,
        })
    }

    /// Requests whose times these are.
    pub(super) fn requests(&self) -> usize {
        self.requests
    }

    /// The shortest time, in seconds.
    pub(super) fn shortest_s(&self) -> f64 {
        self.shortest_s
    }

    /// The least time in which so many machines can do all of it, in seconds,
    /// each request taking `besides_s` more than its time.
    ///
    /// Of the `k·m + 1` longest requests some machine does `k + 1` or more, one
    /// after the other (the pigeonhole principle), and no `k + 1` of them take
    /// less than the `k + 1` shortest. The bound is the largest of these sums
    /// over k, as in Dell'Amico and Martello, "Optimal Scheduling of Tasks on
    /// Identical Parallel Processors" (ORSA Journal on Computing 7, 1995). With
    /// equal times it is `ceil(N / m) · d`; with k = 0, the longest request.
    pub(super) fn bound(&self, machines: usize, besides_s: f64) -> f64 {
        let (machines, listed) = (machines.max(1), self.longest_s.len() - 1);
        let sums = (0..listed.div_ceil(machines)).map(|k| {
            let among = k * machines + 1;
            let shortest = self.longest_s[among] - self.longest_s[among - k - 1];
            shortest + (k + 1) as f64 * besides_s
        });
        sums.fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Sums;
    use crate::record::ServiceTimes;

    fn sums(times: &[f64]) -> Sums {
        let mut longest_first_s = times.to_vec();
        longest_first_s.sort_by(|a, b| b.total_cmp(a));
        let shortest_s = longest_first_s.last().copied().unwrap_or_default();
        let times = ServiceTimes {
            requests: times.len(),
            shortest_s,
            longest_first_s,
        };
        Sums::of(&times).expect("times")
    }

    /// The shortest schedule, by trying every assignment.
    fn best(times: &[f64], machines: usize) -> f64 {
        fn place(times: &[f64], loads: &mut [f64], best: &mut f64) {
            let latest = loads.iter().copied().fold(0.0, f64::max);
            let Some((time, rest)) = times.split_first() else {
                *best = best.min(latest);
                return;
            };
            for machine in 0..loads.len() {
                loads[machine] += time;
                place(rest, loads, best);
                loads[machine] -= time;
            }
        }
        let mut best_s = f64::INFINITY;
        place(times, &mut vec![0.0; machines], &mut best_s);
        best_s
    }

    #[test]
    fn equal_times_give_rounds() {
        let times = sums(&[0.2; 100]);
        for (workers, rounds) in [(1, 100), (3, 34), (50, 2), (99, 2), (100, 1), (200, 1)] {
            let expected = 0.2 * f64::from(rounds);
            assert!(
                (times.bound(workers, 0.0) - expected).abs() < 1e-9,
                "{workers}"
            );
        }
        assert!((times.bound(50, 0.1) - 0.6).abs() < 1e-9);
    }

    #[test]
    fn a_pair_that_must_share_a_machine_counts() {
        // Three long requests on two machines: two of them on one.
        assert!((sums(&[0.5, 0.4, 0.3, 0.01]).bound(2, 0.0) - 0.7).abs() < 1e-9);
        assert!((sums(&[0.5, 0.1, 0.1]).bound(2, 0.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn times_that_cannot_be_are_not_summed() {
        let of = |longest_first_s: &[f64]| {
            Sums::of(&ServiceTimes {
                requests: 2,
                shortest_s: 0.1,
                longest_first_s: longest_first_s.to_vec(),
            })
        };
        assert!(of(&[0.2, 0.1]).is_some());
        for wrong in [
            &[] as &[f64],
            &[0.1, 0.2],
            &[f64::NAN, 0.1],
            &[0.3, 0.2, 0.1],
            &[-1.0],
        ] {
            assert!(of(wrong).is_none(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn no_schedule_beats_the_bound(
            times in proptest::collection::vec(0.001_f64..1.0, 1..8),
            machines in 1_usize..5,
        ) {
            prop_assert!(sums(&times).bound(machines, 0.0) <= best(&times, machines) + 1e-9);
        }
    }
}
