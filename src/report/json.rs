//! The summary as JSON, for `--format json`: field names that stay, machine
//! units, and everything that a figure rests on.
//!
//! ```text
//! {
//!   "format": "fanout-summary", "version": 1,
//!   "session":  { started_at, command, server: { kind, url, service_s },
//!                 verified, timeout_s, conditions: { workload, in_order, deadline_s, retries,
//!                 cpu_per_answer_s, saved, fsync }, ending: complete | interrupted | cut-off },
//!   "receipt":  { fanout, revision, rustc, profile, os, kernel, cpu, cores, memory_bytes },
//!   "service":  { seconds, source: stated | fastest, answers? } or null,
//!   "best":     the place in "rows" of the fastest cell without a failure, or null,
//!   "rows":     [ { strategy, client, dispatch, reuse, runtime_threads, workers,
//!                   workers_usable, requests, samples, errors, first_error, bound_s,
//!                   figures: { warm_s, warm_min_s, warm_max_s, cold_s, gap, ok, failed,
//!                              failures: [ { kind, count, example } ], cpu_s, user_s, system_s,
//!                              voluntary_switches, involuntary_switches, connecting_s,
//!                              bytes_sent, bytes_received, retried,
//!                              peak_rss_bytes, threads, processes, connections,
//!                              most_in_flight,
//!                              server: { busy, bound, lateness_p99_s } or null,
//!                              split: [ { part, seconds } ] or null
//!                            } or null } ],
//!   "notes":    [ sentences ]
//! }
//! ```
//!
//! Times are seconds, sizes bytes, `gap` a fraction of the bound. Medians where
//! a cell has several samples; `ok`, `failed` and `failures` are of its worst.
//! The parts of `split` are listed under
//! [`PartKind`](crate::analysis::PartKind) and add up to the cold runtime less
//! the bound, without `building` to the warm one less the bound.
//! A field whose value does not exist is `null`. Fields may be added; a change
//! of any other kind raises `version`.

use serde::Serialize;

use crate::analysis::summary::{Figures, Row, ServerFigures, Summary, UsageFigures};
use crate::analysis::{Part, ServiceTime, Source, Split};
use crate::record::{Conditions, Ending, FailureCount, Receipt, Server};
use crate::report::RenderError;
use crate::report::units::billionths;

/// The version of the format that [`render`] writes.
pub const VERSION: u32 = 1;

/// Renders a summary as one indented JSON object that ends with a newline.
///
/// # Errors
/// None that an input is known to lead to.
pub fn render(summary: &Summary) -> Result<String, RenderError> {
    let document = Document::of(summary);
    let mut text =
        serde_json::to_string_pretty(&document).map_err(RenderError::of("the summary as JSON"))?;
    text.push('\n');
    Ok(text)
}

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    version: u32,
    session: SessionView<'a>,
    receipt: &'a Receipt,
    service: Option<ServiceView>,
    best: Option<usize>,
    rows: Vec<RowView<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct SessionView<'a> {
    started_at: &'a str,
    command: &'a str,
    server: &'a Server,
    verified: &'a str,
    timeout_s: f64,
    conditions: &'a Conditions,
    ending: Ending,
}

#[derive(Serialize)]
struct ServiceView {
    seconds: f64,
    #[serde(flatten)]
    source: Source,
}

#[derive(Serialize)]
struct RowView<'a> {
    strategy: &'a str,
    client: &'a str,
    dispatch: &'a str,
    reuse: &'a str,
    runtime_threads: Option<usize>,
    workers: usize,
    workers_usable: usize,
    requests: usize,
    samples: usize,
    errors: usize,
    first_error: Option<&'a str>,
    bound_s: Option<f64>,
    figures: Option<FiguresView<'a>>,
}

#[derive(Serialize)]
struct FiguresView<'a> {
    warm_s: f64,
    warm_min_s: f64,
    warm_max_s: f64,
    cold_s: f64,
    gap: Option<f64>,
    ok: u64,
    failed: u64,
    failures: &'a [FailureCount],
    cpu_s: f64,
    #[serde(flatten)]
    usage: UsageFigures,
    peak_rss_bytes: Option<u64>,
    threads: Option<u64>,
    processes: u64,
    connections: u64,
    most_in_flight: u64,
    server: Option<ServerView>,
    split: Option<Vec<Part>>,
}

#[derive(Serialize)]
struct ServerView {
    busy: f64,
    bound: bool,
    lateness_p99_s: f64,
}

impl ServerView {
    fn of(server: ServerFigures) -> Self {
        Self {
            busy: billionths(server.busy),
            bound: server.is_bound(),
            lateness_p99_s: billionths(server.lateness_p99_s),
        }
    }
}

fn rounded(split: &Split) -> Vec<Part> {
    let parts = split.parts.iter();
    parts
        .map(|part| Part {
            seconds: billionths(part.seconds),
            ..*part
        })
        .collect()
}

impl<'a> Document<'a> {
    fn of(summary: &'a Summary) -> Self {
        let session = &summary.session;
        Self {
            format: "fanout-summary",
            version: VERSION,
            session: SessionView {
                started_at: &session.started_at,
                command: &session.command,
                server: &session.server,
                verified: &session.verified,
                timeout_s: session.timeout_s,
                conditions: &session.conditions,
                ending: summary.ending,
            },
            receipt: &session.receipt,
            service: summary.service.map(ServiceView::of),
            best: summary.best,
            rows: summary.rows.iter().map(RowView::of).collect(),
            notes: &summary.notes,
        }
    }
}

impl ServiceView {
    fn of(service: ServiceTime) -> Self {
        Self {
            seconds: billionths(service.seconds),
            source: service.source,
        }
    }
}

impl<'a> RowView<'a> {
    fn of(row: &'a Row) -> Self {
        let cell = &row.cell;
        Self {
            strategy: &cell.strategy,
            client: &cell.client,
            dispatch: &cell.dispatch,
            reuse: &cell.reuse,
            runtime_threads: cell.runtime_threads,
            workers: cell.workers,
            workers_usable: cell.workers_usable,
            requests: cell.requests,
            samples: row.figures.as_ref().map_or(0, |figures| figures.samples),
            errors: row.errors,
            first_error: row.first_error.as_deref(),
            bound_s: row.bound_s.map(billionths),
            figures: row.figures.as_ref().map(FiguresView::of),
        }
    }
}

impl<'a> FiguresView<'a> {
    fn of(figures: &'a Figures) -> Self {
        Self {
            warm_s: billionths(figures.warm_s.median),
            warm_min_s: billionths(figures.warm_s.min),
            warm_max_s: billionths(figures.warm_s.max),
            cold_s: billionths(figures.cold_s),
            gap: figures.gap.map(billionths),
            ok: figures.ok,
            failed: figures.failed,
            failures: &figures.failures,
            cpu_s: billionths(figures.cpu_s),
            usage: UsageFigures {
                user_s: billionths(figures.usage.user_s),
                system_s: billionths(figures.usage.system_s),
                connecting_s: billionths(figures.usage.connecting_s),
                ..figures.usage
            },
            peak_rss_bytes: figures.peak_rss_bytes,
            threads: figures.threads,
            processes: figures.processes,
            connections: figures.connections,
            most_in_flight: figures.most_in_flight,
            server: figures.server.map(ServerView::of),
            split: figures.split.as_ref().map(rounded),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::analysis::Summary;
    use crate::analysis::fixture::{RecordBuilder, measured};

    #[test]
    fn every_field_has_its_name() {
        let record = RecordBuilder::new()
            .service(None)
            .sample("tokio", 3, measured(10, 0.843).latency(0.201))
            .sample(
                "rayon",
                3,
                measured(10, 0.32).latency(0.2).failed(4, "status"),
            )
            .error("multiprocess", 3, "no such file")
            .build();
        let text = render(&Summary::of(&record)).expect("rendered");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_session_without_samples_is_valid_too() {
        let text = render(&Summary::of(&RecordBuilder::new().build())).expect("rendered");
        let value: serde_json::Value = serde_json::from_str(&text).expect("valid JSON");
        assert_eq!(value["rows"], serde_json::json!([]));
        assert!(value["best"].is_null());
        assert_eq!(value["service"]["source"], "stated");
    }
}
