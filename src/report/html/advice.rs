//! The recommendation: the setting to use, the reasons, the alternatives and
//! what they cost, and how throughput goes with workers.

use std::fmt::{self, Write as _};

use super::escape::markup;
use crate::analysis::recommend::{Peak, Recommendation, Scaling};
use crate::analysis::summary::{Row, Summary};
use crate::report::prose::{self, Naming};
use crate::report::units;

/// The longest name in a sentence, in characters.
const LONGEST_NAME: usize = 60;

/// What to use and why; where nothing can be recommended, that.
pub(super) fn write(out: &mut String, summary: &Summary) -> fmt::Result {
    let chosen = summary.recommendation.as_ref();
    let chosen = chosen.and_then(|advice| Some((advice, summary.rows.get(advice.row)?)));
    let Some((advice, row)) = chosen else {
        return writeln!(
            out,
            "<p class=\"answer\"><strong>Nothing can be recommended: no request succeeded.\
             </strong></p>"
        );
    };
    writeln!(
        out,
        "<p class=\"answer\"><strong>Use <bdi>{}</bdi></strong>{}.</p>\n<ul>",
        markup(&setting(summary, row)),
        markup(&runtime(summary, row)),
    )?;
    for reason in &advice.why {
        writeln!(out, "<li>{}</li>", markup(reason))?;
    }
    writeln!(out, "<li>{}</li>\n</ul>", markup(&scaling(&advice.scaling)))?;
    alternatives(out, summary, advice)
}

/// `tokio + hyper with 20 workers`.
fn setting(summary: &Summary, row: &Row) -> String {
    let name = Naming::of(summary).long(&row.cell);
    format!(
        "{} with {}",
        prose::shorten(&name, LONGEST_NAME),
        units::counted(row.cell.workers_usable as u64, "worker")
    )
}

/// `: 1.005 s, 0.45 % over the lower bound of 1 s`.
fn runtime(summary: &Summary, row: &Row) -> String {
    let Some(figures) = &row.figures else {
        return String::new();
    };
    let beside = match (figures.gap, row.bound_s) {
        (Some(gap), Some(bound)) => format!(
            ", {} {} the {} of {}",
            units::percent(gap).trim_start_matches(['+', '-']),
            if gap < 0.0 { "under" } else { "over" },
            prose::bound_name(summary),
            units::plain_seconds(bound)
        ),
        _ => String::new(),
    };
    format!(": {}{beside}", units::seconds(figures.warm_s.median))
}

fn scaling(scaling: &Scaling) -> String {
    let Peak {
        lambda,
        sigma,
        kappa,
        workers,
        measured,
        error,
    } = match scaling {
        Scaling::NoPeak { seen } => return seen.clone(),
        Scaling::Peak(peak) => *peak,
    };
    let fitted = workers.map_or(String::new(), |workers| {
        format!("; fitted peak at {workers:.0} workers")
    });
    format!(
        "Throughput rises to a peak at {measured} workers and falls beyond it. Universal \
         Scalability Law: λ = {lambda:.4}/s, σ = {sigma:.4}, κ = {kappa:.6}, with a relative error \
         of {:.1} %{fitted}.",
        100.0 * error
    )
}

fn alternatives(out: &mut String, summary: &Summary, advice: &Recommendation) -> fmt::Result {
    if advice.alternatives.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<table class=\"pairs\">\n<caption>Alternatives, and what they cost</caption>\n<tbody>"
    )?;
    for other in &advice.alternatives {
        let Some(row) = summary.rows.get(other.row) else {
            continue;
        };
        writeln!(
            out,
            "<tr><th scope=\"row\"><bdi>{}</bdi></th><td>{}: {}</td></tr>",
            markup(&setting(summary, row)),
            markup(&other.what),
            markup(&other.cost)
        )?;
    }
    writeln!(out, "</tbody>\n</table>")
}
