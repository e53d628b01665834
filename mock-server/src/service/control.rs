//! The routes about the server itself. They answer at once and are not counted,
//! so that looking at the journal does not change it.

use super::{Method, Reply};
use crate::journal::{Clerk, Page};
use crate::query;

/// `GET /health`: answers as soon as the server does.
pub(super) fn health(method: Method, body: &mut Vec<u8>) -> Reply {
    if !method.reads() {
        return Reply::wrong_method("GET, HEAD", body);
    }
    body.extend_from_slice(b"{\n  \"status\": \"ok\"\n}");
    Reply::json(200)
}

/// `GET /journal?offset=0&limit=1000` reads the journal, `DELETE /journal` starts
/// a new one.
pub(super) fn journal(clerk: &mut Clerk, method: Method, query: &str, body: &mut Vec<u8>) -> Reply {
    match method {
        Method::Get | Method::Head => read(clerk, query, body),
        Method::Delete => {
            clerk.journal().reset();
            Reply {
                content_type: None,
                ..Reply::json(204)
            }
        }
        Method::Other => Reply::wrong_method("GET, HEAD, DELETE", body),
    }
}

fn read(clerk: &mut Clerk, query: &str, body: &mut Vec<u8>) -> Reply {
    let number = |name: &str, default: u64, max: u64| match query::first(query, name) {
        None => Ok(default),
        Some(text) => match text.parse() {
            Ok(number) if number <= max => Ok(number),
            _ => Err(format!(
                "`{name}` is `{text}`: expected a whole number from 0 to {max}"
            )),
        },
    };
    let asked = number("offset", 0, u64::MAX).and_then(|offset| {
        Ok((
            offset,
            number("limit", Page::DEFAULT_LIMIT, Page::MAX_LIMIT)?,
        ))
    });
    let (offset, limit) = match asked {
        Ok(asked) => asked,
        Err(message) => return Reply::error(400, &message, body),
    };
    let page = Page::of(clerk.ledger(), offset, limit);
    match serde_json::to_writer_pretty(&mut *body, &page) {
        Ok(()) => Reply::json(200),
        // Writing numbers and texts to memory does not fail; if it did, half a
        // page must not pass for a whole one.
        Err(error) => {
            body.clear();
            Reply::error(500, &error.to_string(), body)
        }
    }
}
