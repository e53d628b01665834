//! Text that a server, a file or a URL brings, made harmless where it is shown:
//! a terminal obeys escapes, and a reader is misled by text that runs the other
//! way.

use std::borrow::Cow;

/// What takes the place of a character that is not shown.
const INSTEAD: char = char::REPLACEMENT_CHARACTER;

/// Whether a character acts on a terminal or on the order of text, rather than
/// being shown.
fn acts(c: char) -> bool {
    let is_order = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || is_order || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// A text of lines without what acts on a terminal; line ends and tabs stay.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let harmful = |c: char| acts(c) && c != '\n' && c != '\t';
    if text.chars().any(harmful) {
        Cow::Owned(text.replace(harmful, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// A line of JSON whose strings hold nothing that acts. Line ends and tabs in
/// them become spaces: what is read from them is one line of text.
pub(crate) fn harmless_json(line: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii() && byte != b'\\' && byte != 0x7f;
    if line.bytes().all(plain) {
        return Cow::Borrowed(line);
    }
    let mut text = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => escape(&mut text, &mut rest),
            '\n' | '\r' => text.push(c),
            c if acts(c) => text.push(INSTEAD),
            c => text.push(c),
        }
    }
    Cow::Owned(text)
}

/// Copies an escape of a JSON string, whose backslash was read.
fn escape(text: &mut String, rest: &mut std::str::Chars<'_>) {
    match rest.next() {
        Some('n' | 'r' | 't') => text.push(' '),
        Some('b' | 'f') => text.push(INSTEAD),
        Some('u') => {
            let digits = rest.as_str().get(..4);
            let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
            match code.and_then(char::from_u32) {
                Some(c) if acts(c) => {
                    text.push(INSTEAD);
                    rest.by_ref().take(4).for_each(drop);
                }
                // Half of a pair, or what is no escape: as it is.
                _ => text.push_str("\\u"),
            }
        }
        Some(other) => text.extend(['\\', other]),
        None => text.push('\\'),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{acts, harmless, harmless_json};

    #[test]
    fn escapes_and_reversals_are_not_shown() {
        assert_eq!(harmless("plain\ttext\n"), "plain\ttext\n");
        assert_eq!(harmless("\u{1b}[31mred\u{7}"), "\u{fffd}[31mred\u{fffd}");
        assert_eq!(
            harmless("\u{9b}2J\u{202e}txt.exe"),
            "\u{fffd}2J\u{fffd}txt.exe"
        );
    }

    #[test]
    fn a_json_string_keeps_what_is_harmless_in_it() {
        let cases = [
            (r#"{"a":"\u001b[31m"}"#, "{\"a\":\"\u{fffd}[31m\"}"),
            (r#"{"a":"\\u001b"}"#, r#"{"a":"\\u001b"}"#),
            (r#"{"a":"two\nlines\t\"é\""}"#, r#"{"a":"two lines \"é\""}"#),
            (
                r#"{"a":"\ud83d\ude00\u00e9"}"#,
                r#"{"a":"\ud83d\ude00\u00e9"}"#,
            ),
            ("{\"a\":\"\u{202e}\"}\n", "{\"a\":\"\u{fffd}\"}\n"),
            (r#"{"a":"\u20"#, r#"{"a":"\u20"#),
        ];
        for (line, expected) in cases {
            assert_eq!(harmless_json(line), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_read_from_json_never_acts(text in any::<String>()) {
            let json = serde_json::to_string(&text).expect("JSON");
            let read: String = serde_json::from_str(&harmless_json(&json)).expect("JSON still");
            prop_assert!(!read.chars().any(acts), "{read:?}");
            let shown = |text: &str| text.chars().filter(|c| !acts(*c)).count();
            prop_assert!(shown(&read) >= shown(&text));
        }
    }
}
