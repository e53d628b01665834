//! The page of several profiles or records: the recommendation of each, which strategy
//! wins where, and the ways to their own pages. It needs no script.

use std::fmt::{self, Write as _};

use super::escape::markup;
use super::{head, sections};
use crate::analysis::Summary;
use crate::analysis::wins::{Standing, contenders};
use crate::report::matrix::{self, Field};
use crate::report::profiles;
use crate::report::prose::{self, Naming};
use crate::report::words::{self, recommendation};

/// Renders the page.
pub(super) fn document(out: &mut String, summary: &Summary) -> fmt::Result {
    head(out, summary)?;
    let parts = [
        ("recommendation", "Recommendation"),
        ("wins", "Who wins where"),
        ("receipts", "Receipts"),
        ("method", "Method"),
    ];
    sections::header(out, summary, &parts)?;
    writeln!(out, "<main>")?;
    recommendations(out, summary)?;
    wins(out, summary)?;
    sections::receipts(out, summary)?;
    sections::method(out, summary)?;
    writeln!(out, "</main>\n</body>\n</html>")
}

/// What to use with each, and where its own page is.
fn recommendations(out: &mut String, summary: &Summary) -> fmt::Result {
    sections::open(out, "recommendation", "Recommendation")?;
    let directories = profiles::directories(summary);
    let names = prose::profile_names(summary);
    let profiles = summary.profiles.iter().zip(&names);
    for ((profile, name), directory) in profiles.zip(&directories) {
        let name = markup(name);
        let answer = recommendation::answer(profile).map_or_else(
            || words::NO_GOOD_CELL.to_owned(),
            |answer| format!("use {}", markup(&answer)),
        );
        writeln!(
            out,
            "<p class=\"answer\"><strong>{name}: {answer}.</strong> <a \
             href=\"{directory}/report.html\">Its report</a></p>"
        )?;
    }
    writeln!(out, "</section>")
}

fn wins(out: &mut String, summary: &Summary) -> fmt::Result {
    sections::open(out, "wins", "Who wins where")?;
    writeln!(out, "<div class=\"scroll\">\n<table>")?;
    writeln!(
        out,
        "<caption>Each strategy’s best {} median and the workers it took. {}.</caption>",
        matrix::kind(summary),
        prose::capitalised(matrix::MARKS)
    )?;
    let heads: String = prose::profile_names(summary)
        .iter()
        .map(|name| format!("<th scope=\"col\">{}</th>", markup(name)))
        .collect();
    writeln!(out, "<thead><tr><td></td>{heads}</tr></thead>\n<tbody>")?;
    let naming = Naming::of(summary).without_profile();
    for contender in contenders(summary) {
        let name = markup(&naming.short(&contender.cell));
        write!(out, "<tr><th scope=\"row\">{name}</th>")?;
        for (place, profile) in summary.profiles.iter().enumerate() {
            let Field { marks, best } = Field::of(profile, &contender, place);
            let text = best.as_ref().map_or("", |best| &best.text);
            let wins = best.as_ref().map(|best| best.standing) == Some(Standing::Wins);
            let (open, close) = if wins {
                ("<strong>", "</strong>")
            } else {
                ("", "")
            };
            write!(out, "<td>{open}{marks}{}{close}</td>", markup(text))?;
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody>\n</table>\n</div>\n</section>")
}
