//! The page's texts: what it is about, the recommendation, the frames that the
//! plots are drawn into, the receipts, and the method.

use std::fmt::{self, Write as _};

use super::escape::markup;
use crate::analysis::Summary;
use crate::report::words::{self, gap, receipt, recommendation};
use crate::report::{prose, units};

/// More failures than this are folded.
const FEW: usize = 3;
/// The longest answer, in characters: a strategy may have any name.
const LONGEST_ANSWER: usize = 160;

/// A place for a plot.
struct Figure {
    id: &'static str,
    title: &'static str,
    reading: &'static str,
    /// Whether it takes the whole width of a wide page.
    wide: bool,
    /// What it can be set to: an id and a name.
    choice: Option<(&'static str, &'static str)>,
}

const FIGURES: [Figure; 7] = [
    Figure {
        id: "runtime",
        title: "Runtime",
        reading: "warm, both axes logarithmic; lines are guides",
        wide: false,
        choice: None,
    },
    Figure {
        id: "gap",
        title: "Gap",
        reading: "how far above the lower bound",
        wide: false,
        choice: None,
    },
    Figure {
        id: "cpu",
        title: "CPU time",
        reading: "of the whole batch, both axes logarithmic",
        wide: false,
        choice: None,
    },
    Figure {
        id: "memory",
        title: "Memory",
        reading: "at its peak, both axes logarithmic",
        wide: false,
        choice: None,
    },
    Figure {
        id: "latency",
        title: "Latency",
        reading: "that a share of the answers did not exceed",
        wide: false,
        choice: Some(("latency-workers", "Workers")),
    },
    Figure {
        id: "split",
        title: "Where the gap went",
        reading: "runtime less bound, in parts",
        wide: false,
        choice: Some(("split-workers", "Workers")),
    },
    Figure {
        id: "timeline",
        title: "Timeline",
        reading: "requests by worker, of a median sample",
        wide: true,
        choice: Some(("timeline-cell", "Cell")),
    },
];

/// The parts of a page by their ids.
pub(super) const PARTS: [(&str, &str); 5] = [
    ("recommendation", "Recommendation"),
    ("plots", "Plots"),
    ("cells", "Table"),
    ("receipts", "Receipts"),
    ("method", "Method"),
];

/// The title, and the ways to the parts of the page.
pub(super) fn header(out: &mut String, summary: &Summary, parts: &[(&str, &str)]) -> fmt::Result {
    let receipt = &summary.session.receipt;
    let day = summary.session.started_at.split('T').next();
    writeln!(
        out,
        "<header>\n<h1>{}</h1>\n<p class=\"quiet\">{} · <span>{}</span> · <span>{}</span></p>\n<nav aria-label=\"Parts\">",
        markup(&prose::capitalised(&prose::batch(summary))),
        markup(&receipt.cpu),
        units::counted(receipt.cores as u64, "core"),
        markup(day.unwrap_or_default()),
    )?;
    for (id, name) in parts {
        writeln!(out, "<a href=\"#{id}\">{name}</a>")?;
    }
    writeln!(
        out,
        "<button type=\"button\" id=\"theme\" class=\"script\" hidden>Dark</button>\n</nav>\n</header>"
    )
}

pub(super) fn recommendation(out: &mut String, summary: &Summary) -> fmt::Result {
    open(out, "recommendation", "Recommendation")?;
    match (&summary.recommendation, recommendation::answer(summary)) {
        (Some(found), Some(answer)) => {
            let answer = prose::shorten(&answer, LONGEST_ANSWER);
            writeln!(
                out,
                "<p class=\"answer\"><strong>Use {}.</strong></p>",
                markup(&answer)
            )?;
            list(out, "Why", &recommendation::reasons(summary, found), 20)?;
            list(out, "Or", &recommendation::alternatives(summary, found), 20)?;
        }
        _ => writeln!(
            out,
            "<p class=\"answer\"><strong>{}.</strong></p>",
            prose::capitalised(words::NO_GOOD_CELL)
        )?,
    }
    if let Some(parts) = gap::sentence(summary) {
        let parts = markup(&parts);
        writeln!(
            out,
            "<p>Where the gap of the fastest cell went: {parts}.</p>"
        )?;
    }
    let failures = prose::failures(summary);
    list(out, "Failures", &failures, FEW)?;
    writeln!(out, "</section>")
}

pub(super) fn plots(out: &mut String, summary: &Summary) -> fmt::Result {
    open(out, "plots", "Plots")?;
    if !summary.has_figures() {
        return writeln!(
            out,
            "<p>No sample was measured, so there is nothing to plot.</p></section>"
        );
    }
    writeln!(
        out,
        "<noscript><p>The plots are drawn by a script, which is switched off. runtime.svg, beside \
         this file, needs none.</p></noscript>\n\
         <p class=\"quiet script\" hidden>Point at a plot, or move to it with the tab key and \
         through it with the arrow keys, to read its values. The buttons switch lines on and off \
         in all plots. ○ marks several points at one place.</p>\n\
         <div id=\"legend\" class=\"script\" role=\"group\" aria-label=\"Lines shown\" hidden></div>\n\
         <div class=\"figures script\" hidden>"
    )?;
    for figure in FIGURES {
        let wide = if figure.wide { " class=\"wide\"" } else { "" };
        writeln!(
            out,
            "<figure id=\"{id}\"{wide}>\n<figcaption><h3>{}</h3> <span class=\"quiet\" \
             id=\"{id}-reading\">{}</span></figcaption>",
            figure.title,
            figure.reading,
            id = figure.id,
        )?;
        if let Some((id, name)) = figure.choice {
            writeln!(
                out,
                "<label class=\"choice\">{name} <select id=\"{id}\"></select></label>"
            )?;
        }
        writeln!(out, "<div class=\"plot\"></div>\n</figure>")?;
    }
    writeln!(out, "</div>\n</section>")
}

pub(super) fn receipts(out: &mut String, summary: &Summary) -> fmt::Result {
    open(out, "receipts", "Receipts")?;
    writeln!(
        out,
        "<table class=\"pairs\">\n<caption>What the figures rest on</caption>\n<tbody>"
    )?;
    for (name, value) in receipt::lines(summary) {
        let value = markup(&value);
        let value = match name {
            receipt::COMMAND => format!("<code>{value}</code>"),
            _ => value,
        };
        writeln!(
            out,
            "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>"
        )?;
    }
    writeln!(out, "</tbody>\n</table>")?;
    list(out, "Notes", &summary.notes, 20)?;
    writeln!(out, "</section>")
}

pub(super) fn method(out: &mut String, summary: &Summary) -> fmt::Result {
    open(out, "method", "Method")?;
    let verified = summary.session.verified.trim_end_matches('.');
    let terms = [
        (
            "Batch, workers",
            "A batch is N requests; w workers make them, the most that are in flight at once. \
             Each worker sends its next request when it has its answer (closed loop)."
                .to_owned(),
        ),
        (
            "Warm, cold",
            "Warm runtime runs from handing the batch to a strategy that is built to its last \
             outcome. Cold runtime also builds it: threads, runtimes, processes, connections."
                .to_owned(),
        ),
        (
            "Lower bound",
            format!(
                "With a service time d for each request: <code>⌈N / w⌉ · d</code>. With service \
                 times s<sub>i</sub> that differ: <code>max(Σ s<sub>i</sub> / w, max \
                 s<sub>i</sub>)</code>, and a queue that hands the next request to the worker \
                 that is free never exceeds <code>Σ s<sub>i</sub> / w + (1 − 1/w) · max \
                 s<sub>i</sub></code> (Graham 1966). Here: {}. {}.",
                markup(&prose::bound_origin(summary)),
                prose::bound_standing(summary)
            ),
        ),
        (
            "Gap",
            "<code>warm / bound − 1</code>, of a cell whose every request succeeded.".to_owned(),
        ),
        (
            "Recommendation",
            "The smallest worker count at which a cell’s runtime is within 5 % of the fastest, \
             among the cells that fail no more than the best, as far as chance explains it; where several strategies do equally well \
             there, the cheapest in CPU and memory. Nothing is recommended that was not run."
                .to_owned(),
        ),
        (
            "Where the gap went",
            "At every moment each worker has a request or has none, so the runtime is \
             <code>(Σ latency + Σ waiting) / w</code>. Taking the bound away leaves the gap; the \
             parts of it add up to warm − bound."
                .to_owned(),
        ),
        (
            "Samples",
            format!(
                "Each sample runs in a process of its own. Figures are medians over a cell’s \
                 samples. In plots, {}. Requests that succeeded and failed are those of the worst \
                 sample.",
                prose::scatter(summary)
            ),
        ),
        (
            "CPU, memory",
            "CPU is the user and system time of the strategy and its processes, from before \
             building to after teardown. Memory is the peak of resident pages, those of worker \
             processes added; pages that processes share count in each."
                .to_owned(),
        ),
        (
            "Right answers",
            format!(
                "Before a time counted, the answers were checked: {}. A failure may be fast, so \
                 cells that fail more than others (✗) do not compare.",
                markup(verified)
            ),
        ),
    ];
    writeln!(out, "<dl>")?;
    for (term, text) in terms {
        writeln!(out, "<dt>{term}</dt><dd>{text}</dd>")?;
    }
    writeln!(out, "</dl>\n</section>")
}

pub(super) fn open(out: &mut String, id: &str, title: &str) -> fmt::Result {
    writeln!(
        out,
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>"
    )
}

/// A list of foreign lines under a title, folded where there are more than a
/// number of them; nothing for none.
fn list(out: &mut String, title: &str, lines: &[String], open_to: usize) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    // A long list must not push what comes after it out of sight.
    let (open, close) = match lines.len() {
        many if many > open_to => (
            format!("<details><summary>{title}: {many}</summary>"),
            "</details>",
        ),
        _ => (format!("<h3>{title}</h3>"), ""),
    };
    writeln!(out, "{open}\n<ul>")?;
    for line in lines {
        writeln!(out, "<li>{}</li>", markup(line))?;
    }
    writeln!(out, "</ul>{close}")
}
