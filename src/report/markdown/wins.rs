//! The matrix of a summary with several profiles: which strategy wins where.

use std::fmt::{self, Write as _};

use super::escape;
use crate::analysis::Summary;
use crate::analysis::wins::{Contender, Standing, contenders};
use crate::report::matrix::{self, Field};
use crate::report::prose::{self, Naming};
use crate::report::{plot, profiles};

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
    let names = prose::profile_names(summary);
    let head = names
        .iter()
        .zip(&directories)
        .map(|(name, dir)| format!("[{}]({dir}/summary.md)", escape(name)));
    writeln!(out, "| | {} |", head.collect::<Vec<_>>().join(" | "))?;
    writeln!(out, "|---|{}", "--:|".repeat(summary.profiles.len()))?;
    let naming = Naming::of(summary).without_profile();
    for contender in contenders {
        let profiles = summary.profiles.iter().enumerate();
        let fields: Vec<_> = profiles
            .map(|(place, one)| field(one, &contender, place))
            .collect();
        let name = escape(&naming.short(&contender.cell));
        writeln!(out, "| {name} | {} |", fields.join(" | "))?;
    }
    writeln!(
        out,
        "\nEach strategy's best {} median and the workers it took; {}.\n",
        matrix::kind(summary),
        matrix::MARKS
    )
}

fn field(profile: &Summary, contender: &Contender, place: usize) -> String {
    let Field { marks, best } = Field::of(profile, contender, place);
    match best {
        None => marks,
        Some(best) if best.standing == Standing::Wins => format!("{marks}**{}**", best.text),
        Some(best) => format!("{marks}{}", best.text),
    }
}
