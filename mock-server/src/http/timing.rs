//! The fields that tell a client where its time went, and what it may still ask.

use std::cell::RefCell;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::json;
use crate::model::Standing;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The `Server-Timing` values that one thread sent last, by their lateness:
/// without a queue, and with a service time that is fixed, few are different.
pub(crate) struct Timings {
    known: RefCell<[Option<(Times, HeaderValue)>; KNOWN]>,
}

/// As many as there are microseconds of lateness that a server with a free
/// processor has.
const KNOWN: usize = 64;

/// Whole microseconds: what a value tells apart.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Times {
    queued: u64,
    service: u64,
    late: u64,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            known: RefCell::new([const { None }; KNOWN]),
        }
    }
}

impl Timings {
    /// `Server-Timing: queue;dur=…, service;dur=…, late;dur=…` in milliseconds:
    /// how long the request waited for a server, how long it was served, and how
    /// long after its deadline the answer was released.
    pub(super) fn tell(
        &self,
        fields: &mut HeaderMap,
        queued: Duration,
        service: Duration,
        late: Duration,
    ) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let times = Times {
            queued: micros(queued),
            service: micros(service),
            late: micros(late),
        };
        let mut known = self.known.borrow_mut();
        let place = &mut known[times.late as usize % KNOWN];
        match place {
            Some((same, value)) if *same == times => {
                fields.insert(SERVER_TIMING, value.clone());
            }
            _ => {
                let value = times.value();
                *place = value.clone().map(|value| (times, value));
                fields.extend(value.map(|value| (SERVER_TIMING, value)));
            }
        }
    }
}

impl Times {
    fn value(self) -> Option<HeaderValue> {
        let mut text = Vec::with_capacity(64);
        text.extend_from_slice(b"queue;dur=");
        millis_into(&mut text, self.queued);
        text.extend_from_slice(b", service;dur=");
        millis_into(&mut text, self.service);
        text.extend_from_slice(b", late;dur=");
        millis_into(&mut text, self.late);
        // It is of visible ASCII.
        HeaderValue::from_maybe_shared(Bytes::from(text)).ok()
    }
}

/// Milliseconds with three decimals, cut and not rounded.
fn millis_into(out: &mut Vec<u8>, micros: u64) {
    json::decimal_into(out, micros / 1000);
    let rest = micros % 1000;
    out.push(b'.');
    for place in [100, 10, 1] {
        out.push(b'0' + (rest / place % 10) as u8);
    }
}

/// `Retry-After` in whole seconds, at least one.
pub(super) fn retry_after(fields: &mut HeaderMap, wait: Duration) {
    insert(
        fields,
        hyper::header::RETRY_AFTER,
        decimal(whole_seconds(wait).max(1)),
    );
}

/// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers), and
/// the older `X-RateLimit-*`.
pub(super) fn rate_limit(fields: &mut HeaderMap, standing: &Standing) {
    let burst = standing.limit.burst;
    // The window in which the policy's quota is earned anew.
    let window = (f64::from(burst) / standing.limit.rate).ceil().max(1.0);
    let reset = whole_seconds(standing.full);
    let policy = format!("\"default\";q={burst};w={window}");
    let state = format!("\"default\";r={};t={reset}", standing.remaining);
    insert(
        fields,
        HeaderName::from_static("ratelimit-policy"),
        policy.into_bytes(),
    );
    insert(
        fields,
        HeaderName::from_static("ratelimit"),
        state.into_bytes(),
    );
    for (name, value) in [
        ("x-ratelimit-limit", burst.into()),
        ("x-ratelimit-remaining", standing.remaining.into()),
        ("x-ratelimit-reset", reset),
    ] {
        insert(fields, HeaderName::from_static(name), decimal(value));
    }
}

fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

fn decimal(number: u64) -> Vec<u8> {
    let mut text = Vec::new();
    json::decimal_into(&mut text, number);
    text
}

fn insert(fields: &mut HeaderMap, name: HeaderName, value: Vec<u8>) {
    // Every value above is of visible ASCII.
    if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(value)) {
        fields.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_milliseconds_with_three_decimals() {
        let timings = Timings::default();
        let us = Duration::from_micros;
        // Twice, and with others between that have the same place.
        for (queued, late, text) in [
            (
                0,
                52,
                "queue;dur=0.000, service;dur=200.000, late;dur=0.052",
            ),
            (
                0,
                116,
                "queue;dur=0.000, service;dur=200.000, late;dur=0.116",
            ),
            (
                7,
                52,
                "queue;dur=0.007, service;dur=200.000, late;dur=0.052",
            ),
        ] {
            for _ in 0..2 {
                let mut fields = HeaderMap::new();
                timings.tell(&mut fields, us(queued), us(200_000), us(late));
                assert_eq!(fields["server-timing"].to_str().unwrap(), text);
            }
        }
    }

    #[test]
    fn waiting_is_told_in_whole_seconds_rounded_up() {
        for (millis, text) in [(0, "1"), (10, "1"), (1000, "1"), (1001, "2")] {
            let mut fields = HeaderMap::new();
            retry_after(&mut fields, Duration::from_millis(millis));
            assert_eq!(fields["retry-after"], text);
        }
    }
}
