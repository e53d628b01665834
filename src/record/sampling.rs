//! How a session sampled its cells, and under which conditions each sample was
//! taken.

use serde::{Deserialize, Serialize};

use super::Measurement;

/// How often and in which order cells were sampled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Samples of each cell, where their number was fixed.
    #[serde(default)]
    pub samples: Option<u32>,
    /// Where it was not: the time after which no further sample was begun, in
    /// seconds. A cell was done before that when its interval was narrow enough.
    #[serde(default)]
    pub budget_s: Option<f64>,
    /// The seed of the order of cells within each round.
    pub seed: u64,
    /// The most samples that were let run side by side; 1 for none.
    pub lanes: usize,
    /// How late a sleeping thread began to run while the machine was idle, before
    /// the first sample: the median of some sleeps, in seconds.
    #[serde(default)]
    pub wake_s: Option<f64>,
}

/// What a batch is measured for, and so which of its runtimes decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// It is run once, and pays for building its strategy: the cold runtime.
    #[default]
    Once,
    /// It is run again and again on a strategy that stays built: the warm runtime.
    Repeated,
}

impl Purpose {
    /// The runtime of a measurement that decides, in seconds.
    pub fn runtime_s(self, measured: &Measurement) -> f64 {
        match self {
            Self::Once => measured.cold_s,
            Self::Repeated => measured.warm_s,
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Once => Self::Repeated,
            Self::Repeated => Self::Once,
        }
    }
}

/// When a sample was taken, beside what, and what the machine did besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Taken {
    /// Its beginning, in seconds from the session's.
    pub began_s: f64,
    /// From there to its end, process start and teardown included, in seconds.
    pub wall_s: f64,
    /// The most other samples of the session that ran at the same time.
    pub beside: usize,
    /// Whether with it the interval of its cell's median became narrow enough,
    /// in a session that samples until then.
    pub settled: bool,
    /// Whether it was taken to know the runtime of a cell that was chosen already. It
    /// has no part in the choice, nor in the cell's figures.
    pub confirms: bool,
    /// What the machine did besides; `None` where the system does not tell.
    pub machine: Option<MachineUse>,
}

/// What the machine did during a sample beside the session itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MachineUse {
    /// Time that the hypervisor gave to others while a processor of this
    /// machine had work, over all processors, in seconds.
    pub steal_s: f64,
    /// CPU time of processes that are not the session's, in seconds.
    pub others_s: f64,
    /// Processors that the system counts.
    pub cores: usize,
    /// The load average of the last minute, at the sample's end.
    pub load: f64,
}
