//! Columns of every table of cells: one list for CSV, JSON, Markdown, the
//! terminal and the page.
//!
//! A new figure is one entry in [`COLUMNS`].

mod dictionary;
mod list;

pub use self::dictionary::dictionary;
pub(crate) use self::list::{COLUMNS, latency, throughput};
use serde::{Serialize, Serializer};

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

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Missing => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Count(count) => serializer.serialize_u64(*count),
            Self::Number(number) => serializer.serialize_f64(billionths(*number)),
        }
    }
}

/// The columns of a row that JSON holds: those of the setting, or those of the
/// figures.
pub(crate) struct Fields<'a> {
    row: RowIn<'a>,
    figures: bool,
}

impl<'a> Fields<'a> {
    pub(crate) fn of_row(row: RowIn<'a>) -> Self {
        Self {
            row,
            figures: false,
        }
    }

    pub(crate) fn of_figures(row: RowIn<'a>) -> Self {
        Self { row, figures: true }
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let columns = COLUMNS.iter().filter(|column| {
            let of_figures = matches!(column.of, Of::Figures(_));
            !column.flat && of_figures == self.figures
        });
        serializer.collect_map(columns.map(|column| (column.key, column.value(&self.row))))
    }
}

/// Unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Text,
    Flag,
    Count,
    Seconds,
    Bytes,
    Fraction,
    /// Requests per second.
    Rate,
}

/// Subject of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    pub(crate) unit: Unit,
    /// What it says, for the dictionary of columns.
    pub(crate) about: &'static str,
    of: Of,
    flat: bool,
}

impl Column {
    const fn new(group: Group, key: &'static str, unit: Unit, about: &'static str, of: Of) -> Self {
        Self {
            group,
            key,
            unit,
            about,
            of,
            flat: false,
        }
    }

    /// Leaves the column out of JSON, which has the same figure in a structure.
    const fn flat(self) -> Self {
        Self { flat: true, ..self }
    }

    /// The row's figure for a machine.
    pub(crate) fn value(&self, row: &RowIn<'_>) -> Value {
        match self.of {
            Of::Row(of) => of(row),
            Of::Figures(of) => row.row.figures.as_ref().map_or(Value::Missing, of),
        }
    }
}
