//! Erasures and consents, kept outside the database as well, so that restoring an old backup brings nobody back and
//! tracks nobody who said no.
//!
//! One JSON object a line: a time, a random id, and a word; appended and synced before the database commits. A line for
//! a commit that then failed does no harm: it says what the person asked for.

use std::{
    fs,
    io::{self, BufRead as _, Write as _},
    path::{Path, PathBuf},
    sync::Mutex,
};

use blink_proto::UserId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Whom it is about.
    pub user_id: UserId,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// The person was erased.
    Erased,
    /// They gave or withdrew a consent.
    Consent {
        /// `tracking`, `team` or `biometric`.
        kind: String,
        /// The version of the text.
        version: String,
        /// Given or withdrawn.
        granted: bool,
    },
}

/// Why the ledger cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file.
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
    ///
    /// # Errors
    /// When it cannot be made or opened.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let mut options = fs::OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|e| LedgerError::Io(path.to_owned(), e))?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file) })
    }

    /// Appends a line durably; call it off the async threads.
    ///
    /// # Errors
    /// When it cannot be written: then what it is about must not be done.
    pub fn append(&self, entry: &Entry) -> Result<(), LedgerError> {
        let failed = |e| LedgerError::Io(self.path.clone(), e);
        let mut line = serde_json::to_vec(entry).map_err(|e| failed(e.into()))?;
        line.push(b'\n');
        let mut file = self.file.lock().map_err(|_| failed(io::Error::other("a write failed half way")))?;
        // One write, so that lines of several processes do not mix.
        file.write_all(&line).and_then(|()| file.sync_data()).map_err(failed)
    }
}

/// Reads a ledger, in the order of time: replicas' files may have been put together in any. A last line without its end
/// was never acknowledged, and is left out.
///
/// # Errors
/// When it cannot be read, or a whole line is none of ours.
pub fn read(path: &Path) -> Result<Vec<Entry>, LedgerError> {
    let failed = |e| LedgerError::Io(path.to_owned(), e);
    let mut reader = io::BufReader::new(match fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    });
    let (mut entries, mut line) = (Vec::new(), String::new());
    for number in 1.. {
        line.clear();
        if reader.read_line(&mut line).map_err(failed)? == 0 || !line.ends_with('\n') {
            break;
        }
        entries.push(serde_json::from_str(&line).map_err(|_| LedgerError::Damaged(path.to_owned(), number))?);
    }
    entries.sort_by_key(|entry: &Entry| entry.at);
    Ok(entries)
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
    }
}
