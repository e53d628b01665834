//! How long a schedule will go on: by what is known of its cells, and by the
//! responses so far of the samples that run.

use std::time::Duration;

use super::{Enough, Schedule, Task};

impl Schedule {
    /// Takes note of how many requests of a running sample have an outcome; says
    /// whether that changes how long it is expected to take.
    pub(in crate::measure) fn progressed(
        &mut self,
        task: usize,
        outcomes: u64,
        now: Duration,
    ) -> bool {
        self.tasks[task].outcomes = outcomes;
        self.extrapolated(task, now).is_some()
    }

    /// How long it will go on from now, if samples go on as they do. `None` where
    /// nothing is known yet of a server, and no budget ends it.
    pub(in crate::measure) fn remaining(&self, now: Duration) -> Option<Duration> {
        let estimates = self.estimates(now);
        if estimates.iter().all(Option::is_none) {
            return match self.enough {
                Enough::Samples(_) => None,
                Enough::Precise(budget) => Some(budget.saturating_sub(now)),
            };
        }
        let mut outlook = self.clone();
        for (task, estimate) in outlook.tasks.iter_mut().zip(estimates) {
            task.expected_s = estimate;
        }
        Some(outlook.remaining_as_expected(now))
    }

    /// How long a sample of each task takes. A cell of which nothing is known is
    /// taken to be like the one nearest in requests in flight.
    fn estimates(&self, now: Duration) -> Vec<Option<f64>> {
        let known: Vec<(&Task, Option<f64>)> = self
            .tasks
            .iter()
            .enumerate()
            .map(|(place, task)| (task, self.extrapolated(place, now).or(task.known_s())))
            .collect();
        let like_nearest = |task: &Task| {
            let others = known
                .iter()
                .filter_map(|(other, known)| Some((*other, (*known)?)));
            let nearest = others
                .min_by(|(one, _), (other, _)| task.distance(one).total_cmp(&task.distance(other)));
            nearest.map(|(other, known)| known * task.rounds() / other.rounds())
        };
        let all = known.iter();
        all.map(|(task, known)| known.or_else(|| like_nearest(task)))
            .collect()
    }

    /// What a running sample will take by its responses so far, where nothing
    /// else is known of it, or it takes longer than that.
    fn extrapolated(&self, task: usize, now: Duration) -> Option<f64> {
        let (_, since) = self.running.iter().find(|(running, _)| *running == task)?;
        let task = &self.tasks[task];
        let elapsed = now.saturating_sub(*since).as_secs_f64();
        let is_news = task.known_s().is_none_or(|known| elapsed > known);
        (is_news && task.outcomes > 0)
            .then(|| elapsed * task.requests as f64 / task.outcomes as f64)
    }
}

impl Task {
    /// How long a sample takes, where anything is known of it.
    fn known_s(&self) -> Option<f64> {
        self.expected_s.filter(|expected| *expected > 0.0)
    }

    /// Rounds of requests, one after the other.
    fn rounds(&self) -> f64 {
        self.requests.div_ceil(self.in_flight.max(1)).max(1) as f64
    }

    /// How far another is in requests in flight.
    fn distance(&self, other: &Self) -> f64 {
        let [one, other] = [self, other].map(|task| task.in_flight.max(1) as f64);
        (one / other).ln().abs()
    }
}
