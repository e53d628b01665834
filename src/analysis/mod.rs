//! Turns records into conclusions: bounds, statistics and the summary that
//! every report shows.
//!
//! This wing reads records and nothing else: it never sees a strategy run.

pub mod bound;
pub mod check;
pub mod failures;
pub mod latency;
pub mod noise;
pub mod recommend;
pub mod refine;
pub mod sampled;
pub mod scatter;
pub mod split;
pub mod statistics;
pub mod summary;
pub mod timeline;
pub(crate) mod units;
pub mod wins;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
pub(crate) mod simulated;

pub use bound::{Constraint, ServiceTime, Source};
pub use latency::Latencies;
pub use recommend::Recommendation;
pub use split::{Part, PartKind, Split};
pub use summary::Summary;
pub use timeline::Timeline;
