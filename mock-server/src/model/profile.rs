//! A service profile as data: how the API behaves that the server stands in for.

use std::time::Duration;

use super::{Capacity, Faults, Load, Outage, Pacing, RateLimit, ServiceTime, WarmUp};

/// How a service behaves. The default is a fixed service time of 200 ms and
/// nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// What it stands for, for people.
    pub description: String,
    /// How long a request is served.
    pub service_time: ServiceTime,
    /// How many requests are served at once, and how many may wait.
    pub capacity: Option<Capacity>,
    /// How service slows down with the number of requests in service.
    pub load: Option<Load>,
    /// How many requests are admitted per second.
    pub rate_limit: Option<RateLimit>,
    /// What happens to connections.
    pub connections: Connections,
    /// How large the bodies of `/files/{id}` are, in bytes, unless the request
    /// says otherwise.
    pub file_size: usize,
    /// How bodies are sent.
    pub pacing: Pacing,
    /// What goes wrong.
    pub faults: Faults,
    /// Slower service at the start of a run.
    pub warm_up: Option<WarmUp>,
    /// Times at which every request is refused.
    pub outages: Vec<Outage>,
}

/// What happens to connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// How long a connection waits before its first request is read.
    pub accept_delay: Duration,
    /// Connections open at once, at least 1; others wait to be accepted.
    pub max: Option<u32>,
    /// Requests on one connection, at least 1; then it is closed.
    pub requests: Option<u32>,
    /// How long a connection may be idle.
    pub idle_timeout: Option<Duration>,
}

/// The size of a file in the article that `/files/{id}` is modelled on.
pub const FILE_SIZE: usize = 20_600;

impl Default for Profile {
    fn default() -> Self {
        Self {
            description: String::new(),
            service_time: ServiceTime::Fixed(Duration::from_millis(200)),
            capacity: None,
            load: None,
            rate_limit: None,
            connections: Connections::default(),
            file_size: FILE_SIZE,
            pacing: Pacing::default(),
            faults: Faults::default(),
            warm_up: None,
            outages: Vec::new(),
        }
    }
}

impl Profile {
    /// A digest of everything that the profile says, by which two processes can
    /// tell that they have the same one: FNV-1a of 64 bits, in hexadecimal. It
    /// is no proof against somebody who means harm.
    #[must_use]
    pub fn digest(&self) -> String {
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = format!("{self:?}").bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
        format!("{hash:016x}")
    }
}
