//! The list. Its order is that of the CSV file, so new columns go to its end.

use super::{Column, Group, Of, RowIn, Unit, Value};
use crate::analysis::summary::{FailedBy, Figures};
use crate::analysis::{PartKind, ServiceTime, Source};
use crate::report::units;

/// Builds columns from entries of the form
/// `key: group, unit, meaning => source |argument| value, options;`.
macro_rules! columns {
    (@of row |$row:ident| $value:expr) => {
        Of::Row(|$row: &RowIn<'_>| Value::from($value))
    };
    (@of figures |$figures:ident| $value:expr) => {
        Of::Figures(|$figures: &Figures| Value::from($value))
    };
    ($($key:literal: $group:ident, $unit:ident, $about:literal
       => $of:ident |$arg:ident| $value:expr $(, $option:ident($($with:expr)?))*;)*) => {
        &[$(
            Column::new(
                Group::$group, $key, Unit::$unit, $about,
                columns!(@of $of |$arg| $value),
            )$(.$option($($with)?))*
        ),*]
    };
}

/// Every column.
pub(crate) const COLUMNS: &[Column] = columns! {
    "strategy": Setting, Text, "name of the strategy"
        => row |row| row.cell().strategy.as_str();
    "client": Setting, Text, "name of the HTTP client"
        => row |row| row.cell().client.as_str();
    "dispatch": Setting, Text, "how work reaches the workers: queue, chunked or unbounded"
        => row |row| row.cell().dispatch.as_str();
    "reuse": Setting, Text, "how long a connection is kept: session or per-request"
        => row |row| row.cell().reuse.as_str();
    "workers": Setting, Count, "workers of the cell"
        => row |row| row.cell().workers;
    "requests": Setting, Count, "requests in the batch"
        => row |row| row.cell().requests;
    "samples": Sampling, Count, "samples with a measurement"
        => row |row| row.row.figures.as_ref().map_or(0, |figures| figures.samples);
    "warm_s": Runtime, Seconds, "median warm runtime: from handing over the batch to the last outcome"
        => figures |figures| figures.warm_s.median;
    "cold_s": Runtime, Seconds, "median cold runtime: the warm one and building the strategy"
        => figures |figures| figures.cold_s.median;
    "bound_s": Runtime, Seconds, "lower bound of the warm runtime"
        => row |row| row.row.bound_s;
    "gap": Runtime, Fraction, "warm_s / bound_s - 1; empty where requests failed"
        => figures |figures| figures.gap;
    "ok": Requests, Count, "requests that succeeded, in the sample with the most failures"
        => figures |figures| figures.ok;
    "failed": Requests, Count, "requests that failed, in the same sample"
        => figures |figures| figures.failed;
    "cpu_s": Resources, Seconds, "median CPU time of the strategy and its processes, building and teardown included"
        => figures |figures| figures.cpu_s;
    "peak_rss_bytes": Resources, Bytes, "median peak resident memory; pages shared by worker processes count in each"
        => figures |figures| figures.peak_rss_bytes;
    "threads": Resources, Count, "median number of threads, the calling one included"
        => figures |figures| figures.threads;
    "connections": Resources, Count, "median number of connections opened"
        => figures |figures| figures.connections;
    "workers_usable": Setting, Count, "workers that the strategy can use"
        => row |row| row.cell().workers_usable;
    "processes": Resources, Count, "median number of processes started"
        => figures |figures| figures.processes;
    "most_in_flight": Requests, Count, "median of the most requests seen in flight at once"
        => figures |figures| figures.most_in_flight;
    "server_busy": Server, Fraction, "share of the bundled server's serving time that it was busy"
        => figures |figures| figures.server.map(|server| server.busy), flat();
    "server_bound": Server, Flag, "whether the bundled server was the limit, so that the cell says little of the strategy"
        => figures |figures| figures.server.map(|server| server.is_bound()), flat();
    "lateness_p99_s": Server, Seconds, "99th percentile of how late the bundled server responded, beyond the service time"
        => figures |figures| figures.server.map(|server| server.lateness_p99_s), flat();
    "warm_min_s": Runtime, Seconds, "shortest warm runtime of a sample"
        => figures |figures| figures.warm_s.min;
    "warm_max_s": Runtime, Seconds, "longest warm runtime of a sample"
        => figures |figures| figures.warm_s.max;
    "errors": Sampling, Count, "samples without a measurement"
        => row |row| row.row.errors;
    "service_s": Server, Seconds, "service time that the bound is computed from"
        => row |row| service(row).map(|service| service.seconds), flat();
    "service_source": Server, Text, "where it comes from: stated or fastest"
        => row |row| service(row).map(|service| match service.source {
            Source::Stated => "stated",
            Source::Fastest { .. } => "fastest",
        }), flat();
    "best": Setting, Flag, "whether it is the fastest cell of its profile"
        => row |row| row.summary.is_best(row.index);
    "runtime_threads": Setting, Count, "threads asked for the strategy's runtime; empty where that was left to the strategy"
        => row |row| row.cell().runtime_threads;
    "user_s": Resources, Seconds, "median CPU time in user mode, by the kernel's ticks"
        => figures |figures| units::by_ticks(figures.usage.user_s);
    "system_s": Resources, Seconds, "median CPU time in kernel mode, by the kernel's ticks"
        => figures |figures| units::by_ticks(figures.usage.system_s);
    "voluntary_switches": Resources, Count, "median number of voluntary context switches"
        => figures |figures| figures.usage.voluntary_switches;
    "involuntary_switches": Resources, Count, "median number of involuntary context switches"
        => figures |figures| figures.usage.involuntary_switches;
    "connecting_s": Requests, Seconds, "median of the time that requests waited for a connection to open, summed over requests"
        => figures |figures| figures.usage.connecting_s;
    "bytes_sent": Resources, Bytes, "median number of bytes sent"
        => figures |figures| figures.usage.bytes_sent;
    "bytes_received": Resources, Bytes, "median number of bytes received"
        => figures |figures| figures.usage.bytes_received;
    "retried": Requests, Count, "median number of failed attempts that were retried"
        => figures |figures| figures.usage.retried;
    "profile": Setting, Text, "profile of the server"
        => row |row| row.cell().profile.as_deref();
    "spoilt": Sampling, Count, "samples during which something else used the machine"
        => row |row| row.row.sampled.spoilt;
    "ended_by": Sampling, Text, "why no more samples were taken: samples, precision, time, failures or interruption"
        => row |row| row.row.sampled.ended_by.map(|by| by.name());
    "warm_low_s": Runtime, Seconds, "lower end of the 95 % confidence interval of warm_s; empty with fewer than 6 samples"
        => row |row| row.row.sampled.interval.map(|interval| interval.low), flat();
    "warm_high_s": Runtime, Seconds, "its upper end"
        => row |row| row.row.sampled.interval.map(|interval| interval.high), flat();
    "ceiling_s": Runtime, Seconds, "runtime that a greedy queue never exceeds"
        => row |row| row.row.ceiling_s;
    "constraint": Runtime, Text, "what decides the bound"
        => row |row| row.row.constraint.map(|constraint| constraint.name());
    "gap_connecting_s": Gap, Seconds, "part of warm_s - bound_s: requests waited for a connection to open"
        => figures |figures| part(figures, PartKind::Connecting), flat();
    "gap_dispatch_s": Gap, Seconds, "part: workers waited before and between requests"
        => figures |figures| part(figures, PartKind::Dispatch), flat();
    "gap_chunk_barriers_s": Gap, Seconds, "part: workers waited for the last request of their chunk"
        => figures |figures| part(figures, PartKind::ChunkBarriers), flat();
    "gap_server_s": Gap, Seconds, "part: the server responded later than its service time"
        => figures |figures| part(figures, PartKind::Server), flat();
    "gap_retries_s": Gap, Seconds, "part: failed attempts and the backoff after them"
        => figures |figures| part(figures, PartKind::Retries), flat();
    "gap_client_cpu_s": Gap, Seconds, "part: client CPU, an upper estimate"
        => figures |figures| part(figures, PartKind::ClientCpu), flat();
    "gap_transport_s": Gap, Seconds, "part: the rest of the latencies (network, wake-ups, waiting for a core)"
        => figures |figures| part(figures, PartKind::Transport), flat();
    "gap_tail_idle_s": Gap, Seconds, "part: workers had ended while others had not"
        => figures |figures| part(figures, PartKind::TailIdle), flat();
    "gap_building_s": Gap, Seconds, "time to build the strategy, part of cold_s alone"
        => figures |figures| part(figures, PartKind::Building), flat();
    "gap_unexplained_s": Gap, Seconds, "part: what the other parts leave; negative where they add up to more"
        => figures |figures| part(figures, PartKind::Unexplained), flat();
    "build_cpu_s": Resources, Seconds, "median of the part of cpu_s that building took"
        => figures |figures| figures.build_cpu_s;
    "run_cpu_s": Resources, Seconds, "median of the part of cpu_s that the run took"
        => figures |figures| figures.run_cpu_s;
    "beside": Sampling, Count, "samples that ran beside samples of other cells"
        => row |row| row.row.sampled.beside;
    "requests_of_all": Requests, Count, "requests of all samples"
        => figures |figures| figures.pooled.requests, flat();
    "failed_of_all": Requests, Count, "requests that failed, of all samples"
        => figures |figures| figures.pooled.failed, flat();
    "fails_more": Requests, Flag, "whether it fails more than the best cells by more than chance explains"
        => row |row| row.row.fails_more;
    "failure_statuses": Requests, Text, "failed requests of all samples by status, or by kind without one: 429:60 timeout:1"
        => figures |figures| by_status(&figures.failed_by), flat();
    "retried_statuses": Requests, Text, "retried attempts of all samples, in the same form"
        => figures |figures| by_status(&figures.retries), flat();
    "recommended": Setting, Flag, "whether it is the recommended cell of its profile"
        => row |row| row.summary.is_recommended(row.index);
    "cold_min_s": Runtime, Seconds, "shortest cold runtime of a sample"
        => figures |figures| figures.cold_s.min;
    "cold_max_s": Runtime, Seconds, "longest cold runtime of a sample"
        => figures |figures| figures.cold_s.max;
    "cold_low_s": Runtime, Seconds, "lower end of the 95 % confidence interval of cold_s; empty with fewer than 6 samples"
        => row |row| row.row.sampled.cold_interval.map(|interval| interval.low), flat();
    "cold_high_s": Runtime, Seconds, "its upper end"
        => row |row| row.row.sampled.cold_interval.map(|interval| interval.high), flat();
    "rounds": Setting, Count, "most requests per worker"
        => row |row| row.row.rounds();
    "runtime_threads_used": Resources, Count, "median number of threads of the strategy's runtime"
        => figures |figures| figures.usage.runtime_threads_used;
    "server_cpu_s": Server, Seconds, "median CPU time, during the run, of a server on this machine"
        => figures |figures| figures.usage.server_cpu_s;
    "held_mean_s": Requests, Seconds, "median over samples of how long a result waited for those before it: the mean"
        => figures |figures| figures.usage.held_mean_s;
    "held_max_s": Requests, Seconds, "the same: the longest"
        => figures |figures| figures.usage.held_max_s;
    "processes_chosen": Setting, Count, "processes asked for; empty where that was left to the strategy"
        => row |row| row.cell().processes, flat();
    "resent": Requests, Count, "median number of requests sent again because a kept connection was closed"
        => figures |figures| figures.usage.resent;
    "requests_per_s": Runtime, Rate, "throughput: successful requests per second of warm_s, in the samples whose times count"
        => figures |figures| throughput(figures);
    "p50_s": Requests, Seconds, "median latency of a request, as the client sees it"
        => figures |figures| latency(figures, 0.5);
    "p95_s": Requests, Seconds, "95th percentile of the same"
        => figures |figures| latency(figures, 0.95);
    "p99_s": Requests, Seconds, "99th percentile of the same"
        => figures |figures| latency(figures, 0.99);
};

/// Successful requests of a sample, on average, per second of the median warm
/// runtime. Both are of the samples whose times count: those without failures
/// where there are any.
pub(crate) fn throughput(figures: &Figures) -> Option<f64> {
    let latencies = figures.latencies.as_ref()?;
    let successful = latencies.answers as f64 / figures.timed as f64;
    let rate = successful / figures.warm_s.median;
    rate.is_finite().then_some(rate)
}

/// A percentile of the latencies of single requests, from handing a request to the
/// client until its outcome is back, retries and the backoff before them included,
/// the check of its response not. It covers the successful requests of all samples whose times count,
/// pooled. Each worker waits for its response before it sends the next request, so
/// these are not the latencies of users who arrive at random.
pub(crate) fn latency(figures: &Figures, share: f64) -> Option<f64> {
    let latencies = figures.latencies.as_ref()?;
    Some(latencies.percentile(share))
}

/// The service time of the row's profile.
fn service(row: &RowIn<'_>) -> Option<ServiceTime> {
    row.summary.of_cell(row.cell()).service
}

fn part(figures: &Figures, kind: PartKind) -> Option<f64> {
    figures.split.as_ref().map(|split| split.seconds(kind))
}

/// Counts by status, or by kind where there was none: `429:60 503:2 timeout:1`.
fn by_status(failed: &[FailedBy]) -> String {
    let each = failed.iter().map(|failed| match failed.status {
        Some(status) => format!("{status}:{}", failed.count),
        None => format!("{}:{}", failed.kind, failed.count),
    });
    each.collect::<Vec<_>>().join(" ")
}
