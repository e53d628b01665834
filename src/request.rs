//! Requests, and the endpoint that they go to.
//!
//! A batch goes to one origin: what differs from request to request is the
//! path and query alone, so connections can be kept and opened ahead.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use http::Uri;
use serde::{Deserialize, Serialize};

/// One request of a batch: a GET of a path and query at the batch's endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// Path and query, beginning with `/`.
    pub target: String,
    /// When the batch's deadline passes, and with it the last moment at which
    /// an answer counts; `None` where the batch has no deadline.
    pub expires: Option<Instant>,
}

impl Request {
    /// A request without a deadline.
    pub fn new(index: usize, target: impl Into<String>) -> Self {
        Self {
            index,
            target: target.into(),
            expires: None,
        }
    }

    /// Tests whether the batch's deadline has passed.
    pub fn is_expired(&self) -> bool {
        self.expires
            .is_some_and(|expires| expires <= Instant::now())
    }

    /// Time limit of an attempt that begins now: `timeout`, or what is left until the
    /// batch's deadline.
    pub fn limit(&self, timeout: Duration) -> Duration {
        match self.expires {
            None => timeout,
            Some(expires) => timeout.min(expires.saturating_duration_since(Instant::now())),
        }
    }
}

/// The origin that a batch goes to, resolved once so that no timed section
/// waits for a name server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    authority: String,
    addresses: Vec<SocketAddr>,
}

/// Reason why a URL cannot be an endpoint.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// It is not a URL.
    #[error("`{url}` is not a URL ({detail}); expected one like http://127.0.0.1:3000")]
    Malformed {
        /// The URL.
        url: String,
        /// The problem.
        detail: String,
    },
    /// It asks for another scheme than http.
    #[error(
        "`{url}` is not an http:// URL, and requests are plain HTTP/1.1; for an https server, run a \
         proxy that terminates TLS on this machine"
    )]
    Scheme {
        /// The URL.
        url: String,
    },
    /// Its host has no address.
    #[error("no address for `{host}`: {source}; check the name, or use an IP address")]
    Resolve {
        /// The host and port.
        host: String,
        /// The system's error.
        source: std::io::Error,
    },
}

impl Endpoint {
    /// Resolves the origin of a URL; whatever path it has is left out.
    ///
    /// # Errors
    /// Where it is not an `http://` URL, or its host has no address.
    pub fn resolve(url: &str) -> Result<Self, EndpointError> {
        let malformed = |detail: &dyn fmt::Display| EndpointError::Malformed {
            url: url.to_owned(),
            detail: detail.to_string(),
        };
        let origin = split_origin(url).0;
        let uri: Uri = origin.parse().map_err(|error| malformed(&error))?;
        let authority = uri.authority().ok_or_else(|| malformed(&"no host"))?;
        match uri.scheme_str() {
            Some("http") => {}
            None => return Err(malformed(&"no http:// before the host")),
            Some(_) => {
                return Err(EndpointError::Scheme {
                    url: url.to_owned(),
                });
            }
        }
        if authority.as_str().contains('@') {
            return Err(malformed(&"credentials in the URL are not supported"));
        }
        let has_port = authority.as_str() != authority.host();
        if has_port && authority.port_u16().is_none() {
            return Err(malformed(&"the port is not a number from 0 to 65535"));
        }
        let port = authority.port_u16().unwrap_or(80);
        // An IPv6 host stands in brackets in a URL, and without in an address.
        let host = authority.host().trim_matches(['[', ']']);
        let addresses: Vec<_> = (host, port)
            .to_socket_addrs()
            .map_err(|source| EndpointError::Resolve {
                host: authority.to_string(),
                source,
            })?
            .collect();
        Ok(Self {
            authority: authority.to_string(),
            addresses,
        })
    }

    /// The endpoint at an address.
    pub fn at(address: SocketAddr) -> Self {
        Self {
            authority: address.to_string(),
            addresses: vec![address],
        }
    }

    /// Host and port as they stand in the URL: the `Host` header.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Resolved addresses; the first that accepts a connection is used.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

/// Tests whether a URL names this machine by a loopback address or as `localhost`. Other
/// names are not looked up: they may lead anywhere.
pub fn is_loopback(url: &str) -> bool {
    let uri: Option<Uri> = split_origin(url).0.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let host = host.trim_matches(['[', ']']);
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    host.parse::<IpAddr>().map_or_else(
        |_| name == "localhost" || name.ends_with(".localhost"),
        |address| address.to_canonical().is_loopback(),
    )
}

/// Splits a URL into its origin and the rest, `""` where it has none.
///
/// The rest is not looked into: it may be a template whose braces no URL parser
/// would take.
pub(crate) fn split_origin(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    let rest = url[host..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |path| host + path);
    url.split_at(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_the_origin_alone() {
        let endpoint = Endpoint::resolve("http://127.0.0.1:3000/a/{id}?x=1").unwrap();
        assert_eq!(endpoint.to_string(), "http://127.0.0.1:3000");
        assert_eq!(endpoint.addresses(), ["127.0.0.1:3000".parse().unwrap()]);
    }

    #[test]
    fn loopback_is_known_from_the_url_alone() {
        for own in [
            "http://127.0.0.1:8080/items/{index}",
            "http://127.8.9.1",
            "http://[::1]:80/",
            "http://[::ffff:127.0.0.1]",
            "http://localhost:3000/?q={a}",
            "http://LOCALHOST.",
            "http://api.localhost",
        ] {
            assert!(is_loopback(own), "{own}");
        }
        for other in [
            "http://192.168.1.7:8080",
            "http://10.0.0.1",
            "http://0.0.0.0:80",
            "http://example.com/127.0.0.1",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://user@[::2]",
            "not a url",
        ] {
            assert!(!is_loopback(other), "{other}");
        }
    }

    #[test]
    fn the_port_is_80_unless_given_and_ipv6_hosts_resolve() {
        let endpoint = Endpoint::resolve("http://[::1]").unwrap();
        assert_eq!(endpoint.addresses(), ["[::1]:80".parse().unwrap()]);
    }

    #[test]
    fn what_is_not_an_http_url_is_refused_by_name() {
        for (url, expected) in [
            ("127.0.0.1:3000", "not a URL"),
            ("localhost", "no http://"),
            ("https://127.0.0.1", "not an http:// URL"),
            ("ftp://127.0.0.1", "not an http:// URL"),
            ("http://", "not a URL"),
            ("", "not a URL"),
            ("http://127.0.0.1:99999", "not a URL"),
            ("http://me:secret@127.0.0.1", "credentials"),
        ] {
            let error = Endpoint::resolve(url).unwrap_err().to_string();
            assert!(error.contains(expected), "{url}: {error}");
        }
    }

    #[test]
    fn a_url_splits_behind_its_host() {
        assert_eq!(split_origin("http://h:1/p?q"), ("http://h:1", "/p?q"));
        assert_eq!(split_origin("http://h:1"), ("http://h:1", ""));
        assert_eq!(split_origin("http://h?q=/"), ("http://h", "?q=/"));
    }
}
