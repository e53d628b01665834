//! Writing a response head.

use crate::json;
use crate::service::Reply;

/// Appends the head of `reply`. `length` is that of the body as `GET` has it;
/// `close` says that the connection ends after this answer.
pub(super) fn head_into(out: &mut Vec<u8>, reply: &Reply, length: usize, date: &[u8], close: bool) {
    out.extend_from_slice(b"HTTP/1.1 ");
    json::decimal_into(out, reply.status.into());
    out.push(b' ');
    out.extend_from_slice(reason(reply.status).as_bytes());
    if let Some(content_type) = reply.content_type {
        field(out, "content-type", content_type.as_bytes());
    }
    // A 204 has no length (RFC 9110, section 8.6).
    if reply.status != 204 {
        out.extend_from_slice(b"\r\ncontent-length: ");
        json::decimal_into(out, length as u64);
    }
    field(out, "date", date);
    if let Some(allow) = reply.allow {
        field(out, "allow", allow.as_bytes());
    }
    if close {
        field(out, "connection", b"close");
    }
    out.extend_from_slice(b"\r\n\r\n");
}

fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
}

/// The reason phrase of the statuses that the server sends by itself; any other
/// has none, which the grammar allows.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
