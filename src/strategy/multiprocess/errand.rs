//! What a worker process has to do: the requests that it was given together.
//!
//! A language's own process pool hands out chunks, which makes short requests
//! cheap and lets one slow request hold up all that share its chunk. Here a
//! worker gets several requests only while its last ones were short, and never
//! more than half of its share of what is left.

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
    /// When it was given them, or last reported one.
    since: Duration,
    /// When it must have reported one, or all.
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
    /// of the batch is so many.
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
        // The last of them ended now, as nobody knew before; those before it ended
        // where the next one began, as a worker does one after the other.
        let mut end = now;
        let mut ends = Vec::with_capacity(done.len());
        for done in done.iter().rev() {
            ends.push(end);
            end = end.saturating_sub(done.took);
        }
        for (Done { call, took }, end) in done.into_iter().zip(ends.into_iter().rev()) {
            let Some(attempt) = self.attempts.pop_front() else {
                return false;
            };
            self.pace = Some(self.pace.map_or(took, |pace| (pace * 7 + took) / 8));
            let end = end.max(self.since);
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
            // It did one at a time: only the first can have begun before.
            since = now;
        }
        self.pace = None;
    }
}
