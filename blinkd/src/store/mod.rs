//! Data that survives a crash: open minutes and the upload queue in sled, sealed minutes in day files.
//!
//! - [`History`]: the day files, the truth about sealed minutes
//! - [`Store`]: the sled database, never trusted on opening: it is compared with the history and rebuilt from it
//! - [`open`]: opening, checking, setting aside; [`database`], `scan`, `rebuild`: its steps
//! - [`ownership`]: which account a minute in the history belongs to
//! - [`pulled`], [`pull_place`]: what the account's other machines counted, and how far bringing it has come
//! - [`erase`]: deleting all of it, even when interrupted
//!
//! A minute is sealed in two steps: its line is appended to the history and synced, then one batch moves it in the
//! store from open to queued. A crash between the two is seen on opening: the line is there and the minute is still
//! open.

mod aside;
pub(crate) mod database;
pub(crate) mod erase;
pub(crate) mod history;
mod import;
mod keys;
pub(crate) mod open;
pub mod ownership;
pub(crate) mod pull_place;
pub(crate) mod pulled;
mod rebuild;
mod scan;

use std::{
    collections::BTreeMap,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
};

use blink_proto::{DeviceId, Minute, MinuteStart, Problem, problem::code};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use blink_profile::day_files::Line;
pub use history::History;
pub(crate) use history::Import;

use crate::minutes::{OpenMinute, Owner};

/// Version of the layout of keys and values.
const SCHEMA: u32 = 1;
const CHUNK: usize = 1_000;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store failed: {0}")]
    Sled(#[from] sled::Error),
    #[error("the store failed on damaged data")]
    Panicked,
    /// The folder or a day file failed.
    #[error("the data folder cannot be used: {0}")]
    Io(#[from] io::Error),
    /// A value is not of the kind that its key says.
    #[error("a record in the store cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// The counts or the history contradict the store.
    #[error("the store is damaged: {0}")]
    Damaged(&'static str),
    /// A later version wrote it. It is left as it is, because its layout is not known here.
    #[error("the store has schema {0}, and this blinkd knows schemas up to {SCHEMA}")]
    Newer(u32),
}

impl StoreError {
    /// The reason for the logs: sled names its files in errors, and logs name none.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::Io(error) | Self::Sled(sled::Error::Io(error)) => error.kind().to_string(),
            Self::Sled(error @ sled::Error::Corruption { .. }) => error.to_string(),
            Self::Sled(_) => "the store failed".to_owned(),
            Self::Json(error) => format!("a record in the store cannot be read: {:?}", error.classify()),
            other => other.to_string(),
        }
    }

    /// The problem as `status` shows it.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let full = match self {
            Self::Io(error) | Self::Sled(sled::Error::Io(error)) => error.kind() == io::ErrorKind::StorageFull,
            _ => false,
        };
        if full {
            let fix = "Free some disk space; counting goes on in memory until then.";
            return Problem::new(code::DISK_FULL, "The disk is full: minutes cannot be saved.", fix);
        }
        if let Self::Newer(_) = self {
            let fix = "Install the version of blinkd that wrote it, or a later one; nothing in it was changed.";
            return Problem::new(code::STORE_NEWER, format!("A later blinkd wrote this profile: {self}."), fix);
        }
        let fix = "Check the data folder's disk and permissions; saving is tried again by itself.";
        Problem::new(code::STORE_FAILED, format!("Minutes cannot be saved: {self}."), fix)
    }
}

/// A sealed minute that waits for the server's acknowledgement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Queued {
    /// The record as it was sealed.
    pub minute: Minute,
    /// The current owner; minutes of nobody wait to be adopted.
    pub owner: Option<Owner>,
    /// Whether the person asked for its upload when importing it; then the device that counted it does not matter.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
}

impl Queued {
    #[must_use]
    pub fn sealed(minute: Minute, owner: Option<Owner>) -> Self {
        Self { minute, owner, imported: false }
    }
}

/// Counts of minutes that are not about to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeptBack {
    /// Minutes of nobody, and of accounts that are not signed in.
    pub held: u64,
    /// Minutes that the server rejected.
    pub set_aside: u64,
}

/// A minute that its server rejected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aside {
    #[serde(flatten)]
    pub queued: Queued,
    /// The server's error code.
    pub code: String,
    pub detail: String,
    pub at: Timestamp,
}

/// Figures of the local day that do not follow from its minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayNote {
    pub date: Date,
    /// How long tracking was wanted, that is consented to and not paused.
    pub unpaused_ms: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Meta {
    schema: u32,
    /// Numbers of entries under [`keys::QUEUE`] and [`keys::ASIDE`], so that lost entries are noticed.
    queue: u64,
    aside: u64,
    /// Length in bytes of each day file, as last noted.
    days: BTreeMap<Date, u64>,
}

/// The open store. After any error it must be dropped and opened again.
#[derive(Debug)]
pub struct Store {
    db: sled::Db,
    meta: Meta,
    queue: BTreeMap<keys::Tag, u64>,
    aside: BTreeMap<keys::Tag, u64>,
    /// Erased accounts, for which nothing is queued.
    erased: Vec<Owner>,
}

fn guarded<T>(f: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or(Err(StoreError::Panicked))
}

/// Counts a removed entry. The counts stem from the opening, and damage since then may contradict them, so they
/// saturate.
fn one_less(counts: &mut BTreeMap<keys::Tag, u64>, tag: keys::Tag) {
    let count = counts.entry(tag).or_default();
    *count = count.saturating_sub(1);
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    Ok(serde_json::to_vec(value)?)
}

impl Store {
    /// Writes the meta record and `batch` in one transaction, and syncs them to disk.
    fn commit(&mut self, mut batch: sled::Batch) -> Result<(), StoreError> {
        self.meta.queue = self.queue.values().sum();
        self.meta.aside = self.aside.values().sum();
        batch.insert(keys::META, json(&self.meta)?);
        guarded(|| {
            self.db.apply_batch(batch)?;
            self.db.flush()?;
            Ok(())
        })
    }

    fn scan<T: DeserializeOwned>(&self, prefix: &[u8], limit: usize) -> Result<Vec<(Vec<u8>, T)>, StoreError> {
        self.scan_keys(prefix, limit, |_| true)
    }

    /// Scans the entries whose key `is_wanted`.
    fn scan_keys<T: DeserializeOwned>(
        &self,
        prefix: &[u8],
        limit: usize,
        is_wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<(Vec<u8>, T)>, StoreError> {
        guarded(|| {
            let mut found = Vec::new();
            for entry in self.db.scan_prefix(prefix) {
                let (key, value) = entry?;
                if found.len() == limit {
                    break;
                }
                if is_wanted(&key) {
                    found.push((key.to_vec(), serde_json::from_slice(&value)?));
                }
            }
            Ok(found)
        })
    }

    /// The minutes that were open when the last process stopped.
    pub fn open_minutes(&self) -> Result<Vec<OpenMinute>, StoreError> {
        Ok(self.scan(keys::OPEN, usize::MAX)?.into_iter().map(|(_, minute)| minute).collect())
    }

    pub fn day_note(&self) -> Result<Option<DayNote>, StoreError> {
        guarded(|| Ok(self.db.get(keys::DAY)?.map(|value| serde_json::from_slice(&value)).transpose()?))
    }

    /// Saves the open minutes and the day's note, and syncs them to disk.
    pub fn save_open<'a>(
        &mut self,
        minutes: impl Iterator<Item = &'a OpenMinute>,
        day: DayNote,
    ) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        batch.insert(keys::DAY, json(&day)?);
        for minute in minutes {
            batch.insert(keys::open(minute.from, minute.device_id), json(minute)?);
        }
        guarded(|| {
            self.db.apply_batch(batch)?;
            self.db.flush()?;
            Ok(())
        })
    }

    /// Removes an open minute that ended without a record or was deleted.
    pub fn forget_open(&mut self, minute: &OpenMinute) -> Result<(), StoreError> {
        guarded(|| {
            self.db.remove(keys::open(minute.from, minute.device_id))?;
            Ok(())
        })
    }

    /// Moves a minute, whose line is in the history, from the open ones to the queue, unless its account was erased.
    pub fn sealed(&mut self, queued: &Queued, (day, length): (Date, u64)) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        let from = MinuteStart::containing(queued.minute.from_timestamp);
        batch.remove(keys::open(from, queued.minute.device_id));
        self.meta.days.insert(day, length);
        self.enqueue(queued, &mut batch)?;
        self.commit(batch)
    }

    fn is_erased(&self, owner: Option<&Owner>) -> bool {
        owner.is_some_and(|owner| self.erased.contains(owner))
    }

    /// Adds a minute to the queue; every way into the queue passes here, so erased accounts are checked here.
    fn enqueue(&mut self, queued: &Queued, batch: &mut sled::Batch) -> Result<(), StoreError> {
        if self.is_erased(queued.owner.as_ref()) {
            return Ok(());
        }
        let tag = keys::tag(queued.owner.as_ref());
        let from = MinuteStart::containing(queued.minute.from_timestamp);
        let key = keys::minute(keys::QUEUE, tag, from, queued.minute.device_id);
        if !guarded(|| Ok(self.db.contains_key(&key)?))? {
            *self.queue.entry(tag).or_default() += 1;
        }
        batch.insert(key, json(queued)?);
        Ok(())
    }

    /// The number of queued minutes of `owner`.
    #[must_use]
    pub fn pending(&self, owner: Option<&Owner>) -> u64 {
        self.queue.get(&keys::tag(owner)).copied().unwrap_or(0)
    }

    /// The number of queued minutes of others than `owner`, nobody's included.
    #[must_use]
    pub fn held(&self, owner: Option<&Owner>) -> u64 {
        let ours = owner.map(|owner| keys::tag(Some(owner)));
        self.queue.iter().filter(|(tag, _)| Some(**tag) != ours).map(|(_, n)| n).sum()
    }

    #[must_use]
    pub fn kept_back(&self, owner: Option<&Owner>) -> KeptBack {
        KeptBack { held: self.held(owner), set_aside: self.set_aside_count(owner) }
    }

    #[must_use]
    pub fn set_aside_count(&self, owner: Option<&Owner>) -> u64 {
        self.aside.get(&keys::tag(owner)).copied().unwrap_or(0)
    }

    /// The oldest queued minutes of `owner`, at most `limit`, all of one device that is none of `refused`.
    pub fn batch(&self, owner: &Owner, limit: usize, refused: &[DeviceId]) -> Result<Vec<Minute>, StoreError> {
        let prefix = [keys::QUEUE, &keys::tag(Some(owner))].concat();
        let is_sent = |key: &[u8]| !refused.iter().any(|device_id| keys::is_of(key, *device_id));
        let found: Vec<(_, Queued)> = self.scan_keys(&prefix, limit, is_sent)?;
        let device: Option<DeviceId> = found.first().map(|(_, queued)| queued.minute.device_id);
        let ours = |queued: &Queued| queued.owner.as_ref() == Some(owner) && Some(queued.minute.device_id) == device;
        Ok(found.into_iter().map(|(_, queued)| queued).filter(ours).map(|queued| queued.minute).collect())
    }

    /// Removes minutes of `owner` from the queue that the server has answered for; the rejected ones are set aside.
    /// Minutes no longer queued are ignored. If it fails, nothing has left the queue.
    pub fn acknowledge(
        &mut self,
        owner: &Owner,
        minutes: &[Minute],
        rejected: &BTreeMap<usize, (String, String)>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let tag = keys::tag(Some(owner));
        let mut batch = sled::Batch::default();
        for (index, minute) in minutes.iter().enumerate() {
            let from = MinuteStart::containing(minute.from_timestamp);
            let key = keys::minute(keys::QUEUE, tag, from, minute.device_id);
            let Some(value) = guarded(|| Ok(self.db.get(&key)?))? else { continue };
            batch.remove(key);
            one_less(&mut self.queue, tag);
            if let Some((code, detail)) = rejected.get(&index) {
                let queued: Queued = serde_json::from_slice(&value)?;
                let aside = Aside { queued, code: aside::word(code), detail: aside::sentence(detail), at };
                let key = keys::minute(keys::ASIDE, tag, from, minute.device_id);
                if !guarded(|| Ok(self.db.contains_key(&key)?))? {
                    *self.aside.entry(tag).or_default() += 1;
                }
                batch.insert(key, json(&aside)?);
            }
        }
        self.commit(batch)
    }

    /// Gives queued minutes of nobody that began before `before` to `owner`; returns how many. Those of `foreign`
    /// devices stay nobody's: a profile may have been copied from somebody else's machine. It can be repeated after a
    /// failure.
    pub fn adopt(&mut self, owner: &Owner, before: Timestamp, foreign: &[DeviceId]) -> Result<u64, StoreError> {
        let nobody = keys::tag(None);
        let found: Vec<(Vec<u8>, Queued)> = self.scan(&[keys::QUEUE, &nobody].concat(), usize::MAX)?;
        let theirs =
            |queued: &Queued| queued.minute.from_timestamp < before && !foreign.contains(&queued.minute.device_id);
        let found: Vec<_> = found.into_iter().filter(|(_, queued)| theirs(queued)).collect();
        for chunk in found.chunks(CHUNK) {
            let mut batch = sled::Batch::default();
            for (key, queued) in chunk {
                batch.remove(key.as_slice());
                one_less(&mut self.queue, nobody);
                self.enqueue(&Queued { owner: Some(owner.clone()), ..queued.clone() }, &mut batch)?;
            }
            self.commit(batch)?;
        }
        Ok(found.len() as u64)
    }

    /// Drops the queued minutes for which `gone` holds; returns how many. It can be repeated after a failure.
    pub fn drop_queued(&mut self, gone: impl Fn(&Queued) -> bool) -> Result<u64, StoreError> {
        let found: Vec<(Vec<u8>, Queued)> = self.scan(keys::QUEUE, usize::MAX)?;
        let found: Vec<_> = found.into_iter().filter(|(_, queued)| gone(queued)).collect();
        for chunk in found.chunks(CHUNK) {
            let mut batch = sled::Batch::default();
            for (key, queued) in chunk {
                batch.remove(key.as_slice());
                one_less(&mut self.queue, keys::tag(queued.owner.as_ref()));
            }
            self.commit(batch)?;
        }
        Ok(found.len() as u64)
    }

    /// Notes the day files' lengths after we changed them otherwise than by sealing.
    pub fn note_days(&mut self, days: BTreeMap<Date, u64>) -> Result<(), StoreError> {
        self.meta.days = days;
        self.commit(sled::Batch::default())
    }
}

#[cfg(test)]
mod tests;
