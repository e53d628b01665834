//! The routes that stand for an API: counted, and answered as the profile says.

use hyper::http::StatusCode;

use super::content::File;
use super::{Asked, Content, Refusal, Reply, serve};
use crate::config::Config;
use crate::inventory::{self, Kind};
use crate::journal::{Clerk, Route};
use crate::profile::LARGEST_FILE;
use crate::query;

/// `GET /inventory/{materials|products}?id=…`: a record.
pub(super) fn inventory(
    config: &Config,
    clerk: &mut Clerk,
    asked: &Asked<'_>,
    name: &str,
) -> Result<Reply, Refusal> {
    let Ok(kind) = query::decode_path(name).parse::<Kind>() else {
        let message = format!("there is no inventory type `{name}`: ask for materials or products");
        return Err(Refusal::new(404, message));
    };
    only_reads(asked)?;
    let Some(id) = query::first(asked.query(), "id") else {
        let message = format!("the query has no `id`: ask for /inventory/{kind}?id=1");
        return Err(Refusal::new(400, message));
    };
    Ok(serve(config, clerk, asked, (route_of(kind), &id), || {
        inventory::body(config.seed, kind, &id).into()
    }))
}

/// The route by which a kind is counted.
pub(super) fn route_of(kind: Kind) -> Route {
    match kind {
        Kind::Materials => Route::Materials,
        Kind::Products => Route::Products,
    }
}

fn only_reads(asked: &Asked<'_>) -> Result<(), Refusal> {
    if asked.reads() {
        Ok(())
    } else {
        Err(Refusal::wrong_method("GET, HEAD"))
    }
}

/// `GET /users`: fifty users. An `id` in the query tells requests apart; it does
/// not change the list.
pub(super) fn users(
    config: &Config,
    clerk: &mut Clerk,
    asked: &Asked<'_>,
) -> Result<Reply, Refusal> {
    only_reads(asked)?;
    let id = query::first(asked.query(), "id").unwrap_or_default();
    let seed = config.seed;
    Ok(serve(config, clerk, asked, (Route::Users, &id), || {
        crate::users::body(seed).into()
    }))
}

/// `GET /files/{id}?size=…`: a JSON file of that many bytes, or of the profile's.
pub(super) fn files(
    config: &Config,
    clerk: &mut Clerk,
    asked: &Asked<'_>,
    id: &str,
) -> Result<Reply, Refusal> {
    only_reads(asked)?;
    let size = match query::first(asked.query(), "size") {
        None => config.profile.file_size,
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (64..=LARGEST_FILE).contains(size))
            .ok_or_else(|| {
                let message = format!(
                    "`size` is `{text}`: expected a whole number of bytes from 64 to {LARGEST_FILE}"
                );
                Refusal::new(400, message)
            })?,
    };
    let id = query::decode_path(id);
    Ok(serve(config, clerk, asked, (Route::Files, &id), || {
        File::content(config.seed, &id, size)
    }))
}

/// `/status/{code}` with any method: an answer with that status, 200 to 599.
pub(super) fn status(
    config: &Config,
    clerk: &mut Clerk,
    asked: &Asked<'_>,
    code: &str,
) -> Result<Reply, Refusal> {
    let code = &*query::decode_path(code);
    let status = code
        .parse()
        .ok()
        .filter(|status| (200..=599).contains(status))
        .ok_or_else(|| {
            let message = format!("`{code}` is no status: expected a whole number from 200 to 599");
            Refusal::new(404, message)
        })?;
    let mut reply = serve(config, clerk, asked, (Route::Status, code), || {
        if matches!(status, 204 | 205 | 304) {
            return Content::Empty;
        }
        let reason = StatusCode::from_u16(status)
            .ok()
            .and_then(|s| s.canonical_reason());
        let reason = reason.unwrap_or("");
        format!("{{\n  \"status\": {status},\n  \"reason\": \"{reason}\"\n}}")
            .into_bytes()
            .into()
    });
    // A refusal of the profile keeps its own status.
    let served = reply
        .serving
        .as_ref()
        .is_some_and(|serving| serving.retry_after.is_none());
    if served {
        reply.status = status;
    }
    Ok(reply)
}

/// `/echo` with any method: what arrived, as JSON, for testing clients.
pub(super) fn echo(
    config: &Config,
    clerk: &mut Clerk,
    asked: &Asked<'_>,
) -> Result<Reply, Refusal> {
    let id = query::first(asked.query(), "id").unwrap_or_default();
    let mut failed = None;
    let reply = serve(config, clerk, asked, (Route::Echo, &id), || {
        let head = asked.head;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let fields: Vec<_> = head
            .headers
            .iter()
            .map(|(name, value)| [name.as_str().to_owned(), text(value.as_bytes())])
            .collect();
        let pairs: Vec<_> = query::pairs(asked.query()).collect();
        let seen = serde_json::json!({
            "method": head.method.as_str(),
            "path": head.uri.path(),
            "version": format!("{:?}", head.version),
            "headers": fields,
            "query": pairs,
            "body": text(asked.body),
        });
        match serde_json::to_vec_pretty(&seen) {
            Ok(body) => body.into(),
            Err(error) => {
                failed = Some(Refusal::new(500, error.to_string()));
                Content::Empty
            }
        }
    });
    failed.map_or(Ok(reply), Err)
}
