//! Turns records into conclusions: bounds, statistics and the summary that
//! every report shows.
//!
//! This wing reads records and nothing else: it never sees a strategy run.

pub mod bound;
pub mod recommend;
pub mod refine;
pub mod statistics;
pub mod summary;
pub(crate) mod units;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
pub(crate) mod simulated;

pub use bound::{Constraint, ServiceTime, Source};
pub use recommend::Recommendation;
pub use summary::Summary;
