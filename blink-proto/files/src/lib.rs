//! Files that are there whole or not at all, and folders for one person alone.
//!
//! - [`save`]: replaces a file; a crash at any point leaves the old one or the new one
//! - [`Draft`]: the same in steps, for who writes over a longer time or must not replace anything
//! - [`private_folder`], [`folder_of`], [`sync_folder`]: the folder it is in
//!
//! No error names a temporary file: it is gone when somebody reads that.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// A file that its owner alone may read and write.
pub const PRIVATE: u32 = 0o600;

/// Begins the names of files that are not finished; letters and digits follow.
const PREFIX: &str = ".tmp";
const RANDOM_LETTERS: usize = 6;

/// Whether a file of this name is one that a crash left unfinished.
#[must_use]
pub fn is_unfinished(name: &OsStr) -> bool {
    let random = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
    random.is_some_and(|random| !random.is_empty() && random.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// Writes the file at `path` anew by `write`, with these permission bits whatever the umask says (only on Unix). The
/// folder is there already.
///
/// # Errors
///
/// The folder or the disk does not let us, or `write` failed: then what was at `path` is as it was.
pub fn save(path: &Path, mode: u32, write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> io::Result<()> {
    let draft = Draft::beside(path)?;
    let mut writer = draft.writer();
    write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    draft.replace(mode)
}

/// What will be the file at its path once all of it is written. Dropped before, it leaves nothing behind.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    file: NamedTempFile,
}

impl Draft {
    /// A file beside `path`, which nobody else may read yet.
    ///
    /// # Errors
    ///
    /// The folder or the disk does not let us.
    pub fn beside(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, PRIVATE);
        // Opened by ourselves, for tempfile's own errors name the temporary file.
        let file = tempfile::Builder::new()
            .prefix(PREFIX)
            .rand_bytes(RANDOM_LETTERS)
            .make_in(folder_of(path), |path| options.open(path))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// The file, for what needs one.
    #[must_use]
    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Writes into it. It must be flushed: what fails in a drop is not heard of.
    #[must_use]
    pub fn writer(&self) -> BufWriter<&File> {
        BufWriter::with_capacity(64 << 10, self.file())
    }

    /// Puts it in the place of whatever is at the path, and makes that last.
    ///
    /// # Errors
    ///
    /// The disk does not let us. Where only making it last failed, the new file is there nevertheless.
    pub fn replace(self, mode: u32) -> io::Result<()> {
        self.synced(mode)?;
        let Self { path, file } = self;
        file.persist(&path).map_err(|error| error.error)?;
        sync_folder(folder_of(&path))
    }

    /// Puts it at the path where nothing is, and makes that last.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] where something is there by now, or the disk does not let us.
    pub fn create(self, mode: u32) -> io::Result<()> {
        self.synced(mode)?;
        let Self { path, file } = self;
        file.persist_noclobber(&path).map_err(|error| error.error)?;
        sync_folder(folder_of(&path))
    }

    fn synced(&self, mode: u32) -> io::Result<()> {
        #[cfg(unix)]
        self.file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
        #[cfg(not(unix))]
        let _ = mode;
        self.file().sync_all()
    }
}

/// Makes a folder, and those above it, that only its owner can enter. One that is there stays as it is.
///
/// # Errors
///
/// The folder above or the disk does not let us.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The folder that the file at `path` is in.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a rename, a new file or a removal in `folder` last. Windows has no such call.
///
/// # Errors
///
/// The disk does not let us.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
    }

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        save(&path, PRIVATE, |file| file.write_all(b"one")).unwrap();
        #[cfg(unix)]
        assert_eq!(mode(&path), 0o600);
        save(&path, 0o644, |file| file.write_all(b"two")).unwrap();
        #[cfg(unix)]
        assert_eq!(mode(&path), 0o644);
        let failed = save(&path, PRIVATE, |file| {
            file.write_all(b"three")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(folder.path()), ["x.json"]);
    }

    #[test]
    fn what_is_there_meanwhile_is_not_overwritten_by_a_new_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        let draft = Draft::beside(&path).unwrap();
        let unfinished = names(folder.path());
        assert!(unfinished.iter().all(|name| is_unfinished(OsStr::new(name))), "{unfinished:?}");
        fs::write(&path, "somebody else's").unwrap();
        assert_eq!(draft.create(PRIVATE).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"somebody else's");
        assert_eq!(names(folder.path()), ["x.json"]);
    }

    #[test]
    fn no_error_names_the_unfinished_file() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = save(&folder.path().join("none/x.json"), PRIVATE, |_| Ok(())).unwrap_err();
        let taken = folder.path().join("folder");
        fs::create_dir_all(taken.join("full")).unwrap();
        let over = save(&taken, PRIVATE, |_| Ok(())).unwrap_err();
        for error in [nowhere, over] {
            assert!(!error.to_string().contains(PREFIX), "{error}");
        }
    }

    #[test]
    fn only_unfinished_files_are_taken_for_such() {
        for (name, unfinished) in [(".tmpAb12Cd", true), (".tmp", false), (".tmp-notes", false), ("x.tmp", false)] {
            assert_eq!(is_unfinished(OsStr::new(name)), unfinished, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_made_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er");
        private_folder(&path).unwrap();
        private_folder(&path).unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o700, 0o700));
        assert_eq!((folder_of(Path::new("x")), folder_of(Path::new("a/x"))), (Path::new("."), Path::new("a")));
    }
}
