//! The documents keep what they promise: no gap is left in them, and what they
//! link to is there.

use std::fs;
use std::path::Path;

/// The relative links of a Markdown text.
fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|link| !link.is_empty() && !link.contains("://"))
        .collect()
}

#[test]
fn every_link_leads_somewhere_and_no_place_is_left_to_fill() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for name in [
        "README.md",
        "METHODOLOGY.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
    ] {
        let text = fs::read_to_string(root.join(name)).unwrap();
        for link in links(&text) {
            assert!(root.join(link).exists(), "{name} links to {link}");
            seen += 1;
        }
        for place in [
            "REFERENCE-TABLE",
            "METHODOLOGY-TIMER",
            "METHODOLOGY-FIGURES",
            "TODO",
        ] {
            assert!(!text.contains(place), "{name} has {place} in it");
        }
    }
    assert!(seen > 3, "the test reads links: {seen}");
}
