//! The routes about the server itself. They answer at once and are not counted,
//! so that looking at the journal does not change it.

use hyper::Method;

use super::{Asked, Content, Refusal, Reply};
use crate::journal::{Clerk, Expectation, Page};
use crate::query;

/// `GET /health`: answers as soon as the server does, and says by which profile.
pub(super) fn health(clerk: &Clerk, asked: &Asked<'_>) -> Reply {
    if !asked.reads() {
        return Refusal::wrong_method("GET, HEAD").into();
    }
    let profile = clerk.journal().profile().digest();
    let text = format!("{{\n  \"status\": \"ok\",\n  \"profile\": \"{profile}\"\n}}");
    Reply::new(200, text.into_bytes().into())
}

/// `GET /journal?offset=0&limit=1000&expect=materials:0-49` reads the journal,
/// `DELETE /journal` starts a new run.
pub(super) fn journal(clerk: &mut Clerk, asked: &Asked<'_>) -> Reply {
    match asked.head.method {
        Method::GET | Method::HEAD => read(clerk, asked.query()).unwrap_or_else(Reply::from),
        Method::DELETE => {
            clerk.journal().reset();
            Reply::new(204, Content::Empty)
        }
        _ => Refusal::wrong_method("GET, HEAD, DELETE").into(),
    }
}

fn read(clerk: &mut Clerk, query: &str) -> Result<Reply, Refusal> {
    let number = |name: &str, default: u64, max: u64| match query::first(query, name) {
        None => Ok(default),
        Some(text) => match text.parse() {
            Ok(number) if number <= max => Ok(number),
            _ => {
                let message =
                    format!("`{name}` is `{text}`: expected a whole number from 0 to {max}");
                Err(Refusal::new(400, message))
            }
        },
    };
    let offset = number("offset", 0, u64::MAX)?;
    let limit = number("limit", Page::DEFAULT_LIMIT, Page::MAX_LIMIT)?;
    let expected = query::first(query, "expect")
        .map(|text| text.parse::<Expectation>())
        .transpose()
        .map_err(|message| Refusal::new(400, message))?;
    let page = Page::of(clerk.ledger(), offset, limit, expected.as_ref());
    // Writing numbers and texts to memory does not fail; if it did, half a page
    // must not pass for a whole one.
    let body =
        serde_json::to_vec_pretty(&page).map_err(|error| Refusal::new(500, error.to_string()))?;
    Ok(Reply::new(200, body.into()))
}
