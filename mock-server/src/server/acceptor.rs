//! Accepting connections and dealing them to the workers in turn.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::worker::{Dealt, Workers};

/// How long accepting pauses when the system is out of a resource. Connections
/// wait in the backlog meanwhile.
const PAUSE: Duration = Duration::from_millis(10);

/// Accepts until `shutdown` completes, at most `max` connections at once.
pub(super) async fn accept<F>(
    listener: TcpListener,
    max: Option<u32>,
    workers: &Workers,
    shutdown: F,
) -> io::Result<()>
where
    F: Future<Output = ()>,
{
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    tokio::select! {
        () = shutdown => {}
        () = deal(&listener, max, workers) => {}
    }
    Ok(())
}

async fn deal(listener: &tokio::net::TcpListener, max: Option<u32>, workers: &Workers) {
    let places = max.map(|max| Arc::new(Semaphore::new(max as usize)));
    let mut turn = 0;
    let mut complained = false;
    loop {
        let permit = match &places {
            // The semaphore is never closed, so a place always comes.
            Some(places) => Arc::clone(places).acquire_owned().await.ok(),
            None => None,
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                complained = false;
                // Without this an answer could wait for the acknowledgement of
                // the one before. A socket that refuses it still works.
                let _ = stream.set_nodelay(true);
                // Moves the socket from this runtime to the worker's; one that
                // cannot be moved is closed.
                if let Ok(stream) = stream.into_std() {
                    workers.deal(turn, Dealt { stream, permit });
                    turn += 1;
                }
            }
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                if !complained {
                    eprintln!(
                        "cannot accept connections for now: {error}; those that are open go on. \
                         Raise the limit on open files (ulimit -n) if this stays"
                    );
                    complained = true;
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Errors of a connection that died in the backlog, as opposed to those of the
/// listener.
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
