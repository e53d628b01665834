//! Puts whole files in their place: a reader, or a run that is cut short,
//! never meets half of one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a file of a report could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}; name a writable directory with --out DIR", path.display())]
pub struct WriteError {
    /// The file or directory.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Makes a directory and those above it, where they are missing.
///
/// # Errors
/// Where it cannot be made, or something else has its name.
pub fn make_directory(dir: &Path) -> Result<(), WriteError> {
    fs::create_dir_all(dir).map_err(naming(dir))
}

/// The directories that were made for files to come. Dropped, those that nothing
/// came into are gone.
#[derive(Debug)]
#[must_use = "what is made is removed when this is dropped"]
pub struct Made(Vec<PathBuf>);

impl Made {
    /// Makes a directory and those above it, where they are missing.
    ///
    /// # Errors
    /// Where it cannot be made, or something else has its name.
    pub fn directory(dir: &Path) -> Result<Self, WriteError> {
        let missing = |dir: &&Path| !dir.as_os_str().is_empty() && !dir.exists();
        let made = Self(
            dir.ancestors()
                .take_while(missing)
                .map(Path::to_owned)
                .collect(),
        );
        make_directory(dir)?;
        Ok(made)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for dir in &self.0 {
            // It fails where something is in it.
            let _ = fs::remove_dir(dir);
        }
    }
}

/// A directory for files that nobody keeps: it is emptied now, and is gone when
/// this is dropped.
#[derive(Debug)]
#[must_use = "the directory is removed when this is dropped"]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Removes what an earlier run left there.
    pub fn cleared(dir: PathBuf) -> Self {
        let scratch = Self(dir);
        scratch.clear();
        scratch
    }

    fn clear(&self) {
        // What cannot be removed is in nobody's way until a file has its name.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A file's new content, whole, beside the place that it is to take. Dropped, it
/// is gone.
#[derive(Debug)]
pub struct Staged {
    file: tempfile::NamedTempFile<File>,
    path: PathBuf,
}

impl Staged {
    /// Writes a file beside its place.
    ///
    /// # Errors
    /// Where the directory does not exist or cannot be written.
    pub fn write(path: &Path, content: &[u8]) -> Result<Self, WriteError> {
        let dir = path.parent().unwrap_or(Path::new("."));
        // Created by ourselves, because a temporary file's usual permissions
        // would hide the report from everyone else.
        let mut file = tempfile::Builder::new()
            .prefix(".fanout-")
            .make_in(dir, |path| File::create_new(path))
            .map_err(naming(path))?;
        file.write_all(content).map_err(naming(path))?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Moves it to its place, over whatever was there before, and returns that.
    ///
    /// # Errors
    /// Where it cannot be moved; then what was there stays as it was.
    pub fn place(self) -> Result<PathBuf, WriteError> {
        let Self { file, path } = self;
        file.persist(&path)
            .map_err(|error| naming(&path)(error.error))?;
        Ok(path)
    }
}

/// Removes a file, if it is there.
///
/// # Errors
/// Where it is there and cannot be removed.
pub fn remove(path: &Path) -> Result<(), WriteError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(naming(path)(error)),
        _ => Ok(()),
    }
}

fn naming(path: &Path) -> impl Fn(io::Error) -> WriteError {
    let path = path.to_owned();
    move |source| WriteError {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Made, Scratch, Staged, WriteError, remove};

    fn replace(path: &std::path::Path, content: &[u8]) -> Result<(), WriteError> {
        Staged::write(path, content)?.place().map(|_| ())
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("summary.csv");
        replace(&path, b"a longer first version").expect("written");
        replace(&path, b"second").expect("written");
        assert_eq!(fs::read(&path).expect("a file"), b"second");
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
    }

    #[test]
    fn what_cannot_be_replaced_stays_and_leaves_no_litter() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("runtime.svg");
        fs::create_dir(&path).expect("a directory in the way");
        fs::write(path.join("inside"), "kept").expect("written");
        let error = replace(&path, b"<svg/>").expect_err("a directory in the way");
        assert!(error.to_string().contains("runtime.svg"));
        assert!(path.join("inside").exists());
        assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
    }

    #[test]
    fn removing_what_is_not_there_is_no_error() {
        let dir = tempfile::tempdir().expect("a directory");
        remove(&dir.path().join("runtime.png")).expect("nothing to do");
    }

    #[test]
    fn made_directories_go_unless_something_is_in_them() {
        let dir = tempfile::tempdir().expect("a directory");
        let (outer, inner) = (dir.path().join("a"), dir.path().join("a/b"));
        drop(Made::directory(&inner).expect("made"));
        assert!(!outer.exists() && dir.path().exists());
        let made = Made::directory(&inner).expect("made");
        fs::write(outer.join("file"), "kept").expect("written");
        drop(made);
        assert!(outer.exists() && !inner.exists());
        drop(Made::directory(&outer).expect("there"));
        drop(Made::directory(&outer.join("file/c")).expect_err("a file in the way"));
        assert!(outer.join("file").exists());
    }

    #[test]
    fn scratch_holds_nothing_of_earlier_runs_or_after() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("files.partial");
        fs::create_dir_all(path.join("earlier")).expect("made");
        let scratch = Scratch::cleared(path.clone());
        assert!(!path.exists());
        fs::create_dir_all(path.join("sample")).expect("made");
        drop(scratch);
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_a_report() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().expect("a directory");
        let (written, plain) = (dir.path().join("written"), dir.path().join("plain"));
        replace(&written, b"x").expect("written");
        fs::write(&plain, b"x").expect("written");
        let mode = |path| fs::metadata(path).expect("a file").permissions().mode();
        assert_eq!(mode(&written), mode(&plain));
    }
}
