//! Turns records into conclusions: bounds, statistics and the summary that
//! every report shows.
//!
//! This wing reads records and nothing else: it never sees a strategy run.

pub mod bound;
pub mod sampled;
pub mod statistics;
pub mod summary;
pub mod wins;

#[cfg(test)]
pub(crate) mod fixture;

pub use bound::{ServiceTime, Source};
pub use summary::Summary;
