//! Handling of each request, for every client and strategy: retries, and work on the
//! response by the worker that got it.

mod retry;
mod save;
mod work;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::outcome::{Failure, Response};

pub use self::retry::Retry;
pub(super) use self::retry::{Next, Tries};
pub use self::save::Save;
pub use self::work::Work;

/// Handling of each request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handling {
    /// Retries.
    pub retry: Retry,
    /// CPU work on each response.
    pub work: Work,
    /// Saving of each body, if any.
    pub save: Option<Save>,
}

impl Handling {
    /// Whether handling an answer waits for a disk, which no task should do on
    /// a runtime's thread.
    pub(super) fn waits(&self) -> bool {
        self.save.as_ref().is_some_and(|save| save.fsync)
    }

    /// Works on an answer. One that is no success is left alone.
    pub(super) fn digest(&self, index: usize, response: &Response) -> Result<(), Failure> {
        if !response.is_success() {
            return Ok(());
        }
        self.work.on(&response.body);
        match &self.save {
            Some(save) => save.body(index, &response.body),
            None => Ok(()),
        }
    }

    /// The longest that a request may take with all of its attempts and the work on its
    /// response, on one of so many workers. Saving has no limit and is not included.
    pub fn longest(&self, timeout: Duration, workers: usize) -> Duration {
        timeout + self.retry.longest(timeout) + self.work.longest(workers)
    }
}
