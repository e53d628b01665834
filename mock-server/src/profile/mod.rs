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

use std::time::Duration;

pub(crate) use file::LARGEST_FILE;
pub use knobs::Knobs;
pub use presets::{PRESETS, Preset};
pub use source::Source;

use crate::model::{Capacity, Faults, Load, Outage, Pacing, RateLimit, ServiceTime, WarmUp};

/// How a service behaves. The default is a fixed service time of 200 ms and
/// nothing else.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// What it stands for, for people.
    pub description: String,
    /// How long a request is served.
    pub service_time: ServiceTime,
    /// How many requests are served at once, and how many may wait.
    pub capacity: Option<Capacity>,
    /// How service slows down with the number of requests in service.
    pub load: Option<Load>,
    /// How many requests are admitted per second.
    pub rate_limit: Option<RateLimit>,
    /// What happens to connections.
    pub connections: Connections,
    /// How large the bodies of `/files/{id}` are, in bytes, unless the request
    /// says otherwise.
    pub file_size: usize,
    /// How bodies are sent.
    pub pacing: Pacing,
    /// What goes wrong.
    pub faults: Faults,
    /// Slower service at the start of a run.
    pub warm_up: Option<WarmUp>,
    /// Times at which every request is refused.
    pub outages: Vec<Outage>,
}

/// What happens to connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// How long a connection waits before its first request is read.
    pub accept_delay: Duration,
    /// Connections open at once, at least 1; others wait to be accepted.
    pub max: Option<u32>,
    /// Requests on one connection, at least 1; then it is closed.
    pub requests: Option<u32>,
    /// How long a connection may be idle.
    pub idle_timeout: Option<Duration>,
}

/// The size of a file in the article that `/files/{id}` is modelled on.
pub const FILE_SIZE: usize = 20_600;

impl Default for Profile {
    fn default() -> Self {
        Self {
            description: String::new(),
            service_time: ServiceTime::Fixed(Duration::from_millis(200)),
            capacity: None,
            load: None,
            rate_limit: None,
            connections: Connections::default(),
            file_size: FILE_SIZE,
            pacing: Pacing::default(),
            faults: Faults::default(),
            warm_up: None,
            outages: Vec::new(),
        }
    }
}

impl Profile {
    /// A digest of everything that the profile says, by which two processes can
    /// tell that they have the same one: FNV-1a of 64 bits, in hexadecimal. It
    /// is no proof against somebody who means harm.
    #[must_use]
    pub fn digest(&self) -> String {
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let hash = format!("{self:?}").bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
        format!("{hash:016x}")
    }
}

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
