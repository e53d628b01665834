//! The bundled server's journal: the other side's account of a batch.

use std::time::Duration;

use serde::Deserialize;
use ureq::Agent;

use crate::record::Measurement;

/// The journal of a running mock server.
pub(super) struct Journal {
    agent: Agent,
    url: String,
}

/// What of the journal's summary is compared.
#[derive(Debug, Deserialize)]
struct Summary {
    arrived: u64,
    completed: u64,
    duplicate: u64,
    queued_mean_ms: f64,
    slowed_mean_ms: f64,
    paced_mean_ms: f64,
    lateness: Lateness,
}

/// What the server says of its own part in latencies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delays {
    /// How late answers were.
    pub(super) lateness: Lateness,
    /// How long its behaviour held requests up, in milliseconds: the mean.
    pub(super) held_mean_ms: f64,
}

/// How late the server's answers were, beyond their service time.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Lateness {
    /// The mean, in milliseconds.
    pub(super) mean_ms: f64,
    /// The median, in milliseconds.
    pub(super) p50_ms: f64,
    /// The 99th percentile, in milliseconds.
    pub(super) p99_ms: f64,
}

/// Why a sample is not confirmed, in a sentence.
#[derive(Debug)]
pub(super) enum Doubt {
    /// The server does not say what it saw.
    Silent(String),
    /// It saw something else.
    Differs(String),
}

/// Whether the server saw what a sample says that it did. A request that failed
/// may have been answered, or not have arrived, and so may each attempt that was
/// followed by another.
fn agree(measurement: &Measurement, summary: &Summary) -> bool {
    // A request that was sent again arrived once, or, where the server closed the
    // connection without a response, twice.
    let again = measurement.retried.index.len() as u64 + measurement.resent;
    let attempts = measurement.ok + measurement.failed() + again;
    summary.completed >= measurement.ok && summary.arrived <= attempts && summary.duplicate <= again
}

#[derive(Deserialize)]
struct Page {
    summary: Summary,
}

impl Journal {
    /// The journal of the server at a URL.
    pub(super) fn at(url: &str) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .proxy(None)
            // The server may have a limit of connections, all of which are the batch's.
            .max_idle_connections(0)
            .build();
        Self {
            agent: Agent::new_with_config(config),
            url: format!("{url}/journal?limit=0"),
        }
    }

    /// Begins a new account.
    ///
    /// # Errors
    /// Where the server does not answer.
    pub(super) fn reset(&self) -> Result<(), String> {
        let answer = self.agent.delete(&self.url).call();
        answer.map(|_| ()).map_err(|error| self.silent(&error))
    }

    /// Compares the server's account with what a sample says, and tells what it
    /// added to latencies.
    ///
    /// # Errors
    /// Where they differ: a request that no failure explains did not arrive, or
    /// one arrived oftener than it was tried.
    pub(super) fn confirm(&self, measurement: &Measurement) -> Result<Delays, Doubt> {
        let mut summary = self.summary().map_err(Doubt::Silent)?;
        // The server books an answer after it has left, so the last ones may
        // be in the client's hands a moment before they are in the journal.
        for _ in 0..100 {
            if summary.completed >= measurement.ok {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
            summary = self.summary().map_err(Doubt::Silent)?;
        }
        if agree(measurement, &summary) {
            return Ok(Delays {
                lateness: summary.lateness,
                held_mean_ms: summary.queued_mean_ms
                    + summary.slowed_mean_ms
                    + summary.paced_mean_ms,
            });
        }
        Err(Doubt::Differs(format!(
            "the server's journal does not agree: {} requests were made{} and {} answered as \
             expected, but it counts {} arrived, {} completed, {} of them duplicates",
            measurement.ok + measurement.failed(),
            match measurement.retried.index.len() {
                0 => String::new(),
                again => format!(", {again} of their attempts were repeated,"),
            },
            measurement.ok,
            summary.arrived,
            summary.completed,
            summary.duplicate
        )))
    }

    fn summary(&self) -> Result<Summary, String> {
        let mut answer = self
            .agent
            .get(&self.url)
            .call()
            .map_err(|error| self.silent(&error))?;
        let page = serde_json::from_reader(answer.body_mut().as_reader());
        let page: Page = page.map_err(|error| self.silent(&error))?;
        Ok(page.summary)
    }

    fn silent(&self, error: &dyn std::fmt::Display) -> String {
        format!(
            "the server's journal at {} cannot be read: {error}",
            self.url
        )
    }
}
