//! From a request to its answer: which route it is for, what is sent, and when.

mod control;

use std::time::Instant;

use crate::config::Config;
use crate::inventory::{self, Kind};
use crate::journal::{Clerk, Route, Ticket};
use crate::{json, query};

const JSON: &str = "application/json; charset=utf-8";

/// The methods that some route knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Delete,
    Other,
}

impl Method {
    /// Methods are case-sensitive (RFC 9110, section 9.1).
    pub(crate) fn of(name: &[u8]) -> Self {
        match name {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"DELETE" => Self::Delete,
            _ => Self::Other,
        }
    }

    fn reads(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }
}

/// A request as the routes see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    /// The target as sent: a path and a query, or a whole URL.
    pub(crate) target: &'a str,
}

/// What is sent, and when; the body is written to a buffer of the caller's.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) allow: Option<&'static str>,
    /// When the answer goes out; `None` is at once.
    pub(crate) due: Option<Instant>,
    /// The journal's entry, for the routes that are counted.
    pub(crate) ticket: Option<Ticket>,
}

impl Reply {
    fn json(status: u16) -> Self {
        Self {
            status,
            content_type: Some(JSON),
            allow: None,
            due: None,
            ticket: None,
        }
    }

    /// A refusal whose body says why, sent at once.
    pub(crate) fn error(status: u16, message: &str, body: &mut Vec<u8>) -> Self {
        json::error_into(body, message);
        Self::json(status)
    }

    fn wrong_method(allow: &'static str, body: &mut Vec<u8>) -> Self {
        let message = format!("this path answers {allow} only");
        Self {
            allow: Some(allow),
            ..Self::error(405, &message, body)
        }
    }
}

/// Answers a request that arrived at `arrived`, counting it with `clerk`.
pub(crate) fn answer(
    config: &Config,
    clerk: &mut Clerk,
    request: &Request<'_>,
    arrived: Instant,
    body: &mut Vec<u8>,
) -> Reply {
    let (path, query) = split(request.target);
    if let Some(name) = path.strip_prefix("/inventory/") {
        if let Ok(kind) = name.parse() {
            return inventory(config, clerk, request.method, kind, query, arrived, body);
        }
        clerk.count_unmatched();
        let message = format!("there is no inventory type `{name}`: ask for materials or products");
        return Reply::error(404, &message, body);
    }
    match path {
        "/journal" => control::journal(clerk, request.method, query, body),
        "/health" => control::health(request.method, body),
        _ => {
            clerk.count_unmatched();
            let message = format!(
                "there is nothing at `{path}`: try /inventory/products?id=1, /journal or /health"
            );
            Reply::error(404, &message, body)
        }
    }
}

fn inventory(
    config: &Config,
    clerk: &mut Clerk,
    method: Method,
    kind: Kind,
    query: &str,
    arrived: Instant,
    body: &mut Vec<u8>,
) -> Reply {
    if !method.reads() {
        clerk.count_unmatched();
        return Reply::wrong_method("GET, HEAD", body);
    }
    let Some(id) = query::first(query, "id") else {
        clerk.count_unmatched();
        let message = format!("the query has no `id`: ask for /inventory/{kind}?id=1");
        return Reply::error(400, &message, body);
    };
    let route = match kind {
        Kind::Materials => Route::Materials,
        Kind::Products => Route::Products,
    };
    let ticket = clerk.arrive(route, &id);
    inventory::write_body(body, config.seed, kind, &id);
    Reply {
        due: (!config.delay.is_zero()).then(|| arrived + config.delay),
        ticket: Some(ticket),
        ..Reply::json(200)
    }
}

/// The path and the query of a target, which may be a whole URL (RFC 9112,
/// section 3.2.2).
fn split(target: &str) -> (&str, &str) {
    let target = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => {
            rest.find(['/', '?']).map_or("/", |at| &rest[at..])
        }
        _ => target,
    };
    let target = target.split_once('#').map_or(target, |(before, _)| before);
    target.split_once('?').unwrap_or((target, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_split_in_every_form() {
        for (target, path, query) in [
            ("/a", "/a", ""),
            ("/a?b=c?d", "/a", "b=c?d"),
            ("http://h:1/a?b", "/a", "b"),
            ("http://h", "/", ""),
            ("http://h?b", "", "b"),
            ("/a?u=http://h/b", "/a", "u=http://h/b"),
            ("/a?b#c", "/a", "b"),
            ("*", "*", ""),
            ("", "", ""),
        ] {
            assert_eq!(split(target), (path, query), "{target}");
        }
    }
}
