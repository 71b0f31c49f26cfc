//! With SQLite the signing keys are kept in a file of mode 0600 beside the database, made on first start.

use std::{fs, io, io::Write as _, path::Path};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::keys::{KeyError, Keyring, Record, turn};
use crate::domain::time::UtcMs;

#[derive(Serialize, Deserialize)]
struct KeyFile {
    keys: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    kid: String,
    created_at: jiff::Timestamp,
    secret: String,
}

/// Reads the keys at `path`, makes the first one if there is none, and rotates them: adds a key that is due and drops
/// keys that have ended.
pub(crate) fn open(path: &Path, now: UtcMs, forced: bool) -> Result<Keyring, KeyError> {
    let failed = |e| KeyError::Io(path.to_owned(), e);
    // The lock keeps two processes from rotating the keys at once.
    let lock = fs::File::create(path.with_extension("lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let mut records = if path.try_exists().map_err(failed)? { read(path)? } else { Vec::new() };
    let due = turn(&records, now, forced);
    if due.added.is_some() || !due.dropped.is_empty() {
        records.retain(|record| !due.dropped.contains(&record.kid));
        records.extend(due.added);
        write(path, &records).map_err(failed)?;
    }
    Keyring::from_records(&records).ok_or_else(|| KeyError::Damaged(path.to_owned()))
}

fn read(path: &Path) -> Result<Vec<Record>, KeyError> {
    let failed = |e| KeyError::Io(path.to_owned(), e);
    make_private(path).map_err(failed)?;
    let text = fs::read_to_string(path).map_err(failed)?;
    let record = |entry: Entry| {
        let secret = URL_SAFE_NO_PAD.decode(entry.secret).ok()?;
        Some(Record { kid: entry.kid, created_at: entry.created_at.into(), secret })
    };
    let file: Option<KeyFile> = serde_json::from_str(&text).ok();
    let records: Option<Vec<Record>> = file.and_then(|file| file.keys.into_iter().map(record).collect());
    records.filter(|records| !records.is_empty()).ok_or_else(|| KeyError::Damaged(path.to_owned()))
}

/// Replaces the file atomically, by renaming a new one over it.
fn write(path: &Path, records: &[Record]) -> io::Result<()> {
    let entry = |record: &Record| Entry {
        kid: record.kid.clone(),
        created_at: record.created_at.timestamp(),
        secret: URL_SAFE_NO_PAD.encode(&record.secret),
    };
    let text = serde_json::to_string_pretty(&KeyFile { keys: records.iter().map(entry).collect() })?;
    blink_files::save(path, blink_files::PRIVATE, |file| file.write_all(text.as_bytes()))
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        tracing::warn!("the signing keys could be read by others; they no longer can");
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcMs = UtcMs(1_772_359_200_000);

    #[test]
    fn made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let first = open(&path, NOW, false).unwrap();
        let second = open(&path, NOW, false).unwrap();
        assert_eq!(first.signing(NOW).0, second.signing(NOW).0);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            open(&path, NOW, false).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_second_key_joins_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let first = open(&path, NOW, false).unwrap().signing(NOW).0;
        let ring = open(&path, NOW.plus(1), true).unwrap();
        assert!(ring.verifying(&first).is_some());
        assert_eq!(read(&path).unwrap().len(), 2);
    }

    #[test]
    fn damage_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let short = r#"{"keys":[{"kid":"a","created_at":"2026-01-01T00:00:00Z","secret":"c2hvcnQ"}]}"#;
        for text in ["", "{}", r#"{"keys":[]}"#, short] {
            fs::write(&path, text).unwrap();
            let opened = open(&path, "2026-01-02T00:00:00Z".parse::<jiff::Timestamp>().unwrap().into(), false);
            assert!(matches!(opened, Err(KeyError::Damaged(_))), "{text}");
        }
    }
}
