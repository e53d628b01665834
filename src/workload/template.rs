//! URL templates: what the requests of a batch have in common, with places for
//! what differs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::request::split_origin;

/// The path and query of a batch's requests, with places for what differs.
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
}

/// Why a URL template cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A brace without its other half.
    #[error("`{0}` has a brace that is not closed; places are {{type}}, {{id}} and {{index}}")]
    Brace(String),
    /// A place that there is not.
    #[error(
        "`{{{place}}}` in `{template}` is not a place to fill; there are {{type}} (materials, then products), {{id}} (from 0 within the type) and {{index}} (from 0)"
    )]
    Place {
        /// The template.
        template: String,
        /// What stands in braces.
        place: String,
    },
    /// What no request line may hold.
    #[error("`{0}` has a space or a control character; write it percent-encoded, as %20")]
    Character(String),
}

impl Template {
    /// Where the inventory stands on a server that is named by its origin alone.
    pub const INVENTORY: &str = "/inventory/{type}?id={id}";

    /// The template in a URL: its path and query, or [`Template::INVENTORY`]
    /// where it has neither.
    ///
    /// # Errors
    /// Where braces do not match or name no place.
    pub fn of_url(url: &str) -> Result<Self, TemplateError> {
        let rest = split_origin(url).1;
        let rest = rest.split('#').next().unwrap_or_default();
        match rest {
            "" | "/" => Self::parse(Self::INVENTORY),
            path if path.starts_with('/') => Self::parse(path),
            query => Self::parse(&format!("/{query}")),
        }
    }

    /// A template from its text.
    ///
    /// # Errors
    /// Where braces do not match or name no place.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(TemplateError::Character(text.to_owned()));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let after = &rest[open + 1..];
            let close = after.find('}').filter(|_| rest[open..].starts_with('{'));
            let close = close.ok_or_else(|| TemplateError::Brace(text.to_owned()))?;
            parts.push(Part::Text(rest[..open].to_owned()));
            parts.push(match &after[..close] {
                "type" => Part::Type,
                "id" => Part::Id,
                "index" => Part::Index,
                place => {
                    return Err(TemplateError::Place {
                        template: text.to_owned(),
                        place: place.to_owned(),
                    });
                }
            });
            rest = &after[close + 1..];
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }

    /// Whether this is where the inventory stands.
    pub fn is_inventory(&self) -> bool {
        self.text == Self::INVENTORY
    }

    pub(super) fn fill(&self, kind: &str, id: usize, index: usize) -> String {
        use fmt::Write as _;
        let mut target = String::with_capacity(self.text.len() + 16);
        for part in &self.parts {
            let written = match part {
                Part::Text(text) => target.write_str(text),
                Part::Type => target.write_str(kind),
                Part::Id => write!(target, "{id}"),
                Part::Index => write!(target, "{index}"),
            };
            debug_assert!(written.is_ok(), "a String takes all that is written");
        }
        target
    }
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
        for text in ["/{id", "/id}", "/{{id}}", "/{name}", "/a b"] {
            let error = Template::parse(text).unwrap_err().to_string();
            assert!(error.contains(text) || error.contains("name"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_template_text_is_an_error_or_fills(text in "[/a-z{}?=]{0,20}") {
            if let Ok(template) = Template::parse(&text) {
                let filled = template.fill("materials", 1, 2);
                prop_assert!(!filled.contains(['{', '}']), "{}", filled);
            }
        }
    }
}
