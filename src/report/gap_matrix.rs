//! A matrix of gaps on the terminal: a line per worker count, a column per strategy.

use std::collections::BTreeSet;

use crate::analysis::summary::{Row, Summary};
use crate::report::prose::{self, Naming};

/// The most worker counts that are shown.
const TALLEST: usize = 12;
/// Characters of the column of worker counts, and of each other one.
const COUNT: usize = 8;
const GAP: usize = 7;
/// The longest name of a strategy that is shown whole, in characters.
const LONGEST_NAME: usize = 24;

/// The matrix's lines, at most `width` characters each; none where there is nothing to
/// compare, or no room for it.
pub(crate) fn lines(summary: &Summary, width: usize) -> Vec<String> {
    let naming = Naming::of(summary);
    let gap = |row: &Row| row.figures.as_ref().and_then(|figures| figures.gap);
    let whole: Vec<&Row> = summary
        .rows
        .iter()
        .filter(|row| gap(row).is_some() && row.compares())
        .collect();
    let names: BTreeSet<_> = whole.iter().map(|row| naming.short(&row.cell)).collect();
    let counts: BTreeSet<_> = whole.iter().map(|row| row.cell.workers_usable).collect();
    let fits = COUNT + names.len() * GAP <= width;
    let several_batches = prose::requests(summary).len() > 1;
    if counts.len() < 2 || names.len() < 2 || !fits || several_batches {
        return Vec::new();
    }
    let advised = summary.recommendation.as_ref().map(|advice| advice.row);
    let chosen = advised.and_then(|row| summary.rows.get(row));
    let is_chosen = |row: &Row| chosen.is_some_and(|chosen| chosen.cell == row.cell);
    let mut head = format!("{:>COUNT$}", "workers");
    for place in 0..names.len() {
        head.push_str(&format!("{:>GAP$}", letter(place)));
    }
    let mut lines = vec![
        format!("gap to the {}, in %", prose::bound_name(summary)),
        head,
    ];
    for count in shown(&counts, chosen.map(|row| row.cell.workers_usable)) {
        let mut line = format!("{count:>COUNT$}");
        for name in &names {
            let there =
                |row: &&&Row| row.cell.workers_usable == count && naming.short(&row.cell) == *name;
            let field = whole.iter().find(there).map_or_else(String::new, |row| {
                let mark = if is_chosen(row) { "→" } else { "" };
                format!("{mark}{}", percent(gap(row).unwrap_or_default()))
            });
            line.push_str(&format!("{field:>GAP$}"));
        }
        lines.push(line);
    }
    let labels = prose::distinct(names.iter().map(String::as_str), |name| {
        prose::shorten(name, LONGEST_NAME)
    });
    let letters = names.iter().enumerate();
    let letters = letters.map(|(place, name)| format!("{} {}", letter(place), labels[name]));
    lines.extend(filled(letters, width));
    lines
}

/// The letter of a column; of those beyond the alphabet there is no room for any.
fn letter(place: usize) -> char {
    ('a'..='z').nth(place).unwrap_or('?')
}

/// A gap in per cent, to three digits.
fn percent(gap: f64) -> String {
    let percent = 100.0 * gap;
    match percent.abs() {
        ..9.995 => format!("{percent:.2}"),
        ..99.95 => format!("{percent:.1}"),
        _ => format!("{percent:.0}"),
    }
}

/// The counts to show: the recommended one, and others evenly spread.
fn shown(counts: &BTreeSet<usize>, chosen: Option<usize>) -> Vec<usize> {
    let counts: Vec<_> = counts.iter().copied().collect();
    let last = counts.len() - 1;
    let kept = counts.len().min(TALLEST);
    let spread = (0..kept).map(|i| counts[i * last / (kept - 1)]);
    let shown: BTreeSet<_> = spread.chain(chosen).collect();
    shown.into_iter().collect()
}

/// Words set one after the other, as many to a line as fit.
fn filled(words: impl Iterator<Item = String>, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words {
        let last = lines.len() - 1;
        let taken = lines[last].chars().count();
        if taken > 0 && taken + 3 + word.chars().count() > width {
            lines.push(word);
        } else {
            let between = if taken > 0 { "   " } else { "" };
            lines[last].push_str(between);
            lines[last].push_str(&word);
        }
    }
    lines
}
