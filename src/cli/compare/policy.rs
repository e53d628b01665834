//! Rate limit that a server's headers state, as far as a bound can rest on it, and its
//! encoding of bodies.

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

/// Facts from the headers of one response.
#[derive(Debug, Default)]
pub(super) struct Headers {
    policies: Vec<Policy>,
    /// Encoding of the body, where it has one that no request accepts.
    pub(super) encoding: Option<String>,
}

impl Headers {
    /// Requests one response. Empty where none comes; the probe reports why.
    pub(super) fn ask(endpoint: &Endpoint, request: &Request, timeout: Duration) -> Self {
        let Some(headers) = headers(endpoint, request, timeout) else {
            return Self::default();
        };
        let all = |name| {
            let values = headers.get_all(name).iter();
            values.filter_map(|value| value.to_str().ok())
        };
        let encoding =
            all("content-encoding").find(|value| !value.eq_ignore_ascii_case("identity"));
        Self {
            policies: all(HEADER).flat_map(Policy::all).collect(),
            encoding: encoding.map(str::to_owned),
        }
    }

    /// The policy that binds a batch of so many requests: the one that lets it end
    /// last, and of those that let it end at once, the one with the least quota.
    pub(super) fn policy(&self, requests: usize) -> Option<Policy> {
        let ends_s = |policy: &Policy| {
            policy.limit().map_or(0.0, |limit| {
                (requests as f64 - limit.burst as f64).max(0.0) / limit.per_s
            })
        };
        self.policies.iter().copied().max_by(|one, other| {
            ends_s(one)
                .total_cmp(&ends_s(other))
                .then(other.quota.cmp(&one.quota))
        })
    }
}

impl Policy {
    /// The policies of a header's value that count requests: `"default";q=100;w=60`,
    /// or as earlier drafts have it `100;w=60`, several of them with commas between.
    /// Those of another unit (`qu="content-bytes"`) limit something else.
    fn all(value: &str) -> Vec<Self> {
        let policies = split(value, ',').into_iter().filter_map(|item| {
            let fields = split(item, ';');
            let mut fields = fields.into_iter().map(str::trim);
            let first = fields.next()?;
            let (mut quota, mut window_s) = (first.parse().ok(), None);
            for field in fields {
                match field.split_once('=') {
                    Some(("q", number)) => quota = number.parse().ok(),
                    Some(("w", number)) => window_s = number.parse().ok(),
                    Some(("qu", unit)) if unit.trim_matches('"') != "requests" => return None,
                    _ => {}
                }
            }
            Some(Self {
                quota: quota?,
                window_s: window_s?,
            })
        });
        policies.collect()
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

    /// Note for the report.
    pub(super) fn note(self) -> String {
        let Self { quota, window_s } = self;
        let stated = format!("the server's RateLimit-Policy is {quota} requests in {window_s} s");
        match self.limit() {
            Some(_) => format!(
                "{stated}; the lower bound allows two such quotas at once, and a window one second \
                 shorter"
            ),
            None => format!("{stated}, too coarse for the lower bound in whole seconds"),
        }
    }
}

/// Headers of one response, whatever its status. `None` where none comes.
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

/// The parts of a structured header between separators that stand in no quotes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(|c: char| {
        let separates = c == separator && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped && quoted;
        separates
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policies(value: &str) -> Vec<(u64, u64)> {
        let all = Policy::all(value).into_iter();
        all.map(|policy| (policy.quota, policy.window_s)).collect()
    }

    #[test]
    fn quotas_of_other_units_are_none_of_requests() {
        let value = "\"bytes, sent\";q=9;w=60;qu=\"content-bytes\", \"a\";q=5;w=10;qu=\"requests\"";
        assert_eq!(policies(value), [(5, 10)]);
    }

    #[test]
    fn the_policy_that_binds_the_batch_is_taken() {
        let headers = |value: &str| Headers {
            policies: Policy::all(value),
            encoding: None,
        };
        let of = |value: &str, requests| {
            let policy = headers(value).policy(requests).expect("a policy");
            (policy.quota, policy.window_s)
        };
        // 60 a minute holds a batch of 300 up; 1,000 a day does not.
        let both = "\"day\";q=1000;w=86400, \"minute\";q=60;w=60";
        assert_eq!(of(both, 300), (60, 60));
        assert_eq!(of(both, 10), (60, 60));
        // Beyond two days' quota, the day's is the longer wait.
        assert_eq!(of(both, 3000), (1000, 86_400));
        assert!(headers("").policy(10).is_none());
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
