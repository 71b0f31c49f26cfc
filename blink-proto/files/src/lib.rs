//! Files that are written completely or not at all, and folders for one person alone.
//!
//! - [`save`]: replaces a file; a crash at any point leaves the old one or the new one
//! - [`Draft`]: the same in steps, for writing over a longer time or without replacing anything
//! - [`append_line`]: adds a line to a file of lines
//! - [`private_folder`], [`folder_of`], [`sync_folder`]: the folder that holds the file
//!
//! No error names a temporary file, because it is gone when somebody reads the error.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// Permission bits of a file that only its owner may read and write.
pub const PRIVATE: u32 = 0o600;

/// Begins the names of files that are not finished; letters and digits follow. Other programs name theirs `.tmp…`.
const PREFIX: &str = ".blink-";
const RANDOM_LETTERS: usize = 6;

/// Whether a crash left this file unfinished: a plain file, by its name one of ours.
#[must_use]
pub fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    let random = name.and_then(|name| name.strip_prefix(PREFIX));
    let ours = random.is_some_and(|random| {
        random.len() == RANDOM_LETTERS && random.chars().all(|letter| letter.is_ascii_alphanumeric())
    });
    ours && fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file())
}

/// Replaces the file at `path` with what `write` writes. Its permission bits are `mode` whatever the umask is (only on
/// Unix). The folder must exist.
///
/// # Errors
///
/// When the folder or the disk fails, or `write` does: then the file at `path` is unchanged.
pub fn save(path: &Path, mode: u32, write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>) -> io::Result<()> {
    let draft = Draft::beside(path)?;
    let mut writer = draft.writer();
    write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    draft.replace(mode)
}

/// Adds `line` to the file at `path`, which is made for its owner alone where it is missing. A line before it that a crash
/// cut off stays a line of its own.
///
/// # Errors
///
/// When the file cannot be opened or written.
pub fn append_line(path: &Path, line: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, PRIVATE);
    let mut file = options.open(path)?;
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(-1)).is_ok() {
        file.read_exact(&mut last)?;
    }
    let end_of_torn = if last == *b"\n" { "" } else { "\n" };
    file.write_all(format!("{end_of_torn}{line}\n").as_bytes())
}

/// Has `make` create a file in `folder` under a temporary name, again under another one while the name is taken. A crash
/// may leave the file, and [`is_unfinished`] knows it then.
///
/// # Errors
///
/// When `make` fails.
pub fn temporary_in<F>(folder: &Path, make: impl FnMut(&Path) -> io::Result<F>) -> io::Result<NamedTempFile<F>> {
    tempfile::Builder::new().prefix(PREFIX).rand_bytes(RANDOM_LETTERS).make_in(folder, make)
}

/// A file under a temporary name, which gets its final name when it is complete. Dropped before that, it is removed.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    file: NamedTempFile,
}

impl Draft {
    /// Creates a temporary file beside `path` that only its owner may read.
    ///
    /// # Errors
    ///
    /// When the folder or the disk fails.
    pub fn beside(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, PRIVATE);
        // The file is opened here, because tempfile's own errors name the temporary file.
        let file = temporary_in(folder_of(path), |path| options.open(path))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// The open file.
    #[must_use]
    pub fn file(&self) -> &File {
        self.file.as_file()
    }

    /// A buffered writer. It must be flushed, because errors while dropping it are lost.
    #[must_use]
    pub fn writer(&self) -> BufWriter<&File> {
        BufWriter::with_capacity(64 << 10, self.file())
    }

    /// Moves the file to its path, replacing what is there, and syncs the folder.
    ///
    /// # Errors
    ///
    /// When the disk fails. If only the last sync failed, the new file is in place nevertheless.
    pub fn replace(self, mode: u32) -> io::Result<()> {
        self.synced(mode)?;
        let Self { path, file } = self;
        file.persist(&path).map_err(|error| error.error)?;
        sync_folder(folder_of(&path))
    }

    /// Moves the file to its path unless something is there, and syncs the folder.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AlreadyExists`] when something is there by now; another error when the disk fails.
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

/// Creates a folder, with its parents, that only its owner can enter. An existing folder is left as it is.
///
/// # Errors
///
/// When the parent folder or the disk fails.
pub fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// The folder that contains the file at `path`.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Syncs a rename, a new file or a removal in `folder` to disk. Windows has no such call.
///
/// # Errors
///
/// When the disk fails.
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
        assert!(unfinished.iter().all(|name| is_unfinished(&folder.path().join(name))), "{unfinished:?}");
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
    fn only_plain_files_of_our_names_are_taken_for_unfinished() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            (".blink-Ab12Cd", true),
            (".blink-Ab12C", false),
            (".blink-backup", true),
            (".blink-backups", false),
            (".blink-Ab1-Cd", false),
            (".tmpAb12Cd", false),
            ("x.blink-Ab12Cd", false),
        ];
        for (name, unfinished) in names {
            let path = folder.path().join(name);
            assert!(!is_unfinished(&path), "{name} is not there");
            fs::write(&path, "x").unwrap();
            assert_eq!(is_unfinished(&path), unfinished, "{name}");
        }
        let inner = folder.path().join(".blink-folder");
        fs::create_dir(&inner).unwrap();
        assert!(!is_unfinished(&inner), "a folder is no file");
        #[cfg(unix)]
        {
            let link = folder.path().join(".blink-a1link");
            std::os::unix::fs::symlink(folder.path().join(".blink-Ab12Cd"), &link).unwrap();
            assert!(!is_unfinished(&link), "nor is a link");
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

    #[test]
    fn a_torn_line_harms_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        append_line(&path, "one").unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"to").unwrap();
        append_line(&path, "three").unwrap();
        append_line(&path, "four").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\nto\nthree\nfour\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, PRIVATE);
        }
    }
}
