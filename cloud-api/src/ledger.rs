//! A record of erasures and consents outside the database, so that restoring an old backup brings back no erased person
//! and tracks nobody who withdrew.
//!
//! Each line is a JSON object with a time, the person's random id and what happened. It is appended and synced before
//! the database commits, so it may be about something that failed. Whoever appends locks the file and first cuts off an
//! incomplete last line that a crash or a full disk left: it was never acknowledged, and the next line must not be
//! joined to it. If the commit of an erasure fails, a further line takes the erasure back.

use std::{
    fs,
    io::{self, BufRead as _, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    sync::Mutex,
};

use blink_proto::UserId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::given_file;

/// Longest line that is read. A line has about 150 bytes.
const MAX_LINE_BYTES: u64 = 64 << 10;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    pub user_id: UserId,
    #[serde(flatten)]
    pub what: EntryKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum EntryKind {
    Erased,
    /// An erasure failed: the person still exists, and was told so.
    NotErased {
        /// When the failed erasure began. Its own line is not older.
        begun: Timestamp,
    },
    Consent {
        /// `tracking`, `team` or `biometric`.
        kind: String,
        version: String,
        granted: bool,
    },
    /// The account was linked to the person of the attendance desk with this `uid`. Its erasure is theirs too, also from a
    /// backup in which they are not linked yet.
    DeskLinked {
        desk: Uuid,
    },
    /// A person of the attendance desk was erased. Their `uid` stands in the place of an account's id.
    DeskErased,
    /// Their face was removed.
    DeskFaceRemoved,
}

#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("the ledger {0} cannot be used")]
    Io(PathBuf, #[source] io::Error),
    /// The line is counted from 1.
    #[error("the ledger {0} is damaged in line {1}")]
    Damaged(PathBuf, usize),
}

#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: Mutex<fs::File>,
    silent: bool,
}

impl Ledger {
    /// Opens the ledger; makes it if there is none, accessible to this user only.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let failed = |e| LedgerError::Io(path.to_owned(), e);
        let mut options = fs::OpenOptions::new();
        options.create(true).read(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(failed(given_file::no_plain_file()));
        }
        // A new file's directory entry is durable only once the folder is synced.
        blink_files::sync_folder(blink_files::folder_of(path)).map_err(failed)?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), silent: false })
    }

    /// The ledger of a demonstration: it takes no lines, because whatever they would be about is taken back.
    #[must_use]
    pub(crate) fn silent(self) -> Self {
        Self { silent: true, ..self }
    }

    /// Appends a line durably. It blocks, so it must not be called on an async thread. When it fails, nothing of the
    /// line stays, and the change that it is about must not be made.
    pub fn append(&self, entry: &Entry) -> Result<(), LedgerError> {
        if self.silent {
            return Ok(());
        }
        let failed = |e| LedgerError::Io(self.path.clone(), e);
        let mut line = serde_json::to_vec(entry).map_err(|e| failed(e.into()))?;
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Replicas may share the file. On a file system without locks only the single write below keeps lines apart.
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
    // A single write keeps lines of several processes from mixing.
    let written = file.write_all(line).and_then(|()| file.sync_data());
    if written.is_err() && locked {
        // If this fails too, the next append cuts the line off.
        let _ = file.set_len(end);
    }
    written
}

/// Cuts off an incomplete last line and returns the remaining length.
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

/// Reads a ledger and sorts it by time, because the files of several replicas may have been joined in any order. An
/// incomplete last line was never acknowledged and is left out; any other damaged line is an error.
pub fn read(path: &Path) -> Result<Vec<Entry>, LedgerError> {
    let failed = |e| LedgerError::Io(path.to_owned(), e);
    let mut reader = io::BufReader::new(given_file::open(path).map_err(failed)?);
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

/// Parses an entry. In older ledgers a line may have been appended to an incomplete one; the complete one counts.
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
            let entry = Entry { at: at.parse().unwrap(), user_id: UserId::new(), what: EntryKind::Erased };
            ledger.append(&entry).unwrap();
        }
        let read: Vec<String> = read(&path).unwrap().iter().map(|entry| entry.at.to_string()).collect();
        assert_eq!(read, [times[2], times[1], times[0]]);
    }

    #[test]
    fn what_was_appended_is_read_and_a_broken_end_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.ndjson");
        assert!(matches!(read(&path), Err(LedgerError::Io(..))), "a missing ledger is no empty one");
        let at = "2026-03-01T10:00:00Z".parse().unwrap();
        let erased = Entry { at, user_id: UserId::new(), what: EntryKind::Erased };
        let withdrawn = EntryKind::Consent { kind: "tracking".to_owned(), version: "1".to_owned(), granted: false };
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
        let entry = || Entry { at, user_id: UserId::new(), what: EntryKind::Erased };
        let (first, second) = (entry(), entry());
        let ledger = Ledger::open(&path).unwrap();
        ledger.append(&first).unwrap();
        let whole = fs::read(&path).unwrap();
        let torn = br#"{"at":"2026-03-01T10:00:00Z","user_id":"0190"#;
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(torn).unwrap();
        // This holds for the process that has the file open and for the next one.
        ledger.append(&second).unwrap();
        assert_eq!(read(&path).unwrap(), [first.clone(), second.clone()]);
        fs::write(&path, torn).unwrap();
        Ledger::open(&path).unwrap().append(&second).unwrap();
        assert_eq!(read(&path).unwrap(), std::slice::from_ref(&second));
        // Two lines that an earlier version joined are told apart.
        let joined = [&torn[..], &whole[..]].concat();
        fs::write(&path, joined).unwrap();
        assert_eq!(read(&path).unwrap(), [first]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_line_that_cannot_be_written_whole_leaves_nothing() {
        // `/dev/full` fails every write, like a full disk.
        let entry = Entry {
            at: Timestamp::UNIX_EPOCH,
            user_id: UserId::new(),
            what: EntryKind::NotErased { begun: Timestamp::UNIX_EPOCH },
        };
        let file = fs::OpenOptions::new().read(true).append(true).open("/dev/full").unwrap();
        let ledger = Ledger { path: PathBuf::from("/dev/full"), file: Mutex::new(file), silent: false };
        assert!(matches!(ledger.append(&entry), Err(LedgerError::Io(..))));
    }
}
