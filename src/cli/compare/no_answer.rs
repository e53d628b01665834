//! Message for a URL whose first request fails, with the way out, which depends on the
//! failure.

use std::time::Duration;

use super::policy;
use crate::cli::CliError;
use crate::outcome::{Failure, FailureKind};
use crate::request::{Endpoint, Request};

/// A first request that failed.
pub(super) struct NoAnswer<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) request: &'a Request,
    pub(super) failure: &'a Failure,
    /// Status of the response, if one came.
    pub(super) status: Option<u16>,
}

impl NoAnswer<'_> {
    /// The error in words. A redirect is requested once more, for its target: clients do
    /// not keep headers.
    pub(super) fn error(&self, timeout: Duration) -> CliError {
        let location = || {
            let headers = policy::headers(self.endpoint, self.request, timeout)?;
            let location = headers.get("location")?;
            Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
        };
        let redirects = self.status.is_some_and(|status| status / 100 == 3);
        let location = if redirects { location() } else { None };
        CliError::new(format_args!(
            "GET {}{} failed: {}\n  {}",
            self.endpoint,
            self.request.target,
            self.failure,
            self.way_on(location.as_deref())
        ))
    }

    fn way_on(&self, location: Option<&str>) -> String {
        let Some(status) = self.status else {
            return self.without_status();
        };
        match (status, location) {
            (300..=399, Some(location)) => {
                format!("redirects are not followed; use the target {location}")
            }
            (300..=399, None) => {
                "redirects are not followed; use the URL that it leads to".to_owned()
            }
            (401 | 403 | 407, _) => {
                "the server requires credentials, and requests have no custom headers; put a proxy \
                 that adds them before the server, or a key into the URL (--secret NAME hides its \
                 value)"
                    .to_owned()
            }
            (404 | 410, _) => self.another_path(),
            (405 | 501, _) => format!("requests are GET; {}", self.another_path()),
            (429 | 503, _) => {
                "the server takes no more requests for now; wait, or add --retries N, which honours \
                 Retry-After"
                    .to_owned()
            }
            (500..=599, _) => "the server failed; see its log".to_owned(),
            _ => format!("check the path and query; {}", self.another_path()),
        }
    }

    fn without_status(&self) -> String {
        match self.failure.kind {
            FailureKind::Connect => {
                "start the server, or check host and port; without --url, fanout uses the bundled \
                 server"
                    .to_owned()
            }
            FailureKind::Timeout => {
                "check that the server responds at all, or raise --timeout".to_owned()
            }
            _ if self.failure.limited => {
                "use a path whose URL and response keep to the limit".to_owned()
            }
            FailureKind::Deadline => "raise --deadline".to_owned(),
            _ => format!(
                "check that an HTTP/1.1 server listens at {}, and {}",
                self.endpoint.authority(),
                self.another_path()
            ),
        }
    }

    fn another_path(&self) -> String {
        format!(
            "use a path that the server has, as --url '{}/path/{{index}}'",
            self.endpoint
        )
    }
}
