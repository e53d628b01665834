//! Saving each answer's body as a file of its own.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::outcome::{Failure, FailureKind};

/// Saving of bodies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Save {
    /// The directory, which exists and is empty.
    pub dir: PathBuf,
    /// Flushes each file to the disk before its request is done.
    /// The directory's own entry is left to the system.
    pub fsync: bool,
}

impl Save {
    /// The file of a request: no two of a batch have the same.
    pub fn path(dir: &Path, index: usize) -> PathBuf {
        dir.join(format!("{index:08}.body"))
    }

    /// Saves a body.
    pub(super) fn body(&self, index: usize, body: &[u8]) -> Result<(), Failure> {
        let path = Self::path(&self.dir, index);
        self.write(&path, body).map_err(|error| {
            Failure::new(
                FailureKind::Save,
                format_args!("cannot save {}: {error}", path.display()),
            )
        })
    }

    fn write(&self, path: &Path, body: &[u8]) -> io::Result<()> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        self.fill(file, body).inspect_err(|_| {
            // Half a file would look like an answer.
            let _ = std::fs::remove_file(path);
        })
    }

    fn fill(&self, mut file: File, body: &[u8]) -> io::Result<()> {
        file.write_all(body)?;
        if self.fsync {
            file.sync_data()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_saved_once_under_its_request_s_name() {
        let dir = tempfile::tempdir().unwrap();
        for fsync in [false, true] {
            let save = Save {
                dir: dir.path().to_owned(),
                fsync,
            };
            let index = usize::from(fsync);
            save.body(index, b"body").unwrap();
            assert_eq!(
                std::fs::read(Save::path(dir.path(), index)).unwrap(),
                b"body"
            );
        }
        let save = Save {
            dir: dir.path().join("missing"),
            fsync: false,
        };
        let failure = save.body(3, b"body").unwrap_err();
        assert_eq!(failure.kind, FailureKind::Save);
        assert!(failure.message.contains("00000003.body"), "{failure}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_a_failure_in_words() {
        let dir = tempfile::tempdir().unwrap();
        // A device that is always full takes the place of the file.
        let path = Save::path(dir.path(), 0);
        let save = Save {
            dir: dir.path().to_owned(),
            fsync: false,
        };
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let opened = OpenOptions::new().write(true).open(&path).unwrap();
        let error = { opened }.write_all(b"body").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        // What is there already is never written over.
        assert!(save.body(0, b"body").unwrap_err().message.contains("exist"));
    }
}
