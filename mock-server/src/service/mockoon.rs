//! Answers as Mockoon gives them (CLI 9.9) where they differ from the strict
//! ones: for a client that was written against it, and for a fair comparison.

use std::time::SystemTime;

use hyper::Method;
use hyper::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderValue};

use super::{Asked, Content, KEEP_ALIVE, Reply, routes, serve};
use crate::config::Config;
use crate::inventory::{self, Kind};
use crate::journal::{Clerk, Route};
use crate::query;

/// `GET /inventory/{anything}` is 200 after the delay, an unknown type with JSON
/// that is none; a missing id is the empty one; an id is not escaped. Everything
/// else is 404 at once, with a page of HTML.
pub(super) fn answer(config: &Config, clerk: &mut Clerk, asked: &Asked<'_>) -> Reply {
    let name = asked.head.uri.path().strip_prefix("/inventory/");
    let Some(name) = name.filter(|name| asked.head.method == Method::GET && !name.contains('/'))
    else {
        clerk.count_unmatched();
        return not_found(asked);
    };
    let id = query::first(asked.query(), "id").unwrap_or_default();
    let kind = query::decode_path(name).parse::<Kind>().ok();
    // An unknown type is answered like the others, so it is counted like one.
    let route = kind.map_or(Route::Products, routes::route_of);
    let mut reply = serve(config, clerk, asked, (route, &id), || match kind {
        Some(kind) => unescaped(config.seed, kind, &id).into(),
        None => format!("{{ \"id\": \"{id}\", }}").into_bytes().into(),
    });
    kept_alive(&mut reply);
    reply
}

/// The record with the id as it came, quotes and all.
fn unescaped(seed: u64, kind: Kind, id: &str) -> Vec<u8> {
    let body = inventory::body(seed, kind, id);
    let fields = body.windows(2).position(|pair| pair == b",\n").unwrap_or(0);
    let mut out = format!("{{\n  \"id\": \"{id}\"").into_bytes();
    out.extend_from_slice(&body[fields..]);
    out
}

fn not_found(asked: &Asked<'_>) -> Reply {
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>Cannot {} {}</pre>\n</body>\n</html>\n",
        asked.head.method,
        escape_html(asked.head.uri.path())
    );
    let mut reply = Reply::new(404, Content::from(page.into_bytes()));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    reply.content_type = Some(html);
    kept_alive(&mut reply);
    reply
}

fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The fields that follow the content type, in their order: hyper would put the
/// length and the date after these.
fn kept_alive(reply: &mut Reply) {
    reply.timed = false;
    reply.insert(CONTENT_LENGTH, HeaderValue::from(reply.content.len()));
    let date = httpdate::fmt_http_date(SystemTime::now());
    if let Ok(date) = HeaderValue::try_from(date) {
        reply.insert(DATE, date);
    }
    reply.insert(CONNECTION, HeaderValue::from_static("keep-alive"));
    reply.insert(KEEP_ALIVE, HeaderValue::from_static("timeout=5"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_id_differs_from_the_strict_record() {
        let plain = unescaped(1, Kind::Products, "7");
        assert_eq!(plain, inventory::body(1, Kind::Products, "7"));
        let odd = unescaped(1, Kind::Products, "a\"b,\n");
        assert!(odd.starts_with(b"{\n  \"id\": \"a\"b,\n\",\n  \"name\""));
    }
}
