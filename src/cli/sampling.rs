//! How often and in which order `fanout compare` samples cells, as one says it
//! on the command line.

use std::time::{Duration, SystemTime};

use mock_server::duration;

use crate::record::Sampling;

/// Samples of each cell, unless something else is asked for.
const SAMPLES: u32 = 3;

/// The most samples that are let run side by side.
const LANES: usize = 16;

#[derive(clap::Args)]
#[command(next_help_heading = "How cells are sampled")]
pub(super) struct Options {
    /// Samples of each cell (a strategy with its client at a worker count), each
    /// in a process of its own [default: 3]; without --workers those that the
    /// recommendation rests on are sampled again until they have 6 or more
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=10_000),
          allow_hyphen_values = true, conflicts_with = "time")]
    samples: Option<u32>,

    /// Sample each cell until its median is known to 0.5 % (with 95 % confidence,
    /// which takes 6 samples at least), and begin none that would end later than
    /// this; each cell has one sample whatever it is
    #[arg(long, value_name = "BUDGET", value_parser = duration::parse_positive, allow_hyphen_values = true)]
    time: Option<Duration>,

    /// Take one sample after the other [default: samples that leave the machine
    /// idle run side by side, with a bundled server each]
    #[arg(long)]
    serial: bool,

    /// With --url and --delay: let samples run side by side against your server
    /// as well. It then has more requests in flight than a sample has workers
    #[arg(long, requires = "url", requires = "delay", conflicts_with = "serial")]
    overlap: bool,

    /// Seed of the order of cells within each round [default: from the clock; it
    /// is in the record]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
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

    /// What the record says of it. A foreign server is asked for no more at once
    /// than its user says.
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
