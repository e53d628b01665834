//! What a worker process has to do: the requests that it was given and has not
//! reported.
//!
//! A language's own process pool hands out chunks, which makes short requests
//! cheap and lets one slow request hold up all that share its chunk. Here a
//! process has as many requests as workers, and more only while its last ones
//! were short: never more than half of its workers' share of what is left. It is
//! given the next before it runs out, and any of its workers begins them. Results
//! are reported together, so where one of several short requests turns out to be
//! long, those before it may be known when it ends, and are lost with it if the
//! process dies.

use std::collections::VecDeque;
use std::time::Duration;

use super::AHEAD;
use super::wire::Done;
use crate::outcome::{Failure, FailureKind};
use crate::strategy::Attempt;

/// The most requests that a process is given for each of its workers.
const MOST_AHEAD: usize = 32;

/// The requests that a process has.
pub(super) struct Errand<'run> {
    /// In the order in which it begins them, and when it was given each.
    given: VecDeque<(Attempt<'run>, Duration)>,
    /// The number of its first worker.
    first: usize,
    /// When each of its workers ended the last request that it reported.
    ended: Vec<Duration>,
    /// When a report of the first request must have come.
    limit: Duration,
    /// What a request took lately; `None` before the first.
    pace: Option<Duration>,
}

impl<'run> Errand<'run> {
    /// Nothing yet, for so many workers from one on.
    pub(super) fn new(first: usize, workers: usize) -> Self {
        Self {
            given: VecDeque::new(),
            first,
            ended: vec![Duration::ZERO; workers],
            limit: Duration::ZERO,
            pace: None,
        }
    }

    /// Whether there is nothing to do.
    pub(super) fn is_done(&self) -> bool {
        self.given.is_empty()
    }

    /// Whether a report should have come by a time.
    pub(super) fn is_overdue(&self, now: Duration) -> bool {
        !self.is_done() && now > self.limit
    }

    /// How many requests it should have at most, where a worker's share of what is
    /// left of the batch is so many: one per worker at least.
    pub(super) fn size(&self, share: usize) -> usize {
        let fits = |pace: Duration| AHEAD.as_nanos() / pace.as_nanos().max(1);
        let fitting = usize::try_from(self.pace.map_or(1, fits)).unwrap_or(MOST_AHEAD);
        fitting.min(share / 2).clamp(1, MOST_AHEAD) * self.ended.len()
    }

    /// How many more it may be given, of a size.
    pub(super) fn room(&self, size: usize) -> usize {
        size.saturating_sub(self.given.len())
    }

    /// How many results are worth a report, of a size: half of what waits while all
    /// workers are busy, so that more comes before it is done.
    pub(super) fn together(&self, size: usize) -> usize {
        (size.saturating_sub(self.ended.len()) / 2).max(1)
    }

    /// The number of its first worker.
    pub(super) fn first_worker(&self) -> usize {
        self.first
    }

    /// Adds a request, given at a time; the first must be reported by another.
    pub(super) fn add(&mut self, attempt: Attempt<'run>, now: Duration, limit: Duration) {
        if self.is_done() {
            self.limit = limit;
        }
        self.given.push_back((attempt, now));
    }

    /// Ends requests, as the process reported them by now, and sets when the first
    /// of those left must have been; whether all were its own.
    pub(super) fn report(&mut self, done: Vec<Done>, now: Duration, limit: Duration) -> bool {
        let first = |errand: &Self| errand.given.front().map(|(a, _)| a.request().index);
        let before = first(self);
        let mut last = vec![None; self.ended.len()];
        for (place, done) in done.iter().enumerate() {
            match last.get_mut(done.worker) {
                Some(last) => *last = Some(place),
                None => return false,
            }
        }
        // With as many left as workers, each has begun another.
        let busy = self.given.len().saturating_sub(done.len()) >= self.ended.len();
        for (place, done) in done.into_iter().enumerate() {
            let mut given = self.given.iter();
            let found = given.position(|(attempt, _)| attempt.request().index == done.index);
            let Some((attempt, at)) = found.and_then(|found| self.given.remove(found)) else {
                return false;
            };
            let start = at.max(self.ended[done.worker]).min(now);
            // No longer than it can have been, whatever the process says.
            let took = done.took.min(now - start);
            self.pace = Some(self.pace.map_or(took, |pace| (pace * 7 + took) / 8));
            // That a worker's last one has ended nobody knew before now. Where another
            // follows, the worker had begun that by then, and it begins none before
            // the one before has ended.
            let end = match last[done.worker] == Some(place) && !busy {
                true => now,
                false => start + took,
            };
            self.ended[done.worker] = end;
            let attempt = attempt.by(self.first + done.worker);
            attempt.finish_with(start..end, done.call);
        }
        if first(self) != before {
            self.limit = limit;
        }
        true
    }

    /// Fails what is left, as nobody knows how much of it the process has done.
    pub(super) fn lose(&mut self, why: &str, now: Duration) {
        for (place, (attempt, at)) in std::mem::take(&mut self.given).into_iter().enumerate() {
            let failure = match attempt.request().is_expired() {
                true => Failure::deadline(),
                false => Failure::new(FailureKind::WorkerLost, why),
            };
            // Which of them its workers were at nobody knows: the first ones stand for
            // all.
            let worker = place % self.ended.len();
            let start = at.max(self.ended[worker]).min(now);
            self.ended[worker] = now;
            let attempt = attempt.by(self.first + worker);
            attempt.finish_with(start..now, Err(failure));
        }
        self.pace = None;
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::outcome::{Call, Outcome, Response};
    use crate::request::Request;
    use crate::strategy::{Batch, Sink};
    use crate::workload::Workload;

    struct Plain;

    impl Workload for Plain {
        fn requests(&self) -> usize {
            6
        }

        fn request(&self, index: usize) -> Request {
            Request::new(index, "/".to_owned())
        }

        fn check(&self, _: usize, _: &Response) -> Result<(), Failure> {
            Ok(())
        }
    }

    #[derive(Default)]
    struct Seen(Mutex<Vec<(usize, Range<Duration>)>>);

    impl Sink for Seen {
        fn accept(&self, outcome: Outcome) {
            let span = outcome.started..outcome.finished;
            self.0.lock().unwrap().push((outcome.worker, span));
        }
    }

    fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    /// Results by index, worker and microseconds.
    fn done(results: &[(usize, usize, u64)]) -> Vec<Done> {
        let done = |(index, worker, took)| Done {
            index,
            worker,
            call: Call::from(Ok(Response::new(200, ""))),
            took: micros(took),
        };
        results.iter().copied().map(done).collect()
    }

    /// Worker, start and end, in microseconds, of requests that are given at 100 to
    /// a process of so many workers, the first of which is number 5.
    fn seen(
        workers: usize,
        requests: usize,
        act: impl FnOnce(&mut Errand<'_>),
    ) -> Vec<(usize, u128, u128)> {
        let seen = Arc::<Seen>::default();
        let batch = Batch::new(Arc::new(Plain), Arc::clone(&seen) as Arc<_>);
        let mut errand = Errand::new(5, workers);
        for index in 0..requests {
            errand.add(batch.begin(index, 5), micros(100), micros(9000));
        }
        act(&mut errand);
        assert!(errand.is_done());
        let seen = seen.0.lock().unwrap();
        let micros = |(worker, span): &(usize, Range<Duration>)| {
            (*worker, span.start.as_micros(), span.end.as_micros())
        };
        seen.iter().map(micros).collect()
    }

    #[test]
    fn late_reports_leave_each_request_its_time() {
        let told = seen(1, 4, |errand| {
            let first = done(&[(0, 0, 50), (1, 0, 60)]);
            assert!(errand.report(first, micros(5000), micros(9000)));
            let rest = done(&[(2, 0, 70), (3, 0, 80)]);
            assert!(errand.report(rest, micros(5001), micros(9000)));
        });
        assert_eq!(
            told,
            [(5, 100, 150), (5, 150, 210), (5, 210, 280), (5, 280, 5001)]
        );
    }

    #[test]
    fn workers_of_a_process_have_times_of_their_own() {
        let told = seen(2, 6, |errand| {
            // The first worker does three while the other does one.
            let first = done(&[(0, 0, 50), (2, 0, 60), (1, 1, 200)]);
            assert!(errand.report(first, micros(400), micros(9000)));
            let rest = done(&[(3, 0, 300), (4, 1, 70), (5, 1, 80)]);
            assert!(errand.report(rest, micros(500), micros(9000)));
        });
        assert_eq!(
            told,
            [
                (5, 100, 150),
                (5, 150, 210),
                (6, 100, 300),
                // None is left to begin: it ended when that was told.
                (5, 210, 500),
                (6, 300, 370),
                (6, 370, 500)
            ]
        );
    }

    #[test]
    fn only_a_report_of_the_first_request_buys_time() {
        seen(2, 3, |errand| {
            assert!(errand.report(done(&[(1, 1, 50)]), micros(200), micros(99_000)));
            assert!(errand.is_overdue(micros(9001)));
            assert!(errand.report(done(&[(0, 0, 50)]), micros(300), micros(99_000)));
            assert!(!errand.is_overdue(micros(9001)));
            errand.lose("gone", micros(400));
        });
    }

    #[test]
    fn what_a_lost_process_had_ends_when_it_is_missed() {
        let told = seen(1, 4, |errand| {
            assert!(errand.report(done(&[(0, 0, 50)]), micros(200), micros(300)));
            assert!(!errand.is_overdue(micros(300)) && errand.is_overdue(micros(301)));
            errand.lose("gone", micros(400));
        });
        let at_once = (5, 400, 400);
        assert_eq!(told, [(5, 100, 150), (5, 150, 400), at_once, at_once]);
        let told = seen(2, 3, |errand| errand.lose("gone", micros(400)));
        assert_eq!(told, [(5, 100, 400), (6, 100, 400), (5, 400, 400)]);
    }

    #[test]
    fn no_request_took_longer_than_there_was_time() {
        let told = seen(1, 2, |errand| {
            let absurd = done(&[(0, 0, u64::MAX), (1, 0, u64::MAX)]);
            assert!(errand.report(absurd, micros(200), micros(300)));
        });
        assert_eq!(told, [(5, 100, 200), (5, 200, 200)]);
    }

    #[test]
    fn a_report_of_what_was_not_given_is_none() {
        for odd in [(9, 0, 1), (0, 2, 1)] {
            seen(2, 2, |errand| {
                assert!(!errand.report(done(&[odd]), micros(200), micros(300)));
                errand.lose("gone", micros(400));
            });
        }
        seen(1, 1, |errand| {
            let twice = done(&[(0, 0, 1), (0, 0, 1)]);
            assert!(!errand.report(twice, micros(200), micros(300)));
        });
    }

    #[test]
    fn short_requests_go_together_up_to_half_a_share() {
        let paced = |workers, pace| Errand {
            pace,
            ..Errand::new(0, workers)
        };
        assert_eq!(paced(1, None).size(1000), 1);
        assert_eq!(paced(10, None).size(1000), 10);
        for (took, share, size) in [
            (200_000, 1000, 1),
            (2_001, 1000, 1),
            (2_000, 1000, 2),
            (500, 1000, 8),
            (500, 10, 5),
            (500, 0, 1),
            (0, 1000, MOST_AHEAD),
        ] {
            for workers in [1, 10] {
                assert_eq!(
                    paced(workers, Some(micros(took))).size(share),
                    size * workers,
                    "{took} µs, {share}"
                );
            }
        }
    }

    #[test]
    fn more_comes_before_a_process_runs_out() {
        let errand = Errand::new(0, 10);
        assert_eq!((errand.room(10), errand.together(10)), (10, 1));
        assert_eq!(errand.together(160), 75);
    }
}
