//! Erasures and consents, kept outside the database as well, so that restoring an old backup brings nobody back and
//! tracks nobody who said no.
//!
//! One JSON object a line: a time, a random id, and a word; appended and synced before the database commits. Whoever
//! appends holds the file's lock and first cuts off what a crash or a full disk left of a line: that was never
//! acknowledged, and must not swallow the next one. An erasure whose commit failed is taken back by a line of its own.

use std::{
    fs,
    io::{self, BufRead as _, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    sync::Mutex,
};

use blink_proto::UserId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A line is some 150 bytes; no more of one is read than this.
const MAX_LINE_BYTES: u64 = 64 << 10;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    /// Whom it is about.
    pub user_id: UserId,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// The person was erased.
    Erased,
    /// An erasure failed: the person is still there, and was told so.
    NotErased {
        /// When it began: its line is not older.
        begun: Timestamp,
    },
    /// They gave or withdrew a consent.
    Consent {
        /// `tracking`, `team` or `biometric`.
        kind: String,
        /// The version of the text.
        version: String,
        granted: bool,
    },
}

/// Why the ledger cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("the ledger {0} cannot be used")]
    Io(PathBuf, #[source] io::Error),
    /// A line of it, counted from 1.
    #[error("the ledger {0} is damaged in line {1}")]
    Damaged(PathBuf, usize),
}

/// The file, open for appending.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: Mutex<fs::File>,
}

impl Ledger {
    /// Opens the ledger, and makes it for this user alone where there is none.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let failed = |e| LedgerError::Io(path.to_owned(), e);
        let mut options = fs::OpenOptions::new();
        options.create(true).read(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(failed)?;
        // The name of a new file lasts only once its folder is synced.
        blink_files::sync_folder(blink_files::folder_of(path)).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// Appends a line durably; call it off the async threads.
    ///
    /// Fails when it cannot be written: then what it is about must not be done, and nothing of the line stays.
    pub fn append(&self, entry: &Entry) -> Result<(), LedgerError> {
        let failed = |e| LedgerError::Io(self.path.clone(), e);
        let mut line = serde_json::to_vec(entry).map_err(|e| failed(e.into()))?;
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Replicas may share the file. A file system without locks leaves them to the one write below.
        let locked = file.lock().is_ok();
        let written = append_whole(&mut file, &line, locked);
        if locked {
            let _ = file.unlock();
        }
        written.map_err(failed)
    }
}

fn append_whole(file: &mut fs::File, line: &[u8], locked: bool) -> io::Result<()> {
    let end = if locked { cut_torn_end(file)? } else { file.metadata()?.len() };
    // One write, so that lines of several processes do not mix.
    let written = file.write_all(line).and_then(|()| file.sync_data());
    if written.is_err() && locked {
        // Should this fail too, the next append cuts it off.
        let _ = file.set_len(end);
    }
    written
}

/// Cuts off a last line without its end, and returns the length that is left.
fn cut_torn_end(file: &mut fs::File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(MAX_LINE_BYTES);
    let mut tail = Vec::new();
    file.seek(io::SeekFrom::Start(from))?;
    file.take(MAX_LINE_BYTES).read_to_end(&mut tail)?;
    let whole = match tail.iter().rposition(|byte| *byte == b'\n') {
        Some(place) => from + place as u64 + 1,
        None if from == 0 => 0,
        None => return Err(io::Error::new(io::ErrorKind::InvalidData, "its last line has no end")),
    };
    if whole < length {
        tracing::warn!(
            bytes = length - whole,
            "the ledger's last line was torn and is cut off: it was never acknowledged"
        );
        file.set_len(whole)?;
    }
    Ok(whole)
}

/// Reads a ledger, in the order of time: replicas' files may have been put together in any. A last line without its end
/// was never acknowledged, and is left out.
///
/// Fails when it cannot be read, or a whole line is none of ours.
pub fn read(path: &Path) -> Result<Vec<Entry>, LedgerError> {
    let failed = |e| LedgerError::Io(path.to_owned(), e);
    let mut reader = io::BufReader::new(match fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    });
    let (mut entries, mut line) = (Vec::new(), Vec::new());
    for number in 1.. {
        line.clear();
        let read = reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(failed)?;
        if read == 0 || (!line.ends_with(b"\n") && (read as u64) < MAX_LINE_BYTES) {
            break;
        }
        entries.push(parsed(&line).ok_or_else(|| LedgerError::Damaged(path.to_owned(), number))?);
    }
    entries.sort_by_key(|entry: &Entry| entry.at);
    Ok(entries)
}

/// An entry. Ledgers of before may hold a torn line that the next was appended to; the whole one behind it counts.
fn parsed(line: &[u8]) -> Option<Entry> {
    serde_json::from_slice(line).ok().or_else(|| {
        let text = std::str::from_utf8(line).ok()?;
        let (torn, _) = text.rmatch_indices("{\"at\"").next()?;
        (torn > 0 && text.starts_with('{')).then(|| serde_json::from_str(&text[torn..]).ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_several_replicas_are_read_in_the_order_of_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.ndjson");
        let ledger = Ledger::open(&path).unwrap();
        let times = ["2026-03-01T10:00:00.5Z", "2026-03-01T10:00:00Z", "2026-02-01T10:00:00Z"];
        for at in times {
            let entry = Entry { at: at.parse().unwrap(), user_id: UserId::new(), what: What::Erased };
            ledger.append(&entry).unwrap();
        }
        let read: Vec<String> = read(&path).unwrap().iter().map(|entry| entry.at.to_string()).collect();
        assert_eq!(read, [times[2], times[1], times[0]]);
    }

    #[test]
    fn what_was_appended_is_read_and_a_broken_end_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.ndjson");
        assert_eq!(read(&path).unwrap(), []);
        let at = "2026-03-01T10:00:00Z".parse().unwrap();
        let erased = Entry { at, user_id: UserId::new(), what: What::Erased };
        let withdrawn = What::Consent { kind: "tracking".to_owned(), version: "1".to_owned(), granted: false };
        let withdrawn = Entry { at, user_id: UserId::new(), what: withdrawn };
        let ledger = Ledger::open(&path).unwrap();
        ledger.append(&erased).unwrap();
        ledger.append(&withdrawn).unwrap();
        assert_eq!(read(&path).unwrap(), [erased.clone(), withdrawn]);
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"at\":").unwrap();
        assert_eq!(read(&path).unwrap().len(), 2);
        fs::write(&path, "nonsense\n").unwrap();
        assert!(matches!(read(&path), Err(LedgerError::Damaged(_, 1))));
        fs::write(&path, vec![b'x'; 1 << 20]).unwrap();
        assert!(matches!(read(&path), Err(LedgerError::Damaged(_, 1))));
    }

    #[test]
    fn a_torn_line_swallows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.ndjson");
        let at = "2026-03-01T10:00:00Z".parse().unwrap();
        let entry = || Entry { at, user_id: UserId::new(), what: What::Erased };
        let (first, second) = (entry(), entry());
        let ledger = Ledger::open(&path).unwrap();
        ledger.append(&first).unwrap();
        let whole = fs::read(&path).unwrap();
        let torn = br#"{"at":"2026-03-01T10:00:00Z","user_id":"0190"#;
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(torn).unwrap();
        // Both by the process that was there and by the next one.
        ledger.append(&second).unwrap();
        assert_eq!(read(&path).unwrap(), [first.clone(), second.clone()]);
        fs::write(&path, torn).unwrap();
        Ledger::open(&path).unwrap().append(&second).unwrap();
        assert_eq!(read(&path).unwrap(), std::slice::from_ref(&second));
        // What an earlier version joined is told apart.
        let joined = [&torn[..], &whole[..]].concat();
        fs::write(&path, joined).unwrap();
        assert_eq!(read(&path).unwrap(), [first]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_line_that_cannot_be_written_whole_leaves_nothing() {
        // /dev/full takes no byte, as a full disk.
        let entry = Entry {
            at: Timestamp::UNIX_EPOCH,
            user_id: UserId::new(),
            what: What::NotErased { begun: Timestamp::UNIX_EPOCH },
        };
        let file = fs::OpenOptions::new().read(true).append(true).open("/dev/full").unwrap();
        let ledger = Ledger { path: PathBuf::from("/dev/full"), file: Mutex::new(file) };
        assert!(matches!(ledger.append(&entry), Err(LedgerError::Io(..))));
    }
}
