//! What a worker process has to do: the requests that it was given together.
//!
//! A language's own process pool hands out chunks, which makes short requests
//! cheap and lets one slow request hold up all that share its chunk. Here a
//! worker gets several requests only while its last ones were short, and never
//! more than half of its share of what is left. What it has done it reports
//! together, so where one of several short requests turns out to be long, those
//! before it are known when it ends, and are lost with it if the worker dies.

use std::collections::VecDeque;
use std::time::Duration;

use super::AHEAD;
use super::wire::Done;
use crate::outcome::{Failure, FailureKind};
use crate::strategy::Attempt;

/// The most requests that a worker is given at once.
const MOST_AHEAD: usize = 32;

/// The requests that a worker has.
#[derive(Default)]
pub(super) struct Errand<'run> {
    /// In the order in which it makes them.
    attempts: VecDeque<Attempt<'run>>,
    /// When it was given them, or when the last one that it reported ended.
    since: Duration,
    /// When its next report must have come.
    limit: Duration,
    /// What a request took lately; `None` before the first.
    pace: Option<Duration>,
}

impl<'run> Errand<'run> {
    /// Whether there is nothing to do.
    pub(super) fn is_done(&self) -> bool {
        self.attempts.is_empty()
    }

    /// Whether a report should have come by a time.
    pub(super) fn is_overdue(&self, now: Duration) -> bool {
        !self.is_done() && now > self.limit
    }

    /// How many requests it should be of, where a worker's share of what is left
    /// of the batch is so many: one at least.
    pub(super) fn size(&self, share: usize) -> usize {
        let fits = |pace: Duration| AHEAD.as_nanos() / pace.as_nanos().max(1);
        let fitting = usize::try_from(self.pace.map_or(1, fits)).unwrap_or(MOST_AHEAD);
        fitting.min(share / 2).clamp(1, MOST_AHEAD)
    }

    /// Adds a request, given to the worker at a time; another by which it must
    /// have reported.
    pub(super) fn add(&mut self, attempt: Attempt<'run>, now: Duration, limit: Duration) {
        self.attempts.push_back(attempt);
        (self.since, self.limit) = (now, limit);
    }

    /// Ends its next requests, as the worker reported them by now, and sets when
    /// it must have reported again; whether there were no more than it has.
    pub(super) fn report(&mut self, done: Vec<Done>, now: Duration, limit: Duration) -> bool {
        self.limit = limit;
        for Done { call, took } in done {
            let Some(attempt) = self.attempts.pop_front() else {
                return false;
            };
            // No longer than it can have been, whatever the worker says.
            let took = took.min(now.saturating_sub(self.since));
            self.pace = Some(self.pace.map_or(took, |pace| (pace * 7 + took) / 8));
            // That the last one has ended nobody knew before now. Where another
            // follows, the worker had begun that by then, and it begins none before
            // the one before has ended.
            let end = match self.attempts.is_empty() {
                true => now,
                false => self.since + took,
            };
            attempt.finish_with(self.since..end, call);
            self.since = end;
        }
        true
    }

    /// Fails what is left, as nobody knows how much of it the worker has done.
    pub(super) fn lose(&mut self, why: &str, now: Duration) {
        let mut since = self.since;
        for attempt in std::mem::take(&mut self.attempts) {
            let failure = match attempt.request().is_expired() {
                true => Failure::deadline(),
                false => Failure::new(FailureKind::WorkerLost, why),
            };
            attempt.finish_with(since..now, Err(failure));
            // Which of them it was at nobody knows: the first stands for all.
            since = now;
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
            4
        }

        fn request(&self, index: usize) -> Request {
            Request::new(index, "/".to_owned())
        }

        fn check(&self, _: usize, _: &Response) -> Result<(), Failure> {
            Ok(())
        }
    }

    #[derive(Default)]
    struct Spans(Mutex<Vec<Range<Duration>>>);

    impl Sink for Spans {
        fn accept(&self, outcome: Outcome) {
            let span = outcome.started..outcome.finished;
            self.0.lock().unwrap().push(span);
        }
    }

    fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    fn done(took: &[u64]) -> Vec<Done> {
        let done = |took| Done {
            call: Call::from(Ok(Response::new(200, ""))),
            took: micros(took),
        };
        took.iter().copied().map(done).collect()
    }

    /// The spans, in microseconds, of four requests that are given at 100.
    fn spans(act: impl FnOnce(&mut Errand<'_>)) -> Vec<(u128, u128)> {
        let spans = Arc::<Spans>::default();
        let batch = Batch::new(Arc::new(Plain), Arc::clone(&spans) as Arc<_>);
        let mut errand = Errand::default();
        for index in 0..4 {
            errand.add(batch.begin(index, 0), micros(100), micros(9000));
        }
        act(&mut errand);
        assert!(errand.is_done());
        let spans = spans.0.lock().unwrap();
        let ends = |span: &Range<Duration>| (span.start.as_micros(), span.end.as_micros());
        spans.iter().map(ends).collect()
    }

    #[test]
    fn reports_that_are_read_late_leave_each_request_the_time_that_it_took() {
        let told = spans(|errand| {
            assert!(errand.report(done(&[50, 60]), micros(5000), micros(9000)));
            assert!(errand.report(done(&[70, 80]), micros(5001), micros(9000)));
        });
        assert_eq!(told, [(100, 150), (150, 210), (210, 280), (280, 5001)]);
    }

    #[test]
    fn what_a_lost_worker_had_ends_when_it_is_missed() {
        let told = spans(|errand| {
            assert!(errand.report(done(&[50]), micros(200), micros(300)));
            assert!(!errand.is_overdue(micros(300)) && errand.is_overdue(micros(301)));
            errand.lose("gone", micros(400));
        });
        assert_eq!(told, [(100, 150), (150, 400), (400, 400), (400, 400)]);
    }

    #[test]
    fn no_request_took_longer_than_there_was_time() {
        let told = spans(|errand| {
            let absurd = done(&[u64::MAX; 4]);
            assert!(errand.report(absurd, micros(200), micros(300)));
        });
        assert_eq!(told, [(100, 200), (200, 200), (200, 200), (200, 200)]);
    }

    #[test]
    fn more_than_was_asked_is_no_report() {
        spans(|errand| assert!(!errand.report(done(&[1; 5]), micros(200), micros(300))));
    }

    #[test]
    fn short_requests_go_together_and_never_more_than_half_a_share() {
        let paced = |pace| Errand {
            pace,
            ..Errand::default()
        };
        assert_eq!(paced(None).size(1000), 1);
        for (took, share, size) in [
            (200_000, 1000, 1),
            (2_001, 1000, 1),
            (2_000, 1000, 2),
            (500, 1000, 8),
            (500, 10, 5),
            (500, 0, 1),
            (0, 1000, MOST_AHEAD),
        ] {
            assert_eq!(
                paced(Some(micros(took))).size(share),
                size,
                "{took} µs, {share}"
            );
        }
    }
}
