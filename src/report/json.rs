//! The summary as JSON, for `--format json`: field names that stay, machine
//! units, and everything that a figure rests on.
//!
//! ```text
//! {
//!   "format": "fanout-summary", "version": 1,
//!   "session":  { started_at, command, server: { kind, url, service_s },
//!                 others: [ servers of further profiles ], verified, timeout_s,
//!                 conditions: { workload, http, in_order, deadline_s, retries,
//!                 cpu_per_answer_s, saved, fsync },
//!                 sampling: { samples, budget_s, seed, lanes } or null,
//!                 ending: complete | interrupted | cut-off },
//!   "receipt":  { fanout, revision, rustc, profile, os, kernel, cpu, cores, memory_bytes },
//!   "service":  { seconds, source: stated | fastest, answers? } or null,
//!   "best":     the place in "rows" of the fastest cell without a failure, or null;
//!               with several profiles of the first, and every row says it of its own,
//!   "recommendation": { row, for: once (cold_s is judged) | repeated (warm_s is), warm_s,
//!                 cold_s, fastest, equals: row and these are places in "rows", slower: the ratio of
//!                 their medians less 1, slower_within: [ least, most ], confidence, estimate: { samples,
//!                 fresh, failed, median_s, interval }, edge: { workers, bound_s, beyond,
//!                 beyond_s } or null, sustained: { per_s, burst, fits, kept,
//!                 workers } or null,
//!                 unmeasured: [ cells, whose workers are not meant ], constraint, why:
//!                 [ sentences ], alternatives: [ { row, merit, difference:
//!                 { runtime: { seconds, slower }, workers, other_runtime, cpu_s,
//!                 memory_bytes, failing: { share, instead_of } }, what, cost:
//!                 sentences } ], scaling:
//!                 { shape: peak, lambda, sigma, kappa, workers, measured, error } or
//!                 { shape: no-peak, because, best?, most?, seen: a sentence } } or null; null with several profiles, each
//!               of which has its own below,
//!   "profiles": [ { name, first_row, rows, service, best, recommendation } ] of several
//!               profiles or records, whose places are in "rows" too; else empty,
//!   "rows":     [ { strategy, client, dispatch, reuse, runtime_threads, processes, workers,
//!                   workers_usable, requests, profile, best, samples, errors,
//!                   first_error, fails_more, spoilt, beside, rounds,
//!                   ended_by: samples | precision | time | failures | interruption
//!                             or null,
//!                   interval: { low, high } of the median warm_s or null,
//!                   cold_interval: the same of cold_s, bound_s,
//!                   ceiling_s, constraint: service-time | longest-request | rate-limit |
//!                                          capacity | bandwidth | cpu,
//!                   figures: { warm_s, warm_min_s, warm_max_s, cold_s, cold_min_s,
//!                              cold_max_s, gap, ok, failed,
//!                              failures: [ { kind, status?, count, example } ],
//!                              pooled: { failed, requests, effect } over all samples,
//!                              failed_by, retries: [ { kind, status, count } ],
//!                              cpu_s, build_cpu_s, run_cpu_s, user_s, system_s,
//!                              voluntary_switches, involuntary_switches, connecting_s,
//!                              bytes_sent, bytes_received, retried, runtime_threads_used,
//!                              server_cpu_s, held_mean_s, held_max_s,
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

use crate::analysis::failures::Failed;
use crate::analysis::recommend::{Alternative, Scaling};
use crate::analysis::summary::{FailedBy, Figures, ServerFigures, Summary};
use crate::analysis::{Part, Recommendation, ServiceTime, Source, Split};
use crate::precision::Interval;
use crate::record::{Conditions, Ending, FailureCount, Receipt, Sampling, Server};
use crate::report::RenderError;
use crate::report::columns::{Fields, RowIn};
use crate::report::units::billionths;
use crate::report::words::{alternatives, recommendation as words};

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
    recommendation: Option<AdviceView>,
    profiles: Vec<ProfileView<'a>>,
    rows: Vec<RowView<'a>>,
    notes: &'a [String],
}

/// One of several profiles or records; its places are those in the document's rows.
#[derive(Serialize)]
struct ProfileView<'a> {
    name: Option<&'a str>,
    first_row: usize,
    rows: usize,
    service: Option<ServiceView>,
    best: Option<usize>,
    recommendation: Option<AdviceView>,
}

/// The recommendation, and beside its facts the sentences that reports say them in.
#[derive(Serialize)]
struct AdviceView {
    #[serde(flatten)]
    facts: Recommendation,
    alternatives: Vec<AlternativeView>,
    scaling: ScalingView,
}

#[derive(Serialize)]
struct AlternativeView {
    #[serde(flatten)]
    facts: Alternative,
    what: &'static str,
    cost: String,
}

#[derive(Serialize)]
struct ScalingView {
    #[serde(flatten)]
    facts: Scaling,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<String>,
}

impl AdviceView {
    /// That of a summary whose rows stand after so many others.
    fn of(summary: &Summary, first_row: usize) -> Option<Self> {
        let advice = summary.recommendation.as_ref()?.after(first_row);
        let line = words::line(summary, summary.recommendation.as_ref()?);
        let alternative = |other: &Alternative| AlternativeView {
            facts: *other,
            what: alternatives::merit(other.merit),
            cost: alternatives::cost(other, advice.purpose),
        };
        Some(Self {
            alternatives: advice.alternatives.iter().map(alternative).collect(),
            scaling: ScalingView {
                facts: advice.scaling,
                seen: match advice.scaling {
                    Scaling::NoPeak(seen) => Some(words::no_peak(seen, &line)),
                    Scaling::Peak(_) => None,
                },
            },
            facts: advice,
        })
    }
}

impl<'a> ProfileView<'a> {
    fn all(summary: &'a Summary) -> Vec<Self> {
        let mut first_row = 0;
        let view = |profile: &'a Summary| {
            let view = Self {
                name: profile.name.as_deref(),
                first_row,
                rows: profile.rows.len(),
                service: profile.service.map(ServiceView::of),
                best: profile.best.map(|place| first_row + place),
                recommendation: AdviceView::of(profile, first_row),
            };
            first_row += profile.rows.len();
            view
        };
        summary.profiles.iter().map(view).collect()
    }
}

#[derive(Serialize)]
struct SessionView<'a> {
    started_at: &'a str,
    command: &'a str,
    server: &'a Server,
    others: &'a [Server],
    sampling: Option<&'a Sampling>,
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
    #[serde(flatten)]
    columns: Fields<'a>,
    processes: Option<usize>,
    first_error: Option<&'a str>,
    interval: Option<Interval>,
    cold_interval: Option<Interval>,
    figures: Option<FiguresView<'a>>,
}

#[derive(Serialize)]
struct FiguresView<'a> {
    #[serde(flatten)]
    columns: Fields<'a>,
    failures: &'a [FailureCount],
    pooled: Failed,
    failed_by: &'a [FailedBy],
    retries: &'a [FailedBy],
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

fn in_billionths(interval: Interval) -> Interval {
    Interval {
        low: billionths(interval.low),
        high: billionths(interval.high),
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
        let rows = RowIn::all(summary).map(RowView::of);
        Self {
            format: "fanout-summary",
            version: VERSION,
            session: SessionView {
                started_at: &session.started_at,
                command: &session.command,
                server: &session.server,
                others: &session.others,
                sampling: session.sampling.as_ref(),
                verified: &session.verified,
                timeout_s: session.timeout_s,
                conditions: &session.conditions,
                ending: summary.ending,
            },
            receipt: &session.receipt,
            service: summary.service.map(ServiceView::of),
            best: summary.best,
            recommendation: AdviceView::of(summary, 0),
            profiles: ProfileView::all(summary),
            rows: rows.collect(),
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
    fn of(row: RowIn<'a>) -> Self {
        let of = row.row;
        Self {
            columns: Fields::of_row(row),
            processes: of.cell.processes,
            first_error: of.first_error.as_deref(),
            interval: of.sampled.interval.map(in_billionths),
            cold_interval: of.sampled.cold_interval.map(in_billionths),
            figures: (of.figures.as_ref()).map(|figures| FiguresView::of(row, figures)),
        }
    }
}

impl<'a> FiguresView<'a> {
    fn of(row: RowIn<'a>, figures: &'a Figures) -> Self {
        Self {
            columns: Fields::of_figures(row),
            failures: &figures.failures,
            pooled: Failed {
                effect: billionths(figures.pooled.effect),
                ..figures.pooled
            },
            failed_by: &figures.failed_by,
            retries: &figures.retries,
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
    fn each_profile_has_its_recommendation() {
        let summary = Summary::of(&crate::analysis::fixture::two_profiles());
        let text = render(&summary).expect("rendered");
        let value: serde_json::Value = serde_json::from_str(&text).expect("valid JSON");
        let strategies: Vec<_> = value["profiles"]
            .as_array()
            .expect("profiles")
            .iter()
            .map(|profile| {
                let row = profile["recommendation"]["row"].as_u64().expect("a row");
                let row = &value["rows"][row as usize];
                (
                    profile["name"].as_str(),
                    row["profile"].as_str(),
                    row["strategy"].as_str(),
                )
            })
            .collect();
        let expected = [("steady", "tokio"), ("slow", "rayon")];
        let expected = expected.map(|(name, strategy)| (Some(name), Some(name), Some(strategy)));
        assert_eq!(strategies, expected);
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
