//! Where a profile comes from: a preset or a file, with single keys set over it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::section::read_text;
use super::{PRESETS, file, times};
use crate::duration;
use crate::model::Profile;

/// A profile that is being put together, the later over the earlier.
#[derive(Clone, Debug, Default)]
pub struct Source {
    table: toml::Table,
    /// Where relative paths in the profile start.
    folder: PathBuf,
}

impl Source {
    /// The profile that a command line describes: the preset or file, then the
    /// delay in place of its service time, then each key that is set.
    ///
    /// # Errors
    /// A sentence that names the profile or the key, its value and its range.
    pub fn resolve(
        name: Option<&str>,
        delay: Option<Duration>,
        settings: &[String],
    ) -> Result<Profile, String> {
        Self::gather(name, delay, settings)?.finish()
    }

    /// The same, still to be checked.
    ///
    /// # Errors
    /// As [`Source::open`] and [`Source::set`].
    pub fn gather(
        name: Option<&str>,
        delay: Option<Duration>,
        settings: &[String],
    ) -> Result<Self, String> {
        let mut source = name.map_or_else(|| Ok(Self::default()), Self::open)?;
        if let Some(delay) = delay {
            source.set_delay(delay);
        }
        for setting in settings {
            source.set(setting)?;
        }
        Ok(source)
    }

    /// A preset by its name, or a TOML file by its path.
    ///
    /// # Errors
    /// When it is neither, cannot be read, or is not TOML; the message names the
    /// presets there are.
    pub fn open(name: &str) -> Result<Self, String> {
        if let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) {
            return Self::from_text(preset.text, Path::new("."));
        }
        let path = Path::new(name);
        let text = read_text(path, LONGEST).map_err(|error| {
            let names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
            format!(
                "`{name}` is no preset, and no file that can be read ({error}); the presets are {}",
                names.join(", ")
            )
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::from_text(&text, folder).map_err(|error| format!("{name}: {error}"))
    }

    /// A profile that is TOML text; relative paths in it start at `folder`.
    ///
    /// # Errors
    /// When it is not TOML.
    pub fn from_text(text: &str, folder: &Path) -> Result<Self, String> {
        let table = text
            .parse()
            .map_err(|error: toml::de::Error| error.to_string())?;
        Ok(Self {
            table,
            folder: folder.to_owned(),
        })
    }

    /// Sets the service time to a fixed one.
    pub fn set_delay(&mut self, delay: Duration) {
        let fixed = [
            ("kind", "fixed".to_owned()),
            ("time", duration::format(delay)),
        ];
        let table = fixed.map(|(key, value)| (key.to_owned(), toml::Value::String(value)));
        self.table.insert(
            "service_time".to_owned(),
            toml::Value::Table(table.into_iter().collect()),
        );
    }

    /// Sets one key, as in `rate_limit.rate=50` or
    /// `service_time={kind="exponential",mean="20ms"}`. A value that is not TOML
    /// is taken as text, so that `body.gap=5ms` needs no quotes.
    ///
    /// # Errors
    /// When there is no `=`, or a part of the key is not a table.
    pub fn set(&mut self, assignment: &str) -> Result<(), String> {
        let wrong = || {
            format!("`{assignment}` is no setting: expected KEY=VALUE, as in rate_limit.rate=50")
        };
        let (path, value) = assignment.split_once('=').ok_or_else(wrong)?;
        let value = parse_value(value.trim());
        let mut parts: Vec<_> = path.trim().split('.').collect();
        // No key is that deep, and a table that is deeper than the stack cannot
        // even be dropped.
        if parts.len() > DEEPEST {
            return Err(wrong());
        }
        let key = parts
            .pop()
            .filter(|key| !key.is_empty())
            .ok_or_else(wrong)?;
        let mut table = &mut self.table;
        for part in parts {
            let inner = table
                .entry(part)
                .or_insert_with(|| toml::Value::Table(toml::Table::new()));
            table = inner.as_table_mut().ok_or_else(wrong)?;
        }
        if key == "kind" && table.get("kind").is_some_and(|kind| *kind != value) {
            // What the other kind was made of means nothing to this one.
            table.clear();
        }
        table.insert(key.to_owned(), value);
        Ok(())
    }

    /// Checks it all.
    ///
    /// # Errors
    /// A sentence that names the key, its value and its range.
    pub fn finish(self) -> Result<Profile, String> {
        file::read(self.table, &self.folder)
    }

    /// Checks it all, and returns it as TOML text as well, with the times of a
    /// trace's file in it: every file is read once, and the text is the profile
    /// whatever becomes of them.
    ///
    /// # Errors
    /// As [`Source::finish`].
    pub fn settle(mut self) -> Result<(Profile, String), String> {
        times::inline(&mut self.table, &self.folder)?;
        let text = self.table.to_string();
        Ok((self.finish()?, text))
    }
}

/// The longest profile, in bytes.
const LONGEST: u64 = 1 << 20;

/// The most parts of a key that is set.
const DEEPEST: usize = 8;

fn parse_value(text: &str) -> toml::Value {
    format!("v={text}")
        .parse::<toml::Table>()
        .ok()
        // A line break in the text may begin another key: that is no value.
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("v"))
        .unwrap_or_else(|| toml::Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ServiceTime;
    use std::fs::File;

    #[test]
    fn keys_are_set_over_a_preset() {
        let mut source = Source::open("rate-limited").unwrap();
        source.set("rate_limit.rate=50").unwrap();
        source.set("body.chunk = 10").unwrap();
        source.set("body.gap=5ms").unwrap();
        source.set_delay(Duration::from_millis(1));
        let profile = source.finish().unwrap();
        assert_eq!(profile.rate_limit.unwrap().rate, 50.0);
        assert_eq!(profile.pacing.gap, Duration::from_millis(5));
        assert_eq!(
            profile.service_time,
            ServiceTime::Fixed(Duration::from_millis(1))
        );
    }

    #[test]
    fn another_kind_of_service_time_starts_anew() {
        let mut source = Source::open("long-tail").unwrap();
        source.set("service_time.kind=exponential").unwrap();
        source.set("service_time.mean=20ms").unwrap();
        let mean = Duration::from_millis(20);
        assert_eq!(
            source.finish().unwrap().service_time,
            ServiceTime::Exponential { mean }
        );
    }

    #[test]
    fn a_key_of_many_parts_is_refused() {
        let setting = format!("service_time{}=1", ".x".repeat(1_000_000));
        let error = Source::default().set(&setting).unwrap_err();
        assert!(error.contains("is no setting"));
    }

    #[test]
    fn a_line_break_does_not_hide_a_second_key() {
        let mut source = Source::default();
        source.set("capacity.servers=1\nqueue=2").unwrap();
        assert!(source.finish().is_err());
    }

    #[test]
    fn what_is_no_setting_is_named() {
        for text in ["rate", "=1", "rate_limit.rate.x=1"] {
            let mut source = Source::open("rate-limited").unwrap();
            let error = source.set(text).expect_err(text);
            assert!(error.contains(text), "{error}");
        }
        let error = Source::open("stedy").unwrap_err();
        assert!(
            error.contains("stedy") && error.contains("steady"),
            "{error}"
        );
    }

    #[test]
    fn a_file_without_an_end_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.toml");
        let size = |bytes| File::create(&path).unwrap().set_len(bytes).unwrap();
        size(1 << 27);
        let error = Source::open(path.to_str().unwrap()).unwrap_err();
        assert!(error.contains("more than 1 MiB"), "{error}");
        let mut source = Source::from_text("service_time.kind = 'trace'", folder.path()).unwrap();
        source.set("service_time.file=long.toml").unwrap();
        let error = source.clone().finish().unwrap_err();
        assert!(error.contains("more than 64 MiB"), "{error}");
        // Up to its limit a file is read, and judged by what is in it.
        size(1 << 20);
        let error = Source::open(path.to_str().unwrap()).unwrap_err();
        assert!(!error.contains("MiB"), "{error}");
        std::fs::write(&path, b"\xff").unwrap();
        let error = source.finish().unwrap_err();
        assert!(error.contains("not UTF-8"), "{error}");
    }

    #[test]
    fn a_trace_is_found_beside_its_profile() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("times.txt"), "# recorded\n5ms\n\n7ms\n").unwrap();
        let path = folder.path().join("profile.toml");
        std::fs::write(
            &path,
            "service_time = { kind = 'trace', file = 'times.txt' }",
        )
        .unwrap();
        let profile = Source::open(path.to_str().unwrap())
            .unwrap()
            .finish()
            .unwrap();
        let times = [5, 7].map(Duration::from_millis).to_vec();
        assert_eq!(profile.service_time, ServiceTime::Trace(times));
    }
}
