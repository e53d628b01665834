//! Any text is a profile, or an error that says why.

use std::path::Path;
use std::time::Duration;

use mock_server::duration;
use mock_server::journal::Route;
use mock_server::profile::{Profile, Source};

fn read(text: &str) -> Result<Profile, String> {
    Source::from_text(text, Path::new(".")).and_then(Source::finish)
}

/// Whether a profile takes its times from a file, which may be any that there is.
fn names_a_file(table: &toml::Table) -> bool {
    let time = table.get("service_time").and_then(toml::Value::as_table);
    time.is_some_and(|time| time.contains_key("file"))
}

/// Reads it; what is accepted means the same when it is written anew, and gives
/// service times in their range.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(table) = text.parse::<toml::Table>() else {
        let error = read(text).expect_err("what is no TOML is no profile");
        assert!(!error.trim().is_empty());
        return;
    };
    if names_a_file(&table) {
        return;
    }
    let read_first = read(text);
    let written = toml::to_string(&table).expect("what was read can be written");
    assert_eq!(
        read(&written).ok(),
        read_first.as_ref().ok().cloned(),
        "{written}"
    );
    match read_first {
        Ok(profile) => draw(&profile),
        Err(error) => assert!(!error.trim().is_empty()),
    }
}

/// Draws some service times, and takes their mean.
pub(crate) fn draw(profile: &Profile) {
    let times = &profile.service_time;
    for id in ["0", "1", "", "a long id that fills more than one word"] {
        let drawn = times.of_first(1, Route::Products, id);
        assert!((Duration::ZERO..=duration::LONGEST).contains(&drawn));
        assert_eq!(drawn, times.of_first(1, Route::Products, id));
    }
    // It may be infinite, and must not panic.
    let _ = times.mean();
}
