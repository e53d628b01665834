//! The smallest client that can load the server: raw requests on kept
//! connections, each waiting for its answer before it asks again.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Calls the server on `connections` connections for `span`, and returns how
/// many answers came. The connections start evenly over `stagger`: in step they
/// would all ask at once for ever, and wait for each other.
///
/// # Errors
/// When a connection fails, or an answer is not a whole 200.
pub(super) fn closed_loop(
    addr: SocketAddr,
    connections: usize,
    stagger: Duration,
    span: Duration,
) -> io::Result<u64> {
    let runtime = tokio::runtime::LocalRuntime::new()?;
    runtime.block_on(async {
        let answered = Rc::new(Cell::new(0));
        let mut streams = Vec::with_capacity(connections);
        for _ in 0..connections {
            let stream = TcpStream::connect(addr).await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let until = Instant::now() + span;
        let callers: Vec<_> = streams
            .into_iter()
            .enumerate()
            .map(|(number, stream)| {
                let answered = Rc::clone(&answered);
                let wait = stagger * number as u32 / connections as u32;
                tokio::task::spawn_local(async move {
                    tokio::time::sleep(wait).await;
                    call(stream, number, until, answered).await
                })
            })
            .collect();
        for caller in callers {
            caller.await.map_err(io::Error::other)??;
        }
        Ok(answered.get())
    })
}

async fn call(
    mut stream: TcpStream,
    number: usize,
    until: Instant,
    answered: Rc<Cell<u64>>,
) -> io::Result<()> {
    let request = format!("GET /inventory/products?id={number} HTTP/1.1\r\nHost: mock\r\n\r\n");
    let mut answer = Vec::with_capacity(1024);
    loop {
        stream.write_all(request.as_bytes()).await?;
        answer.clear();
        while !is_whole(&answer)? {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        // What is in flight at the end belongs to the time after it.
        if Instant::now() >= until {
            return Ok(());
        }
        answered.set(answered.get() + 1);
    }
}

/// Whether a whole answer has come. An inventory answer ends with its body, and
/// only there with a brace.
fn is_whole(answer: &[u8]) -> io::Result<bool> {
    if answer.len() >= 12 && !answer.starts_with(b"HTTP/1.1 200") {
        return Err(io::Error::other("an answer was not 200"));
    }
    Ok(answer.ends_with(b"\n}"))
}
