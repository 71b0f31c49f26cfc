//! Opens the store, which may be damaged in ways that sled does not notice.
//!
//! The steps: remove what a crash during an earlier opening left behind, open (without a broken snapshot or
//! configuration if those fail), read everything, compare with the history. A store that does not agree is set aside as
//! `store.damaged-TIME`, and a new one is built from the history and from what could still be read.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
};

use blink_profile::day_files::{Identity, identity};
use jiff::Timestamp;

use super::{
    History, Import, Line, Meta, Queued, SCHEMA, Store, StoreError,
    database::{drop_quietly, is_environment, open_mending, schema_of, sweep},
    history, keys,
    ownership::{MinuteOwnership, queued},
    rebuild::{rebuild, set_aside},
    scan::{Scan, scan},
};
use crate::minutes::{OpenMinute, Owner};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    Fresh,
    Clean,
    /// The store was damaged, and was rebuilt.
    Rebuilt {
        why: String,
        /// Minutes queued again; the server ignores those it already has.
        queued: u64,
    },
}

impl Store {
    /// Opens the store in `folder`, and rebuilds it when it is damaged. The caller holds the profile's lock. Fails when
    /// the folder, the disk or a lock is at fault, which may pass, or when a later version wrote the store, which is
    /// left alone. `sealed_meanwhile` is what this process sealed while the store was closed.
    pub fn open(
        folder: &Path,
        history: &History,
        ownership: MinuteOwnership<'_>,
        sealed_meanwhile: &BTreeSet<Identity>,
        now: Timestamp,
    ) -> Result<(Self, Opening), StoreError> {
        blink_files::private_folder(folder)?;
        sweep(folder)?;
        let (db, scan) = match open_mending(folder) {
            Ok(db) => {
                if let Some(newer) = schema_of(&db).filter(|schema| *schema > SCHEMA) {
                    return Err(StoreError::Newer(newer));
                }
                let scan = scan(&db);
                (Some(db), scan)
            }
            Err(error @ (StoreError::Io(_) | StoreError::Sled(sled::Error::Io(_)))) if is_environment(&error) => {
                return Err(error);
            }
            Err(error) => (None, Scan { wrong: Some(error.why()), ..Scan::default() }),
        };
        let days = history.days()?;
        let wrong = match (&scan.wrong, &scan.meta) {
            (Some(wrong), _) => Some(wrong.clone()),
            (None, None) if days.is_empty() => {
                let db = db.ok_or(StoreError::Damaged("it is gone"))?;
                let mut store = Self::from_database(db, BTreeMap::new(), ownership.erased);
                store.commit(sled::Batch::default())?;
                return Ok((store, Opening::Fresh));
            }
            (None, None) => Some("it is empty".to_owned()),
            (None, Some(meta)) => compare(meta, &scan, history, &days, sealed_meanwhile)?,
        };
        match (wrong, db) {
            (None, Some(db)) => {
                let mut store = Self::from_database(db, days.clone(), ownership.erased);
                store.count(&scan);
                store.rename_open(&scan.open)?;
                finish_seals(&mut store, &scan, history, &days, ownership, sealed_meanwhile)?;
                Ok((store, Opening::Clean))
            }
            (wrong, db) => {
                drop_quietly(db);
                let why = wrong.unwrap_or_default();
                set_aside(folder, now)?;
                let store = rebuild(folder, history, &days, ownership, &scan)?;
                let queued = store.queue.values().sum();
                tracing::warn!(why, queued, "the store was damaged: set aside and rebuilt from the history");
                Ok((store, Opening::Rebuilt { why, queued }))
            }
        }
    }

    pub(super) fn from_database(db: sled::Db, days: BTreeMap<jiff::civil::Date, u64>, erased: &[Owner]) -> Self {
        let meta = Meta { schema: SCHEMA, queue: 0, aside: 0, days };
        Self { db, meta, queue: BTreeMap::new(), aside: BTreeMap::new(), erased: erased.to_vec() }
    }

    /// Gives open minutes of an earlier version the keys that they have now.
    fn rename_open(&self, open: &[OpenMinute]) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for minute in open {
            batch.remove(keys::open_before(minute.from));
            batch.insert(keys::open(minute.from, minute.device_id), super::json(minute)?);
        }
        Ok(self.db.apply_batch(batch)?)
    }

    fn count(&mut self, scan: &Scan) {
        for queued in &scan.queue {
            *self.queue.entry(keys::tag(queued.owner.as_ref())).or_default() += 1;
        }
        for aside in &scan.aside {
            *self.aside.entry(keys::tag(aside.queued.owner.as_ref())).or_default() += 1;
        }
    }
}

/// Why a store that could be read whole does not agree with its own counts or with the history; `None` where it does.
fn compare(
    meta: &Meta,
    scan: &Scan,
    history: &History,
    days: &BTreeMap<jiff::civil::Date, u64>,
    sealed_meanwhile: &BTreeSet<Identity>,
) -> io::Result<Option<String>> {
    if meta.queue != scan.queue.len() as u64 || meta.aside != scan.aside.len() as u64 {
        return Ok(Some("it lost entries".to_owned()));
    }
    // Three kinds of lines may be unknown to the store: those of interrupted seals, whose minutes are still open in it,
    // those of seals while it was closed, and those of interrupted imports, which are marked as imported.
    let open: BTreeSet<Identity> = scan.open.iter().map(|minute| (minute.from.start(), minute.device_id)).collect();
    for line in unknown_lines(Some(meta), history, days)? {
        let minute = identity(&line.minute);
        if line.import.is_none() && !open.contains(&minute) && !sealed_meanwhile.contains(&minute) {
            return Ok(Some("it is older than the history".to_owned()));
        }
    }
    Ok(None)
}

fn unknown_lines(
    meta: Option<&Meta>,
    history: &History,
    days: &BTreeMap<jiff::civil::Date, u64>,
) -> io::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (day, length) in days {
        let known = meta.and_then(|meta| meta.days.get(day)).copied().unwrap_or(0);
        if known < *length {
            lines.extend(history.read(*day, known)?);
        }
    }
    Ok(lines)
}

/// Queues what is in the history and not in the store: imports, seals while the store was closed, and seals that were
/// interrupted, whose minutes are still open in the store. The last come last: with the first commit the store knows all
/// lines, and open minutes alone are found by themselves the next time.
fn finish_seals(
    store: &mut Store,
    scan: &Scan,
    history: &History,
    days: &BTreeMap<jiff::civil::Date, u64>,
    ownership: MinuteOwnership<'_>,
    sealed_meanwhile: &BTreeSet<Identity>,
) -> Result<(), StoreError> {
    let mut batch = sled::Batch::default();
    for line in unknown_lines(scan.meta.as_ref(), history, days)? {
        if line.import == Some(Import::Queued) || sealed_meanwhile.contains(&identity(&line.minute)) {
            store.enqueue(&queued(&line, ownership), &mut batch)?;
        }
    }
    store.commit(batch)?;
    for open in &scan.open {
        let day = history::day_of(open.from);
        let Some(length) = days.get(&day) else { continue };
        let is_it =
            |line: &Line| line.minute.from_timestamp == open.from.start() && line.minute.device_id == open.device_id;
        if let Some(line) = history.read(day, 0)?.into_iter().find(is_it) {
            let owner = ownership.owner(&line);
            store.sealed(&Queued::sealed(line.minute, owner), (day, *length))?;
        }
    }
    Ok(())
}
