//! Secrets in URLs: values of parameters such as `api_key`, and what stands
//! before the `@`. Requests carry them; nothing that is shown or kept does.

use std::borrow::Cow;
use std::sync::OnceLock;

use percent_encoding::percent_decode_str;

/// Parameters whose values are secrets, in lower case, with `-` and `_` left out.
const KNOWN: [&str; 26] = [
    "accesskey",
    "accesstoken",
    "apikey",
    "apitoken",
    "appid",
    "appkey",
    "auth",
    "authkey",
    "authorization",
    "authtoken",
    "bearer",
    "clientsecret",
    "code",
    "credential",
    "jwt",
    "key",
    "passwd",
    "password",
    "pwd",
    "secret",
    "session",
    "sessionid",
    "sig",
    "signature",
    "subscriptionkey",
    "token",
];

/// What a secret looks like wherever it would stand.
const INSTEAD: &str = "***";

/// Parameters that the user named, in the same form.
static NAMED: OnceLock<Vec<String>> = OnceLock::new();

/// Names further parameters whose values are secrets, for the whole program. Only
/// the first call counts.
pub fn name(parameters: &[String]) {
    let _ = NAMED.set(parameters.iter().map(|name| plain(name)).collect());
}

/// A name without what writers of it differ in.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| !matches!(c, '-' | '_' | '.'));
    letters.flat_map(char::to_lowercase).collect()
}

fn is_secret(name: &str) -> bool {
    let name = percent_decode_str(name).decode_utf8_lossy();
    let name = plain(&name);
    let is_named = NAMED.get().is_some_and(|named| named.contains(&name));
    // As x-amz-signature and gcp-access-token are.
    let ends_like = [
        "token",
        "secret",
        "signature",
        "password",
        "apikey",
        "credential",
    ];
    is_named || KNOWN.contains(&name.as_str()) || ends_like.iter().any(|end| name.ends_with(end))
}

/// A text without the secrets of the URLs in it. It may be JSON, and stays so.
pub fn masked(text: &str) -> Cow<'_, str> {
    let text = match text.contains("://") {
        true => without_userinfo(text),
        false => Cow::Borrowed(text),
    };
    match text.contains('=') {
        true => Cow::Owned(without_values(&text)),
        false => text,
    }
}

/// What ends a value or an authority within a text.
fn ends(c: char) -> bool {
    // A quote that closes a word goes with the secret: it may be part of it.
    c.is_whitespace() || matches!(c, '&' | '#' | '"' | '\\' | '<' | '>' | '`')
}

fn without_values(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['?', '&', ';']) {
        let (before, after) = rest.split_at(start + 1);
        out.push_str(before);
        rest = after;
        let Some(equals) = after.find(|c| c == '=' || c == '?' || ends(c)) else {
            break;
        };
        if after[equals..].starts_with('=') && is_secret(&after[..equals]) {
            out.push_str(&after[..=equals]);
            let value = &after[equals + 1..];
            let length = value.find(ends).unwrap_or(value.len());
            if length > 0 {
                out.push_str(INSTEAD);
            }
            rest = &value[length..];
        }
    }
    out.push_str(rest);
    out
}

fn without_userinfo(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(scheme) = rest.find("://") {
        let (before, after) = rest.split_at(scheme + 3);
        let authority = after.find(|c| c == '/' || c == '?' || ends(c));
        let authority = &after[..authority.unwrap_or(after.len())];
        out.push_str(before);
        rest = match authority.rfind('@') {
            Some(at) => {
                out.push_str(INSTEAD);
                &after[at..]
            }
            None => after,
        };
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::masked;

    #[test]
    fn values_of_secret_parameters_are_masked() {
        let cases = [
            (
                "GET /a?api_key=S3CRET&id=4: status 401",
                "GET /a?api_key=***&id=4: status 401",
            ),
            (
                "--url 'http://h/?id=1&X-Amz-Signature=S3CRET'",
                "--url 'http://h/?id=1&X-Amz-Signature=***",
            ),
            (
                "{\"url\":\"http://h/?token=S3CRET\"}",
                "{\"url\":\"http://h/?token=***\"}",
            ),
            ("http://me:S3CRET@h:80/x?id=2", "http://***@h:80/x?id=2"),
            ("/x?access-token=S3CRET#part", "/x?access-token=***#part"),
            ("/x?id={id}&key={key}", "/x?id={id}&key=***"),
            (
                "/x?keyboard=qwerty&monkey=1&id=key",
                "/x?keyboard=qwerty&monkey=1&id=key",
            ),
            ("a = b & c = d?", "a = b & c = d?"),
            ("/x?a?token=S3CRET", "/x?a?token=***"),
            ("/x?a=1;token=S3CRET;b=2", "/x?a=1;token=***"),
            ("/x?pwd=S3CRET&session=S3CRET", "/x?pwd=***&session=***"),
            ("/x?api%5Fkey=ab'S3CRET&b=1", "/x?api%5Fkey=***&b=1"),
            ("http://me:p'S3CRET@h/", "http://***@h/"),
        ];
        for (text, expected) in cases {
            assert_eq!(masked(text), expected);
        }
    }

    proptest! {
        #[test]
        fn masking_twice_is_masking_once(text in "[a-z?&=:/@ \"k]{0,40}|.*") {
            let once = masked(&text).into_owned();
            prop_assert_eq!(masked(&once), once.as_str());
        }
    }
}
