//! The files that `GET /files/{id}` answers, for those who check what they got.

use crate::service::File;

/// The body of a file, byte for byte: `{"id":"7","content":"…"}` of exactly
/// `size` bytes, or what its frame takes if that is more.
#[must_use]
pub fn body(seed: u64, id: &str, size: usize) -> Vec<u8> {
    let mut content = File::content(seed, id, size);
    let mut body = Vec::with_capacity(size);
    while content.len() > 0 {
        body.extend_from_slice(&content.take(usize::MAX));
    }
    body
}
