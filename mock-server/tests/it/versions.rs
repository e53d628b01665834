//! HTTP/2 and TLS, with clients of their own.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{AT_ONCE, call, profiled};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use mock_server::inventory::{self, Kind};
use mock_server::{Config, Server, Tls};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

fn config() -> Config {
    // Long enough that fifty requests are in flight together on a busy machine.
    Config::default().with_delay(Duration::from_secs(1))
}

fn in_runtime(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(30), test)
            .await
            .unwrap();
    });
}

/// Fifty requests at once on one HTTP/2 connection.
async fn fifty_streams<S>(stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let calls: Vec<_> = (0..50)
        .map(|id| {
            let mut sender = sender.clone();
            tokio::spawn(async move {
                let uri = format!("http://localhost/inventory/products?id={id}");
                let request = Request::get(uri).body(Empty::<Bytes>::new()).unwrap();
                let answer = sender.send_request(request).await.unwrap();
                assert_eq!(answer.status(), 200);
                let body = answer.into_body().collect().await.unwrap().to_bytes();
                assert_eq!(body, inventory::body(1, Kind::Products, &id.to_string()));
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
}

fn assert_fifty(server: Server) {
    let summary = server.stop().unwrap().summary;
    assert_eq!(
        (summary.completed, summary.distinct, summary.aborted),
        (50, 50, 0)
    );
    assert_eq!(
        (summary.connections_opened, summary.most_in_flight),
        (1, 50)
    );
}

#[test]
fn http2_is_spoken_with_prior_knowledge() {
    let server = Server::start(config()).unwrap();
    in_runtime(async {
        fifty_streams(TcpStream::connect(server.addr()).await.unwrap()).await;
    });
    assert_fifty(server);
}

/// `GET` on a connection of HTTP/2, up to the answer's head.
async fn get(
    sender: &mut http2::SendRequest<Empty<Bytes>>,
    target: &str,
) -> hyper::Result<Response<Incoming>> {
    let uri = format!("http://localhost{target}");
    let request = Request::get(uri).body(Empty::new()).unwrap();
    sender.ready().await?;
    sender.send_request(request).await
}

#[test]
fn an_answer_that_waits_for_its_client_is_not_served_yet() {
    let server = profiled(AT_ONCE);
    let proof = || call(server.addr(), "GET", "/journal?expect=files:1-1").json()["proof"].clone();
    in_runtime(async {
        let stream = TcpStream::connect(server.addr()).await.unwrap();
        let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(1000)
            .handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        let file = get(&mut sender, "/files/1?size=5000").await.unwrap();
        // By the time this is answered the server has handed the file to HTTP/2.
        let health = get(&mut sender, "/health").await.unwrap();
        health.into_body().collect().await.unwrap();
        assert_eq!(
            (&proof()["missing"], server.journal().summary.completed),
            (&1.into(), 0)
        );
        let file = file.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(file.len(), 5000);
        assert_eq!(proof()["exactly_once"], true);

        let unread = get(&mut sender, "/files/2?size=5000").await.unwrap();
        drop(unread);
    });
    let summary = server.stop().unwrap().summary;
    assert_eq!(
        (summary.arrived, summary.completed, summary.aborted),
        (2, 1, 1)
    );
}

#[test]
fn a_connection_of_http2_ends_after_its_last_request() {
    let server = profiled(&format!("{AT_ONCE}connections = {{ requests = 3 }}"));
    in_runtime(async {
        let stream = TcpStream::connect(server.addr()).await.unwrap();
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        let connection = tokio::spawn(connection);
        for _ in 0..3 {
            let answer = get(&mut sender, "/inventory/products?id=1").await.unwrap();
            answer.into_body().collect().await.unwrap();
        }
        assert!(get(&mut sender, "/inventory/products?id=1").await.is_err());
        connection.await.unwrap().unwrap();
    });
    assert_eq!(server.stop().unwrap().summary.completed, 3);
}

pub(crate) async fn encrypted(
    server: &Server,
    pem: &std::path::Path,
    alpn: &[u8],
) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(pem).unwrap())
        .unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let stream = TcpStream::connect(server.addr()).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(alpn));
    stream
}

#[test]
fn tls_offers_http2_with_a_certificate_that_clients_can_trust() {
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("cert.pem");
    let server = Server::start(config().with_tls(Tls::new(Some(pem.clone())))).unwrap();
    assert!(server.url().starts_with("https://127.0.0.1:"));
    in_runtime(async {
        fifty_streams(encrypted(&server, &pem, b"h2").await).await;
    });
    assert_fifty(server);
}

#[test]
fn tls_carries_http1_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("cert.pem");
    let server = Server::start(config().with_tls(Tls::new(Some(pem.clone())))).unwrap();
    in_runtime(async {
        let stream = encrypted(&server, &pem, b"http/1.1").await;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        for id in ["1", "2"] {
            let uri = format!("/inventory/materials?id={id}");
            let request = Request::get(uri)
                .header("host", "m")
                .body(Empty::<Bytes>::new())
                .unwrap();
            let answer = sender.send_request(request).await.unwrap();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, inventory::body(1, Kind::Materials, id));
        }
    });
    assert_eq!(server.stop().unwrap().summary.connections_opened, 1);
}

#[test]
fn a_client_that_speaks_in_the_clear_to_tls_disturbs_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("cert.pem");
    let server = Server::start(config().with_tls(Tls::new(Some(pem.clone())))).unwrap();
    let mut plain = crate::support::Client::connect(server.addr());
    plain.send("GET", "/health");
    assert!(
        !plain
            .try_read_to_end()
            .unwrap_or_default()
            .starts_with(b"HTTP")
    );
    in_runtime(async {
        fifty_streams(encrypted(&server, &pem, b"h2").await).await;
    });
}

#[test]
fn a_certificate_that_cannot_be_written_is_named() {
    let tls = Tls::new(Some("/no/such/folder/cert.pem".into()));
    let error = Server::start(config().with_tls(tls)).err().unwrap();
    assert!(
        error.to_string().contains("/no/such/folder/cert.pem"),
        "{error}"
    );
}

#[test]
fn stopping_finishes_the_streams_of_http2() {
    let server = Server::start(config()).unwrap();
    let addr = server.addr();
    let client = std::thread::spawn(move || {
        in_runtime(async { fifty_streams(TcpStream::connect(addr).await.unwrap()).await });
    });
    while server.journal().summary.arrived < 50 {
        std::thread::yield_now();
    }
    assert_fifty(server);
    client.join().unwrap();
}
