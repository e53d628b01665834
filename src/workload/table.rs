//! A table of parameters: a row a request.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// Rows of values under named columns, at least one of each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    columns: Vec<String>,
    /// Row by row, as many a row as there are columns.
    values: Vec<String>,
}

/// Reason why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be read.
    #[error("cannot read the table {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Its text is no table.
    #[error("{} is not a table: {detail}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The problem, and what was expected.
        detail: String,
    },
}

impl Table {
    /// The largest file that is read, in bytes: its rows are held in memory.
    const LARGEST: u64 = 1 << 30;

    /// Reads a table from a file: CSV with a line of names, or, where its name
    /// ends in `.json`, a JSON array of objects, which need not all have the
    /// same keys.
    ///
    /// # Errors
    /// Where it cannot be read, or is neither.
    pub fn read(path: &Path) -> Result<Self, TableError> {
        let read = |source| TableError::Read {
            path: path.to_owned(),
            source,
        };
        let file = std::fs::File::open(path).map_err(read)?;
        let metadata = file.metadata().map_err(read)?;
        let malformed = |detail| TableError::Malformed {
            path: path.to_owned(),
            detail,
        };
        let kind = metadata.file_type();
        if kind.is_char_device() || kind.is_block_device() || kind.is_dir() {
            return Err(malformed(
                "it is a device or a directory; name a file".to_owned(),
            ));
        }
        // What a pipe has is not known beforehand.
        let mut text = String::new();
        let mut limited = file.take(Self::LARGEST + 1);
        limited.read_to_string(&mut text).map_err(read)?;
        if text.len() as u64 > Self::LARGEST {
            return Err(malformed("it is larger than 1 GiB; split it".to_owned()));
        }
        let is_json = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("json"));
        if is_json {
            Self::parse_json(&text).map_err(malformed)
        } else {
            Self::parse_csv(&text).map_err(malformed)
        }
    }

    /// A table from CSV, whose first line names the columns.
    ///
    /// # Errors
    /// A sentence that says what is wrong, and in which line.
    pub fn parse_csv(text: &str) -> Result<Self, String> {
        let mut reader = csv::Reader::from_reader(without_mark(text).as_bytes());
        let names = reader.headers().map_err(|error| error.to_string())?;
        let columns: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
        let mut values = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            values.extend(record.iter().map(str::to_owned));
        }
        Self::checked(columns, values)
    }

    /// A table from a JSON array of objects: a column per key, in the order in
    /// which they appear first. A key that an object lacks, and `null`, are
    /// empty. Numbers keep their text: `1.10` stays `1.10`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse_json(text: &str) -> Result<Self, String> {
        let text = without_mark(text);
        let expected = |error| format!("expected a JSON array of objects ({error})");
        serde_json::from_str::<Vec<BTreeMap<String, IgnoredAny>>>(text).map_err(expected)?;
        let rows = json_rows(text).map_err(expected)?;
        let mut columns: Vec<String> = Vec::new();
        let mut places = HashMap::new();
        for (key, _) in rows.iter().flatten() {
            if !places.contains_key(key) {
                places.insert(key.clone(), columns.len());
                columns.push(key.clone());
            }
        }
        let width = columns.len();
        let mut values = vec![String::new(); rows.len() * width];
        for (row, members) in rows.iter().enumerate() {
            for (key, value) in members {
                let no_cell =
                    || format!("`{key}` of object {} is neither text nor a number", row + 1);
                values[row * width + places[key]] = json_cell(value).ok_or_else(no_cell)?;
            }
        }
        Self::checked(columns, values)
    }

    fn checked(columns: Vec<String>, values: Vec<String>) -> Result<Self, String> {
        for (place, name) in columns.iter().enumerate() {
            if name.is_empty() || name.contains(['{', '}']) {
                return Err(format!("column {} has the name `{name}`", place + 1));
            }
            if columns[..place].contains(name) {
                return Err(format!("two columns have the name `{name}`; rename one"));
            }
        }
        if columns.is_empty() || values.is_empty() {
            return Err("it has no rows; expected a header line, then a line per request".into());
        }
        Ok(Self { columns, values })
    }

    /// The columns' names.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Its rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns.len()
    }

    /// A row's columns and their values; nothing where there is no such row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (&str, &str)> {
        let width = self.columns.len();
        let values = self.values.iter().skip(row.saturating_mul(width));
        let columns = self.columns.iter();
        columns.zip(values).map(|(c, v)| (c.as_str(), v.as_str()))
    }

    /// The value of a column in a row; `None` where there is no such one.
    pub fn value(&self, row: usize, column: &str) -> Option<&str> {
        let place = self.columns.iter().position(|name| name == column)?;
        let place = row.checked_mul(self.columns.len())?.checked_add(place)?;
        self.values.get(place).map(String::as_str)
    }
}

/// The text without what a spreadsheet puts before UTF-8.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The members of each object in the order of the text, with their values as
/// they stand there. The text must be an array of objects.
fn json_rows(text: &str) -> serde_json::Result<Vec<Vec<(String, &str)>>> {
    let mut rest = JsonText(text);
    let mut rows = Vec::new();
    rest.skip('[');
    while rest.skip('{') {
        let mut members = Vec::new();
        while !rest.skip('}') {
            let key = serde_json::from_str(rest.value()?)?;
            rest.skip(':');
            members.push((key, rest.value()?));
            rest.skip(',');
        }
        rows.push(members);
        rest.skip(',');
    }
    Ok(rows)
}

/// A cell's text; `None` where the value is an array or an object.
fn json_cell(value: &str) -> Option<String> {
    match value.as_bytes().first()? {
        b'"' => serde_json::from_str(value).ok(),
        b'[' | b'{' => None,
        _ if value == "null" => Some(String::new()),
        _ => Some(value.to_owned()),
    }
}

/// What is left of a JSON text. Its values are wanted as they stand: as numbers
/// they would be rounded.
struct JsonText<'a>(&'a str);

impl<'a> JsonText<'a> {
    /// Skips a mark between values; says whether it came next.
    fn skip(&mut self, mark: char) -> bool {
        self.0 = self.0.trim_start_matches([' ', '\t', '\n', '\r']);
        let rest = self.0.strip_prefix(mark);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// The text of the next value.
    fn value(&mut self) -> serde_json::Result<&'a str> {
        let mut values = serde_json::Deserializer::from_str(self.0).into_iter::<IgnoredAny>();
        values.next().transpose()?;
        let (value, rest) = self.0.split_at(values.byte_offset());
        self.0 = rest;
        Ok(value.trim_start_matches([' ', '\t', '\n', '\r']))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn csv_and_json_give_the_same_table() {
        let csv = Table::parse_csv("\u{feff}param1, param_2\n1,123\n2,\"a,b\"\n3,\n").unwrap();
        let json = Table::parse_json(
            r#"[{"param1":1,"param_2":"123"},{"param1":2,"param_2":"a,b"},{"param1":"3","param_2":null}]"#,
        )
        .unwrap();
        assert_eq!(csv, json);
        assert_eq!(
            (csv.rows(), csv.columns()),
            (3, &["param1".to_owned(), "param_2".into()][..])
        );
        assert_eq!(csv.value(1, "param_2"), Some("a,b"));
        assert_eq!(csv.value(3, "param1"), None);
        assert_eq!(
            csv.row(2).collect::<Vec<_>>(),
            [("param1", "3"), ("param_2", "")]
        );
    }

    #[test]
    fn json_numbers_keep_their_text() {
        let numbers = ["123456789012345678901234", "1.10", "1e2", "-0.0", "1E+400"];
        for number in numbers {
            let text = format!("[ {{ \"n\" : {number} , \"t\": true }},{{\"n\":{number}}}]");
            let table = Table::parse_json(&text).unwrap();
            assert_eq!(table.value(0, "n"), Some(number));
            assert_eq!(table.value(1, "n"), Some(number));
            assert_eq!(table.value(0, "t"), Some("true"));
        }
    }

    #[test]
    fn json_columns_stand_in_file_order() {
        let text = "\u{feff}[{\"zip code\":\"}\\\",{\",\"b\":1,\"zip code\":2},\n{\"a\":\"\\u00e9\",\"b\":null}]";
        let table = Table::parse_json(text).unwrap();
        assert_eq!(table.columns(), ["zip code", "b", "a"]);
        let rows = [0, 1].map(|row| table.row(row).map(|(_, value)| value).collect::<Vec<_>>());
        // Of a key that an object has twice, the last one counts.
        assert_eq!(rows, [["2", "1", ""], ["", "", "é"]]);
    }

    #[test]
    fn what_is_no_table_is_said() {
        for (text, expected) in [
            ("", "no rows"),
            ("a,b\n", "no rows"),
            ("a,a\n1,2\n", "two columns"),
            ("a,\n1,2\n", "column 2"),
            ("a,b\n1,2\n3\n", "line: 3"),
        ] {
            let error = Table::parse_csv(text).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
        for (text, expected) in [
            ("{}", "array of objects"),
            ("[1]", "array of objects"),
            ("[]", "no rows"),
            (r#"[{"a":[1]}]"#, "neither text nor a number"),
            (r#"[{"a":"\ud800"}]"#, "neither text nor a number"),
            ("[{\"a\":01}]", "array of objects"),
        ] {
            let error = Table::parse_json(text).unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_table_or_an_error(text in "[a-c,\"\n{}\\[\\]:1]{0,40}") {
            for table in [Table::parse_csv(&text), Table::parse_json(&text)].into_iter().flatten() {
                prop_assert!(table.rows() > 0);
            }
        }
    }
}
