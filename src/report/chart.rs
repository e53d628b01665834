//! A chart of characters: runtime against workers, a line a worker count, a
//! letter a strategy, time on a logarithmic axis.

use std::collections::BTreeSet;

use crate::analysis::summary::{Row, Summary};
use crate::report::prose::{self, Naming};
use crate::report::units;

/// The most worker counts that are shown.
const TALLEST: usize = 12;
/// The widest that the axis gets, in characters: more resolves nothing.
const WIDEST: usize = 72;
/// The narrowest axis that shows anything.
const NARROWEST: usize = 20;
/// Two strategies or more in one place.
const SEVERAL: char = '●';
/// The lower bound.
const BOUND: char = '|';

/// The chart's lines, at most `width` characters each; none where there is
/// nothing to compare, or no room for it.
pub(crate) fn lines(summary: &Summary, width: usize) -> Vec<String> {
    let naming = Naming::of(summary);
    let whole: Vec<&Row> = summary
        .rows
        .iter()
        .filter(|row| row.figures.as_ref().is_some_and(|f| f.warm_s.median > 0.0))
        .filter(|row| row.compares())
        .collect();
    let names: BTreeSet<_> = whole.iter().map(|row| naming.short(&row.cell)).collect();
    let counts: BTreeSet<_> = whole.iter().map(|row| row.cell.workers_usable).collect();
    let axis = width.saturating_sub(8).min(WIDEST);
    let several_batches = prose::requests(summary).len() > 1;
    if counts.len() < 2 || names.len() > 26 || axis < NARROWEST || several_batches {
        return Vec::new();
    }
    let names: Vec<_> = names.into_iter().collect();
    let time = |row: &Row| row.figures.as_ref().map_or(0.0, |f| f.warm_s.median);
    let bound = |row: &&Row| row.bound_s.filter(|bound| *bound > 0.0);
    let times = whole.iter().map(|row| time(row));
    let all: Vec<f64> = times.chain(whole.iter().filter_map(bound)).collect();
    let low = all.iter().copied().fold(f64::INFINITY, f64::min);
    let high = all.iter().copied().fold(0.0, f64::max);
    let place = |time: f64| {
        let share = (time / low).ln() / (high / low).ln().max(f64::MIN_POSITIVE);
        ((share * (axis - 1) as f64).round() as usize).min(axis - 1)
    };
    let recommended = summary.recommendation.as_ref().map(|advice| advice.row);
    let chosen = recommended.and_then(|row| summary.rows.get(row));
    let chosen = chosen.map(|row| row.cell.workers_usable);
    let mut lines = vec![format!(
        "workers {}",
        ends(
            &units::plain_seconds(low),
            &units::plain_seconds(high),
            axis
        )
    )];
    for count in shown(&counts, chosen) {
        let mut line = vec!['·'; axis];
        let there = || whole.iter().filter(|row| row.cell.workers_usable == count);
        if let Some(bound) = there().find_map(bound) {
            line[place(bound)] = BOUND;
        }
        for row in there() {
            let name = naming.short(&row.cell);
            let letter = names.iter().position(|other| *other == name).unwrap_or(0);
            let at = &mut line[place(time(row))];
            *at = match *at {
                '·' | BOUND => char::from(b'a' + letter as u8),
                _ => SEVERAL,
            };
        }
        let mark = if chosen == Some(count) { '→' } else { ' ' };
        let line: String = line.into_iter().collect();
        lines.push(format!("{mark}{count:>6} {line}"));
    }
    let labels = prose::distinct(names.iter().map(String::as_str), |name| {
        prose::shorten(name, 24)
    });
    let letters = names.iter().enumerate().map(|(place, name)| {
        let letter = char::from(b'a' + place as u8);
        format!("{letter} {}", labels[name])
    });
    let bound_name = prose::bound_name(summary);
    let rest = [
        format!("{SEVERAL} several"),
        format!("{BOUND} {bound_name}"),
    ];
    lines.extend(filled(letters.chain(rest), width));
    lines
}

/// The two ends of the axis.
fn ends(low: &str, high: &str, axis: usize) -> String {
    let room = axis.saturating_sub(low.chars().count());
    format!("{low}{high:>room$}")
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
