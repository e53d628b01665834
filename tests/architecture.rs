//! The house: two wings, and the record as the only door between them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// For each room, the rooms that it may know of. What is not in the list knows
/// everything (the front door) or is not a room.
fn may_know() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        ("foreign", [].as_slice()),
        ("request", &[]),
        ("outcome", &[]),
        ("workload", &["outcome", "request"]),
        ("client", &["outcome", "request"]),
        ("strategy", &["client", "outcome", "request", "workload"]),
        (
            "run",
            &["client", "outcome", "request", "strategy", "workload"],
        ),
        (
            "measure",
            &[
                "client",
                "outcome",
                "precision",
                "record",
                "request",
                "run",
                "strategy",
                "workload",
            ],
        ),
        ("record", &["foreign", "secrets"]),
        ("secrets", &[]),
        ("precision", &[]),
        ("analysis", &["precision", "record"]),
        ("report", &["analysis", "precision", "record"]),
    ])
}

fn sources(under: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(under).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The room that a source file stands in.
fn room(path: &Path, root: &Path) -> String {
    let first = path
        .strip_prefix(root)
        .unwrap()
        .components()
        .next()
        .unwrap();
    let first = first.as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The rooms that a text names, as `crate::room`.
fn named(text: &str) -> Vec<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code: String = code.collect::<Vec<_>>().join("\n");
    assert!(
        !code.contains("crate::{"),
        "write `use crate::room::…` line by line, so that this test can read it"
    );
    code.split("crate::")
        .skip(1)
        .map(|rest| {
            rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap()
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_room_knows_only_what_it_may() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let may_know = may_know();
    let mut seen = 0;
    for path in sources(&root) {
        let room = room(&path, &root);
        let Some(allowed) = may_know.get(room.as_str()) else {
            assert!(
                ["cli", "lib", "main"].contains(&room.as_str()),
                "a new room: {room}"
            );
            continue;
        };
        for known in named(&fs::read_to_string(&path).unwrap()) {
            seen += 1;
            assert!(
                known == room || allowed.contains(&known.as_str()),
                "{} knows of {known}, which {room} may not",
                path.display()
            );
        }
    }
    assert!(seen > 50, "the test reads what it should: {seen} imports");
}

#[test]
fn the_mock_server_knows_nothing_of_fanout() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("mock-server");
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(!manifest.contains("fanout"));
    for path in sources(&root.join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("fanout::"), "{}", path.display());
    }
}
