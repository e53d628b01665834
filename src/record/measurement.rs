//! What one run of a batch measured: its times, its resources, and the outcome
//! of each of its requests.

use serde::{Deserialize, Serialize};

/// What one run of a batch measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// From the start of the run to its last outcome, in seconds.
    pub warm_s: f64,
    /// The same with building the strategy (threads, runtimes, processes,
    /// connections), in seconds.
    pub cold_s: f64,
    /// Requests answered as the batch expects.
    pub ok: u64,
    /// Requests that ended otherwise, by kind. `ok` and these add up to the
    /// cell's requests.
    pub failures: Vec<FailureCount>,
    /// User and system CPU time of the strategy and its processes, from
    /// before building to after teardown, in seconds.
    pub cpu_s: f64,
    /// The part of it that building took, its processes' start included. `None`
    /// in records of earlier builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_cpu_s: Option<f64>,
    /// The part of it that the run took: what a batch costs once the strategy is
    /// built. The rest is teardown's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_cpu_s: Option<f64>,
    /// The part of it that was spent in the program's own code. The kernel divides
    /// CPU time by its ticks, 4 ms on most machines, so of a short run this is
    /// coarse.
    #[serde(default)]
    pub user_s: f64,
    /// The part of it that was spent in the kernel, by the same ticks.
    #[serde(default)]
    pub system_s: f64,
    /// How often a thread gave up its core to wait for something.
    #[serde(default)]
    pub voluntary_switches: u64,
    /// How often a thread had to leave its core to another.
    #[serde(default)]
    pub involuntary_switches: u64,
    /// Peak resident memory of the sample's process and, added to it, of the
    /// strategy's processes; 0 where the system does not tell.
    pub peak_rss_bytes: u64,
    /// Operating-system threads while the batch ran, the calling one and those
    /// of the strategy's processes included, the harness's own not; 0 where
    /// the system does not tell.
    pub threads: u64,
    /// Threads that the strategy's runtime had for tasks, 1 where the calling one
    /// ran them. `None` without a runtime, and in records of earlier builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_threads: Option<u64>,
    /// Processes that the strategy started.
    pub processes: u64,
    /// Connections opened.
    pub connections: u64,
    /// Time that requests waited for a connection to open, all of them added
    /// up, in seconds; connections opened while building are not in it.
    #[serde(default)]
    pub connecting_s: f64,
    /// Requests that were sent again on a new connection, because the server had
    /// closed a kept one before anything of a response came. They are no retries.
    #[serde(default)]
    pub resent: u64,
    /// Bytes sent on its connections; `None` where the client does not tell.
    #[serde(default)]
    pub bytes_sent: Option<u64>,
    /// Bytes received on them.
    #[serde(default)]
    pub bytes_received: Option<u64>,
    /// CPU time while the batch ran of a server of the user's own that listens on
    /// this machine, its processes added up, in seconds. `None` where it is
    /// elsewhere, or the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_server_cpu_s: Option<f64>,
    /// The threads that made the requests.
    #[serde(default)]
    pub doers: Vec<Doer>,
    /// The most requests that were seen in flight at once.
    pub most_in_flight: u64,
    /// The bundled server's account of the run; `None` for a server of the
    /// user's own.
    #[serde(default)]
    pub server: Option<ServerAccount>,
    /// Attempts that failed and were followed by another.
    #[serde(default)]
    pub retried: Retried,
    /// Each request's times, in the order in which they ended.
    pub outcomes: Outcomes,
}

/// A thread that made requests, and how many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Doer {
    /// The worker, from 0. A task that moves between threads has several.
    pub worker: u32,
    /// The process's id.
    pub process: u32,
    /// The thread's id; the process's id for its first thread.
    pub thread: u32,
    /// Requests that it ended.
    pub requests: u64,
}

/// Attempts that failed and were followed by another, in columns of equal
/// length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Retried {
    /// The request's place in the batch, from 0.
    pub index: Vec<u32>,
    /// The attempt's start, in seconds from the start of the request.
    pub started_s: Vec<f64>,
    /// From the attempt's start to its failure, in seconds.
    pub latency_s: Vec<f64>,
    /// How long was waited after it, in seconds.
    #[serde(default)]
    pub waited_s: Vec<f64>,
    /// How it failed, by the name of the kind.
    pub kind: Vec<String>,
    /// The status of the answer, where one came. Empty in older records.
    #[serde(default)]
    pub status: Vec<Option<u16>>,
}

/// What the bundled server spent on a run, so that its part can be told from
/// the client's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerAccount {
    /// CPU time of its process while the sample's process ran, in seconds; 0
    /// where the system does not tell.
    pub cpu_s: f64,
    /// CPU time of its process while the batch ran, in seconds. `None` in records
    /// of earlier builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_cpu_s: Option<f64>,
    /// The share of its serving threads' time that this is of the warm runtime:
    /// near 1, the server is the limit. In records of earlier builds, of all its
    /// CPU time in the cold runtime.
    pub busy: f64,
    /// How late it answered, beyond the service time: the median, in seconds.
    pub lateness_p50_s: f64,
    /// The same: the 99th percentile.
    pub lateness_p99_s: f64,
    /// The same: the mean.
    #[serde(default)]
    pub lateness_mean_s: f64,
    /// How long its behaviour held a request up beyond the drawn service time:
    /// waiting for capacity, slowed down under load, a body at its pace. The
    /// mean over the requests that it completed, in seconds.
    #[serde(default)]
    pub held_mean_s: f64,
}

impl Measurement {
    /// Requests that did not end as the batch expects.
    pub fn failed(&self) -> u64 {
        self.failures.iter().map(|failure| failure.count).sum()
    }

    /// Whether so few requests failed, one in twenty at most, that the runtime is
    /// nearly that of a batch without failures.
    pub fn is_nearly_whole(&self) -> bool {
        self.failed() <= self.ok.saturating_add(self.failed()) / 20
    }
}

/// How many requests failed in one way (of one kind, and of one status where that
/// is what failed), and the first of them in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCount {
    /// `connect`, `timeout`, `status`, `body`, `decode` or `worker-lost`.
    pub kind: String,
    /// The status of the answers. `None` for another kind, and in older records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How many requests ended so.
    pub count: u64,
    /// What the first of them said.
    pub example: String,
}

impl FailureCount {
    /// What failed, in a word or two: `status 429`, or the kind's name.
    pub fn what(&self) -> String {
        match self.status {
            Some(status) => format!("{} {status}", self.kind),
            None => self.kind.clone(),
        }
    }

    /// Its status, also where an earlier revision wrote it at the end of its example
    /// alone.
    pub(super) fn recover_status(&mut self) {
        if self.kind == "status" && self.status.is_none() {
            let code = self.example.rsplit_once(": status ").map(|(_, code)| code);
            self.status = code.and_then(|code| code.parse().ok());
        }
    }
}

/// The times of a batch's requests, in columns of equal length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcomes {
    /// The request's place in the batch, from 0.
    pub index: Vec<u32>,
    /// The worker that made it, from 0.
    pub worker: Vec<u32>,
    /// Its start, in seconds from the start of the run.
    pub started_s: Vec<f64>,
    /// From its start to its outcome, in seconds.
    pub latency_s: Vec<f64>,
    /// Whether it ended as the batch expects.
    pub ok: Vec<bool>,
    /// How long its result waited, from when it came, for those of the requests
    /// before it, in seconds. Empty where results are handed on as they come, and
    /// in records of earlier builds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_s: Vec<f64>,
    /// The requests that did not, and why.
    #[serde(default)]
    pub failed: Failed,
}

/// The requests of a batch that failed, in columns of equal length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// The request's place in the batch, from 0.
    pub index: Vec<u32>,
    /// How it failed, by the name of the kind.
    pub kind: Vec<String>,
}
