//! What a sample saved: a directory of its own, looked through when the batch
//! has ended, and removed unless it is to be kept.

use std::fs;
use std::path::{Path, PathBuf};

use crate::client::Save;
use crate::outcome::Response;
use crate::record::Outcomes;
use crate::workload::Workload;

/// The directory of a sample's files. It is removed, with what is in it, when
/// this is dropped, unless it is to be kept.
pub(super) struct SavedFiles {
    dir: PathBuf,
    kept: bool,
}

impl SavedFiles {
    /// Makes the directory; `None` where nothing is saved.
    ///
    /// # Errors
    /// Where it cannot be made, or something is in it already.
    pub(super) fn prepare(save: Option<&Save>, kept: bool) -> Result<Option<Self>, String> {
        let Some(Save { dir, .. }) = save else {
            return Ok(None);
        };
        let failed = |error| format!("cannot make {} for files: {error}", dir.display());
        if let Some(parent) = dir.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        fs::create_dir(dir).map_err(failed)?;
        Ok(Some(Self {
            dir: dir.clone(),
            kept,
        }))
    }

    /// Checks that for each request that succeeded there is a file that holds
    /// what its answer should be, and that no file is of no request.
    ///
    /// # Errors
    /// A sentence that names the first file that is not as it should be.
    pub(super) fn verify(
        &self,
        workload: &dyn Workload,
        outcomes: &Outcomes,
    ) -> Result<(), String> {
        for (index, ok) in outcomes.index.iter().zip(&outcomes.ok) {
            if !ok {
                continue;
            }
            let path = Save::path(&self.dir, *index as usize);
            let wrong = |detail: &dyn std::fmt::Display| {
                format!(
                    "what was saved in {} is not what came: {detail}",
                    path.display()
                )
            };
            let body = fs::read(&path).map_err(|error| wrong(&error))?;
            let saved = Response::new(200, body);
            let verdict = workload.check(*index as usize, &saved);
            verdict.map_err(|failure| wrong(&failure.message))?;
        }
        let failed = |error| format!("cannot look through {}: {error}", self.dir.display());
        let files = fs::read_dir(&self.dir).map_err(failed)?.count();
        if files > workload.requests() {
            return Err(format!(
                "{} holds {files} files of {} requests",
                self.dir.display(),
                workload.requests()
            ));
        }
        Ok(())
    }
}

/// Removes a sample's directory, while files may still be saved there, and the one
/// above it where that is empty now.
pub(super) fn remove_in_use(dir: &Path) {
    // Under another name no further file is begun in it; those that were begun
    // are few.
    let mut aside = dir.as_os_str().to_owned();
    aside.push(format!(".{}", std::process::id()));
    if fs::rename(dir, &aside).is_ok() {
        let _ = (0..ATTEMPTS).find(|_| fs::remove_dir_all(&aside).is_ok());
    }
    if let Some(parent) = dir.parent() {
        let _ = fs::remove_dir(parent);
    }
}

/// How often a directory in use is tried to be removed.
const ATTEMPTS: usize = 100;

impl Drop for SavedFiles {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed is left: the measurement stands.
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}
