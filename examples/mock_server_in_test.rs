//! mock-server in a test of your own code: a known API, and proof of how often it
//! was asked.
//!
//! ```text
//! cargo test --example mock_server_in_test
//! ```

use fanout::{Run, RunError};

/// The code under test: sums what it can of a batch.
fn bytes_of_all(url: &str, files: usize) -> Result<usize, RunError> {
    let outcomes = Run::new("thread-pool")
        .workers(4)
        .against(format!("{url}/files/{{index}}"))
        .requests(files)
        .go()?;
    let bodies = outcomes.iter().flat_map(|outcome| &outcome.result);
    Ok(bodies.map(|response| response.body.len()).sum())
}

fn main() -> Result<(), RunError> {
    let url = std::env::args().nth(1).unwrap_or_default();
    println!("{} bytes", bytes_of_all(&url, 10)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mock_server::profile::Profile;
    use mock_server::{Config, Server};

    use super::*;

    fn server() -> Server {
        let profile = Profile {
            file_size: 1000,
            ..Profile::default()
        };
        let config = Config::default().with_profile(profile);
        Server::start(config.with_delay(Duration::from_millis(5))).unwrap()
    }

    #[test]
    fn each_file_is_asked_for_once() {
        let server = server();
        assert_eq!(bytes_of_all(&server.url(), 10).unwrap(), 10_000);
        let served = server.stop().unwrap();
        assert_eq!(served.summary.arrived, 10);
        assert_eq!(served.summary.completed, 10);
    }
}
