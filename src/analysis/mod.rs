//! Turns records into conclusions: bounds, statistics and the summary that
//! every report shows.
//!
//! This wing reads records and nothing else: it never sees a strategy run.

pub mod bound;
pub mod latency;
pub mod split;
pub mod statistics;
pub mod summary;
pub mod timeline;

#[cfg(test)]
pub(crate) mod fixture;

pub use bound::{ServiceTime, Source};
pub use latency::Latencies;
pub use split::{Part, PartKind, Split};
pub use summary::Summary;
pub use timeline::Timeline;
