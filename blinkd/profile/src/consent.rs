//! This machine's record of consent. The daemon reads the file again whenever it changes, because `blinkctl consent
//! withdraw` also works without a daemon.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use blink_proto::consent::{ConsentRecord, TRACKING_VERSION};

use crate::{
    Paths,
    files::{self, FileError},
};

/// Reads the record; `None` where nothing was ever recorded. A damaged file is an error, and counts as no consent.
pub fn load(paths: &Paths) -> Result<Option<ConsentRecord>, FileError> {
    files::load(&paths.consent_file())
}

pub fn save(paths: &Paths, record: &ConsentRecord) -> Result<(), FileError> {
    files::save(&paths.consent_file(), record)
}

/// The consent file and its last content.
#[derive(Debug)]
pub struct Consent {
    path: PathBuf,
    seen: Option<(SystemTime, u64)>,
    record: Option<ConsentRecord>,
}

impl Consent {
    /// Reads the file. One that cannot be read counts as no consent.
    #[must_use]
    pub fn open(path: &Path) -> Self {
        let mut consent = Self { path: path.to_owned(), seen: None, record: None };
        consent.read();
        consent
    }

    /// Reads the file again if it changed; returns whether the record changed.
    pub fn refresh(&mut self) -> bool {
        if stamp(&self.path) == self.seen {
            return false;
        }
        let before = self.record.clone();
        self.read();
        before != self.record
    }

    fn read(&mut self) {
        self.seen = stamp(&self.path);
        self.record = files::load(&self.path).unwrap_or_else(|error| {
            tracing::error!(why = error.why(), "the consent file cannot be read: taken as no consent");
            None
        });
    }

    /// Whether tracking is consented to, with the text of this build.
    #[must_use]
    pub fn granted(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.granted && record.version == TRACKING_VERSION)
    }

    #[must_use]
    pub fn record(&self) -> Option<&ConsentRecord> {
        self.record.as_ref()
    }

    /// Records a consent or a withdrawal. When the file cannot be written, a withdrawal holds for this process all the
    /// same, but a consent does not.
    pub fn set(&mut self, record: ConsentRecord) -> Result<(), FileError> {
        let saved = files::save(&self.path, &record);
        if saved.is_ok() || !record.granted {
            self.record = Some(record);
            self.seen = stamp(&self.path);
        }
        saved
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn only_a_record_of_this_text_is_consent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("consent.json");
        let mut consent = Consent::open(&path);
        assert!(!consent.granted() && consent.record().is_none());
        consent.set(ConsentRecord::granted(Timestamp::UNIX_EPOCH)).unwrap();
        assert!(consent.granted() && Consent::open(&path).granted());
        consent.set(ConsentRecord { version: "0".into(), ..ConsentRecord::granted(Timestamp::UNIX_EPOCH) }).unwrap();
        assert!(!consent.granted());
        fs::write(&path, "{}").unwrap();
        assert!(!Consent::open(&path).granted());
    }

    #[test]
    fn a_withdrawal_by_another_program_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("consent.json");
        let mut ours = Consent::open(&path);
        ours.set(ConsentRecord::granted(Timestamp::UNIX_EPOCH)).unwrap();
        assert!(!ours.refresh());
        Consent::open(&path).set(ConsentRecord::withdrawn(Timestamp::UNIX_EPOCH)).unwrap();
        assert!(ours.refresh());
        assert!(!ours.granted());
        files::remove(&path).unwrap();
        assert!(ours.refresh());
        assert!(ours.record().is_none());
    }
}
