//! The report on the terminal: a table of cells, the fastest first, and the
//! recommendation as its last line.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use crate::analysis::summary::{Figures, Row, Summary};
use crate::record::Cell;
use crate::report::columns;
use crate::report::gap_matrix;
use crate::report::prose::{self, Naming};
use crate::report::units::{self, NONE};
use crate::report::words::{self, gap, recommendation};

/// Marks the best row, with or without colour.
const BEST: &str = "★";
/// Marks the recommended row.
const USE: &str = "→";
/// Marks rows that fail more than others, or have no measurement.
const FAILED: &str = "✗";
/// The longest strategy or client name that is shown whole, in characters.
const LONGEST_NAME: usize = 20;

/// The most rows of a table that is shown whole: with its head it fits a screen.
const SHORT: usize = 20;

/// How a table is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether to use colour.
    pub colour: bool,
    /// The columns of the terminal. The less important columns of the table
    /// give way until it fits; the most important ones stay, whatever it is.
    pub width: usize,
    /// Whether every cell has a row. Otherwise, in a table of more than 20 rows, those
    /// of the recommended worker count have one, and the fastest of every other count.
    pub all: bool,
}

impl Default for Look {
    /// No colour, 100 columns, some rows.
    fn default() -> Self {
        Self {
            colour: false,
            width: 100,
            all: false,
        }
    }
}

/// A column: its head, how soon it gives way (0 never), its side, its fields.
struct Column {
    head: &'static str,
    gives_way: u8,
    align: CellAlignment,
    field: Box<dyn Fn(&Row) -> String>,
}

impl Column {
    fn text(head: &'static str, gives_way: u8, field: impl Fn(&Row) -> String + 'static) -> Self {
        Self {
            head,
            gives_way,
            align: CellAlignment::Left,
            field: Box::new(field),
        }
    }

    fn number(head: &'static str, gives_way: u8, field: impl Fn(&Row) -> String + 'static) -> Self {
        Self {
            align: CellAlignment::Right,
            ..Self::text(head, gives_way, field)
        }
    }

    /// A column of names, which stay apart where they are too long to show whole.
    fn names(head: &'static str, summary: &Summary, of: fn(&Cell) -> &str) -> Self {
        let names = summary.rows.iter().map(|row| of(&row.cell));
        let labels = prose::distinct(names, |name| {
            prose::shorten(&prose::printable(name), LONGEST_NAME)
        });
        Self::text(head, 0, move |row| labels[of(&row.cell)].clone())
    }
}

/// Renders a matrix of gaps, the table, what failed, the notes, where the bound comes
/// from, which cell is the fastest, and, last, the recommendation. Each line ends with
/// a newline.
pub fn render(summary: &Summary, look: Look) -> String {
    let mut text = String::new();
    let plain = Style::new();
    let matrix = gap_matrix::lines(summary, look.width);
    for line in &matrix {
        push_styled(&mut text, line, plain, look);
    }
    if !matrix.is_empty() {
        text.push('\n');
    }
    table(&mut text, summary, look);
    let failed = Style::new().fg_color(Some(AnsiColor::Red.into()));
    for line in prose::failures(summary) {
        push(&mut text, &format!("{FAILED} {line}"), failed, look);
    }
    for note in &summary.notes {
        let note = format!("note: {}", prose::printable(note));
        push(&mut text, &note, plain, look);
    }
    let basis = format!(
        "{}; {}",
        prose::batch(summary),
        prose::bound_origin(summary)
    );
    push(&mut text, &basis, plain, look);
    let answers = prose::headlines(summary);
    for answer in &answers {
        push(&mut text, &format!("{BEST} {answer}"), plain, look);
    }
    if answers.is_empty() {
        push(&mut text, words::NO_GOOD_CELL, plain, look);
    }
    if let Some(parts) = gap::sentence(summary) {
        push(&mut text, &format!("  {parts}"), plain, look);
    }
    recommendation(&mut text, summary, look);
    text
}

/// The rows that are shown, and how many are not.
fn table(text: &mut String, summary: &Summary, look: Look) {
    if summary.rows.is_empty() {
        return;
    }
    let shown = shown(summary, look);
    text.push_str(&fitting_table(summary, &shown, look));
    match summary.rows.len() - shown.len() {
        0 => {}
        hidden => {
            let cells = units::counted(hidden as u64, "more cell");
            push(text, &format!("{cells}: --all"), Style::new(), look);
        }
    }
    text.push('\n');
}

/// Places of the rows that are shown: with one recommendation those of its worker
/// count, the first of every other, and those that failed.
fn shown(summary: &Summary, look: Look) -> Vec<usize> {
    let advised = summary.recommendation.as_ref().map(|advice| advice.row);
    let advised = advised.and_then(|row| summary.rows.get(row));
    let rows = summary.rows.iter().enumerate();
    let is_long = summary.rows.len() > SHORT;
    let Some(advised) = advised.filter(|_| is_long && !look.all) else {
        return rows.map(|(place, _)| place).collect();
    };
    let mut seen = BTreeSet::from([advised.cell.workers_usable]);
    rows.filter(|(_, row)| {
        let count = row.cell.workers_usable;
        count == advised.cell.workers_usable || !row.compares() || seen.insert(count)
    })
    .map(|(place, _)| place)
    .collect()
}

/// Why, what the alternatives cost, and what to use.
fn recommendation(text: &mut String, summary: &Summary, look: Look) {
    let plain = Style::new();
    if let Some(advice) = &summary.recommendation
        && let Some(answer) = recommendation::answer(summary)
    {
        text.push('\n');
        for reason in recommendation::reasons(summary, advice) {
            push(text, &format!("- {reason}"), plain, look);
        }
        for other in recommendation::alternatives(summary, advice) {
            push(text, &format!("- or {other}"), plain, look);
        }
        push(text, &format!("{USE} use {answer}"), best_style(), look);
    }
    for answer in recommendation::answers(summary) {
        push(text, &format!("{USE} {answer}"), best_style(), look);
    }
}

fn best_style() -> Style {
    Style::new().bold().fg_color(Some(AnsiColor::Green.into()))
}

/// Adds a line in a style, wrapped between words.
fn push(text: &mut String, line: &str, style: Style, look: Look) {
    for (index, part) in wrap(line, look.width).into_iter().enumerate() {
        let part = if index > 0 { format!("  {part}") } else { part };
        push_styled(text, &part, style, look);
    }
}

fn push_styled(text: &mut String, line: &str, style: Style, look: Look) {
    let line = line.trim_end();
    // Writing to a string cannot fail.
    let _ = if look.colour && style != Style::new() {
        writeln!(text, "{style}{line}{style:#}")
    } else {
        writeln!(text, "{line}")
    };
}

/// Breaks a line between words to at most `width` characters, and words where
/// they are longer; lines after the first leave room for an indent of 2.
fn wrap(line: &str, width: usize) -> Vec<String> {
    let room = width.saturating_sub(2).max(1);
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let letters: Vec<char> = word.chars().collect();
        let mut pieces = letters.chunks(room).map(|piece| piece.iter().collect());
        let first: String = pieces.next().unwrap_or_default();
        let widest = if lines.len() == 1 { width } else { room };
        let last = lines.len() - 1;
        let length = lines[last].chars().count();
        if length == 0 {
            lines[last].push_str(&first);
        } else if length + 1 + first.chars().count() <= widest {
            lines[last].push(' ');
            lines[last].push_str(&first);
        } else {
            lines.push(first);
        }
        lines.extend(pieces);
    }
    lines
}

/// The table with as many columns as fit.
fn fitting_table(summary: &Summary, shown: &[usize], look: Look) -> String {
    let mut columns = columns(summary);
    loop {
        let lines = lines(summary, shown, &columns);
        let width = lines
            .iter()
            .map(|line| line.trim_end().chars().count())
            .max();
        let next = columns.iter().map(|column| column.gives_way).max();
        match (width, next) {
            (Some(width), Some(next)) if width > look.width && next > 0 => {
                columns.retain(|column| column.gives_way != next);
            }
            _ => return styled(summary, shown, &lines, look),
        }
    }
}

fn styled(summary: &Summary, shown: &[usize], lines: &[String], look: Look) -> String {
    let mut text = String::new();
    let advised = summary.recommendation.as_ref().map(|advice| advice.row);
    let rows = std::iter::once(None).chain(shown.iter().map(Some));
    for (line, place) in lines.iter().zip(rows) {
        let style = match place.map(|place| (*place, &summary.rows[*place])) {
            None => Style::new().bold(),
            Some((place, _)) if advised == Some(place) => best_style(),
            Some((_, row)) if !row.compares() => Style::new().fg_color(Some(AnsiColor::Red.into())),
            Some(_) => Style::new(),
        };
        push_styled(&mut text, line, style, look);
    }
    text
}

/// The head and a line a row, unstyled: the table's writer would count
/// colour codes as text.
fn lines(summary: &Summary, shown: &[usize], columns: &[Column]) -> Vec<String> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(std::iter::once("").chain(columns.iter().map(|column| column.head)));
    for place in shown {
        let row = &summary.rows[*place];
        let mark = prose::marks(summary, *place, row);
        let fields = columns.iter().map(|column| (column.field)(row));
        table.add_row(std::iter::once(mark).chain(fields));
    }
    for (place, column) in columns.iter().enumerate() {
        if let Some(shown) = table.column_mut(place + 1) {
            shown.set_cell_alignment(column.align);
        }
    }
    for shown in table.column_iter_mut() {
        shown.set_padding((0, 2));
    }
    table.lines().collect()
}

fn columns(summary: &Summary) -> Vec<Column> {
    let naming = Naming::of(summary);
    let names = |head, of: fn(&Cell) -> &str| Column::names(head, summary, of);
    let mut columns = Vec::new();
    if naming.profile {
        columns.push(names("profile", |cell| {
            cell.profile.as_deref().unwrap_or_default()
        }));
    }
    columns.extend([
        names("strategy", |cell| &cell.strategy),
        names("client", |cell| &cell.client),
    ]);
    if naming.dispatch {
        columns.push(names("dispatch", |cell| &cell.dispatch));
    }
    if naming.reuse {
        columns.push(names("reuse", |cell| &cell.reuse));
    }
    if naming.runtime_threads {
        columns.push(Column::text("runtime", 0, |row| {
            prose::runtime_threads(&row.cell)
        }));
    }
    if naming.processes {
        columns.push(Column::text("spread over", 0, |row| {
            prose::processes(&row.cell)
        }));
    }
    columns.extend([
        Column::number("workers", 0, workers),
        Column::number("warm", 0, |row| time(row, |figures| figures.warm_s.median)),
        Column::number("cold", 3, |row| time(row, |figures| figures.cold_s.median)),
        Column::number("bound", 0, |row| {
            row.bound_s.map_or(NONE.to_owned(), units::plain_seconds)
        }),
        Column::number("gap", 0, |row| {
            figure(row, |figures| figures.gap.map(units::percent))
        }),
        Column::number("ok", 0, |row| {
            figure(row, |figures| {
                Some(format!("{}/{}", figures.ok, row.cell.requests))
            })
        }),
    ]);
    if prose::has_retries(summary) {
        columns.push(Column::number("retries", 0, |row| {
            figure(row, |figures| Some(units::count(figures.usage.retried)))
        }));
    }
    if prose::has_resent(summary) {
        columns.push(Column::number("resent", 0, |row| {
            figure(row, |figures| Some(units::count(figures.usage.resent)))
        }));
    }
    columns.extend([
        Column::number("req/s", 4, |row| {
            figure(row, |figures| columns::throughput(figures).map(units::rate))
        }),
        Column::number("p99", 5, |row| {
            figure(row, |figures| {
                columns::latency(figures, 0.99).map(units::seconds)
            })
        }),
        Column::number("cpu", 2, |row| time(row, |figures| figures.cpu_s)),
        Column::number("memory", 1, |row| {
            figure(row, |figures| figures.peak_rss_bytes.map(units::bytes))
        }),
    ]);
    columns
}

/// Workers that a strategy cannot use are said.
fn workers(row: &Row) -> String {
    let (asked, usable) = (row.cell.workers, row.cell.workers_usable);
    if usable < asked {
        format!("{usable} of {asked}")
    } else {
        asked.to_string()
    }
}

fn time(row: &Row, of: fn(&Figures) -> f64) -> String {
    figure(row, |figures| Some(units::seconds(of(figures))))
}

fn figure(row: &Row, of: impl Fn(&Figures) -> Option<String>) -> String {
    row.figures.as_ref().and_then(of).unwrap_or(NONE.to_owned())
}

#[cfg(test)]
mod tests;
