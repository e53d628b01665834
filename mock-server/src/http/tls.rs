//! Encrypted connections, with a certificate that is made at the start: real
//! APIs have them, and their handshakes are what keeping connections saves.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::config::Tls;

/// Makes a certificate for `localhost` and `host`, writes it where clients can
/// find it, and returns what encrypts connections. HTTP/2 is offered by ALPN.
///
/// # Errors
/// When the certificate cannot be made or written; the message names the file.
pub(crate) fn acceptor(tls: &Tls, host: IpAddr) -> io::Result<TlsAcceptor> {
    let mut names = vec!["localhost".to_owned(), host.to_string()];
    if host.is_unspecified() {
        names.push("127.0.0.1".to_owned());
    }
    let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    if let Some(path) = &tls.certificate {
        std::fs::write(path, made.cert.pem()).map_err(|error| {
            let message = format!(
                "cannot write the certificate to {}: {error}",
                path.display()
            );
            io::Error::new(error.kind(), message)
        })?;
    }
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(vec![made.cert.der().clone()], key.into())
        })
        .map_err(io::Error::other)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
