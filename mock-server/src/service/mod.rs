//! From a request to its answer: which route it is for, what is sent, and when.

mod content;
mod control;
mod mockoon;
mod routes;

use std::borrow::Cow;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::Method;
use hyper::header::{ALLOW, CONNECTION, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request;

pub(crate) use content::{Content, File};

use crate::config::{Config, Parity};
use crate::journal::{Clerk, Route, Ticket};
use crate::model::{Fault, Key, Standing, Verdict};
use crate::query;

// A new value each time it is named costs nothing: the text is static and has
// been checked when this was compiled.
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");

/// A request as the routes see it.
pub(crate) struct Asked<'a> {
    pub(crate) head: &'a request::Parts,
    /// Empty on routes that want none.
    pub(crate) body: &'a Bytes,
    pub(crate) arrived: Instant,
}

impl Asked<'_> {
    fn query(&self) -> &str {
        self.head.uri.query().unwrap_or("")
    }

    fn reads(&self) -> bool {
        matches!(self.head.method, Method::GET | Method::HEAD)
    }
}

/// What is sent, and when.
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Of what has content.
    pub(crate) content_type: Option<HeaderValue>,
    /// The fields that follow the content type; most answers have none.
    pub(crate) fields: Option<HeaderMap>,
    pub(crate) content: Content,
    /// For the routes that are counted and follow the profile; the others answer
    /// at once.
    pub(crate) serving: Option<Serving>,
    /// Whether the answer says where its time went.
    pub(crate) timed: bool,
}

/// A counted request on its way through the service.
pub(crate) struct Serving {
    pub(crate) ticket: Ticket,
    pub(crate) arrived: Instant,
    pub(crate) due: Instant,
    pub(crate) queued: Duration,
    pub(crate) service: Duration,
    pub(crate) fault: Option<Fault>,
    pub(crate) standing: Option<Box<Standing>>,
    pub(crate) retry_after: Option<Duration>,
}

impl Reply {
    fn new(status: u16, content: Content) -> Self {
        Self {
            status,
            content_type: (!matches!(content, Content::Empty)).then_some(JSON),
            fields: None,
            content,
            serving: None,
            timed: true,
        }
    }

    /// Sets a field.
    pub(crate) fn insert(&mut self, name: HeaderName, value: HeaderValue) {
        self.fields.get_or_insert_default().insert(name, value);
    }

    /// Says that the connection ends after this answer.
    pub(crate) fn close(&mut self) {
        let fields = self.fields.get_or_insert_default();
        fields.remove(KEEP_ALIVE);
        fields.insert(CONNECTION, HeaderValue::from_static("close"));
    }

    /// Whether it says that the connection goes on.
    pub(crate) fn keeps_alive(&self) -> bool {
        let fields = self.fields.as_ref();
        fields.is_some_and(|fields| fields.contains_key(KEEP_ALIVE))
    }

    /// Whether there is anything to wait for before the answer is let go.
    pub(crate) fn waits(&self) -> bool {
        self.serving.as_ref().is_some_and(|serving| {
            serving.due > serving.arrived || matches!(serving.fault, Some(Fault::Hang(_)))
        })
    }
}

/// A request that is refused before it is counted on a route.
pub(crate) struct Refusal {
    status: u16,
    message: String,
    allow: Option<&'static str>,
}

impl Refusal {
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            allow: None,
        }
    }

    fn wrong_method(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(405, format!("this path answers {allow} only"))
        }
    }
}

impl From<Refusal> for Reply {
    /// A refusal is sent at once, with a body that says why.
    fn from(refusal: Refusal) -> Self {
        let mut reply = Self::new(refusal.status, Content::error(&refusal.message));
        if let Some(allow) = refusal.allow {
            reply.insert(ALLOW, HeaderValue::from_static(allow));
        }
        reply
    }
}

/// Whether the route at `path` looks at the request's body.
pub(crate) fn wants_body(path: &str) -> bool {
    matches!(route(path), (name, None) if name == "echo")
}

/// The name that a path begins with, and what follows it. Percent-encoded
/// letters are the same letters (RFC 3986, section 6.2.2.2).
fn route(path: &str) -> (Cow<'_, str>, Option<&str>) {
    let path = path.strip_prefix('/').unwrap_or(path);
    match path.split_once('/') {
        Some((name, rest)) => (query::decode_path(name), Some(rest)),
        None => (query::decode_path(path), None),
    }
}

/// Answers a request, counting it with `clerk`.
pub(crate) fn answer(config: &Config, clerk: &mut Clerk, asked: &Asked<'_>) -> Reply {
    let path = asked.head.uri.path();
    let (name, rest) = route(path);
    match (&*name, rest) {
        ("journal", None) => return control::journal(clerk, asked),
        ("health", None) => return control::health(clerk, asked),
        _ => {}
    }
    if config.parity == Parity::Mockoon {
        return mockoon::answer(config, clerk, asked);
    }
    let answered = match (&*name, rest) {
        ("inventory", Some(kind)) => routes::inventory(config, clerk, asked, kind),
        ("files", Some(id)) => routes::files(config, clerk, asked, id),
        ("status", Some(code)) => routes::status(config, clerk, asked, code),
        ("users", None) => routes::users(config, clerk, asked),
        ("echo", None) => routes::echo(config, clerk, asked),
        _ => Err(Refusal::new(
            404,
            format!(
                "there is nothing at `{path}`: try /inventory/products?id=1, /users, /files/1, /status/200, /echo, /journal or /health"
            ),
        )),
    };
    answered.unwrap_or_else(|refusal| {
        clerk.count_unmatched();
        refusal.into()
    })
}

/// Counts a request, and takes it through the service model. `content` is
/// rendered only when the request is served.
fn serve(
    config: &Config,
    clerk: &mut Clerk,
    asked: &Asked<'_>,
    (route, id): (Route, &str),
    content: impl FnOnce() -> Content,
) -> Reply {
    let mut ticket = clerk.arrive(route, id);
    let key = Key {
        seed: config.seed,
        route: route as u64,
        id,
        attempt: ticket.attempt(),
    };
    let (verdict, standing) = ticket.ledger().model.admit(asked.arrived, key);
    let standing = standing.map(Box::new);
    let arrived = asked.arrived;
    match verdict {
        Verdict::Serve {
            due,
            queued,
            service,
            slowed,
            fault,
        } => {
            ticket.hold(queued, slowed);
            let mut reply = Reply::new(200, content());
            reply.serving = Some(Serving {
                ticket,
                arrived,
                due,
                queued,
                service,
                fault,
                standing,
                retry_after: None,
            });
            reply
        }
        Verdict::Refuse {
            status,
            retry_after,
            reason,
        } => {
            ticket.refuse();
            let mut reply = Reply::new(status, Content::error(reason));
            reply.serving = Some(Serving {
                ticket,
                arrived,
                due: arrived,
                queued: Duration::ZERO,
                service: Duration::ZERO,
                fault: None,
                standing,
                retry_after: Some(retry_after),
            });
            reply
        }
    }
}
