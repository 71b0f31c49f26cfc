//! This machine's consent in its file, for when no daemon runs: withdrawing must never depend on one.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use blink_proto::{consent::ConsentRecord, paths::Paths};

use crate::exit::Failure;

/// Why the consent file could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConsentFileError {
    /// It could not be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds something else.
    #[error("{} is damaged, which counts as no consent: {source}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// It could not be written.
    #[error("{} cannot be written: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl From<ConsentFileError> for Failure {
    fn from(error: ConsentFileError) -> Self {
        let (code, fix) = match &error {
            ConsentFileError::Read { .. } => ("consent_unreadable", "Make the file readable for you, or delete it."),
            ConsentFileError::Damaged { .. } => {
                ("consent_damaged", "Run `blinkctl consent withdraw` or `blinkctl consent grant` to write it anew.")
            }
            ConsentFileError::Write { .. } => (
                "consent_unwritable",
                "Make the folder writable for you, or delete the file: without it there is no consent.",
            ),
        };
        Self::failed(code, error.to_string(), fix)
    }
}

/// The record, or `None` where nothing was ever recorded.
pub(crate) fn read(paths: &Paths) -> Result<Option<ConsentRecord>, ConsentFileError> {
    let path = paths.consent_file();
    match fs::read(&path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map(Some).map_err(|source| ConsentFileError::Damaged { path, source })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ConsentFileError::Read { path, source }),
    }
}

/// Replaces the record: after a crash at any point the file holds the old one or the new one, whole.
pub(crate) fn write(paths: &Paths, record: &ConsentRecord) -> Result<(), ConsentFileError> {
    let path = paths.consent_file();
    replace(&paths.data, &path, record).map_err(|source| ConsentFileError::Write { path, source })
}

fn replace(folder: &Path, path: &Path, record: &ConsentRecord) -> io::Result<()> {
    make_private_folder(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&mut file, record)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // A folder cannot be opened as a file everywhere; where it can, this makes the rename itself durable.
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .or_else(|error| if cfg!(unix) { Err(error) } else { Ok(()) })
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        assert_eq!(read(&paths).unwrap(), None);
        for record in [ConsentRecord::granted(Timestamp::UNIX_EPOCH), ConsentRecord::withdrawn(Timestamp::UNIX_EPOCH)] {
            write(&paths, &record).unwrap();
            assert_eq!(read(&paths).unwrap(), Some(record));
        }
        assert_eq!(fs::read_dir(&paths.data).unwrap().count(), 1, "nothing temporary is left");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&paths.data), mode(&paths.consent_file())), (0o700, 0o600));
        }
    }

    #[test]
    fn a_damaged_file_is_told_apart_from_none() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        fs::create_dir_all(&paths.data).unwrap();
        fs::write(paths.consent_file(), b"{\"granted\": tr").unwrap();
        assert!(matches!(read(&paths), Err(ConsentFileError::Damaged { .. })));
        write(&paths, &ConsentRecord::withdrawn(Timestamp::UNIX_EPOCH)).unwrap();
        assert!(!read(&paths).unwrap().unwrap().granted);
    }
}
