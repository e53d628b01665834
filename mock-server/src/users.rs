//! The list of users that `GET /users` answers: fifty, a function of the seed.

use crate::json;
use crate::random::{Purpose, Stream};

/// How many users there are.
pub const COUNT: u32 = 50;

const FIRST: [&str; 16] = [
    "Ada",
    "Alan",
    "Barbara",
    "Claude",
    "Donald",
    "Edsger",
    "Frances",
    "Grace",
    "Hedy",
    "John",
    "Katherine",
    "Leslie",
    "Margaret",
    "Niklaus",
    "Radia",
    "Tony",
];

const LAST: [&str; 16] = [
    "Allen", "Dijkstra", "Hamilton", "Hoare", "Hopper", "Johnson", "Knuth", "Lamarr", "Lamport",
    "Liskov", "Lovelace", "McCarthy", "Perlman", "Shannon", "Turing", "Wirth",
];

/// The body of `GET /users` for a seed, byte for byte: a JSON list of objects
/// with `id`, `name` and `email`.
#[must_use]
pub fn body(seed: u64) -> Vec<u8> {
    let mut out = b"[".to_vec();
    for id in 0..COUNT {
        let mut stream = Stream::new(seed, Purpose::Content, 1, &id.to_string(), 0);
        let first = FIRST[stream.below(FIRST.len() as u32) as usize];
        let last = LAST[stream.below(LAST.len() as u32) as usize];
        out.extend_from_slice(if id == 0 {
            b"\n  {\"id\": "
        } else {
            b",\n  {\"id\": "
        });
        json::decimal_into(&mut out, id.into());
        let (name, at) = (format!("{first} {last}"), first.to_lowercase());
        out.extend_from_slice(
            format!(", \"name\": \"{name}\", \"email\": \"{at}.{id}@example.com\"}}").as_bytes(),
        );
    }
    out.extend_from_slice(b"\n]");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_fifty_and_the_seed_decides_them() {
        let users: Vec<serde_json::Value> = serde_json::from_slice(&body(1)).unwrap();
        assert_eq!(users.len(), 50);
        for (id, user) in users.iter().enumerate() {
            assert_eq!(user["id"], id);
        }
        assert_eq!(body(1), body(1));
        assert_ne!(body(1), body(2));
    }
}
