//! What limits a server beyond its service time.

use serde::{Deserialize, Serialize};

/// What limits a server beyond its service time, as far as it is known: of the
/// bundled server from its profile, of another from its headers. The default is no
/// known limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// How many requests it admits; it refuses those beyond.
    pub rate: Option<RateLimit>,
    /// Requests that it serves at once; others queue.
    pub capacity: Option<usize>,
    /// How fast answers' bodies leave it.
    pub link: Option<Link>,
    /// Connections that it keeps open at once; others wait to be accepted.
    pub connections: Option<usize>,
    /// Whether it serves slower the more it has in service.
    pub load: bool,
    /// Whether a request may take longer than its service time for reasons
    /// other than a rate and a capacity: slowing under load, warming up,
    /// connections that wait, bodies that leave slowly.
    pub slows: bool,
}

/// A token bucket: over any time t at most `burst + per_s · t` requests are
/// admitted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Requests per second.
    pub per_s: f64,
    /// Requests that a full bucket admits at once.
    pub burst: u64,
}

/// How fast answers' bodies leave a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The size of each answer's body.
    pub answer_bytes: u64,
    /// Bytes per second of one connection; `None` without limit.
    pub connection_bytes_per_s: Option<u64>,
    /// Bytes per second of all connections together; `None` without limit.
    pub total_bytes_per_s: Option<u64>,
}
