//! Log lines on their way into the archive. They are written to files in a folder of this server, and a closed file
//! becomes an object. A process locks the file that it writes or uploads, so that several may share the folder.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tracing_subscriber::fmt::MakeWriter;

use crate::clock;

/// A file is closed when it reaches this size.
const FILE_BYTES: u64 = 4 << 20;

/// Most closed files held open at once: after a long outage there may be many more.
pub const AT_ONCE: usize = 64;

/// An empty file is left alone until this age, since its writer may not have locked it yet.
const EMPTY_FOR: Duration = Duration::from_secs(60);

/// Most bytes kept in the folder while the store is away; above it the oldest files are deleted.
const FOLDER_BYTES: u64 = 256 << 20;

pub struct Spool {
    folder: PathBuf,
    open: Mutex<Option<Open>>,
    dropped: AtomicU64,
}

struct Open {
    file: fs::File,
    path: PathBuf,
    bytes: u64,
    since: Instant,
}

impl Spool {
    /// Makes the folder if there is none, accessible to this user only.
    pub fn new(folder: &Path) -> io::Result<Self> {
        blink_files::private_folder(folder)?;
        Ok(Self { folder: folder.to_owned(), open: Mutex::new(None), dropped: AtomicU64::new(0) })
    }

    fn append(&self, line: &[u8]) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let current = match open.take() {
            Some(current) if current.bytes < FILE_BYTES => open.insert(current),
            _ => open.insert(Open::create(&self.folder)?),
        };
        current.file.write_all(line)?;
        current.bytes += line.len() as u64;
        Ok(())
    }

    /// Closes the open file if it is older than `age`.
    pub fn close_older(&self, age: Duration) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_some_and(|current| current.since.elapsed() >= age) {
            *open = None;
        }
    }

    /// The oldest closed files, [`AT_ONCE`] at most, each locked against other processes until it is dropped. Files
    /// above the folder's size limit are deleted.
    pub fn closed(&self) -> io::Result<Vec<Closed>> {
        let current = self.open.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|open| open.path.clone());
        let mut paths: Vec<PathBuf> = fs::read_dir(&self.folder)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|e| e == "ndjson") && Some(path) != current.as_ref())
            .collect();
        paths.sort();
        let mut total: u64 = paths.iter().filter_map(|path| Some(fs::metadata(path).ok()?.len())).sum();
        let mut closed = Vec::new();
        for path in paths {
            if closed.len() == AT_ONCE {
                break;
            }
            // Another process may be writing or uploading the file, or have deleted it.
            let Ok(file) = fs::File::open(&path) else { continue };
            if file.try_lock().is_err() || !path.exists() {
                continue;
            }
            let about = file.metadata()?;
            let bytes = about.len();
            if bytes == 0 && !about.modified()?.elapsed().is_ok_and(|age| age >= EMPTY_FOR) {
                continue;
            }
            if total > FOLDER_BYTES || bytes == 0 {
                fs::remove_file(&path)?;
                total = total.saturating_sub(bytes);
                self.dropped.fetch_add(u64::from(bytes > 0), Ordering::Relaxed);
                continue;
            }
            closed.push(Closed { path, file });
        }
        Ok(closed)
    }

    /// The number of files deleted without being archived since the last call.
    #[must_use]
    pub fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

impl Open {
    fn create(folder: &Path) -> io::Result<Self> {
        // The names are ordered by time, so the oldest file sorts first.
        let path = folder.join(format!("{}.ndjson", clock::fresh_uuid()));
        let mut options = fs::OpenOptions::new();
        options.create_new(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        file.lock()?;
        Ok(Self { file, path, bytes: 0, since: Instant::now() })
    }
}

/// A closed file, locked until it is dropped.
pub struct Closed {
    path: PathBuf,
    file: fs::File,
}

impl Closed {
    pub fn lines(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut self.file, &mut bytes)?;
        // An incomplete last line, cut off by a crash, is left out.
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes.truncate(end);
        Ok(bytes)
    }

    /// Call this once the file is archived.
    pub fn delete(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

/// Writes log lines into the spool. A write that fails loses lines but stops nothing: standard error has them too.
#[derive(Clone)]
pub struct SpoolWriter(pub Arc<Spool>);

impl Write for SpoolWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.append(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for SpoolWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_in_closed_files_once_and_in_order() {
        let home = tempfile::tempdir().unwrap();
        let spool = Spool::new(&home.path().join("spool")).unwrap();
        spool.append(b"one\n").unwrap();
        assert!(spool.closed().unwrap().is_empty(), "it is still open");
        spool.close_older(Duration::from_secs(3_600));
        assert!(spool.closed().unwrap().is_empty(), "it is young");
        spool.close_older(Duration::ZERO);
        spool.append(b"two\ncut o").unwrap();
        spool.close_older(Duration::ZERO);
        let mut closed = spool.closed().unwrap();
        assert_eq!(closed.len(), 2);
        assert_eq!(closed[0].lines().unwrap(), b"one\n");
        assert_eq!(closed[1].lines().unwrap(), b"two\n");
        let other = Spool::new(&home.path().join("spool")).unwrap();
        assert!(other.closed().unwrap().is_empty(), "another process has them");
        closed.remove(0).delete().unwrap();
        drop(closed);
        assert_eq!(other.closed().unwrap().len(), 1, "what was not archived is found again");
    }

    #[test]
    fn what_a_process_is_writing_is_left_alone_by_others() {
        let home = tempfile::tempdir().unwrap();
        let (one, two) = (Spool::new(home.path()).unwrap(), Spool::new(home.path()).unwrap());
        one.append(b"x\n").unwrap();
        assert!(two.closed().unwrap().is_empty());
        drop(one);
        assert_eq!(two.closed().unwrap().len(), 1, "it died and left a file behind");
    }

    #[test]
    fn the_folder_is_bounded_by_its_oldest_files() {
        let home = tempfile::tempdir().unwrap();
        let spool = Spool::new(home.path()).unwrap();
        for name in ["1.ndjson", "2.ndjson", "3.ndjson"] {
            fs::File::create(home.path().join(name)).unwrap().set_len(FOLDER_BYTES / 2).unwrap();
        }
        assert_eq!(spool.closed().unwrap().len(), 2);
        assert!(!home.path().join("1.ndjson").exists());
        assert_eq!((spool.take_dropped(), spool.take_dropped()), (1, 0));
    }

    #[test]
    fn the_oldest_few_are_held_at_once() {
        let home = tempfile::tempdir().unwrap();
        let spool = Spool::new(home.path()).unwrap();
        for n in 0..AT_ONCE + 3 {
            fs::write(home.path().join(format!("{n:03}.ndjson")), "x\n").unwrap();
        }
        let closed = spool.closed().unwrap();
        assert_eq!(closed.len(), AT_ONCE);
        assert!(closed[0].path.ends_with("000.ndjson") && closed[AT_ONCE - 1].path.ends_with("063.ndjson"));
        for file in closed {
            file.delete().unwrap();
        }
        assert_eq!(spool.closed().unwrap().len(), 3);
    }

    #[test]
    fn an_empty_file_may_be_somebodys_who_is_about_to_lock_it() {
        let home = tempfile::tempdir().unwrap();
        let spool = Spool::new(home.path()).unwrap();
        let path = home.path().join("1.ndjson");
        let file = fs::File::create(&path).unwrap();
        assert!(spool.closed().unwrap().is_empty() && path.exists());
        file.set_modified(std::time::SystemTime::now() - 2 * EMPTY_FOR).unwrap();
        assert!(spool.closed().unwrap().is_empty() && !path.exists());
        assert_eq!(spool.take_dropped(), 0);
    }
}
