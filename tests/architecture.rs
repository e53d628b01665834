//! The house: two wings, and the record as the only door between them.

#[path = "common/modules.rs"]
mod modules;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use modules::Modules;

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

fn modules(package: &str) -> Modules {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(package);
    Modules::read(&root.join("src"))
}

#[test]
fn every_room_knows_only_what_it_may() {
    let may_know = may_know();
    let mut seen = 0;
    for (module, imported) in modules(".").imports() {
        let (Some(room), Some(known)) = (module.first(), imported.first()) else {
            continue;
        };
        let Some(allowed) = may_know.get(room.as_str()) else {
            assert!(room == "cli", "a new room: {room}");
            continue;
        };
        seen += 1;
        assert!(
            known == room || allowed.contains(&known.as_str()),
            "{} knows of {known}, which {room} may not",
            module.join("::")
        );
    }
    assert!(seen > 50, "the test reads what it should: {seen} imports");
}

/// Import cycles that are still to be opened: the list only shrinks.
const CYCLES: &[&str] = &[
    "analysis/recommend/{binding,refusals}",
    "analysis/recommend/{choice,sustained}",
    "analysis/{failures,recommend,sampled,summary}",
    "report/plot/{layout,page,series}",
    "report/{html,markdown,profiles}",
    "report/{prose,words}",
];

/// Files of analysis that still make sentences, which belong to `report/words`: the list
/// only shrinks. Text is made by `format!`, so other files hold none.
const SENTENCES: &[&str] = &[
    "recommend/binding.rs",
    "recommend/estimate.rs",
    "recommend/refusals.rs",
    "recommend/why.rs",
    "sampled.rs",
    "summary.rs",
    "summary/findings.rs",
    "summary/profiles.rs",
    "units.rs",
];

#[test]
fn analysis_makes_no_further_sentences() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/analysis");
    let (mut folders, mut found) = (vec![root.clone()], BTreeSet::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && !name.contains("test") && name != "fixture.rs" {
                let text = fs::read_to_string(&path).unwrap();
                let (code, _) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
                if code.contains("format!(") {
                    found.insert(name);
                }
            }
        }
    }
    let known: BTreeSet<String> = SENTENCES.iter().map(|name| name.to_string()).collect();
    assert_eq!(found, known);
}

/// Those of the mock server.
const MOCK_SERVER_CYCLES: &[&str] = &[];

#[test]
fn no_modules_import_each_other() {
    for (package, known) in [(".", CYCLES), ("mock-server", MOCK_SERVER_CYCLES)] {
        let known: BTreeSet<String> = known.iter().map(|cycle| cycle.to_string()).collect();
        let found = modules(package).cycles();
        let new: Vec<_> = found.difference(&known).collect();
        assert!(new.is_empty(), "new import cycles in {package}: {new:#?}");
        let gone: Vec<_> = known.difference(&found).collect();
        assert!(
            gone.is_empty(),
            "delete from the list for {package}: {gone:#?}"
        );
    }
}

#[test]
fn the_mock_server_knows_nothing_of_fanout() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("mock-server/Cargo.toml");
    assert!(!fs::read_to_string(manifest).unwrap().contains("fanout"));
}

#[test]
fn cycles_are_found_through_reexports() {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "lib.rs",
        "mod one; mod other; mod tested; pub use one::low::One;",
    );
    write(
        "one/mod.rs",
        "mod high; pub(crate) mod low; pub(crate) use high::High;",
    );
    write(
        "one/high.rs",
        "pub(crate) struct High; use crate::other::Other;",
    );
    write("one/low.rs", "pub struct One(super::High);");
    write(
        "other.rs",
        "pub(crate) struct Other; fn f() { vec![crate::One] }",
    );
    write(
        "tested.rs",
        "use crate::other::Other; #[cfg(test)] mod tests { use super::*; use crate::One; }",
    );
    let cycles = |path: &str| Modules::read(&dir.path().join(path)).cycles();
    assert_eq!(cycles(""), BTreeSet::from(["{one,other}".to_owned()]));
    write(
        "one/high.rs",
        "pub(crate) struct High; use super::low::One;",
    );
    assert_eq!(cycles(""), BTreeSet::from(["one/{high,low}".to_owned()]));
    write("one/high.rs", "pub(crate) struct High;");
    assert!(cycles("").is_empty());
}
