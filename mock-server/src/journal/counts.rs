//! What the journal counts: by id, and in all.

use serde::{Deserialize, Serialize};

use super::histogram::Lateness;

/// What happened to the requests for one id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Requests whose head was read.
    pub arrived: u64,
    /// Requests whose answer was handed to the operating system whole; over
    /// HTTP/2 one without a body counts when HTTP/2 has it.
    pub completed: u64,
    /// Requests whose answer was not sent whole: the client went away, a fault
    /// cut it, or the server stopped.
    pub aborted: u64,
    /// Requests that the profile refused: 429, a full queue, an outage.
    pub rejected: u64,
}

/// The totals of a journal. `arrived` is the sum of `completed`, `aborted`,
/// `rejected` and what is in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// Requests whose head was read, on the counted routes.
    pub arrived: u64,
    /// Requests whose answer was handed to the operating system whole.
    pub completed: u64,
    /// Requests whose answer was not sent whole.
    pub aborted: u64,
    /// Requests that the profile refused: 429, a full queue, an outage.
    pub rejected: u64,
    /// Requests that a fault of the profile struck.
    pub faulted: u64,
    /// Different (route, id) pairs that arrived.
    pub distinct: u64,
    /// Arrivals beyond the first of each (route, id).
    pub duplicate: u64,
    /// Arrivals whose id was not recorded, because the budget for text ids was
    /// spent; `distinct` and `duplicate` do not cover them.
    pub untracked: u64,
    /// Requests on no counted route: unknown paths and types, wrong methods,
    /// malformed heads.
    pub unmatched: u64,
    /// Connections accepted.
    pub connections_opened: u64,
    /// The most requests that were in flight at one moment.
    pub most_in_flight: u64,
    /// Bytes handed to the operating system, heads included; on an encrypted
    /// connection, before encryption.
    pub bytes_sent: u64,
    /// Bytes read from clients, heads included; on an encrypted connection,
    /// after decryption.
    pub bytes_received: u64,
    /// How long completed requests waited for one of the servers of a finite
    /// capacity, in milliseconds: the mean over all `completed`, those that did
    /// not wait included. So are the two below.
    pub queued_mean_ms: f64,
    /// How much longer than their drawn service time completed requests were
    /// served, under load and while warming up.
    pub slowed_mean_ms: f64,
    /// How long the bodies of completed requests were held back by their pace.
    pub paced_mean_ms: f64,
    /// How late answers were.
    pub lateness: Lateness,
}
