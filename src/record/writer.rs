//! Writes a record line by line, beside its place until it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::file::Line;
use super::{Ending, FILE_NAME, PARTIAL_NAME, Sample, Session};
use crate::secrets::masked;

/// Writes a record line by line, as it comes to be.
///
/// The lines go to a file of their own beside the final one, which takes its
/// place when the session ends: a record that stands is whole, and an older one
/// is kept until then. An unfinished record of an earlier session is kept too,
/// under another name.
#[derive(Debug)]
pub struct Writer {
    file: io::BufWriter<File>,
    partial: PathBuf,
    path: PathBuf,
    samples: usize,
    set_aside: Option<PathBuf>,
}

impl Writer {
    /// Begins a record in a directory that exists.
    ///
    /// # Errors
    /// Where the directory cannot be written, another session is writing a record
    /// there, or the unfinished record's name is taken by something else than a
    /// file.
    pub fn create(dir: &Path, session: &Session) -> io::Result<Self> {
        let partial = dir.join(PARTIAL_NAME);
        let (file, set_aside) = own(&partial)?;
        let mut writer = Self {
            file: io::BufWriter::new(file),
            partial,
            path: dir.join(FILE_NAME),
            samples: 0,
            set_aside,
        };
        let line = serde_json::to_string(&Line::Session(Box::new(session.clone())))?;
        writeln!(writer.file, "{}", masked(&line))?;
        writer.file.flush()?;
        Ok(writer)
    }

    /// Where the samples of an earlier session that did not end are now.
    pub fn set_aside(&self) -> Option<&Path> {
        self.set_aside.as_deref()
    }

    /// Adds a sample, and hands it to the system before it returns.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn sample(&mut self, mut sample: Sample) -> io::Result<()> {
        sample.mask();
        self.line(&Line::Sample(Box::new(sample)))?;
        self.samples += 1;
        Ok(())
    }

    /// Samples written so far.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Gives the record up; an older one in its place stays as it is.
    ///
    /// # Errors
    /// Where the unfinished file cannot be removed.
    pub fn discard(self) -> io::Result<()> {
        fs::remove_file(&self.partial)
    }

    /// Closes the record and puts it in its place.
    ///
    /// # Errors
    /// Where it cannot be written or moved.
    pub fn finish(mut self, ending: Ending) -> io::Result<()> {
        self.line(&Line::End(ending))?;
        fs::rename(&self.partial, &self.path)
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        serde_json::to_writer(&mut self.file, line)?;
        self.file.write_all(b"\n")?;
        self.file.flush()
    }
}

/// An empty file at a path, for this process alone. One with samples that stood
/// there is moved aside; its new path comes second.
fn own(path: &Path) -> io::Result<(File, Option<PathBuf>)> {
    let mut set_aside = None;
    loop {
        let file = locked(path)?;
        if holds_samples(path)? {
            let aside = free_name(path);
            fs::rename(path, &aside)?;
            set_aside = Some(aside);
            continue;
        }
        file.set_len(0)?;
        return Ok((file, set_aside));
    }
}

/// The file at a path, which is made where it is missing, for this process alone.
fn locked(path: &Path) -> io::Result<File> {
    loop {
        if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "{} is a link, or no file: remove it, or choose another directory with --out",
                    path.display()
                ),
            ));
        }
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            // A link that was put there since would be followed to its target.
            .custom_flags(nix::libc::O_NOFOLLOW)
            .open(path)?;
        // The lock ends with the process, however that ends.
        file.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another fanout is writing a record there",
            ),
            fs::TryLockError::Error(error) => error,
        })?;
        // Before it was locked another session may have ended, and moved it.
        if is_at(&file, path)? {
            return Ok(file);
        }
    }
}

/// Whether a file is still the one at a path.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let own = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (own.dev(), own.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether an unfinished record holds more than its first line.
fn holds_samples(path: &Path) -> io::Result<bool> {
    let mut reader = BufReader::new(File::open(path)?);
    reader.skip_until(b'\n')?;
    Ok(!reader.fill_buf()?.is_empty())
}

/// The first name after a path's that nothing has: `record.jsonl.partial.1`.
fn free_name(path: &Path) -> PathBuf {
    let mut number = 1_u64;
    loop {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        let name = PathBuf::from(name);
        if fs::symlink_metadata(&name).is_err() {
            return name;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::Writer;
    use crate::record::{Ending, FILE_NAME, PARTIAL_NAME, Record};

    /// The committed reference, as a record to write again.
    fn sweep() -> Record {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        Record::read(&root.join("results/reference").join(FILE_NAME)).expect("a record")
    }

    #[test]
    fn unfinished_samples_are_kept_under_another_name() {
        let dir = tempfile::tempdir().expect("a directory");
        let record = sweep();
        for number in 1..=2 {
            let mut cut_off = Writer::create(dir.path(), &record.session).expect("begun");
            cut_off.sample(record.samples[0].clone()).expect("written");
            drop(cut_off);
            let next = Writer::create(dir.path(), &record.session).expect("begun");
            let aside = dir.path().join(format!("{PARTIAL_NAME}.{number}"));
            assert_eq!(next.set_aside(), Some(aside.as_path()));
            let kept = Record::read_partial(&aside).expect("a record");
            assert_eq!(kept.samples.len(), 1);
            assert_eq!(kept.samples[0].cell, record.samples[0].cell);
            next.discard().expect("removed");
        }
    }

    #[test]
    fn an_unfinished_record_without_samples_is_replaced() {
        let dir = tempfile::tempdir().expect("a directory");
        let record = sweep();
        drop(Writer::create(dir.path(), &record.session).expect("begun"));
        let next = Writer::create(dir.path(), &record.session).expect("begun");
        assert_eq!(next.set_aside(), None);
        next.finish(Ending::Interrupted).expect("finished");
        assert!(dir.path().join(FILE_NAME).exists());
    }

    #[test]
    fn a_link_in_the_place_of_a_record_is_not_followed() {
        let dir = tempfile::tempdir().expect("a directory");
        let target = dir.path().join("precious");
        fs::write(&target, "precious\nand more\n").expect("written");
        let link = dir.path().join(PARTIAL_NAME);
        std::os::unix::fs::symlink(&target, &link).expect("linked");
        let error = Writer::create(dir.path(), &sweep().session).expect_err("a link");
        assert!(error.to_string().contains("--out"), "{error}");
        assert_eq!(fs::read(&target).expect("there"), b"precious\nand more\n");
        fs::remove_file(&link).expect("removed");
        let _socket = std::os::unix::net::UnixListener::bind(&link).expect("a socket");
        Writer::create(dir.path(), &sweep().session).expect_err("a socket");
    }
}
