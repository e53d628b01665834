//! The files of a summary with several profiles, or of records side by side: what
//! speaks of all of them in the result directory, and a directory of each beneath
//! it.

use std::path::{Path, PathBuf};

use super::{EXPORTS, Error, Export, csv, html, markdown, plot, write};
use crate::analysis::Summary;

/// What can speak of several profiles.
const OVERVIEW: &[Export] = &[
    csv::EXPORT,
    markdown::EXPORT,
    html::EXPORT,
    plot::WINS_SVG,
    plot::WINS_PNG,
];

/// Writes every file of [`EXPORTS`] into a directory, and returns the paths of
/// those written. With several profiles each has them in a directory of its own
/// beneath this one, which holds what speaks of all of them.
///
/// # Errors
/// Where a file cannot be rendered or written. See [`write()`].
pub fn write_session(summary: &Summary, dir: &Path) -> Result<Vec<PathBuf>, Error> {
    if summary.profiles.is_empty() {
        return write(summary, dir, EXPORTS);
    }
    // What speaks of one profile alone would be an older session's.
    let overview = EXPORTS.iter().map(|export| {
        let speaks_of_all = OVERVIEW.iter().any(|other| other.file == export.file);
        Export {
            render: if speaks_of_all {
                export.render
            } else {
                |_| Ok(None)
            },
            ..*export
        }
    });
    let mut written = write(summary, dir, &overview.collect::<Vec<_>>())?;
    for (profile, name) in summary.profiles.iter().zip(directories(summary)) {
        written.extend(write(profile, &dir.join(name), EXPORTS)?);
    }
    Ok(written)
}

/// The name of each profile's directory: that of the profile, or of its file
/// without the ending, in characters that stand in any path.
pub(crate) fn directories(summary: &Summary) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for profile in &summary.profiles {
        let profile = profile.name.as_deref().unwrap_or_default();
        // Of a path its last part; a name may have a point in it.
        let profile = profile.strip_suffix(".toml").unwrap_or(profile);
        let stem = Path::new(profile).file_name().unwrap_or_default();
        let plain = |c: char| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => c,
            _ => '-',
        };
        let stem: String = stem.to_string_lossy().chars().map(plain).collect();
        let mut name = if stem.is_empty() {
            "profile".to_owned()
        } else {
            stem.clone()
        };
        let mut number = 1;
        while names.contains(&name) {
            number += 1;
            name = format!("{stem}-{number}");
        }
        names.push(name);
    }
    names
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{EXPORTS, directories, write_session};
    use crate::analysis::Summary;
    use crate::analysis::fixture::{sweep, two_profiles};

    #[test]
    fn each_profile_has_its_files_and_all_of_them_an_overview() {
        let dir = tempfile::tempdir().expect("a directory");
        // A plot of an older session would be taken for this one's.
        write_session(&Summary::of(&sweep()), dir.path()).expect("written");
        let written = write_session(&Summary::of(&two_profiles()), dir.path()).expect("written");
        // The overview's five files; a profile has all but its two plots.
        assert_eq!(written.len(), 5 + 2 * (EXPORTS.len() - 2));
        for path in &written {
            assert!(path.exists(), "{path:?}");
        }
        assert!(!dir.path().join("runtime.svg").exists());
        assert!(dir.path().join("slow/runtime.svg").exists());
        let csv = fs::read_to_string(dir.path().join("summary.csv")).expect("a summary");
        assert_eq!(csv.lines().count(), 1 + 5);
        let slow = fs::read_to_string(dir.path().join("slow/summary.csv")).expect("a summary");
        assert_eq!(slow.lines().count(), 1 + 2);
    }

    #[test]
    fn directories_are_plain_and_distinct() {
        let mut summary = Summary::of(&two_profiles());
        let mut named = |first: &str, second: &str| {
            for (profile, name) in summary.profiles.iter_mut().zip([first, second]) {
                profile.name = Some(name.to_owned());
            }
            directories(&summary)
        };
        assert_eq!(named("steady", "long-tail"), ["steady", "long-tail"]);
        assert_eq!(named("a/slow.toml", "b/slow.toml"), ["slow", "slow-2"]);
        assert_eq!(named("..", "größe 1.toml"), ["profile", "gr--e-1"]);
    }
}
