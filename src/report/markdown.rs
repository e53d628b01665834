//! `summary.md`: what a person or a pull request reads. The answer first, then
//! the picture, the figures, and what they rest on.

mod wins;

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use crate::analysis::summary::{Row, Summary};
use crate::report::prose::{self, Naming};
use crate::report::units::{self, NONE};
use crate::report::words::{self, gap, receipt, recommendation, sampling};
use crate::report::{Export, plot};

/// The file's place in a result directory.
pub const EXPORT: Export = Export {
    file: "summary.md",
    render: |summary| Ok(Some(render(summary).into_bytes())),
};

/// The most lines of the plot that are set side by side in a table; more are
/// wider than a page.
const WIDEST: usize = 10;

/// Renders a summary as GitHub-flavoured Markdown.
pub fn render(summary: &Summary) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = document(&mut text, summary);
    text
}

fn document(out: &mut String, summary: &Summary) -> fmt::Result {
    writeln!(
        out,
        "# {}\n",
        escape(&prose::capitalised(&prose::batch(summary)))
    )?;
    recommendation(out, summary)?;
    let answers = prose::headlines(summary);
    for answer in &answers {
        writeln!(out, "**{}.**\n", escape(&prose::capitalised(answer)))?;
    }
    if answers.is_empty() {
        writeln!(out, "**{}.**\n", prose::capitalised(words::NO_GOOD_CELL))?;
    }
    if let Some(parts) = gap::sentence(summary) {
        writeln!(out, "{}.\n", escape(&prose::capitalised(&parts)))?;
    }
    wins::section(out, summary)?;
    if summary.has_figures() && summary.profiles.is_empty() {
        writeln!(
            out,
            "![Runtime against workers, beside the lower bound]({})\n",
            plot::SVG.file
        )?;
        more_plots(out, summary)?;
    }
    list(out, "Failures", &prose::failures(summary))?;
    list(out, "Notes", &summary.notes)?;
    matrix(out, summary)?;
    every_cell(out, summary)?;
    how_to_read(out, summary)?;
    receipts(out, summary)
}

/// Links to the plots that there are beside the first.
fn more_plots(out: &mut String, summary: &Summary) -> fmt::Result {
    let figures = || summary.rows.iter().filter_map(|row| row.figures.as_ref());
    let plots = [
        (figures().any(|f| f.gap.is_some()), "the gap", plot::GAP_SVG),
        (
            figures().any(|f| f.split.is_some()),
            "where it went",
            plot::SPLIT_SVG,
        ),
        (
            figures().any(|f| f.latencies.is_some()),
            "latencies",
            plot::LATENCY_SVG,
        ),
        (
            !summary.timelines.is_empty(),
            "who did what when",
            plot::TIMELINE_SVG,
        ),
        (
            figures().any(|f| f.each.cpu_s.iter().all(|s| *s > 0.0) || f.peak_rss_bytes.is_some()),
            "CPU time and memory",
            plot::RESOURCES_SVG,
        ),
    ];
    let links: Vec<_> = plots
        .iter()
        .filter(|(drawn, ..)| *drawn)
        .map(|(_, name, export)| format!("[{name}]({})", export.file))
        .collect();
    if links.is_empty() {
        return Ok(());
    }
    writeln!(out, "More plots: {}.\n", links.join(", "))
}

/// What to use, why, and what else there is.
fn recommendation(out: &mut String, summary: &Summary) -> fmt::Result {
    for answer in recommendation::answers(summary) {
        let answer = prose::capitalised(&answer);
        writeln!(out, "**{}.**\n", escape(&answer))?;
    }
    let Some(advice) = &summary.recommendation else {
        return Ok(());
    };
    if let Some(answer) = recommendation::answer(summary) {
        writeln!(out, "**Use {}.**\n", escape(&answer))?;
    }
    for reason in recommendation::reasons(summary, advice) {
        writeln!(out, "- {}", escape(&reason))?;
    }
    for other in recommendation::alternatives(summary, advice) {
        writeln!(out, "- Or {}.", escape(&other))?;
    }
    writeln!(out)
}

fn list(out: &mut String, title: &str, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "## {title}\n")?;
    for line in lines {
        writeln!(out, "- {}", escape(line))?;
    }
    writeln!(out)
}

/// Warm medians with a row a worker count and a column a strategy, where they
/// are few enough.
fn matrix(out: &mut String, summary: &Summary) -> fmt::Result {
    let naming = Naming::of(summary);
    let names: BTreeSet<_> = summary
        .rows
        .iter()
        .map(|row| naming.short(&row.cell))
        .collect();
    // By the workers that were used: that is what the bound goes by.
    let used = |row: &Row| row.cell.workers_usable;
    let workers: BTreeSet<_> = summary.rows.iter().map(used).collect();
    let comparable = prose::requests(summary).len() == 1 && summary.profiles.is_empty();
    if names.is_empty() || names.len() > WIDEST || !comparable {
        return Ok(());
    }
    writeln!(out, "## Warm runtime\n")?;
    let head: Vec<_> = names.iter().map(|name| escape(name)).collect();
    let bound_name = prose::bound_name(summary);
    writeln!(out, "| workers | {bound_name} | {} |", head.join(" | "))?;
    writeln!(out, "|--:|--:|{}", "--:|".repeat(names.len()))?;
    for workers in workers {
        let row_of = |name: &String| {
            let mut rows = summary.rows.iter().enumerate();
            rows.find(|(_, row)| used(row) == workers && naming.short(&row.cell) == *name)
        };
        let bound = names
            .iter()
            .filter_map(row_of)
            .find_map(|(_, row)| row.bound_s);
        let fields: Vec<_> = names
            .iter()
            .map(|name| {
                row_of(name).map_or(String::new(), |(index, row)| field(summary, index, row))
            })
            .collect();
        let bound = bound.map_or(NONE.to_owned(), units::plain_seconds);
        let marks = names.iter().filter_map(row_of);
        let marks = marks.map(|(_, row)| prose::kind_marks(row));
        // Of the rows at one count, some may have run beside others.
        let kind = match marks.max_by_key(|marks| marks.len()).unwrap_or_default() {
            "" => String::new(),
            marks => format!(" {marks}"),
        };
        let fields = fields.join(" | ");
        writeln!(out, "| {workers}{kind} | {bound} | {fields} |")?;
    }
    writeln!(out)
}

/// One runtime and its gap, bold where it is the best.
fn field(summary: &Summary, index: usize, row: &Row) -> String {
    let Some(figures) = &row.figures else {
        return "✗".to_owned();
    };
    let mut text = units::seconds(figures.warm_s.median);
    if let Some(gap) = figures.gap {
        text = format!("{text} ({})", units::percent(gap));
    }
    if summary.is_best(index) {
        format!("**{text}**")
    } else if row.compares() {
        text
    } else {
        format!("✗ {text}")
    }
}

fn every_cell(out: &mut String, summary: &Summary) -> fmt::Result {
    if summary.rows.is_empty() {
        return Ok(());
    }
    let naming = Naming::of(summary);
    let (retries, resent) = (prose::has_retries(summary), prose::has_resent(summary));
    let more = usize::from(retries) + usize::from(resent);
    writeln!(
        out,
        "<details>\n<summary>Every cell, the fastest first</summary>\n"
    )?;
    writeln!(
        out,
        "| | strategy + client | workers | samples | warm | min … max | cold | lower bound | gap \
         | ok | failed | CPU | CPU per request | memory | threads | connections |{}{}",
        if retries { " retries |" } else { "" },
        if resent { " resent |" } else { "" }
    )?;
    writeln!(out, "|---|---|{}", "--:|".repeat(14 + more))?;
    for (index, row) in summary.rows.iter().enumerate() {
        let mark = prose::marks(summary, index, row);
        let name = escape(&naming.long(&row.cell));
        let mut cells = cells(row);
        if retries {
            let retried = row.figures.as_ref().map(|figures| figures.usage.retried);
            cells.push(retried.map_or(NONE.to_owned(), units::count));
        }
        if resent {
            let resent = row.figures.as_ref().map(|figures| figures.usage.resent);
            cells.push(resent.map_or(NONE.to_owned(), units::count));
        }
        writeln!(out, "| {mark} | {name} | {} |", cells.join(" | "))?;
    }
    writeln!(out, "\n</details>\n")
}

fn cells(row: &Row) -> Vec<String> {
    let workers = if row.cell.workers_usable < row.cell.workers {
        format!("{} of {}", row.cell.workers_usable, row.cell.workers)
    } else {
        row.cell.workers.to_string()
    };
    let bound = row.bound_s.map_or(NONE.to_owned(), units::plain_seconds);
    let Some(figures) = &row.figures else {
        let mut cells = vec![NONE.to_owned(); 14];
        cells[0] = workers;
        cells[1] = "0".to_owned();
        cells[5] = bound;
        return cells;
    };
    let count = |count: Option<u64>| count.map_or(NONE.to_owned(), units::count);
    let (min, max) = (figures.warm_s.min, figures.warm_s.max);
    vec![
        workers,
        figures.samples.to_string(),
        units::seconds(figures.warm_s.median),
        format!("{} … {}", units::seconds(min), units::seconds(max)),
        units::seconds(figures.cold_s.median),
        bound,
        figures.gap.map_or(NONE.to_owned(), units::percent),
        units::count(figures.ok),
        units::count(figures.failed),
        units::seconds(figures.cpu_s),
        figures.run_cpu_s.map_or(NONE.to_owned(), |s| {
            units::seconds(s / row.cell.requests.max(1) as f64)
        }),
        figures.peak_rss_bytes.map_or(NONE.to_owned(), units::bytes),
        count(figures.threads),
        units::count(figures.connections),
    ]
}

fn how_to_read(out: &mut String, summary: &Summary) -> fmt::Result {
    writeln!(out, "## How to read this\n")?;
    let lines = [
        "**warm** runs from handing the batch to a built strategy to the last outcome; **cold** \
         also builds it: threads, runtimes, processes, connections."
            .to_owned(),
        format!(
            "**{}**. {}; **gap** is warm / bound − 1.",
            escape(&prose::capitalised(&prose::bound_origin(summary))),
            prose::bound_standing(summary),
        ),
        "Figures are medians over a cell's samples; ok and failed are of its worst sample."
            .to_owned(),
        sampling::precision(summary),
        "✗ marks cells with failed requests or samples: a failure may be fast, so their times do \
         not compare."
            .to_owned(),
        format!(
            "Before a time counted, the answers were checked: {}.",
            escape(summary.session.verified.trim_end_matches('.'))
        ),
    ];
    let kinds = prose::kinds(summary);
    let kinds = kinds.iter().map(|kind| format!("{kind}."));
    for line in lines.into_iter().chain(kinds) {
        writeln!(out, "- {line}")?;
    }
    writeln!(out)
}

fn receipts(out: &mut String, summary: &Summary) -> fmt::Result {
    writeln!(out, "## Receipt\n\n| | |\n|---|---|")?;
    for (name, value) in receipt::lines(summary) {
        let value = match name {
            receipt::COMMAND => {
                let command = prose::printable(&value);
                format!("`{}`", command.replace('`', "'").replace('|', "\\|"))
            }
            _ => escape(&value),
        };
        writeln!(out, "| {name} | {value} |")?;
    }
    Ok(())
}

/// Foreign text that keeps to its place in a line or a table.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in prose::printable(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '|' | '*' | '`' | '[' | ']' | '\\' | '_' => {
                escaped.push('\\');
                escaped.push(c);
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::analysis::Summary;
    use crate::analysis::fixture::{RecordBuilder, measured, sweep, two_profiles};

    #[test]
    fn the_answer_comes_first_and_the_receipt_last() {
        let record = RecordBuilder::new()
            .session(|session| session.notes.push("sequential uses 1 worker".to_owned()))
            .sample("tokio", 3, measured(100, 6.843))
            .sample("tokio", 20, measured(100, 1.012))
            .sample("rayon", 3, measured(100, 3.2).failed(40, "status"))
            .sample("sequential", 3, measured(100, 20.1))
            .error("multiprocess", 3, "no such file")
            .build();
        insta::assert_snapshot!(render(&Summary::of(&record)));
    }

    #[test]
    fn several_profiles_begin_with_who_wins_where() {
        insta::assert_snapshot!(render(&Summary::of(&two_profiles())));
    }

    #[test]
    fn every_table_row_has_as_many_cells_as_its_head() {
        let of = |record| render(&Summary::of(&record));
        let text = format!("{}\n{}", of(sweep()), of(two_profiles()));
        let mut width = None;
        for line in text.lines() {
            if !line.starts_with('|') {
                width = None;
                continue;
            }
            let cells = line.replace("\\|", "").matches('|').count();
            assert_eq!(*width.get_or_insert(cells), cells, "{line}");
        }
    }

    #[test]
    fn notes_are_told_whole() {
        let note = "a note that goes on and on ".repeat(20);
        let record = RecordBuilder::new()
            .session(|session| session.notes.push(note.clone()))
            .build();
        assert!(render(&Summary::of(&record)).contains(note.trim_end()));
    }

    #[test]
    fn foreign_text_stays_in_its_place() {
        let record = RecordBuilder::new()
            .session(|session| session.command = "fanout compare --url `x|y`".to_owned())
            .error("tokio", 3, "status 500:\n<script>alert(1)</script> | *x*")
            .build();
        let text = render(&Summary::of(&record));
        assert!(!text.contains("<script>"));
        assert!(text.contains(r"&lt;script>alert(1)&lt;/script> \| \*x\*"));
    }
}
