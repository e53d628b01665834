//! What a server's headers say of its rate limit, as far as a bound can rest on it.

use std::time::Duration;

use crate::record::RateLimit;
use crate::request::{Endpoint, Request};

/// The header of draft-ietf-httpapi-ratelimit-headers: quotas and their windows.
const HEADER: &str = "ratelimit-policy";

/// A quota in a window of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Policy {
    /// Requests.
    quota: u64,
    /// The window, in whole seconds.
    window_s: u64,
}

impl Policy {
    /// Asks for one answer, and reads the tightest policy that it states. `None`
    /// where it states none, or does not come: others say why.
    pub(super) fn ask(endpoint: &Endpoint, request: &Request, timeout: Duration) -> Option<Self> {
        let headers = headers(endpoint, request, timeout)?;
        let stated = headers.get_all(HEADER).iter();
        let policies = stated.filter_map(|value| value.to_str().ok());
        policies.flat_map(Self::all).reduce(|one, other| {
            if other.per_s() < one.per_s() {
                other
            } else {
                one
            }
        })
    }

    /// The policies of a header's value: `"default";q=100;w=60`, or as earlier
    /// drafts have it `100;w=60`, several of them with commas between.
    fn all(value: &str) -> impl Iterator<Item = Self> {
        value.split(',').filter_map(|item| {
            let mut fields = item.split(';').map(str::trim);
            let first = fields.next()?;
            let (mut quota, mut window_s) = (first.parse().ok(), None);
            for field in fields {
                match field.split_once('=') {
                    Some(("q", number)) => quota = number.parse().ok(),
                    Some(("w", number)) => window_s = number.parse().ok(),
                    _ => {}
                }
            }
            Some(Self {
                quota: quota?,
                window_s: window_s?,
            })
        })
    }

    fn per_s(self) -> f64 {
        self.quota as f64 / self.window_s as f64
    }

    /// The most that the policy may let through, over any time: two quotas at
    /// once, as at the edge between two windows, and as windows are whole
    /// seconds, a quota in a second less than stated. `None` where that is no
    /// limit.
    pub(super) fn limit(self) -> Option<RateLimit> {
        let shortest = self.window_s.checked_sub(1).filter(|window| *window > 0)?;
        (self.quota > 0).then(|| RateLimit {
            per_s: self.quota as f64 / shortest as f64,
            burst: self.quota.saturating_mul(2),
        })
    }

    /// What a reader should know of it.
    pub(super) fn note(self) -> String {
        let Self { quota, window_s } = self;
        let stated = format!("the server's RateLimit-Policy is {quota} requests in {window_s} s");
        match self.limit() {
            Some(_) => format!(
                "{stated}; the lower bound allows for two such quotas at once, and for a window \
                 that is a second shorter"
            ),
            None => format!("{stated}, in whole seconds too coarse for the lower bound"),
        }
    }
}

/// The headers of one answer, whatever its status. `None` where none comes.
pub(super) fn headers(
    endpoint: &Endpoint,
    request: &Request,
    timeout: Duration,
) -> Option<ureq::http::HeaderMap> {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .proxy(None)
        .max_redirects(0)
        .http_status_as_error(false)
        .build();
    let agent = ureq::Agent::new_with_config(config);
    let answer = agent.get(format!("{endpoint}{}", request.target)).call();
    Some(answer.ok()?.into_parts().0.headers)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policies(value: &str) -> Vec<(u64, u64)> {
        let all = Policy::all(value);
        all.map(|policy| (policy.quota, policy.window_s)).collect()
    }

    #[test]
    fn policies_of_all_drafts_are_read() {
        assert_eq!(policies("\"default\";q=100;w=60"), [(100, 60)]);
        assert_eq!(
            policies("100;w=60, 1000; w=3600"),
            [(100, 60), (1000, 3600)]
        );
        assert_eq!(policies("\"a\";w=1;q=5;pk=:x=:"), [(5, 1)]);
        for none in [
            "",
            "\"default\"",
            "100",
            "\"a\";q=-1;w=1",
            "q=1;w=x",
            "1e9;w=1",
        ] {
            assert_eq!(policies(none), [], "{none}");
        }
    }

    #[test]
    fn a_limit_is_never_tighter_than_what_it_may_stand_for() {
        let of = |quota, window_s| Policy { quota, window_s }.limit();
        let limit = of(100, 11).expect("a limit");
        assert_eq!((limit.per_s, limit.burst), (10.0, 200));
        for none in [of(100, 1), of(100, 0), of(0, 60)] {
            assert!(none.is_none());
        }
    }

    proptest! {
        #[test]
        fn no_value_is_too_odd(value in ".{0,60}") {
            for policy in Policy::all(&value) {
                if let Some(limit) = policy.limit() {
                    prop_assert!(limit.per_s.is_finite() && limit.per_s > 0.0);
                }
                prop_assert!(!policy.note().is_empty());
            }
        }
    }
}
