//! Any text after `--set` is a setting, or an error that names it.

use std::path::Path;

use mock_server::profile::{Profile, Source};

use super::profile::draw;

/// Sets it over nothing and over presets. Over nothing it means what the same
/// line means in a profile.
pub(crate) fn check(data: &[u8]) {
    let Ok(setting) = std::str::from_utf8(data) else {
        return;
    };
    // A trace may name any file that there is.
    if setting.contains("trace") || setting.contains("\\u") || setting.contains("\\x") {
        return;
    }
    for base in ["flaky", "slow-download", "overloaded"] {
        let mut source = Source::open(base).expect("a preset is a profile");
        match source.set(setting) {
            Ok(()) => judge(&source.finish()),
            Err(error) => assert!(error.contains(setting)),
        }
    }
    let mut source = Source::default();
    let set = source.set(setting).and_then(|()| source.finish());
    judge(&set);
    if let Some(line) = as_line(setting) {
        let written = Source::from_text(&line, Path::new(".")).and_then(Source::finish);
        assert_eq!(set.ok(), written.ok(), "{line}");
    }
}

fn judge(profile: &Result<Profile, String>) {
    match profile {
        Ok(profile) => draw(profile),
        Err(error) => assert!(!error.trim().is_empty()),
    }
}

/// The line of a profile that says the same, for settings of which that is plain.
fn as_line(setting: &str) -> Option<String> {
    let (key, value) = setting.split_once('=')?;
    let (key, value) = (key.trim(), value.trim());
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let is_key = |part: &str| !part.is_empty() && part.chars().all(plain);
    let is_plain = key.split('.').all(is_key) && !value.contains(['\n', '\r']);
    let line = format!("{key} = {value}");
    let parses = |line: &str| line.parse::<toml::Table>().is_ok();
    if !is_plain || key.split('.').count() > 8 {
        None
    } else if parses(&line) {
        Some(line)
    } else {
        // What is no TOML value is text.
        Some(format!("{key} = {}", toml::Value::String(value.to_owned())))
    }
}
