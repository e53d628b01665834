//! Expectations of responses, and checks of bodies.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Table;

/// Expectation that a response must meet to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// Byte for byte the record that the bundled server makes of this seed.
    Record {
        /// The server's seed.
        seed: u64,
    },
    /// Byte for byte the list of users that the bundled server makes of this
    /// seed.
    Users {
        /// The server's seed.
        seed: u64,
    },
    /// Byte for byte the file that the bundled server makes of this seed.
    File {
        /// The server's seed.
        seed: u64,
        /// The file's size in bytes.
        size: usize,
    },
    /// The response of the bundled server's `/echo`: the request's index and its row of
    /// the table, as the query's pairs.
    Echo,
    /// The square of the request's index, in digits.
    Square,
    /// An inventory record with the requested `id`.
    Inventory,
    /// A JSON value.
    Json,
    /// A status from 200 to 299.
    Status,
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record { seed } => write!(
                f,
                "status 2xx and, byte for byte, the inventory record of seed {seed}"
            ),
            Self::Users { seed } => write!(
                f,
                "status 2xx and, byte for byte, the fifty users of seed {seed}"
            ),
            Self::File { seed, size } => write!(
                f,
                "status 2xx and, byte for byte, the file of {size} bytes of seed {seed}"
            ),
            Self::Echo => {
                f.write_str("status 2xx and the row's values, as the server received them")
            }
            Self::Square => f.write_str("the square of the request's index"),
            Self::Inventory => {
                write!(
                    f,
                    "status 2xx and an inventory record with the requested id"
                )
            }
            Self::Json => write!(f, "status 2xx and a JSON body"),
            Self::Status => write!(f, "status 2xx"),
        }
    }
}

pub(super) fn check_json(body: &[u8]) -> Result<(), String> {
    // A value that is ignored is not looked at for UTF-8, which JSON must be.
    let text = std::str::from_utf8(body)
        .map_err(|error| format!("the body is not JSON: not UTF-8 ({error})"))?;
    serde_json::from_str::<serde::de::IgnoredAny>(text)
        .map(|_| ())
        .map_err(|error| format!("the body is not JSON ({error})"))
}

/// A record as any inventory server answers it: four strings.
#[derive(Deserialize)]
struct AnyRecord {
    id: String,
    name: String,
    price: String,
    quantity: String,
}

pub(super) fn check_record(body: &[u8], id: usize) -> Result<(), String> {
    let record: AnyRecord = serde_json::from_slice(body)
        .map_err(|error| format!("the body is not an inventory record ({error})"))?;
    if record.id != id.to_string() {
        return Err(format!("requested id {id}, got id {:?}", record.id));
    }
    if record.name.is_empty() || record.price.is_empty() || record.quantity.is_empty() {
        return Err("a field of the record is empty".to_owned());
    }
    Ok(())
}

pub(super) fn exactly(
    body: &[u8],
    expected: &[u8],
    what: fmt::Arguments<'_>,
) -> Result<(), String> {
    if body == expected {
        Ok(())
    } else {
        Err(format!("expected {what}, {}", excerpt(expected)))
    }
}

/// The beginning of a body, on one line.
pub(super) fn excerpt(body: &[u8]) -> String {
    const SHOWN: usize = 120;
    let text = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]);
    let words: Vec<_> = text.split_whitespace().collect();
    let dots = if body.len() > SHOWN { "…" } else { "" };
    format!("`{}{dots}`", words.join(" "))
}

/// What `/echo` makes of a request, as far as it is judged.
#[derive(Deserialize)]
struct Echo {
    query: Vec<(String, String)>,
}

pub(super) fn check_echo(body: &[u8], index: usize, table: Option<&Table>) -> Result<(), String> {
    let echo: Echo = serde_json::from_slice(body)
        .map_err(|error| format!("the body is not a response of /echo ({error})"))?;
    let place = ("id".to_owned(), index.to_string());
    let row = table.into_iter().flat_map(|table| table.row(index));
    let row = row.map(|(column, value)| (column.to_owned(), value.to_owned()));
    let asked: Vec<_> = std::iter::once(place).chain(row).collect();
    if echo.query == asked {
        Ok(())
    } else {
        Err(format!("sent {asked:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::check_json;

    #[test]
    fn json_must_be_utf_8() {
        assert_eq!(check_json("{\"name\":\"ü\"}".as_bytes()), Ok(()));
        let latin_1 = check_json(b"{\"name\":\"\xfc\"}").unwrap_err();
        assert!(latin_1.contains("not UTF-8"), "{latin_1}");
    }
}
