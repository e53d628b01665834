//! Any bytes are answered or the connection is closed; the server serves on.

use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use mock_server::profile::Source;
use mock_server::{Config, Parity, Server};

use super::client;

/// A profile in which everything happens that takes no time.
const EVENTFUL: &str = r#"
service_time = { kind = "fixed", time = "0" }
capacity = { servers = 2, queue = 1 }
rate_limit = { rate = 1000.0, burst = 5 }
connections = { requests = 3 }
body = { file_size = 5000, chunk = 4096, bytes_per_second = 1000000000 }
faults = { error = 0.1, reset = 0.1, empty = 0.1, truncated = 0.1, malformed = 0.1 }
"#;

fn servers() -> &'static [Server; 3] {
    static SERVERS: OnceLock<[Server; 3]> = OnceLock::new();
    SERVERS.get_or_init(|| {
        let plain = || Config::default().with_delay(Duration::ZERO).with_threads(1);
        let eventful = Source::from_text(EVENTFUL, Path::new("."))
            .and_then(Source::finish)
            .expect("the profile is valid");
        let configs = [
            plain(),
            plain().with_parity(Parity::Mockoon),
            plain().with_profile(eventful),
        ];
        configs.map(|config| Server::start(config).expect("a port is free"))
    })
}

/// Sends them to servers of every kind. Afterwards each is healthy, and its
/// journal adds up.
pub(crate) fn check(data: &[u8]) {
    let data = &data[..data.len().min(64 * 1024)];
    for server in servers() {
        let before = client::panics();
        let answer = client::exchange(server.addr(), data);
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.") || data.starts_with(b"PRI "),
            "{:?}",
            String::from_utf8_lossy(&answer)
        );
        let health = client::get(server.addr(), "/health");
        assert!(
            health.starts_with(b"HTTP/1.1 200 OK\r\n"),
            "{:?}",
            String::from_utf8_lossy(&health)
        );
        adds_up(server);
        assert_eq!(client::panics(), before, "a thread of the server panicked");
        server.reset_journal();
    }
}

/// Waits until every request that arrived has ended in one way.
fn adds_up(server: &Server) {
    let started = Instant::now();
    loop {
        let summary = server.journal().summary;
        let ended = summary.completed + summary.aborted + summary.rejected;
        if summary.arrived == ended {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{summary:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
