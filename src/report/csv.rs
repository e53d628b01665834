//! `summary.csv`: a row a cell for spreadsheets and scripts, in machine units.
//!
//! Columns are only ever added at the end, so that readers by place and by
//! name both go on working. A figure that does not exist is an empty field.

use crate::analysis::summary::{FailedBy, Figures, Row, Summary};
use crate::analysis::{PartKind, ServiceTime, Source};
use crate::report::units::{self, billionths};
use crate::report::{Export, RenderError};

/// The file's place in a result directory.
pub const EXPORT: Export = Export {
    file: "summary.csv",
    render: |summary| Ok(Some(render(summary)?.into_bytes())),
};

/// A row, and what it needs from around it.
struct Line<'a> {
    summary: &'a Summary,
    row: &'a Row,
    best: bool,
    recommended: bool,
}

impl Line<'_> {
    /// The service time of the row's profile.
    fn service(&self) -> Option<ServiceTime> {
        self.summary.of_cell(&self.row.cell).service
    }

    /// A time or fraction of the figures, empty where there is none.
    fn value(&self, of: impl Fn(&Figures) -> Option<f64>) -> String {
        number(self.row.figures.as_ref().and_then(of))
    }

    /// A part of the split, empty where there is none.
    fn part(&self, kind: PartKind) -> String {
        self.value(|figures| figures.split.as_ref().map(|split| split.seconds(kind)))
    }

    /// A count of the figures, empty where there is none.
    fn count(&self, of: impl Fn(&Figures) -> Option<u64>) -> String {
        let count = self.row.figures.as_ref().and_then(of);
        count.map(|count| count.to_string()).unwrap_or_default()
    }
}

fn number(value: Option<f64>) -> String {
    value
        .map(|value| billionths(value).to_string())
        .unwrap_or_default()
}

/// A column's name and its field in a row.
type Column = (&'static str, fn(&Line<'_>) -> String);

const COLUMNS: &[Column] = &[
    ("strategy", |line| line.row.cell.strategy.clone()),
    ("client", |line| line.row.cell.client.clone()),
    ("dispatch", |line| line.row.cell.dispatch.clone()),
    ("reuse", |line| line.row.cell.reuse.clone()),
    ("workers", |line| line.row.cell.workers.to_string()),
    ("requests", |line| line.row.cell.requests.to_string()),
    ("samples", |line| {
        line.row
            .figures
            .as_ref()
            .map_or(0, |figures| figures.samples)
            .to_string()
    }),
    ("warm_s", |line| {
        line.value(|figures| Some(figures.warm_s.median))
    }),
    ("cold_s", |line| {
        line.value(|figures| Some(figures.cold_s.median))
    }),
    ("bound_s", |line| number(line.row.bound_s)),
    ("gap", |line| line.value(|figures| figures.gap)),
    ("ok", |line| line.count(|figures| Some(figures.ok))),
    ("failed", |line| line.count(|figures| Some(figures.failed))),
    ("cpu_s", |line| line.value(|figures| Some(figures.cpu_s))),
    ("peak_rss_bytes", |line| {
        line.count(|figures| figures.peak_rss_bytes)
    }),
    ("threads", |line| line.count(|figures| figures.threads)),
    ("connections", |line| {
        line.count(|figures| Some(figures.connections))
    }),
    ("workers_usable", |line| {
        line.row.cell.workers_usable.to_string()
    }),
    ("processes", |line| {
        line.count(|figures| Some(figures.processes))
    }),
    ("most_in_flight", |line| {
        line.count(|figures| Some(figures.most_in_flight))
    }),
    ("server_busy", |line| {
        line.value(|figures| figures.server.map(|server| server.busy))
    }),
    ("server_bound", |line| {
        let server = line.row.figures.as_ref().and_then(|figures| figures.server);
        server.map_or_else(String::new, |server| server.is_bound().to_string())
    }),
    ("lateness_p99_s", |line| {
        line.value(|figures| figures.server.map(|server| server.lateness_p99_s))
    }),
    ("warm_min_s", |line| {
        line.value(|figures| Some(figures.warm_s.min))
    }),
    ("warm_max_s", |line| {
        line.value(|figures| Some(figures.warm_s.max))
    }),
    ("errors", |line| line.row.errors.to_string()),
    ("service_s", |line| {
        number(line.service().map(|service| service.seconds))
    }),
    ("service_source", |line| {
        let source = line.service().map(|service| match service.source {
            Source::Stated => "stated",
            Source::Fastest { .. } => "fastest",
        });
        source.unwrap_or_default().to_owned()
    }),
    ("best", |line| line.best.to_string()),
    ("runtime_threads", |line| {
        let threads = line.row.cell.runtime_threads;
        threads
            .map(|threads| threads.to_string())
            .unwrap_or_default()
    }),
    ("user_s", |line| {
        line.value(|figures| Some(units::by_ticks(figures.usage.user_s)))
    }),
    ("system_s", |line| {
        line.value(|figures| Some(units::by_ticks(figures.usage.system_s)))
    }),
    ("voluntary_switches", |line| {
        line.count(|figures| Some(figures.usage.voluntary_switches))
    }),
    ("involuntary_switches", |line| {
        line.count(|figures| Some(figures.usage.involuntary_switches))
    }),
    ("connecting_s", |line| {
        line.value(|figures| Some(figures.usage.connecting_s))
    }),
    ("bytes_sent", |line| {
        line.count(|figures| figures.usage.bytes_sent)
    }),
    ("bytes_received", |line| {
        line.count(|figures| figures.usage.bytes_received)
    }),
    ("retried", |line| {
        line.count(|figures| Some(figures.usage.retried))
    }),
    ("profile", |line| {
        line.row.cell.profile.clone().unwrap_or_default()
    }),
    ("spoilt", |line| line.row.sampled.spoilt.to_string()),
    ("ended_by", |line| {
        let ended_by = line.row.sampled.ended_by;
        ended_by.map_or(String::new(), |by| by.name().to_owned())
    }),
    ("warm_low_s", |line| {
        number(line.row.sampled.interval.map(|interval| interval.low))
    }),
    ("warm_high_s", |line| {
        number(line.row.sampled.interval.map(|interval| interval.high))
    }),
    ("ceiling_s", |line| number(line.row.ceiling_s)),
    ("constraint", |line| {
        let constraint = line.row.constraint;
        constraint.map_or(String::new(), |constraint| constraint.name().to_owned())
    }),
    ("gap_connecting_s", |line| line.part(PartKind::Connecting)),
    ("gap_dispatch_s", |line| line.part(PartKind::Dispatch)),
    ("gap_chunk_barriers_s", |line| {
        line.part(PartKind::ChunkBarriers)
    }),
    ("gap_server_s", |line| line.part(PartKind::Server)),
    ("gap_retries_s", |line| line.part(PartKind::Retries)),
    ("gap_client_cpu_s", |line| line.part(PartKind::ClientCpu)),
    ("gap_transport_s", |line| line.part(PartKind::Transport)),
    ("gap_tail_idle_s", |line| line.part(PartKind::TailIdle)),
    ("gap_building_s", |line| line.part(PartKind::Building)),
    ("gap_unexplained_s", |line| line.part(PartKind::Unexplained)),
    ("build_cpu_s", |line| {
        line.value(|figures| figures.build_cpu_s)
    }),
    ("run_cpu_s", |line| line.value(|figures| figures.run_cpu_s)),
    ("beside", |line| {
        let beside = line.row.sampled.beside;
        beside.map_or(String::new(), |beside| beside.to_string())
    }),
    ("requests_of_all", |line| {
        line.count(|figures| Some(figures.pooled.requests))
    }),
    ("failed_of_all", |line| {
        line.count(|figures| Some(figures.pooled.failed))
    }),
    ("fails_more", |line| line.row.fails_more.to_string()),
    ("failure_statuses", |line| {
        let figures = line.row.figures.as_ref();
        figures.map_or_else(String::new, |figures| by_status(&figures.failed_by))
    }),
    ("retried_statuses", |line| {
        let figures = line.row.figures.as_ref();
        figures.map_or_else(String::new, |figures| by_status(&figures.retries))
    }),
    ("recommended", |line| line.recommended.to_string()),
    ("cold_min_s", |line| {
        line.value(|figures| Some(figures.cold_s.min))
    }),
    ("cold_max_s", |line| {
        line.value(|figures| Some(figures.cold_s.max))
    }),
    ("cold_low_s", |line| {
        number(line.row.sampled.cold_interval.map(|interval| interval.low))
    }),
    ("cold_high_s", |line| {
        number(line.row.sampled.cold_interval.map(|interval| interval.high))
    }),
    ("rounds", |line| line.row.rounds().to_string()),
    ("runtime_threads_used", |line| {
        line.count(|figures| figures.usage.runtime_threads_used)
    }),
    ("server_cpu_s", |line| {
        line.value(|figures| figures.usage.server_cpu_s)
    }),
    ("held_mean_s", |line| {
        line.value(|figures| figures.usage.held_mean_s)
    }),
    ("held_max_s", |line| {
        line.value(|figures| figures.usage.held_max_s)
    }),
    ("processes_chosen", |line| {
        let processes = line.row.cell.processes;
        processes.map_or(String::new(), |processes| processes.to_string())
    }),
    ("resent", |line| {
        line.count(|figures| Some(figures.usage.resent))
    }),
];

/// `429:60 503:2 timeout:1`: counts over all samples by status, or by kind where there
/// was none.
fn by_status(failed: &[FailedBy]) -> String {
    let each = failed.iter().map(|failed| {
        let status = failed.status.map(|status| status.to_string());
        format!(
            "{}:{}",
            status.as_ref().unwrap_or(&failed.kind),
            failed.count
        )
    });
    each.collect::<Vec<_>>().join(" ")
}

/// Renders a summary as CSV with a header.
///
/// # Errors
/// None that an input is known to lead to.
pub fn render(summary: &Summary) -> Result<String, RenderError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = RenderError::of(EXPORT.file);
    writer
        .write_record(COLUMNS.iter().map(|(name, _)| name))
        .map_err(RenderError::of(EXPORT.file))?;
    for (index, row) in summary.rows.iter().enumerate() {
        let line = Line {
            summary,
            row,
            best: summary.is_best(index),
            recommended: summary.is_recommended(index),
        };
        writer
            .write_record(COLUMNS.iter().map(|(_, field)| no_formula(field(&line))))
            .map_err(&failed)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| RenderError::of(EXPORT.file)(error.into_error()))?;
    String::from_utf8(bytes).map_err(RenderError::of(EXPORT.file))
}

/// A field that no spreadsheet takes for a formula: text that begins like one
/// gets an apostrophe before it. Numbers stay as they are.
fn no_formula(field: String) -> String {
    let begins_like_one = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if begins_like_one && field.parse::<f64>().is_err() {
        format!("'{field}")
    } else {
        field
    }
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::analysis::fixture::{RecordBuilder, cell, measured};
    use crate::analysis::{PartKind, Summary};
    use crate::record::Record;

    fn csv(record: &Record) -> String {
        render(&Summary::of(record)).expect("rendered")
    }

    #[test]
    fn a_row_a_cell_in_machine_units() {
        let record = RecordBuilder::new()
            .sample("tokio", 3, measured(100, 6.843))
            .sample("tokio", 3, measured(100, 6.841))
            .sample("rayon", 3, measured(100, 3.2).refused(40, 429))
            .sample("sequential", 20, measured(100, 20.1))
            .error("multiprocess", 3, "no such file")
            .build();
        insta::assert_snapshot!(csv(&record));
    }

    #[test]
    fn text_like_a_formula_is_text() {
        let of = |field: &str| super::no_formula(field.to_owned());
        let link = "=HYPERLINK(\"http://h\")";
        assert_eq!(of(link), format!("'{link}"));
        for text in ["@SUM(A1)", "+1+1", "-1+1", "\t=1"] {
            assert_eq!(of(text), format!("'{text}"));
        }
        for plain in ["-0.5", "1e-9", "tokio", ""] {
            assert_eq!(of(plain), plain);
        }
    }

    #[test]
    fn the_first_columns_keep_their_names_and_order() {
        let header = csv(&RecordBuilder::new().build());
        assert!(header.starts_with(
            "strategy,client,dispatch,reuse,workers,requests,samples,warm_s,cold_s,bound_s,gap,\
             ok,failed,cpu_s,peak_rss_bytes,threads,connections,"
        ));
        assert_eq!(header.lines().count(), 1);
    }

    #[test]
    fn every_part_of_the_gap_has_a_column() {
        let header = csv(&RecordBuilder::new().build());
        for kind in PartKind::ALL {
            let column = format!("gap_{}_s", kind.name().replace('-', "_"));
            assert!(header.contains(&column), "{column}");
        }
    }

    #[test]
    fn a_gap_that_does_not_exist_is_an_empty_field() {
        let record = RecordBuilder::new()
            .service(Some(0.0))
            .sample("tokio", 3, measured(10, 0.002))
            .build();
        let text = csv(&record);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let gap = reader
            .headers()
            .expect("a header")
            .iter()
            .position(|name| name == "gap");
        let row = reader.records().next().expect("a row").expect("valid");
        assert_eq!(&row[gap.expect("a gap column")], "");
    }

    #[test]
    fn names_with_commas_and_quotes_stay_in_their_field() {
        let odd = cell("a,\"b\"", 1, 10);
        let text = csv(&RecordBuilder::new().cell(odd, measured(10, 2.0)).build());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let row = reader.records().next().expect("a row").expect("valid");
        assert_eq!(&row[0], "a,\"b\"");
    }
}
