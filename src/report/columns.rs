//! Columns of every table of cells: one list for CSV, JSON, Markdown, the
//! terminal and the page.
//!
//! A new figure is one entry in [`COLUMNS`].

mod list;

pub(crate) use self::list::COLUMNS;
use crate::analysis::summary::{Figures, Row, Summary};
use crate::record::Cell;
use crate::report::units::billionths;

/// A row and its place in its summary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowIn<'a> {
    pub(crate) summary: &'a Summary,
    pub(crate) row: &'a Row,
    pub(crate) index: usize,
}

impl<'a> RowIn<'a> {
    /// The rows of a summary, in their order.
    pub(crate) fn all(summary: &'a Summary) -> impl Iterator<Item = Self> {
        let rows = summary.rows.iter().enumerate();
        rows.map(move |(index, row)| Self {
            summary,
            row,
            index,
        })
    }

    fn cell(&self) -> &'a Cell {
        &self.row.cell
    }
}

/// A figure for a machine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// The row has no such figure.
    Missing,
    Text(String),
    Flag(bool),
    Count(u64),
    Number(f64),
}

impl Value {
    /// The value as a field of a CSV file, empty where it is missing.
    pub(crate) fn field(self) -> String {
        match self {
            Self::Missing => String::new(),
            Self::Text(text) => text,
            Self::Flag(flag) => flag.to_string(),
            Self::Count(count) => count.to_string(),
            Self::Number(number) => billionths(number).to_string(),
        }
    }

    /// The value as a number, by which rows are sorted.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Count(count) => Some(*count as f64),
            Self::Number(number) => Some(*number).filter(|number| number.is_finite()),
            Self::Missing | Self::Text(_) | Self::Flag(_) => None,
        }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Missing, Into::into)
    }
}

/// Unit of a figure, which decides how people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Text,
    Flag,
    Count,
    Seconds,
    /// Seconds that follow from stated ones, so shown without trailing zeros.
    StatedSeconds,
    Bytes,
    /// A fraction of the lower bound.
    Gap,
    /// A fraction of a whole.
    Share,
}

/// Subject of a column. Tables for people are ordered by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    Setting,
    Runtime,
    Requests,
    Resources,
    Server,
    Gap,
    Sampling,
}

/// Source of a column's values.
#[derive(Clone, Copy)]
enum Of {
    Row(fn(&RowIn<'_>) -> Value),
    Figures(fn(&Figures) -> Value),
}

/// One figure of every row.
pub(crate) struct Column {
    pub(crate) group: Group,
    /// The name in CSV and JSON.
    pub(crate) key: &'static str,
    /// The heading in tables for people.
    pub(crate) heading: &'static str,
    pub(crate) unit: Unit,
    /// What it says, for the dictionary of columns.
    pub(crate) about: &'static str,
    of: Of,
}

impl Column {
    const fn new(
        group: Group,
        key: &'static str,
        heading: &'static str,
        unit: Unit,
        about: &'static str,
        of: Of,
    ) -> Self {
        Self {
            group,
            key,
            heading,
            unit,
            about,
            of,
        }
    }

    /// The row's figure for a machine.
    pub(crate) fn value(&self, row: &RowIn<'_>) -> Value {
        match self.of {
            Of::Row(of) => of(row),
            Of::Figures(of) => row.row.figures.as_ref().map_or(Value::Missing, of),
        }
    }
}
