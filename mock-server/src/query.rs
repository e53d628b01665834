//! Query strings, read leniently: any bytes a client sends give some text, so
//! that an odd id is answered and not refused.

use std::borrow::Cow;

/// The first value of `name` in a query string, percent-decoded. `None` when the
/// query does not have it; a name without `=` has the empty value.
pub(crate) fn first<'q>(query: &'q str, name: &str) -> Option<Cow<'q, str>> {
    // The usual query is one pair with a plain key: the general way costs five
    // times as much as reading the rest of the request line.
    let plain = query
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('='));
    if let Some(value) = plain.filter(|value| !value.bytes().any(is_special)) {
        return Some(Cow::Borrowed(value));
    }
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key) == name).then(|| decode(value))
    })
}

/// Whether a byte ends a value or stands for another.
fn is_special(byte: u8) -> bool {
    matches!(byte, b'&' | b'%' | b'+')
}

/// Every pair of a query string, percent-decoded, in order.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = [String; 2]> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            [decode(key).into_owned(), decode(value).into_owned()]
        })
}

/// Percent-decodes a part of a path, where `+` is a plus.
pub(crate) fn decode_path(part: &str) -> Cow<'_, str> {
    if part.contains('+') {
        return Cow::Owned(decode(&part.replace('+', "%2B")).into_owned());
    }
    decode(part)
}

/// Percent-decodes as HTML forms do: `+` is a space, `%XX` a byte, a `%` that
/// starts no such pair stands for itself, and bytes that are not UTF-8 become
/// U+FFFD.
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = after;
                }
                _ => out.push(b'%'),
            },
            _ => out.push(byte),
        }
    }
    Cow::Owned(match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_value_wins_and_is_decoded() {
        for (query, expected) in [
            ("id=1", Some("1")),
            ("id=1&id=2", Some("1")),
            ("a=b&id=a%22b", Some("a\"b")),
            ("i%64=x+y", Some("x y")),
            ("id", Some("")),
            ("id=", Some("")),
            ("id=%", Some("%")),
            ("id=%zz%4", Some("%zz%4")),
            ("id=%ff", Some("\u{fffd}")),
            ("id=a=b", Some("a=b")),
            ("id=1&", Some("1")),
            ("id=+", Some(" ")),
            ("", None),
            ("ids=1", None),
        ] {
            assert_eq!(first(query, "id").as_deref(), expected, "{query}");
        }
    }

    proptest! {
        #[test]
        fn every_byte_survives_encoding(text in any::<String>()) {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(decode(&encoded), text);
        }
    }
}
