//! A file that gets its name when it is complete. On Linux it has none before, so that nothing of it stays when the
//! program is killed. Elsewhere, and on file systems without such files, it is a [`Draft`].

use std::{fs::File, io, path::Path};

use blink_files::{Draft, PRIVATE};

pub(super) enum Unfinished {
    #[cfg(target_os = "linux")]
    Nameless(File),
    Draft(Draft),
}

impl Unfinished {
    pub(super) fn beside(path: &Path) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Some(file) = nameless::beside(path) {
            return Ok(Self::Nameless(file));
        }
        Draft::beside(path).map(Self::Draft)
    }

    pub(super) fn file(&self) -> &File {
        match self {
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => file,
            Self::Draft(draft) => draft.file(),
        }
    }

    /// Syncs the file and moves it to its path. [`io::ErrorKind::AlreadyExists`] when something is there and `force` is
    /// not given.
    pub(super) fn place(self, path: &Path, force: bool) -> io::Result<()> {
        #[cfg(not(target_os = "linux"))]
        let _ = path;
        match self {
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => nameless::place(&file, path, force),
            Self::Draft(draft) if force => draft.replace(PRIVATE),
            Self::Draft(draft) => draft.create(PRIVATE),
        }
    }
}

#[cfg(target_os = "linux")]
mod nameless {
    use std::{
        fs::{File, Permissions},
        io,
        os::{fd::AsRawFd as _, unix::fs::PermissionsExt as _},
        path::{Path, PathBuf},
    };

    use blink_files::{PRIVATE, folder_of, sync_folder, temporary_in};
    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};

    /// `None` where there are no such files, or where they could not be named later.
    pub(super) fn beside(path: &Path) -> Option<File> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = File::from(open(folder_of(path), flags, Mode::from_raw_mode(PRIVATE)).ok()?);
        itself(&file).exists().then_some(file)
    }

    /// The path by which an open file can be given a name.
    fn itself(file: &File) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
    }

    pub(super) fn place(file: &File, path: &Path, force: bool) -> io::Result<()> {
        file.set_permissions(Permissions::from_mode(PRIVATE))?;
        file.sync_all()?;
        let name = |path: &Path| linkat(CWD, itself(file), CWD, path, AtFlags::SYMLINK_FOLLOW);
        if force {
            // A file can replace another one only by its name.
            let named = temporary_in(folder_of(path), |beside| Ok(name(beside)?))?;
            named.persist(path).map_err(|error| error.error)?;
        } else {
            name(path)?;
        }
        sync_folder(folder_of(path))
    }
}
