//! Retries of failed attempts, and the backoff between them.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::outcome::{Failure, FailureKind, Response, Tried};
use crate::request::Request;

/// Retries of a request, and the backoff before each.
///
/// The wait is drawn evenly from zero to an upper end that doubles with each
/// attempt ("full jitter": M. Brooker, "Exponential Backoff and Jitter", AWS
/// Architecture Blog, 2015), and is never shorter than the server's
/// `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Attempts after the first; 0 for none.
    pub retries: u32,
    /// Initial backoff ceiling.
    pub base: Duration,
    /// The upper end that no wait's upper end exceeds, and the longest
    /// `Retry-After` that is waited for; a server that asks for more gets no
    /// further attempt.
    pub cap: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            retries: 0,
            base: Duration::from_millis(100),
            cap: Duration::from_secs(30),
        }
    }
}

impl Retry {
    /// So many retries, with a backoff of up to 100 ms before the first, doubling up to
    /// 30 s.
    pub fn times(retries: u32) -> Self {
        Self {
            retries,
            ..Self::default()
        }
    }

    /// The upper end of the wait after so many failed attempts, from 1.
    fn upper_end(&self, failed: u32) -> Duration {
        let doublings = failed.saturating_sub(1).min(31);
        self.base.saturating_mul(1 << doublings).min(self.cap)
    }

    /// The longest that all further attempts may take, waits included.
    pub(super) fn longest(&self, timeout: Duration) -> Duration {
        (timeout + self.cap).saturating_mul(self.retries)
    }
}

/// Whether another attempt may well end otherwise.
fn is_transient(result: &Result<Response, Failure>) -> Option<FailureKind> {
    match result {
        Ok(response) => match response.status {
            408 | 425 | 429 | 500 | 502 | 503 | 504 => Some(FailureKind::Status),
            _ => None,
        },
        Err(failure) => match failure.kind {
            kind @ (FailureKind::Connect | FailureKind::Timeout | FailureKind::Body) => Some(kind),
            _ => None,
        },
    }
}

/// The attempts of one request.
pub(in crate::client) struct Tries<'a> {
    retry: &'a Retry,
    /// When the request and its last attempt began.
    begun: Option<(Instant, Instant)>,
    tried: Vec<Tried>,
}

/// What follows an attempt.
pub(in crate::client) enum Next {
    /// Nothing: this is the request's result, and the attempts before it.
    Done(Result<Response, Failure>, Vec<Tried>),
    /// Another one, after a wait.
    After(Duration),
}

impl<'a> Tries<'a> {
    pub(in crate::client) fn new(retry: &'a Retry) -> Self {
        Self {
            retry,
            begun: None,
            tried: Vec::new(),
        }
    }

    /// Notes that an attempt begins, and says when.
    pub(in crate::client) fn begin(&mut self) -> Instant {
        let now = Instant::now();
        self.begun = Some((self.begun.map_or(now, |(first, _)| first), now));
        now
    }

    /// Decides what follows an attempt that ended so.
    pub(in crate::client) fn next(
        &mut self,
        request: &Request,
        result: Result<Response, Failure>,
    ) -> Next {
        if self.retry.retries == 0 {
            return Next::Done(result, Vec::new());
        }
        let failed = u32::try_from(self.tried.len()).unwrap_or(u32::MAX);
        let again = is_transient(&result).filter(|_| failed < self.retry.retries);
        let asked = result.as_ref().ok().and_then(|answer| answer.retry_after);
        let wait = self.wait(failed + 1, asked);
        let status = result.as_ref().ok().map(|answer| answer.status);
        let (Some(kind), Some(wait)) = (again, wait) else {
            return Next::Done(result, std::mem::take(&mut self.tried));
        };
        // Past the deadline no attempt could begin.
        if request.limit(Duration::MAX) <= wait {
            return Next::Done(result, std::mem::take(&mut self.tried));
        }
        let now = Instant::now();
        let (first, attempt) = self.begun.unwrap_or((now, now));
        self.tried.push(Tried {
            started: attempt - first,
            latency: now - attempt,
            waited: wait,
            kind,
            status,
        });
        Next::After(wait)
    }

    /// The wait after so many failed attempts; `None` where the server asks for
    /// a longer one than there is.
    fn wait(&self, failed: u32, asked: Option<Duration>) -> Option<Duration> {
        let jitter = self.retry.upper_end(failed).mul_f64(fastrand::f64());
        match asked {
            Some(asked) if asked > self.retry.cap => None,
            asked => Some(jitter.max(asked.unwrap_or_default())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn status(status: u16, retry_after: Option<u64>) -> Result<Response, Failure> {
        Ok(Response {
            retry_after: retry_after.map(Duration::from_secs),
            ..Response::new(status, "")
        })
    }

    /// Whether, and after how long, another attempt follows a first one.
    fn after(retry: &Retry, result: Result<Response, Failure>) -> Option<Duration> {
        match Tries::new(retry).next(&Request::new(0, "/"), result) {
            Next::After(wait) => Some(wait),
            Next::Done(..) => None,
        }
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_will_not_is_not() {
        let retry = Retry::times(1);
        for code in [408, 429, 500, 502, 503, 504] {
            assert!(after(&retry, status(code, None)).is_some(), "{code}");
        }
        for code in [200, 301, 400, 401, 404, 501] {
            assert!(after(&retry, status(code, None)).is_none(), "{code}");
        }
        for kind in FailureKind::ALL {
            let expected = matches!(
                kind,
                FailureKind::Connect | FailureKind::Timeout | FailureKind::Body
            );
            let again = after(&retry, Err(Failure::new(kind, "")));
            assert_eq!(again.is_some(), expected, "{kind:?}");
        }
    }

    #[test]
    fn attempts_are_counted_and_the_last_result_stands() {
        let retry = Retry {
            base: Duration::ZERO,
            ..Retry::times(2)
        };
        let mut tries = Tries::new(&retry);
        let request = Request::new(0, "/");
        for _ in 0..2 {
            assert!(matches!(
                tries.next(&request, status(503, None)),
                Next::After(Duration::ZERO)
            ));
        }
        let Next::Done(result, tried) = tries.next(&request, status(503, None)) else {
            panic!("a fourth attempt");
        };
        assert_eq!(result.unwrap().status, 503);
        let statuses: Vec<_> = tried.iter().map(|attempt| attempt.status).collect();
        assert_eq!(statuses, [Some(503), Some(503)]);
    }

    #[test]
    fn the_server_s_wish_is_kept_and_one_that_is_too_long_ends_it() {
        let retry = Retry::times(3);
        assert_eq!(
            after(&retry, status(429, Some(7))),
            Some(Duration::from_secs(7))
        );
        assert_eq!(after(&retry, status(429, Some(31))), None);
    }

    #[test]
    fn no_attempt_is_waited_for_beyond_the_deadline() {
        let retry = Retry::times(3);
        let mut request = Request::new(0, "/");
        request.expires = Some(Instant::now() + Duration::from_secs(5));
        let next = Tries::new(&retry).next(&request, status(429, Some(7)));
        assert!(matches!(next, Next::Done(..)));
    }

    proptest! {
        #[test]
        fn a_wait_lies_below_its_upper_end_which_never_exceeds_the_cap(
            base in 0_u64..10_000, cap in 0_u64..10_000, failed in 1_u32..2_000,
        ) {
            let retry = Retry {
                retries: u32::MAX,
                base: Duration::from_millis(base),
                cap: Duration::from_millis(cap),
            };
            let wait = Tries::new(&retry).wait(failed, None).unwrap();
            prop_assert!(wait <= retry.upper_end(failed));
            prop_assert!(retry.upper_end(failed) <= retry.cap);
        }
    }
}
