//! One request and its answer: decide, render, wait, release.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, Request, Response, StatusCode, Version};

use super::connection::{Connection, InFlight};
use super::payload::Payload;
use super::thread::Worker;
use super::timing;
use crate::duration;
use crate::model::{Fault, Pace};
use crate::service::{self, Asked, Content, Refusal, Reply};

/// The longest request body that is read; beyond it the answer is 413.
const MAX_BODY: usize = 1 << 20;

/// The connection ends without an answer: by a fault, or because nobody is there.
#[derive(Debug)]
pub(super) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection ends without an answer")
    }
}

impl std::error::Error for Cut {}

/// An answer on its way to hyper. One that is due at once is made in the call
/// and moved no further than it must; only one that waits pays for a future.
#[expect(
    clippy::large_enum_variant,
    reason = "a box for every answer is what this avoids"
)]
pub(super) enum Answering {
    Now(Option<Answer>),
    Later(Pin<Box<dyn Future<Output = Answer>>>),
}

type Answer = Result<Response<Payload>, Cut>;

impl Future for Answering {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        match &mut *self {
            Self::Now(answer) => Poll::Ready(answer.take().unwrap_or(Err(Cut))),
            Self::Later(waiting) => waiting.as_mut().poll(cx),
        }
    }
}

/// Answers one request.
pub(super) fn exchange(
    worker: &Rc<Worker>,
    line: &Rc<Connection>,
    request: Request<Incoming>,
) -> Answering {
    let arrived = line.came();
    let body_length = request.body().size_hint().exact();
    let (in_flight, nth) = line.begin(body_length.unwrap_or(0));
    let is_last = worker.is_last(nth);
    if is_last {
        line.end();
    }
    let (mut head, body) = request.into_parts();
    if service::wants_body(head.uri.path()) {
        let worker = Rc::clone(worker);
        return Answering::Later(Box::pin(async move {
            let body = read(body, worker.config().patience.body).await;
            // A slow upload is the client's time, not the server's lateness.
            let arrived = in_flight.line().came();
            // What is left of a body that was refused cannot be told from a head.
            let is_last = is_last || body.is_err();
            let reply = decide(&worker, &head, body, arrived, is_last);
            let sheet = Sheet::over(&mut head);
            release(&worker, reply, sheet, in_flight).await
        }));
    }
    let reply = decide(worker, &head, Ok(Bytes::new()), arrived, is_last);
    let sheet = Sheet::over(&mut head);
    if reply.waits() {
        let worker = Rc::clone(worker);
        return Answering::Later(Box::pin(async move {
            release(&worker, reply, sheet, in_flight).await
        }));
    }
    Answering::Now(Some(settle(worker, reply, sheet, in_flight)))
}

/// What an answer's head is written on: the request's fields, whose memory is
/// used again and goes back to hyper with the answer.
struct Sheet {
    fields: HeaderMap,
    version: Version,
    /// Whether the answer ends with its head.
    bodiless: bool,
}

impl Sheet {
    /// A blank one in the place of a request that has been decided.
    fn over(head: &mut Parts) -> Self {
        let mut fields = std::mem::take(&mut head.headers);
        fields.clear();
        Self {
            fields,
            version: head.version,
            bodiless: head.method == Method::HEAD,
        }
    }
}

/// What a request is answered, and when.
fn decide(
    worker: &Worker,
    head: &Parts,
    body: Result<Bytes, Refusal>,
    arrived: Instant,
    is_last: bool,
) -> Reply {
    let mut reply = match body.and_then(|body| agree(head).map(|()| body)) {
        Ok(body) => {
            let asked = Asked {
                head,
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
    if head.version < Version::HTTP_2 && (is_last || reply.keeps_alive() && ends(head)) {
        reply.close();
    }
    reply
}

/// Whether a request may be served at all, whatever it is for.
fn agree(head: &Parts) -> Result<(), Refusal> {
    if head.method == Method::CONNECT {
        return Err(Refusal::new(501, "this server is no proxy"));
    }
    if head.version == Version::HTTP_2 {
        return Ok(());
    }
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_host(host.as_bytes()) => Ok(()),
        (Some(_), None) => Err(Refusal::new(400, "the Host field names no host")),
        (Some(_), Some(_)) => Err(Refusal::new(400, "a request has one Host field")),
        (None, _) if head.version == Version::HTTP_11 => {
            Err(Refusal::new(400, "a request needs a Host field"))
        }
        (None, _) => Ok(()),
    }
}

/// Whether the value of a Host field is a host with or without a port, or
/// nothing (RFC 9112, section 3.2).
fn is_host(value: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let mut parts = value.split(|&byte| byte == b':');
    let name = parts.next().is_none_or(|name| name.iter().all(is_plain));
    let port = parts
        .next()
        .is_none_or(|port| port.iter().all(u8::is_ascii_digit));
    // All but addresses of IPv6 and rare names is known at a glance.
    name && port && parts.next().is_none()
        || Authority::try_from(value).is_ok_and(|host| {
            let port = host.as_str().strip_prefix(host.host());
            port.is_some_and(|port| port.is_empty() || host.port().is_some())
        })
}

/// Whether the connection ends after a request, as its client wishes.
fn ends(head: &Parts) -> bool {
    let says = |wish: &str| {
        let fields = head.headers.get_all(CONNECTION).iter();
        let mut words = fields
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(','));
        words.any(|word| word.trim().eq_ignore_ascii_case(wish))
    };
    says("close") || head.version == Version::HTTP_10 && !says("keep-alive")
}

/// Reads a request body, or says why not.
async fn read(body: Incoming, patience: Duration) -> Result<Bytes, Refusal> {
    const TOO_LONG: &str = "the request body is longer than 1 MiB";
    // One that says so beforehand is not waited for.
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(Refusal::new(413, TOO_LONG));
    }
    let whole = Limited::new(body, MAX_BODY).collect();
    match tokio::time::timeout(patience, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Refusal::new(413, TOO_LONG))
        }
        Ok(Err(error)) => Err(Refusal::new(
            400,
            format!("the request body cannot be read: {error}"),
        )),
        Err(_) => {
            let patience = duration::format(patience);
            let message = format!("the request body took longer than {patience}");
            Err(Refusal::new(408, message))
        }
    }
}

/// Waits until the answer is due and lets it go.
async fn release(worker: &Rc<Worker>, reply: Reply, sheet: Sheet, in_flight: InFlight) -> Answer {
    if let Some(serving) = &reply.serving {
        if serving.due > serving.arrived {
            wait(worker, in_flight.line(), serving.due).await?;
        }
        if let Some(Fault::Hang(time)) = serving.fault {
            if serving.due > serving.arrived {
                serving.ticket.count_lateness(serving.due.elapsed());
            }
            serving.ticket.count_fault();
            wait(worker, in_flight.line(), Instant::now() + time).await?;
            return Err(Cut);
        }
    }
    settle(worker, reply, sheet, in_flight)
}

/// Waits until an answer is due, as long as its client does.
async fn wait(worker: &Worker, line: &Connection, due: Instant) -> Result<(), Cut> {
    tokio::select! {
        biased;
        () = worker.timer().until(due) => Ok(()),
        () = line.left() => Err(Cut),
    }
}

/// Lets an answer go that is due, with whatever is to go wrong.
fn settle(worker: &Worker, mut reply: Reply, sheet: Sheet, in_flight: InFlight) -> Answer {
    let Sheet {
        mut fields,
        version,
        bodiless,
    } = sheet;
    if let Some(value) = reply.content_type {
        fields.insert(CONTENT_TYPE, value);
    }
    if let Some(more) = reply.fields {
        fields.extend(more);
    }
    let (mut ticket, mut fault) = (None, None);
    if let Some(serving) = reply.serving.take() {
        // What waits for nothing has no deadline to miss.
        let mut late = Duration::ZERO;
        if serving.due > serving.arrived {
            late = serving.due.elapsed();
            serving.ticket.count_lateness(late);
        }
        if serving.fault.is_some() {
            serving.ticket.count_fault();
        }
        if reply.timed {
            worker
                .timings()
                .tell(&mut fields, serving.queued, serving.service, late);
        }
        if let Some(standing) = &serving.standing {
            timing::rate_limit(&mut fields, standing);
        }
        if let Some(wait) = serving.retry_after {
            timing::retry_after(&mut fields, wait);
        }
        (ticket, fault) = (Some(serving.ticket), serving.fault);
    }
    match fault {
        Some(Fault::Reset) => {
            in_flight.line().reset();
            return Err(Cut);
        }
        Some(Fault::Empty | Fault::Hang(_)) => return Err(Cut),
        Some(Fault::Error(status)) => {
            reply.status = status;
            reply.content = Content::error("a fault of the profile");
        }
        Some(Fault::Malformed) => reply.content.spoil(),
        Some(Fault::Truncated) | None => {}
    }
    let length = reply.content.len();
    // One that is there already was said before a fault changed the content.
    if bodiless && !is_without_length(reply.status) || fields.contains_key(CONTENT_LENGTH) {
        fields.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if bodiless {
        reply.content = Content::Empty;
    }
    let pacing = worker.config().profile.pacing;
    let pace = ticket.as_ref().filter(|_| !bodiless && !pacing.is_none());
    let pace = pace.map(|ticket| {
        let link = ticket.ledger().model.link();
        Pace::new(pacing, link, Instant::now())
    });
    let mut payload = Payload::new(reply.content, ticket, in_flight);
    if let Some(pace) = pace {
        payload = payload.paced(pace, worker.timer().clone());
    }
    if fault == Some(Fault::Truncated) && !bodiless {
        payload = payload.truncated();
    }
    let mut response = Response::new(payload);
    // Statuses are checked where they enter: by the profile and by the route.
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // hyper would have an older client keep what this says is closed.
    if version == Version::HTTP_10 && fields.contains_key(CONNECTION) {
        *response.version_mut() = version;
    }
    *response.headers_mut() = fields;
    Ok(response)
}

/// Whether no answer of a status says a length (RFC 9110, section 8.6).
fn is_without_length(status: u16) -> bool {
    matches!(status, 204 | 304)
}
