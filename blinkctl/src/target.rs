//! An output file that is written completely or not at all.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use blink_files::{Draft, PRIVATE};

use crate::exit::Failure;

/// A file under a temporary name, which gets its final name when it is complete.
#[derive(Debug)]
pub(crate) struct Target {
    path: PathBuf,
    draft: Draft,
    force: bool,
}

impl Target {
    /// Creates a temporary file beside `path`. An existing file is only replaced with `force`.
    pub(crate) fn beside(path: &Path, force: bool) -> Result<Self, Failure> {
        match path.metadata() {
            Ok(meta) if !meta.is_file() => {
                let message = format!("{} is not a file", path.display());
                return Err(Failure::failed("output", message, "Name another file."));
            }
            Ok(_) if !force => return Err(there_already(path)),
            _ => {}
        }
        let draft = Draft::beside(path).map_err(|error| unwritable(path, &error))?;
        Ok(Self { path: path.to_owned(), draft, force })
    }

    pub(crate) fn writer(&self) -> BufWriter<&File> {
        self.draft.writer()
    }

    /// Gives the file its final name.
    pub(crate) fn put(self) -> Result<(), Failure> {
        let Self { path, draft, force } = self;
        let put = if force { draft.replace(PRIVATE) } else { draft.create(PRIVATE) };
        put.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => there_already(&path),
            _ => unwritable(&path, &error),
        })
    }

    /// Writes `bytes` and gives the file its final name.
    pub(crate) fn put_bytes(self, bytes: &[u8]) -> Result<(), Failure> {
        self.draft.file().write_all(bytes).map_err(|error| unwritable(&self.path, &error))?;
        self.put()
    }
}

fn there_already(path: &Path) -> Failure {
    let message = format!("{} is there already", path.display());
    Failure::failed("file_exists", message, "Name another file, or replace it with --force.")
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{} cannot be written: {error}", path.display());
    Failure::failed("unwritable", message, "Choose another place, or make room.")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_replaced_only_when_told_and_nothing_temporary_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        Target::beside(&path, false).unwrap().put_bytes(b"one").unwrap();
        assert_eq!(Target::beside(&path, false).unwrap_err().problem.code, "file_exists");
        Target::beside(&path, true).unwrap().put_bytes(b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        drop(Target::beside(&path, true).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn one_that_appears_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        let target = Target::beside(&path, false).unwrap();
        fs::write(&path, "somebody else's").unwrap();
        assert_eq!(target.put().unwrap_err().problem.code, "file_exists");
        assert_eq!(fs::read(&path).unwrap(), b"somebody else's");
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Target::beside(folder.path(), true).unwrap_err().problem.code, "output");
        let nowhere = folder.path().join("none/x.json");
        assert_eq!(Target::beside(&nowhere, false).unwrap_err().problem.code, "unwritable");
    }
}
