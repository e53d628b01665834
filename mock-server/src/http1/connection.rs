//! The life of one connection: heads in, answers out, until one side closes.

use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::Refusal;
use super::body::{Chunked, MAX_BODY};
use super::head::{self, Framing, Head};
use super::render;
use crate::server::Worker;
use crate::service::{Method, Reply, Request};

/// How long a head or a body may take from its first byte to its last. A client
/// that is slower holds a connection, not the server, and is told so with 408.
const READ_LIMIT: Duration = Duration::from_secs(10);

/// How long a connection that is being closed is read from, so that what the
/// client still sends does not destroy the answer on its way.
const LINGER: Duration = Duration::from_millis(500);

/// Buffers that grew beyond this for one large message are given back.
const KEPT_CAPACITY: usize = 64 * 1024;

/// Serves one connection to its end. Errors of the transport end it as well;
/// nobody is left to be told of them.
pub(crate) async fn serve<S>(stream: S, worker: &Worker)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = Connection {
        stream,
        worker,
        input: BytesMut::new(),
        out: Vec::new(),
        body: Vec::new(),
        read_at: Instant::now(),
    };
    let _ = connection.run().await;
}

struct Connection<'w, S> {
    stream: S,
    worker: &'w Worker,
    input: BytesMut,
    /// The answer, head and body, as it goes out.
    out: Vec<u8>,
    /// The answer's body while it is rendered.
    body: Vec<u8>,
    /// When the input was last read: the arrival of whatever it completed.
    read_at: Instant,
}

enum Incoming {
    Head(Head),
    Refused(Refusal),
    Closed,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    async fn run(&mut self) -> io::Result<()> {
        loop {
            let refusal = match self.next_head().await? {
                Incoming::Closed => return Ok(()),
                Incoming::Refused(refusal) => refusal,
                Incoming::Head(head) => match self.read_body(&head).await? {
                    Ok(end) => {
                        if !self.answer(&head).await? {
                            return self.stream.shutdown().await;
                        }
                        self.input.advance(end);
                        continue;
                    }
                    Err(refusal) => refusal,
                },
            };
            return self.refuse(refusal).await;
        }
    }

    /// Reads until there is a whole head.
    async fn next_head(&mut self) -> io::Result<Incoming> {
        if self.input.is_empty() && self.read_first().await? == 0 {
            return Ok(Incoming::Closed);
        }
        let limit = self.read_at + READ_LIMIT;
        loop {
            // Empty lines before a request are skipped (RFC 9112, section 2.2).
            while matches!(self.input.first(), Some(b'\r' | b'\n')) {
                self.input.advance(1);
            }
            match head::parse(&self.input) {
                Ok(Some(head)) => return Ok(Incoming::Head(head)),
                Ok(None) => {}
                Err(refusal) => return Ok(Incoming::Refused(refusal)),
            }
            match self.read_more(limit).await? {
                None => {
                    let late = Refusal::new(408, "the request head took longer than 10 s");
                    return Ok(Incoming::Refused(late));
                }
                Some(0) => return Ok(Incoming::Closed),
                Some(_) => {}
            }
        }
    }

    /// Waits for the first bytes of a request, for as long as the client likes
    /// and the server is not stopping.
    async fn read_first(&mut self) -> io::Result<usize> {
        self.input.reserve(1024);
        let (stream, input, worker) = (&mut self.stream, &mut self.input, self.worker);
        let count = std::future::poll_fn(|cx| {
            let mut pinned = Pin::new(&mut *stream);
            match poll_read_buf(&mut pinned, input, cx) {
                // What has been sent is answered even now; what has not is not
                // waited for.
                Poll::Pending if worker.is_stopping() => Poll::Ready(Ok(0)),
                other => other,
            }
        })
        .await?;
        self.read_at = Instant::now();
        Ok(count)
    }

    /// Reads more of a request that has begun; `None` when `limit` passes first.
    async fn read_more(&mut self, limit: Instant) -> io::Result<Option<usize>> {
        self.input.reserve(1024);
        let read = self.stream.read_buf(&mut self.input);
        let count = tokio::time::timeout_at(limit.into(), read).await;
        self.read_at = Instant::now();
        count.ok().transpose()
    }

    /// Reads the body that belongs to `head`, and says where in the input it
    /// ends.
    async fn read_body(&mut self, head: &Head) -> io::Result<Result<usize, Refusal>> {
        let mut chunked = match head.framing {
            Framing::Length(0) => return Ok(Ok(head.len)),
            Framing::Length(length) if length > MAX_BODY as u64 => {
                return Ok(Err(Refusal::new(
                    413,
                    "the request body is longer than 1 MiB",
                )));
            }
            Framing::Length(_) => None,
            Framing::Chunked => Some(Chunked::starting_at(head.len)),
        };
        if head.expects_continue && self.input.len() == head.len {
            self.stream
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .await?;
        }
        let limit = self.read_at + READ_LIMIT;
        loop {
            let end = match (head.framing, &mut chunked) {
                (_, Some(chunked)) => match chunked.advance(&self.input) {
                    Ok(end) => end,
                    Err(refusal) => return Ok(Err(refusal)),
                },
                (Framing::Length(length), None) => Some(head.len + length as usize),
                (Framing::Chunked, None) => None,
            };
            if let Some(end) = end.filter(|&end| end <= self.input.len()) {
                return Ok(Ok(end));
            }
            match self.read_more(limit).await? {
                None => {
                    return Ok(Err(Refusal::new(
                        408,
                        "the request body took longer than 10 s",
                    )));
                }
                Some(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Some(_) => {}
            }
        }
    }

    /// Renders the answer, waits until it is due, and sends it in one write.
    /// Says whether the connection goes on.
    async fn answer(&mut self, head: &Head) -> io::Result<bool> {
        let method = Method::of(&self.input[head.method.clone()]);
        // `httparse` only takes targets that are UTF-8; were one not, it would
        // match no route.
        let target = std::str::from_utf8(&self.input[head.target.clone()]).unwrap_or("");
        let request = Request { method, target };
        self.body.clear();
        let reply = self.worker.answer(&request, self.read_at, &mut self.body);
        let close = !head.keep_alive || self.worker.is_stopping();
        self.out.clear();
        self.worker.with_date(|date| {
            render::head_into(&mut self.out, &reply, self.body.len(), date, close);
        });
        if method != Method::Head {
            self.out.extend_from_slice(&self.body);
        }
        if let Some(due) = reply.due {
            self.worker.timer().until(due).await;
        }
        self.send(reply).await?;
        Ok(!close)
    }

    async fn send(&mut self, reply: Reply) -> io::Result<()> {
        self.stream.write_all(&self.out).await?;
        self.stream.flush().await?;
        self.worker.count_bytes(self.out.len());
        if let Some(ticket) = reply.ticket {
            ticket.complete();
        }
        if self.out.capacity() > KEPT_CAPACITY {
            self.out = Vec::new();
        }
        if self.body.capacity() > KEPT_CAPACITY {
            self.body = Vec::new();
        }
        Ok(())
    }

    /// Answers what is not a request, and closes.
    async fn refuse(&mut self, refusal: Refusal) -> io::Result<()> {
        self.worker.count_unmatched();
        self.body.clear();
        let reply = Reply::error(refusal.status, refusal.message, &mut self.body);
        self.out.clear();
        self.worker.with_date(|date| {
            render::head_into(&mut self.out, &reply, self.body.len(), date, true);
        });
        self.out.extend_from_slice(&self.body);
        self.send(reply).await?;
        self.stream.shutdown().await?;
        // Closing with unread input would reset the connection and could take
        // the answer with it.
        let drain = async {
            let mut left = 64 * MAX_BODY;
            while left > 0 {
                self.input.clear();
                self.input.reserve(4096);
                match self.stream.read_buf(&mut self.input).await {
                    Ok(0) | Err(_) => return,
                    Ok(count) => left = left.saturating_sub(count),
                }
            }
        };
        let _ = tokio::time::timeout(LINGER, drain).await;
        Ok(())
    }
}

/// `AsyncReadExt::read_buf` as a poll, for a wait that has a second reason to
/// end.
fn poll_read_buf<S: AsyncRead + Unpin>(
    stream: &mut Pin<&mut S>,
    input: &mut BytesMut,
    cx: &mut std::task::Context<'_>,
) -> Poll<io::Result<usize>> {
    let start = input.len();
    let capacity = input.capacity();
    input.resize(capacity, 0);
    let mut buffer = ReadBuf::new(&mut input[start..]);
    let polled = stream.as_mut().poll_read(cx, &mut buffer);
    let count = buffer.filled().len();
    input.truncate(start + count);
    polled.map_ok(|()| count)
}
