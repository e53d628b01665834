//! The tables of a profile, key by key: each error names the key, its value and
//! what was expected.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use toml::Value;

use super::knobs;
use crate::duration;

/// A table, and the key that it is the value of.
pub(super) struct Section {
    /// Empty for the profile itself.
    name: String,
    table: toml::Table,
}

/// A key with its value.
pub(super) struct Given {
    key: String,
    value: Value,
}

impl Section {
    /// The whole of a profile.
    pub(super) fn top(table: toml::Table) -> Self {
        let name = String::new();
        Self { name, table }
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() {
            return key.to_owned();
        }
        format!("{}.{key}", self.name)
    }

    /// Checks that there are no keys but these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), String> {
        let mut keys = self.table.keys();
        match keys.find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(format!(
                "unknown key `{}`: expected {}",
                self.path(key),
                known.join(", ")
            )),
        }
    }

    /// Takes a key, if it is there.
    pub(super) fn get(&mut self, key: &str) -> Option<Given> {
        let value = self.table.remove(key)?;
        let key = self.path(key);
        Some(Given { key, value })
    }

    /// Takes a key that must be there.
    pub(super) fn need(&mut self, key: &str) -> Result<Given, String> {
        self.get(key).ok_or_else(|| {
            let path = self.path(key);
            let option = knobs::option(&path).map(|option| format!(" or by {option}"));
            format!(
                "`{path}` is missing: give it in the profile{}",
                option.unwrap_or_default()
            )
        })
    }
}

impl Given {
    pub(super) fn wrong(&self, expected: &str) -> String {
        let value = shown(&self.value);
        format!("`{}` is {value}: expected {expected}", self.key)
    }

    pub(super) fn table(self) -> Result<Section, String> {
        match self.value {
            Value::Table(table) => Ok(Section {
                name: self.key,
                table,
            }),
            _ => Err(self.wrong("a table of keys")),
        }
    }

    pub(super) fn list(self) -> Result<Vec<Self>, String> {
        match self.value {
            Value::Array(values) => {
                let key = self.key;
                let given = values.into_iter().map(|value| Self {
                    key: key.clone(),
                    value,
                });
                Ok(given.collect())
            }
            _ => Err(self.wrong("a list")),
        }
    }

    pub(super) fn text(self) -> Result<String, String> {
        match self.value {
            Value::String(text) => Ok(text),
            _ => Err(self.wrong("text in quotes")),
        }
    }

    pub(super) fn whole(self, min: i64, max: i64) -> Result<i64, String> {
        match self.value {
            Value::Integer(number) if (min..=max).contains(&number) => Ok(number),
            _ => Err(self.wrong(&format!("a whole number from {min} to {max}"))),
        }
    }

    pub(super) fn number(self, min: f64, max: f64) -> Result<f64, String> {
        let number = match self.value {
            Value::Integer(number) => number as f64,
            Value::Float(number) => number,
            _ => f64::NAN,
        };
        // Not a number is in no range.
        if (min..=max).contains(&number) {
            return Ok(number);
        }
        Err(self.wrong(&format!("a number from {min} to {max}")))
    }

    /// A duration as people write it.
    pub(super) fn time(self) -> Result<Duration, String> {
        self.time_as(duration::parse)
    }

    /// A duration above 0.
    pub(super) fn positive(self) -> Result<Duration, String> {
        self.time_as(duration::parse_positive)
    }

    fn time_as(
        &self,
        parse: impl Fn(&str) -> Result<Duration, String>,
    ) -> Result<Duration, String> {
        let read = match &self.value {
            Value::String(text) => parse(text),
            other => parse(&shown(other)),
        };
        read.map_err(|error| format!("`{}`: {error}", self.key))
    }
}

/// A value for a message: all of a short one, the beginning of a long one.
fn shown(value: &Value) -> String {
    const MOST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Reads a file of text that has at most `most` bytes: a device may have no end.
pub(super) fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let message = format!("it has more than {} MiB", most >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8"))
}
