//! The corpus of the fuzz targets, held against the same checks on every run of
//! the tests: what fuzzing once found stays found.

use std::path::Path;

use crate::checks;

/// Runs a check on each file of a target's corpus.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(target);
    let mut count = 0;
    for file in std::fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        // The captured output names the file that fails.
        println!("{}", path.display());
        check(&std::fs::read(&path).unwrap());
        count += 1;
    }
    assert!(count > 0, "{} is empty", folder.display());
}

#[test]
fn every_profile_is_read_or_refused() {
    replay("profile", checks::profile::check);
    for preset in mock_server::profile::PRESETS {
        checks::profile::check(preset.text.as_bytes());
    }
}

#[test]
fn every_setting_is_taken_or_refused() {
    replay("setting", checks::setting::check);
}

#[test]
fn every_expectation_is_proved_or_refused() {
    replay("expectation", checks::expectation::check);
}

#[test]
fn every_request_is_answered_or_the_connection_closed() {
    replay("request", checks::request::check);
}
