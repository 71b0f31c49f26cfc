//! Opening the store, which may be damaged in ways sled does not notice.
//!
//! The order: sweep what a crash during opening left behind, open (without a broken snapshot or configuration if that
//! is what fails), read everything, compare with the history. What does not fit is set aside as
//! `store.damaged-TIME`, and a new store is built from the history and from what could still be read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use blink_proto::{DeviceId, MinuteStart};
use jiff::Timestamp;

use super::{
    Aside, History, Import, Line, Meta, Queued, SCHEMA, Store, StoreError, guarded, history, keys,
    rebuild::{rebuild, set_aside},
};
use crate::{
    minutes::{OpenMinute, Owner},
    profile::FirstAccount,
};

/// How long another process's lock is waited for: a killed one can hold it for a moment.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);

/// What is needed to know whose a minute in the history is.
#[derive(Clone, Copy, Debug)]
pub struct Heritage<'a> {
    /// This machine: only its own minutes are ever sent.
    pub device_id: DeviceId,
    /// The profile's first account, which may have adopted nobody's minutes.
    pub first: Option<&'a FirstAccount>,
    /// Accounts that are no more.
    pub erased: &'a [Owner],
}

impl Heritage<'_> {
    /// Whose the minute of `line` is.
    pub(super) fn owner(&self, line: &Line) -> Option<Owner> {
        match (line.minute.user_id, &line.server, self.first) {
            (Some(user_id), Some(server), _) => Some(Owner { server: server.clone(), user_id }),
            (None, _, Some(first)) if first.adopted && line.minute.from_timestamp < first.at => {
                Some(first.owner.clone())
            }
            _ => None,
        }
    }
}

/// How opening went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// There was no store and no history.
    Fresh,
    /// Everything fitted.
    Clean,
    /// It did not, and was rebuilt.
    Rebuilt {
        /// What was found.
        why: String,
        /// Minutes queued again; the server knows which of them it has.
        queued: u64,
    },
}

/// What could be read of a store, and what was wrong with it.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) meta: Option<Meta>,
    pub(super) open: Vec<OpenMinute>,
    pub(super) queue: Vec<Queued>,
    pub(super) aside: Vec<Aside>,
    pub(super) wrong: Option<String>,
}

impl Store {
    /// Opens the store in `folder`, and rebuilds it where it is damaged. The caller holds the profile's lock.
    ///
    /// # Errors
    ///
    /// The folder, the disk or a lock does not let us: to be tried again later. Or a later version wrote it, which is
    /// left alone.
    pub fn open(
        folder: &Path,
        history: &History,
        heritage: Heritage<'_>,
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
                let mut store = Self::of(db, BTreeMap::new(), heritage.erased);
                store.commit(sled::Batch::default())?;
                return Ok((store, Opening::Fresh));
            }
            (None, None) => Some("it is empty".to_owned()),
            (None, Some(meta)) => compare(meta, &scan, history, &days)?,
        };
        match (wrong, db) {
            (None, Some(db)) => {
                let mut store = Self::of(db, days.clone(), heritage.erased);
                store.count(&scan);
                finish_seals(&mut store, &scan, history, &days, heritage)?;
                Ok((store, Opening::Clean))
            }
            (wrong, db) => {
                drop_quietly(db);
                let why = wrong.unwrap_or_default();
                set_aside(folder, now)?;
                let store = rebuild(folder, history, &days, heritage, &scan)?;
                let queued = store.queue.values().sum();
                tracing::warn!(why, queued, "the store was damaged: set aside and rebuilt from the history");
                Ok((store, Opening::Rebuilt { why, queued }))
            }
        }
    }

    pub(super) fn of(db: sled::Db, days: BTreeMap<jiff::civil::Date, u64>, erased: &[Owner]) -> Self {
        let meta = Meta { schema: SCHEMA, queue: 0, aside: 0, days };
        Self { db, meta, queue: BTreeMap::new(), aside: BTreeMap::new(), erased: erased.to_vec() }
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

/// A full disk or a missing permission is no damage.
fn is_environment(error: &StoreError) -> bool {
    let (StoreError::Io(error) | StoreError::Sled(sled::Error::Io(error))) = error else { return false };
    use io::ErrorKind as K;
    matches!(
        error.kind(),
        K::StorageFull | K::PermissionDenied | K::ReadOnlyFilesystem | K::WouldBlock | K::QuotaExceeded
    ) || is_lock(error)
}

/// sled words a held lock so, whatever kind the system gave it.
fn is_lock(error: &io::Error) -> bool {
    error.to_string().contains("acquire lock")
}

/// A snapshot that a crash left half written makes sled refuse the whole store.
fn sweep(folder: &Path) -> io::Result<()> {
    remove_named(folder, |name| name.starts_with("snap.") && name.ends_with(".generating")).map(drop)
}

fn remove_named(folder: &Path, goes: impl Fn(&str) -> bool) -> io::Result<usize> {
    let mut removed = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(&goes) {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Opens; where that fails, again without the snapshots, and again without the configuration: both only repeat what
/// the log says.
fn open_mending(folder: &Path) -> Result<sled::Db, StoreError> {
    let first = match open_patiently(folder) {
        Err(error) if !is_environment(&error) => error,
        other => return other,
    };
    let repeats: [fn(&str) -> bool; 2] = [|name| name.starts_with("snap."), |name| name == "conf"];
    for goes in repeats {
        if remove_named(folder, goes)? > 0
            && let Ok(db) = open_patiently(folder)
        {
            return Ok(db);
        }
    }
    Err(first)
}

pub(super) fn open_patiently(folder: &Path) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new().path(folder).cache_capacity(8 << 20).flush_every_ms(Some(5_000));
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match guarded(|| Ok(config.open()?)) {
            Err(StoreError::Sled(sled::Error::Io(error))) if is_lock(&error) && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(20));
            }
            other => return other,
        }
    }
}

/// The schema it was written in; `None` where that cannot be told.
fn schema_of(db: &sled::Db) -> Option<u32> {
    #[derive(serde::Deserialize)]
    struct Only {
        schema: u32,
    }
    let value = guarded(|| Ok(db.get(keys::META)?)).ok()??;
    serde_json::from_slice::<Only>(&value).ok().map(|meta| meta.schema)
}

/// Reads everything. It stops at the first thing that is wrong and keeps what it had.
fn scan(db: &sled::Db) -> Scan {
    let mut scan = Scan::default();
    let outcome = guarded(|| {
        for entry in db.iter() {
            let (key, value) = entry?;
            read_entry(&key, &value, &mut scan)?;
        }
        Ok(())
    });
    scan.wrong = outcome.err().map(|error| error.why());
    scan
}

fn read_entry(key: &[u8], value: &[u8], scan: &mut Scan) -> Result<(), StoreError> {
    let place = |prefix, queued: &Queued| {
        let from = MinuteStart::try_from(queued.minute.from_timestamp).ok();
        from.map(|from| keys::minute(prefix, keys::tag(queued.owner.as_ref()), from, queued.minute.device_id))
    };
    let fits = match key.get(..1) {
        Some(keys::META) => {
            let meta: Meta = serde_json::from_slice(value)?;
            let known = meta.schema == SCHEMA;
            scan.meta = Some(meta);
            known
        }
        Some(keys::DAY) => serde_json::from_slice::<super::DayNote>(value).map(|_| true)?,
        Some(keys::OPEN) => {
            let minute: OpenMinute = serde_json::from_slice(value)?;
            let fits = keys::open(minute.from) == key;
            scan.open.push(minute);
            fits
        }
        Some(keys::QUEUE) => {
            let queued: Queued = serde_json::from_slice(value)?;
            let fits = place(keys::QUEUE, &queued).as_deref() == Some(key);
            scan.queue.push(queued);
            fits
        }
        Some(keys::ASIDE) => {
            let aside: Aside = serde_json::from_slice(value)?;
            let fits = place(keys::ASIDE, &aside.queued).as_deref() == Some(key);
            scan.aside.push(aside);
            fits
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err(StoreError::Damaged("an entry is not where it belongs")) }
}

/// What is wrong with a store that could be read whole; `None` where it fits its own counts and the history.
fn compare(
    meta: &Meta,
    scan: &Scan,
    history: &History,
    days: &BTreeMap<jiff::civil::Date, u64>,
) -> io::Result<Option<String>> {
    if meta.queue != scan.queue.len() as u64 || meta.aside != scan.aside.len() as u64 {
        return Ok(Some("it lost entries".to_owned()));
    }
    // Lines it never heard of are those of seals that were cut off, whose minutes it still holds open, and of imports
    // that were, which say so themselves.
    let open: BTreeSet<_> = scan.open.iter().map(|minute| minute.from.start()).collect();
    for line in unknown_lines(Some(meta), history, days)? {
        if line.import.is_none() && !open.contains(&line.minute.from_timestamp) {
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

/// Queues the minutes whose lines were written but which the store still holds open.
fn finish_seals(
    store: &mut Store,
    scan: &Scan,
    history: &History,
    days: &BTreeMap<jiff::civil::Date, u64>,
    heritage: Heritage<'_>,
) -> Result<(), StoreError> {
    for open in &scan.open {
        let day = history::day_of(open.from);
        let Some(length) = days.get(&day) else { continue };
        let is_it =
            |line: &Line| line.minute.from_timestamp == open.from.start() && line.minute.device_id == open.device_id;
        if let Some(line) = history.read(day, 0)?.into_iter().find(is_it) {
            let owner = heritage.owner(&line);
            store.sealed(&Queued::sealed(line.minute, owner), (day, *length))?;
        }
    }
    let mut batch = sled::Batch::default();
    for line in unknown_lines(scan.meta.as_ref(), history, days)? {
        if line.import == Some(Import::Queued) {
            store.enqueue(&queued(&line, heritage), &mut batch)?;
        }
    }
    store.commit(batch)
}

/// What waits of a line in the history.
pub(super) fn queued(line: &Line, heritage: Heritage<'_>) -> Queued {
    Queued { owner: heritage.owner(line), minute: line.minute.clone(), imported: line.import.is_some() }
}

/// Closing a damaged database may panic.
pub(crate) fn drop_quietly<T>(db: T) {
    let _ = guarded(|| {
        drop(db);
        Ok(())
    });
}
