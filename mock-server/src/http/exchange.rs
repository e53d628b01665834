//! One request and its answer: decide, render, wait, release.

use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, HOST, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Version};

use super::line::{InFlight, Line};
use super::payload::Payload;
use super::timing;
use crate::model::{Fault, Pace};
use crate::server::Worker;
use crate::service::{self, Asked, Content, Refusal, Reply};

/// The longest request body that is read; beyond it the answer is 413.
const MAX_BODY: usize = 1 << 20;

/// How long a request body may take.
const BODY_LIMIT: Duration = Duration::from_secs(10);

/// The connection ends without an answer.
#[derive(Debug)]
pub(super) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault of the profile ends the connection")
    }
}

impl std::error::Error for Cut {}

/// Answers one request.
pub(super) async fn exchange(
    worker: Rc<Worker>,
    line: Rc<Line>,
    request: Request<Incoming>,
) -> Result<Response<Payload>, Cut> {
    let arrived = line.read_at();
    let (in_flight, nth) = line.begin();
    let (head, body) = request.into_parts();
    let body = if service::wants_body(head.uri.path()) {
        // Boxed: only one route reads a body, and its wait would make the state
        // of every request larger.
        Box::pin(read(body)).await
    } else {
        Ok(Bytes::new())
    };
    let mut reply = match body {
        Ok(_) if head.version == Version::HTTP_11 && !head.headers.contains_key(HOST) => {
            worker.clerk().count_unmatched();
            Refusal::new(400, "a request needs a Host field").into()
        }
        Ok(body) => {
            let asked = Asked {
                head: &head,
                body: &body,
                arrived,
            };
            service::answer(worker.config(), &mut worker.clerk(), &asked)
        }
        Err(refusal) => {
            worker.clerk().count_unmatched();
            refusal.into()
        }
    };
    if worker.is_last(nth) && head.version < Version::HTTP_2 {
        reply
            .fields
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    release(
        &worker,
        &line,
        reply,
        in_flight,
        head.method == Method::HEAD,
    )
    .await
}

/// Reads a request body, or says why not.
async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    const TOO_LONG: &str = "the request body is longer than 1 MiB";
    // One that says so beforehand is not waited for.
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(Refusal::new(413, TOO_LONG));
    }
    let whole = Limited::new(body, MAX_BODY).collect();
    match tokio::time::timeout(BODY_LIMIT, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Refusal::new(413, TOO_LONG))
        }
        Ok(Err(error)) => Err(Refusal::new(
            400,
            format!("the request body cannot be read: {error}"),
        )),
        Err(_) => Err(Refusal::new(408, "the request body took longer than 10 s")),
    }
}

/// Waits until the answer is due and lets it go, with whatever is to go wrong.
async fn release(
    worker: &Rc<Worker>,
    line: &Line,
    mut reply: Reply,
    in_flight: InFlight,
    bodiless: bool,
) -> Result<Response<Payload>, Cut> {
    let (mut ticket, mut fault) = (None, None);
    if let Some(serving) = reply.serving.take() {
        let waits = serving.due > serving.arrived;
        if waits {
            worker.timer().until(serving.due).await;
        }
        let late = serving.due.elapsed();
        if waits {
            worker.clerk().count_lateness(late);
        }
        if reply.timed {
            timing::server_timing(&mut reply.fields, serving.queued, serving.service, late);
        }
        if let Some(standing) = &serving.standing {
            timing::rate_limit(&mut reply.fields, standing);
        }
        if let Some(wait) = serving.retry_after {
            timing::retry_after(&mut reply.fields, wait);
        }
        (ticket, fault) = (Some(serving.ticket), serving.fault);
    }
    if fault.is_some() {
        worker.clerk().count_fault();
    }
    match fault {
        Some(Fault::Reset) => {
            line.reset();
            return Err(Cut);
        }
        Some(Fault::Empty) => return Err(Cut),
        Some(Fault::Hang(time)) => {
            worker.timer().until(Instant::now() + time).await;
            return Err(Cut);
        }
        Some(Fault::Error(status)) => {
            reply.status = status;
            reply.content = Content::error("a fault of the profile");
        }
        Some(Fault::Malformed) => reply.content.spoil(),
        Some(Fault::Truncated) | None => {}
    }
    Ok(respond(worker, reply, ticket, fault, in_flight, bodiless))
}

fn respond(
    worker: &Rc<Worker>,
    reply: Reply,
    ticket: Option<crate::journal::Ticket>,
    fault: Option<Fault>,
    in_flight: InFlight,
    bodiless: bool,
) -> Response<Payload> {
    let length = reply.content.len();
    let content = if bodiless {
        Content::Empty
    } else {
        reply.content
    };
    let counted = ticket.is_some();
    let mut payload = Payload::new(content, ticket, in_flight);
    let pacing = worker.config().profile.pacing;
    if counted && !bodiless && !pacing.is_none() {
        let pace = Pace::new(pacing, worker.link(), Instant::now());
        payload = payload.paced(pace, worker.timer().clone());
    }
    if fault == Some(Fault::Truncated) && !bodiless {
        payload = payload.truncated();
    }
    let mut response = Response::new(payload);
    // Statuses are checked where they enter: by the profile and by the route.
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let fields = response.headers_mut();
    *fields = reply.fields;
    if bodiless {
        fields.insert(hyper::header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}
