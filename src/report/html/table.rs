//! The page's table: every cell, with a machine's value beside each figure, by
//! which the script sorts.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use super::escape::markup;
use crate::analysis::summary::{Figures, Row, Summary};
use crate::report::prose::{self, Naming};
use crate::report::units::{self, NONE};

/// A column of figures: its head, the value to sort by, and its text.
struct Column {
    head: &'static str,
    cell: fn(&Row) -> Option<(f64, String)>,
}

/// A column of one of a row's figures.
macro_rules! figure {
    ($head:literal, $of:expr) => {
        Column {
            head: $head,
            cell: |row| {
                let of: fn(&Figures) -> Option<(f64, String)> = $of;
                row.figures.as_ref().and_then(of)
            },
        }
    };
}

const COLUMNS: [Column; 16] = [
    Column {
        head: "workers",
        cell: |row| Some((row.cell.workers as f64, workers(row))),
    },
    Column {
        head: "samples",
        cell: |row| {
            let samples = row.figures.as_ref().map_or(0, |figures| figures.samples);
            Some((samples as f64, samples.to_string()))
        },
    },
    figure!("warm", |figures| time(figures.warm_s.median)),
    figure!("least", |figures| time(figures.warm_s.min)),
    figure!("most", |figures| time(figures.warm_s.max)),
    figure!("cold", |figures| time(figures.cold_s.median)),
    Column {
        head: "bound",
        cell: |row| {
            let bound = row.bound_s?;
            Some((bound, units::plain_seconds(bound)))
        },
    },
    figure!("gap", |figures| figures
        .gap
        .map(|gap| (gap, units::percent(gap)))),
    figure!("ok", |figures| count(figures.ok)),
    figure!("failed", |figures| count(figures.failed)),
    figure!("retries", |figures| count(figures.usage.retried)),
    figure!("CPU", |figures| time(figures.cpu_s)),
    figure!("of it, run", |figures| figures.run_cpu_s.and_then(time)),
    figure!("memory", |figures| {
        let bytes = figures.peak_rss_bytes?;
        Some((bytes as f64, units::bytes(bytes)))
    }),
    figure!("threads", |figures| figures.threads.and_then(count)),
    figure!("connections", |figures| count(figures.connections)),
];

fn time(seconds: f64) -> Option<(f64, String)> {
    Some((seconds, units::seconds(seconds)))
}

fn count(count: u64) -> Option<(f64, String)> {
    Some((count as f64, units::count(count)))
}

fn workers(row: &Row) -> String {
    let (asked, usable) = (row.cell.workers, row.cell.workers_usable);
    if usable < asked {
        format!("{usable} of {asked}")
    } else {
        asked.to_string()
    }
}

/// The table and what it is filtered by.
pub(super) fn section(out: &mut String, summary: &Summary) -> fmt::Result {
    writeln!(
        out,
        "<section id=\"cells\" aria-labelledby=\"cells-title\">\n<h2 id=\"cells-title\">Table</h2>"
    )?;
    if summary.rows.is_empty() {
        return writeln!(out, "<p>No cell was run.</p>\n</section>");
    }
    filters(out, summary)?;
    writeln!(
        out,
        "<div class=\"scroll\" role=\"region\" aria-labelledby=\"cells-caption\" tabindex=\"0\">\n\
         <table id=\"table\">\n<caption id=\"cells-caption\">Every cell, the fastest first: medians \
         over its samples</caption>\n<thead><tr><th scope=\"col\" aria-sort=\"none\">strategy + \
         client</th>"
    )?;
    for column in &COLUMNS {
        let head = column.head;
        writeln!(
            out,
            "<th scope=\"col\" aria-sort=\"none\" class=\"number\">{head}</th>"
        )?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    let naming = Naming::of(summary);
    for (index, row) in summary.rows.iter().enumerate() {
        let advice = summary.recommendation.as_ref();
        let mark = if summary.best == Some(index) {
            Some(("best", "★ "))
        } else if advice.is_some_and(|advice| advice.row == index) {
            Some(("recommended", "◆ "))
        } else {
            (!row.compares()).then_some(("failed", "✗ "))
        };
        line(out, row, &naming, mark)?;
    }
    writeln!(
        out,
        "</tbody>\n</table>\n</div>\n<p class=\"quiet\">★ the fastest; ◆ recommended, where it is another; ✗ more failed requests or \
         samples than elsewhere, so times do not compare; {NONE} no figure.{}</p>\n</section>",
        prose::kinds(summary)
            .iter()
            .map(|kind| format!(" {kind}."))
            .collect::<String>()
    )
}

fn filters(out: &mut String, summary: &Summary) -> fmt::Result {
    let workers: BTreeSet<_> = summary.rows.iter().map(|row| row.cell.workers).collect();
    writeln!(
        out,
        "<div class=\"filters script\" role=\"search\" hidden>\n\
         <label>Name holds <input type=\"search\" id=\"filter-name\" autocomplete=\"off\"></label>\n\
         <label>Workers <select id=\"filter-workers\"><option value=\"\">all</option>"
    )?;
    for workers in workers {
        writeln!(out, "<option>{workers}</option>")?;
    }
    writeln!(
        out,
        "</select></label>\n<label><input type=\"checkbox\" id=\"filter-whole\"> without failures \
         only</label>\n<output id=\"filter-count\" aria-live=\"polite\"></output>\n</div>"
    )
}

fn line(out: &mut String, row: &Row, naming: &Naming, mark: Option<(&str, &str)>) -> fmt::Result {
    let whole = row.every_request_succeeded();
    let (class, mark) = mark.unwrap_or_default();
    let name = markup(&naming.long(&row.cell));
    let kind = match prose::kind_marks(row) {
        "" => String::new(),
        marks => format!(" {marks}"),
    };
    write!(
        out,
        "<tr class=\"{class}\" data-workers=\"{}\" data-whole=\"{whole}\"><th scope=\"row\" \
         data-value=\"{name}\">{mark}<bdi>{name}</bdi>{kind}",
        row.cell.workers
    )?;
    for reason in reasons(row) {
        write!(out, "<small>{}</small>", markup(&reason))?;
    }
    write!(out, "</th>")?;
    for column in &COLUMNS {
        match (column.cell)(row).filter(|(value, _)| value.is_finite()) {
            Some((value, text)) => write!(out, "<td data-value=\"{value}\">{text}</td>")?,
            None => write!(out, "<td>{NONE}</td>")?,
        }
    }
    writeln!(out, "</tr>")
}

/// Why a cell's figures do not compare, or are none.
fn reasons(row: &Row) -> Vec<String> {
    let mut reasons = Vec::new();
    for failure in row.figures.iter().flat_map(|figures| &figures.failures) {
        let example = prose::one_line(&failure.example);
        let count = units::count(failure.count);
        reasons.push(format!("{count} {}: {example}", failure.what()));
    }
    if row.errors > 0 {
        let reason = row.first_error.as_deref();
        reasons.push(format!(
            "{} without a measurement: {}",
            units::counted(row.errors as u64, "sample"),
            prose::one_line(reason.unwrap_or("no reason is recorded"))
        ));
    }
    reasons
}
