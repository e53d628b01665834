//! A service profile: how the API behaves that the server stands in for.
//!
//! A profile is a TOML file or the name of a preset; on the command line every
//! key can be set by itself. What a profile says is checked when it is read, so
//! that no server starts with a knob out of its range.

mod file;
mod knobs;
mod presets;
mod section;
mod source;
mod times;

pub(crate) use file::LARGEST_FILE;
pub use knobs::Knobs;
pub use presets::{PRESETS, Preset};
pub use source::Source;

pub use crate::model::{Connections, FILE_SIZE, Profile};

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{PRESETS, Source};

    #[test]
    fn settled_text_gives_the_same_profile_without_its_files() {
        for preset in PRESETS {
            let source = Source::open(preset.name).expect("a preset");
            let (profile, text) = source.settle().expect("a profile");
            let again = Source::from_text(&text, Path::new("/nowhere")).expect("TOML");
            let again = again.finish().expect("a profile");
            assert_eq!(again, profile, "{}", preset.name);
            assert_eq!(again.digest(), profile.digest());
        }
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("times"), "1ms\n# a comment\n2.5ms\n").expect("written");
        let path = dir.path().join("p.toml");
        let text = "service_time = { kind = 'trace', file = 'times' }";
        std::fs::write(&path, text).expect("written");
        let source = Source::open(path.to_str().expect("a path")).expect("a profile");
        let (profile, text) = source.settle().expect("a profile");
        drop(dir);
        let again = Source::from_text(&text, Path::new(".")).and_then(Source::finish);
        assert_eq!(again.as_ref(), Ok(&profile), "{text}");
        let mut other = profile.clone();
        other.file_size += 1;
        assert_ne!(other.digest(), profile.digest());
    }
}
