//! A client that writes bytes and reads one answer, so that tests see what is
//! really on the wire.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// One answer, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of a header field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", String::from_utf8_lossy(&self.body)))
    }
}

/// A kept connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn connect(addr: SocketAddr) -> Self {
        Self::over(TcpStream::connect(addr).unwrap())
    }

    /// A client on a connection that is open.
    pub(crate) fn over(stream: TcpStream) -> Self {
        // A server that never answers fails the test instead of hanging it.
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    pub(crate) fn send(&mut self, method: &str, target: &str) {
        let head = format!("{method} {target} HTTP/1.1\r\nHost: mock\r\n\r\n");
        self.write(head.as_bytes());
    }

    /// Reads one answer; `bodiless` for an answer to `HEAD`.
    pub(crate) fn read(&mut self, bodiless: bool) -> Answer {
        let mut head = String::new();
        loop {
            let count = self.stream.read_line(&mut head).unwrap();
            assert_ne!(count, 0, "the connection ended within a head: {head:?}");
            if head.ends_with("\r\n\r\n") {
                break;
            }
        }
        let mut answer = Answer {
            status: head[9..12].parse().unwrap(),
            head,
            body: Vec::new(),
        };
        let length = answer
            .field("content-length")
            .map_or(0, |n| n.parse().unwrap());
        if !bodiless {
            answer.body = vec![0; length];
            self.stream.read_exact(&mut answer.body).unwrap();
        }
        answer
    }

    pub(crate) fn call(&mut self, method: &str, target: &str) -> Answer {
        self.send(method, target);
        self.read(method == "HEAD")
    }

    /// Everything until the server closes.
    pub(crate) fn read_to_end(&mut self) -> Vec<u8> {
        self.try_read_to_end().unwrap()
    }

    /// Everything until the server closes, or how it broke off.
    pub(crate) fn try_read_to_end(&mut self) -> std::io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).map(|_| rest)
    }

    /// Whether the server keeps the connection open for that long, whatever it
    /// sends meanwhile.
    pub(crate) fn is_open_for(&mut self, time: Duration) -> bool {
        let before = self.stream().read_timeout().unwrap();
        self.stream().set_read_timeout(Some(time)).unwrap();
        let ended = self.try_read_to_end();
        self.stream().set_read_timeout(before).unwrap();
        ended
            .is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }
}

/// One call on a connection of its own.
pub(crate) fn call(addr: SocketAddr, method: &str, target: &str) -> Answer {
    Client::connect(addr).call(method, target)
}

/// A server with a profile written as TOML.
pub(crate) fn profiled(text: &str) -> mock_server::Server {
    let source = mock_server::profile::Source::from_text(text, std::path::Path::new("."));
    let profile = source
        .and_then(mock_server::profile::Source::finish)
        .unwrap();
    let config = mock_server::Config::default().with_profile(profile);
    mock_server::Server::start(config).unwrap()
}

/// A profile with no service time, to add to.
pub(crate) const AT_ONCE: &str = "service_time = { kind = \"fixed\", time = \"0\" }\n";

/// Waits for what comes of itself, and for no longer than a test may take.
pub(crate) fn until(mut is_so: impl FnMut() -> bool) {
    let started = std::time::Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(30), "it never came");
        std::thread::sleep(Duration::from_millis(1));
    }
}
