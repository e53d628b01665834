//! URL templates: path and query of a batch's requests, with placeholders.

use std::fmt;

use http::uri::PathAndQuery;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::Table;
use crate::request::split_origin;

/// All but what RFC 3986 (section 2.3) reserves for no purpose.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What clients treat unlike one another between placeholders. Characters that no
/// client takes are not in it: they are refused.
const UNLIKE: &AsciiSet = &AsciiSet::EMPTY
    .add(b'"')
    .add(b'\'')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'|');

/// Path and query of a batch's requests, with placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Type,
    Id,
    Index,
    Column(String),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Type => f.write_str("{type}"),
            Self::Id => f.write_str("{id}"),
            Self::Index => f.write_str("{index}"),
            Self::Column(name) => write!(f, "{{{name}}}"),
        }
    }
}

/// Reason why a URL template cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A brace without its other half.
    #[error(
        "`{0}` has a brace without a name; placeholders are {{type}}, {{id}} and {{index}}; write a brace of \
         the URL itself as %7B or %7D"
    )]
    Brace(String),
    /// An unknown placeholder.
    #[error(
        "unknown placeholder `{{{place}}}` in `{template}`; known: {{type}} (materials, then products), {{id}} (from 0 within the type), {{index}} (from 0){columns}; write braces of the URL itself as %7B and %7D"
    )]
    Place {
        /// The template.
        template: String,
        /// The name in braces.
        place: String,
        /// The columns that there are, in words.
        columns: String,
    },
    /// A column that goes by the name of what the bundled server counts by.
    #[error(
        "the table has a column `{0}`, which the bundled server's /echo needs for itself; rename the column, or use --url"
    )]
    Taken(&'static str),
    /// A character that no request line may contain.
    #[error("`{template}` has {character:?}, which no URL may contain; write it as {}", Template::encoded(&character.to_string()))]
    Character {
        /// The template.
        template: String,
        /// The first such character.
        character: char,
    },
}

impl Template {
    /// Path of the inventory API, for a server that is named by its origin alone.
    pub const INVENTORY: &str = "/inventory/{type}?id={id}";

    /// The template in a URL: its path and query as given, `/` included, or
    /// [`Template::INVENTORY`] where it has neither.
    ///
    /// # Errors
    /// Where braces do not match or name no place.
    pub fn of_url(url: &str) -> Result<Self, TemplateError> {
        let rest = split_origin(url).1;
        let rest = rest.split('#').next().unwrap_or_default();
        match rest {
            "" => Self::parse(Self::INVENTORY),
            path if path.starts_with('/') => Self::parse(path),
            query => Self::parse(&format!("/{query}")),
        }
    }

    /// A template from its text.
    ///
    /// # Errors
    /// Where braces do not match or name no place.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let normal = without_dots(text);
        let mut parts = Vec::new();
        let mut rest = normal.as_str();
        while let Some(open) = rest.find(['{', '}']) {
            let after = &rest[open + 1..];
            let close = after.find('}').filter(|_| rest[open..].starts_with('{'));
            let close = close.ok_or_else(|| TemplateError::Brace(text.to_owned()))?;
            parts.push(Part::Text(normalised(&rest[..open])));
            parts.push(match &after[..close] {
                "type" => Part::Type,
                "id" => Part::Id,
                "index" => Part::Index,
                "" => return Err(TemplateError::Brace(text.to_owned())),
                column => Part::Column(column.to_owned()),
            });
            rest = &after[close + 1..];
        }
        parts.push(Part::Text(normalised(rest)));
        if let Some(character) = unsendable(&parts) {
            return Err(TemplateError::Character {
                template: text.to_owned(),
                character,
            });
        }
        Ok(Self {
            text: parts.iter().map(Part::to_string).collect(),
            parts,
        })
    }

    /// A text as it can stand anywhere in a path or query.
    pub(super) fn encoded(text: &str) -> String {
        percent_encode(text.as_bytes(), ENCODED).to_string()
    }

    /// Checks that every place can be filled from a table's columns, beside
    /// those that need none.
    ///
    /// # Errors
    /// Where it has a place of another name; the error names those there are.
    pub fn fits(&self, table: Option<&Table>) -> Result<(), TemplateError> {
        let columns = table.map_or(&[][..], Table::columns);
        let unknown = self.parts.iter().find_map(|part| match part {
            Part::Column(name) if !columns.contains(name) => Some(name),
            _ => None,
        });
        let Some(place) = unknown else { return Ok(()) };
        Err(TemplateError::Place {
            template: self.text.clone(),
            place: place.clone(),
            columns: match table {
                None => ", and with --table its columns".to_owned(),
                Some(_) => format!(", and the table's columns: {}", columns.join(", ")),
            },
        })
    }

    /// Tests whether this is the path of the inventory API.
    pub fn is_inventory(&self) -> bool {
        self.text == Self::INVENTORY
    }

    /// Fills the places. The row is a table's, and its number in it.
    pub(super) fn fill(
        &self,
        kind: &str,
        id: usize,
        index: usize,
        row: Option<(&Table, usize)>,
    ) -> String {
        use fmt::Write as _;
        let mut target = String::with_capacity(self.text.len() + 16);
        for part in &self.parts {
            // A table's own columns go before what the batch counts.
            let column = |name: &str| row.and_then(|(table, row)| table.value(row, name));
            let value = match part {
                Part::Text(_) => None,
                Part::Type => column("type"),
                Part::Id => column("id"),
                Part::Index => column("index"),
                Part::Column(name) => Some(column(name).unwrap_or_default()),
            };
            let written = match (part, value) {
                (_, Some(value)) => {
                    write!(target, "{}", percent_encode(value.as_bytes(), ENCODED))
                }
                (Part::Text(text), _) => target.write_str(text),
                (Part::Type, _) => target.write_str(kind),
                (Part::Id, _) => target.write_str(itoa::Buffer::new().format(id)),
                (Part::Index, _) => target.write_str(itoa::Buffer::new().format(index)),
                (Part::Column(_), None) => Ok(()),
            };
            debug_assert!(written.is_ok(), "a String takes all that is written");
        }
        target
    }
}

/// What stands between placeholders as every client sends it: some encode what
/// others leave as it is.
fn normalised(text: &str) -> String {
    utf8_percent_encode(text, UNLIKE).to_string()
}

/// A template whose path has no segments `.` and `..`: some clients resolve them
/// and others send them (RFC 3986, section 5.2.4).
fn without_dots(text: &str) -> String {
    let (path, query) = text.split_at(text.find('?').unwrap_or(text.len()));
    let is_dots = |segment: &str| matches!(segment, "." | "..");
    if !path.split('/').any(is_dots) {
        return text.to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        if segment == ".." {
            kept.pop();
        }
        if !is_dots(segment) {
            kept.push(segment);
        } else if segments.peek().is_none() {
            // A path that ends in dots ends in a slash.
            kept.push("");
        }
    }
    format!("/{}{query}", kept.join("/"))
}

/// The first character between the placeholders that no request line may hold, or
/// that clients refuse. What fills a placeholder is encoded.
fn unsendable(parts: &[Part]) -> Option<char> {
    let texts = parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.as_str()),
        _ => None,
    });
    let mut start = "/";
    texts.flat_map(str::chars).find(|c| {
        if *c == '?' {
            start = "/?";
        }
        let alone = format!("{start}{c}");
        c.is_whitespace() || c.is_control() || PathAndQuery::try_from(alone).is_err()
    })
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Template {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, TemplateError> {
        Self::parse(&text)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_template_says_what_is_wrong_with_it() {
        for text in ["/{id", "/id}", "/{{id}}", "/{}", "/a b"] {
            let error = Template::parse(text).unwrap_err().to_string();
            assert!(error.contains(text), "{error}");
        }
    }

    #[test]
    fn braces_of_the_url_get_a_hint_of_their_code() {
        let unknown = Template::parse("/a/{x}").unwrap().fits(None).unwrap_err();
        let unclosed = Template::parse("/a/{x").unwrap_err();
        for error in [unknown, unclosed] {
            assert!(error.to_string().contains("%7B"), "{error}");
        }
    }

    #[test]
    fn a_character_that_no_url_holds_is_named_with_its_code() {
        for (text, character, code) in [
            ("/a b/{x}", "' '", "%20"),
            ("/a<b", "'<'", "%3C"),
            ("/{index}?q=a>b", "'>'", "%3E"),
            ("/\u{7f}", "'\\u{7f}'", "%7F"),
            ("/\n", "'\\n'", "%0A"),
        ] {
            let error = Template::parse(text).unwrap_err().to_string();
            assert!(error.contains(character) && error.contains(code), "{error}");
        }
        Template::parse("/a'(b)*?c[]=1|2&d=:@!$;,~").unwrap();
    }

    #[test]
    fn a_template_is_what_every_client_sends() {
        let normal = |text: &str| Template::parse(text).unwrap().to_string();
        for (text, expected) in [
            ("/a/../b", "/b"),
            ("/a/./b/..", "/a/"),
            ("/../{id}/..?p=../x", "/?p=../x"),
            ("/ü?q='a'|b", "/%C3%BC?q=%27a%27%7Cb"),
            ("/a%2Fb/{index}", "/a%2Fb/{index}"),
            ("/a.b/..c", "/a.b/..c"),
        ] {
            assert_eq!(normal(text), expected);
            assert_eq!(normal(expected), expected);
        }
    }

    #[test]
    fn a_column_with_a_space_is_a_placeholder() {
        let table = Table::parse_csv("zip code,größe\n1 2,3\n").unwrap();
        let template = Template::of_url("http://127.0.0.1/?zip={zip code}&g={größe}").unwrap();
        template.fits(Some(&table)).unwrap();
        assert_eq!(
            template.fill("", 0, 0, Some((&table, 0))),
            "/?zip=1%202&g=3"
        );
        let again = Template::parse(&template.to_string()).unwrap();
        assert_eq!(again, template);
    }

    #[test]
    fn columns_go_before_what_the_batch_counts() {
        let table = Table::parse_csv("id,index,type\n41,x,a&b\n").unwrap();
        let template = Template::parse("/{type}/{id}/{index}").unwrap();
        template.fits(Some(&table)).unwrap();
        let filled = template.fill("materials", 7, 9, Some((&table, 0)));
        assert_eq!(filled, "/a%26b/41/x");
        assert_eq!(template.fill("materials", 7, 9, None), "/materials/7/9");
    }

    #[test]
    fn columns_are_places_where_there_is_a_table_and_their_values_are_encoded() {
        let table = Table::parse_csv("q,b\na b&c,1\nü/~,\n").unwrap();
        let template = Template::parse("/s?q={q}&b={b}&i={index}").unwrap();
        template.fits(Some(&table)).unwrap();
        let filled = |row| template.fill("", 0, row, Some((&table, row)));
        assert_eq!(filled(0), "/s?q=a%20b%26c&b=1&i=0");
        assert_eq!(filled(1), "/s?q=%C3%BC%2F~&b=&i=1");
        let without = template.fits(None).unwrap_err().to_string();
        assert!(
            without.contains("{q}") && without.contains("--table"),
            "{without}"
        );
        let other = Template::parse("/{c}").unwrap().fits(Some(&table));
        let other = other.unwrap_err().to_string();
        assert!(other.contains("{c}") && other.contains("q, b"), "{other}");
    }

    proptest! {
        #[test]
        fn any_template_text_is_an_error_or_fills(text in "[/a-z{}?=]{0,20}") {
            if let Ok(template) = Template::parse(&text) {
                let filled = template.fill("materials", 1, 2, None);
                prop_assert!(!filled.contains(['{', '}']), "{}", filled);
            }
        }
    }
}
