//! Options of `fanout compare` for the number and order of samples.

use std::time::{Duration, SystemTime};

use mock_server::duration;

use crate::record::Sampling;

/// Samples of each cell unless specified.
const SAMPLES: u32 = 3;

/// The most samples that are let run side by side.
const LANES: usize = 16;

#[derive(clap::Args)]
#[command(next_help_heading = "How cells are sampled")]
pub(super) struct Options {
    /// Samples per cell [default: 3]
    ///
    /// A cell is a strategy with its client at a worker count. Each sample runs in a
    /// process of its own. Without --workers, cells that the recommendation rests on are
    /// sampled again until they have 6 or more.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=10_000),
          allow_hyphen_values = true, conflicts_with = "time")]
    samples: Option<u32>,

    /// Sample until medians are within 0.5 %, up to a budget
    ///
    /// With 95 % confidence, which takes 6 samples at least. No sample begins that would
    /// end after the budget. Each cell has one sample in any case.
    #[arg(long, value_name = "BUDGET", value_parser = duration::parse_positive, allow_hyphen_values = true)]
    time: Option<Duration>,

    /// Take one sample after the other
    ///
    /// Unless specified, samples that leave the machine idle run side by side, with a
    /// bundled server each.
    #[arg(long, hide_short_help = true)]
    serial: bool,

    /// Let samples run side by side against your own server
    ///
    /// It then has more requests in flight than a sample has workers.
    #[arg(
        long,
        requires = "url",
        requires = "delay",
        conflicts_with = "serial",
        hide_short_help = true
    )]
    overlap: bool,

    /// Seed of the order of cells within each round [default: from the clock]
    ///
    /// The record has it.
    #[arg(
        long,
        value_name = "N",
        allow_hyphen_values = true,
        hide_short_help = true
    )]
    order_seed: Option<u32>,
}

impl Options {
    /// Samples of each cell, where their number is fixed.
    pub(super) fn samples(&self) -> Option<u32> {
        match self.time {
            None => Some(self.samples.unwrap_or(SAMPLES)),
            Some(_) => None,
        }
    }

    /// Entry for the record. Samples against a user's server run side by side only with
    /// --overlap.
    pub(super) fn sampling(&self, foreign: bool) -> Sampling {
        let serial = self.serial || (foreign && !self.overlap);
        Sampling {
            samples: self.samples(),
            budget_s: self.time.map(|budget| budget.as_secs_f64()),
            seed: self.order_seed.unwrap_or_else(from_the_clock).into(),
            lanes: if serial { 1 } else { LANES },
            wake_s: None,
        }
    }
}

/// A seed that differs from session to session: nanoseconds, of which a second
/// has fewer than a `u32` holds.
fn from_the_clock() -> u32 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| now.subsec_nanos())
}
