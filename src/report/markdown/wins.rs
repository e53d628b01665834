//! The matrix of a summary with several profiles: which strategy wins where.

use std::fmt::{self, Write as _};

use super::escape;
use crate::analysis::Summary;
use crate::analysis::wins::{Contender, Standing, contenders, standing};
use crate::report::prose::{self, Naming};
use crate::report::{plot, profiles, units};

/// A row a strategy, a column a profile; nothing where there is one profile.
pub(super) fn section(out: &mut String, summary: &Summary) -> fmt::Result {
    if summary.profiles.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Which strategy wins where\n")?;
    let contenders = contenders(summary);
    if contenders.iter().any(Contender::is_anywhere) {
        writeln!(
            out,
            "![Which strategy wins where]({})\n",
            plot::WINS_SVG.file
        )?;
    }
    let directories = profiles::directories(summary);
    let head = summary.profiles.iter().zip(&directories).map(|(one, dir)| {
        let name = escape(&prose::name_of(one));
        format!("[{name}]({dir}/summary.md)")
    });
    writeln!(out, "| | {} |", head.collect::<Vec<_>>().join(" | "))?;
    writeln!(out, "|---|{}", "--:|".repeat(summary.profiles.len()))?;
    let naming = Naming::of(summary).without_profile();
    for contender in contenders {
        let fields = summary.profiles.iter().zip(&contender.best);
        let fields: Vec<_> = fields.map(|(one, place)| field(one, *place)).collect();
        let name = escape(&naming.short(&contender.cell));
        writeln!(out, "| {name} | {} |", fields.join(" | "))?;
    }
    writeln!(
        out,
        "\nEach strategy's best median and the workers it took; the fastest of a profile is bold, \
         and ≈ marks those whose samples overlap with its samples, so that the order may be \
         chance.\n"
    )
}

fn field(profile: &Summary, place: Option<usize>) -> String {
    let row = place.and_then(|place| Some((place, profile.rows.get(place)?)));
    let Some((place, row)) = row else {
        return "✗".to_owned();
    };
    let median = row.figures.as_ref().map(|figures| figures.warm_s.median);
    let median = median.map_or(units::NONE.to_owned(), units::seconds);
    let text = format!("{median}, w={}", row.cell.workers_usable);
    match standing(profile, place) {
        Standing::Wins => format!("**{text}**"),
        Standing::Level => format!("≈ {text}"),
        Standing::Slower => text,
    }
}
