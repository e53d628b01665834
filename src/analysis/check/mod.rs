//! The decision whether a change made a batch slower, by a coin and a count.
//!
//! Base and head run one right after the other, and a coin decides which runs
//! first. Where head never takes more than `1 + tolerate` times what base would
//! have taken in its place, it is more than that slower in at most half of the
//! pairs on average, whatever the noise, its drift and its tails, because the
//! coin is ours. So too many such pairs say that it is slower. Nothing else is
//! assumed of the machine.

mod evidence;
mod row;
mod suite;

#[cfg(test)]
mod tests;

pub use self::evidence::Evidence;
pub use self::row::{Compared, Estimate, Levels, Margins, Verdict};
pub use self::suite::{
    Figures, Group, Judged, Judgement, Measure, Outcome, Pair, Spec, Subject, Suite,
};
