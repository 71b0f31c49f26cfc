//! Small JSON files, written completely or not at all.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The content is not of the expected type.
    #[error("{} is damaged: {source}", path.display())]
    Damaged {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
}

impl FileError {
    /// The reason for the logs, without the file's name, which may name the person, and without its content.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::Read { source, .. } => format!("it cannot be read: {}", source.kind()),
            // The error of a half written file names that file, so only its kind is told.
            Self::Write { source, .. } => format!("it cannot be written: {}", source.kind()),
            Self::Damaged { source, .. } => {
                format!("it is damaged at line {}, column {}", source.line(), source.column())
            }
        }
    }
}

/// Reads `path`; `None` where there is no such file.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, FileError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(FileError::Read { path: path.to_owned(), source }),
    };
    let damaged = |source| FileError::Damaged { path: path.to_owned(), source };
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

/// Writes `value` to `path`, readable by its owner alone. A crash leaves the old file or the new one.
pub fn save<T: Serialize>(path: &Path, value: &T) -> Result<(), FileError> {
    let write = || {
        blink_files::private_folder(blink_files::folder_of(path))?;
        blink_files::save(path, blink_files::PRIVATE, |file| {
            serde_json::to_writer_pretty(&mut *file, value)?;
            file.write_all(b"\n")
        })
    };
    write().map_err(|source| FileError::Write { path: path.to_owned(), source })
}

/// Removes `path` if it is there.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(FileError::Write { path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_private_whole_and_its_damage_is_told_from_its_absence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/file.json");
        assert_eq!(load::<Vec<u32>>(&path).unwrap(), None);
        save(&path, &vec![1, 2]).unwrap();
        assert_eq!(load::<Vec<u32>>(&path).unwrap(), Some(vec![1, 2]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        }
        fs::write(&path, "[1, 2").unwrap();
        assert!(matches!(load::<Vec<u32>>(&path), Err(FileError::Damaged { .. })));
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_logged_of_a_failure_names_no_file_and_quotes_none() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("folder");
        fs::create_dir(&folder).unwrap();
        let damaged = home.path().join("damaged.json");
        fs::write(&damaged, "\"ada@example.org\"").unwrap();
        let beneath = damaged.join("file.json");
        let failures = [
            load::<u32>(&folder).unwrap_err(),
            load::<u32>(&damaged).unwrap_err(),
            save(&folder, &1).unwrap_err(),
            save(&beneath, &1).unwrap_err(),
            remove(&folder).unwrap_err(),
        ];
        for error in failures {
            let why = error.why();
            assert!(!why.is_empty() && !why.contains(home.path().to_str().unwrap()), "{why}");
            assert!(!why.contains("ada@example.org"), "{why}");
        }
    }
}
