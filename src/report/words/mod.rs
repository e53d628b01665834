//! The words of every report: analysis finds facts, and this room says them.
//!
//! A file here turns typed facts of [`crate::analysis`] into sentences or names, once
//! for all outputs. What belongs here is every English text that a person reads in a
//! report: names of cells, reasons and alternatives, notes, the parts of a gap, the
//! receipt, and units. Figures belong to analysis, columns and layouts to the other
//! rooms of [`crate::report`]. Nothing reads these texts but people.

/// The sentence where no cell can be recommended.
pub(crate) const NO_GOOD_CELL: &str = "no cell got valid responses in most of its samples";

pub(crate) mod alternatives;
pub(crate) mod gap;
pub(crate) mod naming;
pub(crate) mod receipt;
pub(crate) mod recommendation;
pub(crate) mod sampling;
