//! Foreign text in a page: whatever it holds, it stays text.

use crate::report::prose;

/// Text as markup, for content and quoted attributes.
pub(super) fn markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in prose::printable(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// JSON that can stand within a `script` element: no `</script>` or `<!--` in a
/// string may end or open anything. Outside strings JSON has none of these
/// characters, so all of them can be escaped alike.
pub(super) fn json_for_script(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{json_for_script, markup};

    #[test]
    fn markup_in_a_text_is_text() {
        assert_eq!(
            markup("<a href=\"x\">'&'\n</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39; &lt;/a&gt;"
        );
    }

    proptest! {
        #[test]
        fn escaped_json_says_the_same_and_closes_nothing(text in "(</script>|<!--|&|[\\PC\"\\\\])*") {
            let json = serde_json::to_string(&text).expect("a string");
            let escaped = json_for_script(&json);
            prop_assert!(!escaped.contains(['<', '>', '&']));
            let read: String = serde_json::from_str(&escaped).expect("the same JSON");
            prop_assert_eq!(read, text);
        }
    }
}
