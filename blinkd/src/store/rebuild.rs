//! Setting a damaged store aside, and building a new one from the history.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use blink_profile::day_files::identity;
use blink_proto::MinuteStart;
use jiff::{Timestamp, civil::Date};

use super::{
    CHUNK, History, Import, Line, Store, StoreError,
    database::open_patiently,
    json, keys,
    ownership::{MinuteOwnership, queued},
    scan::Scan,
};

const KEPT_ASIDE: usize = 3;

/// Moves the damaged store out of the way, and deletes the oldest of those moved earlier.
pub(super) fn set_aside(folder: &Path, now: Timestamp) -> io::Result<()> {
    let parent = folder.parent().unwrap_or(Path::new("."));
    let stem = format!("{}.damaged-", folder.file_name().and_then(|name| name.to_str()).unwrap_or("store"));
    let mut aside: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(&stem)) {
            aside.push(entry.path());
        }
    }
    aside.sort();
    let surplus = (aside.len() + 1).saturating_sub(KEPT_ASIDE);
    for old in aside.iter().take(surplus) {
        fs::remove_dir_all(old)?;
    }
    let to = parent.join(format!("{stem}{}", now.as_millisecond()));
    fs::rename(folder, to)
}

/// Builds a new store: minutes that this profile sealed or imported for upload come from the history, the rest from
/// what could be read of the old store. Another machine's minutes of nobody are queued only where the old store had
/// them queued.
pub(super) fn rebuild(
    folder: &Path,
    history: &History,
    days: &BTreeMap<Date, u64>,
    ownership: MinuteOwnership<'_>,
    scan: &Scan,
) -> Result<Store, StoreError> {
    blink_files::private_folder(folder)?;
    let mut store = Store::from_database(open_patiently(folder)?, days.clone(), ownership.erased);
    let rejected: BTreeSet<_> = scan.aside.iter().map(|aside| aside.queued.minute.id).collect();
    let mut sealed = BTreeSet::new();
    for day in days.keys() {
        let lines = history.read(*day, 0)?;
        let is_sent = |line: &Line| match line.import {
            None => line.minute.device_id == ownership.device_id || line.minute.user_id.is_some(),
            Some(import) => import == Import::Queued,
        };
        let sent: Vec<_> =
            lines.into_iter().filter(is_sent).filter(|line| sealed.insert(identity(&line.minute))).collect();
        for chunk in sent.chunks(CHUNK) {
            let mut batch = sled::Batch::default();
            for line in chunk.iter().filter(|line| !rejected.contains(&line.minute.id)) {
                store.enqueue(&queued(line, ownership), &mut batch)?;
            }
            store.commit(batch)?;
        }
    }
    // Minutes that were queued for longer than the history keeps are only in the old store.
    let waiting: Vec<_> = scan.queue.iter().filter(|queued| !sealed.contains(&identity(&queued.minute))).collect();
    for chunk in waiting.chunks(CHUNK) {
        let mut batch = sled::Batch::default();
        for queued in chunk {
            store.enqueue(queued, &mut batch)?;
        }
        store.commit(batch)?;
    }
    let mut batch = sled::Batch::default();
    for aside in &scan.aside {
        if store.is_erased(aside.queued.owner.as_ref()) {
            continue;
        }
        let tag = keys::tag(aside.queued.owner.as_ref());
        let from = MinuteStart::containing(aside.queued.minute.from_timestamp);
        batch.insert(keys::minute(keys::ASIDE, tag, from, aside.queued.minute.device_id), json(aside)?);
        *store.aside.entry(tag).or_default() += 1;
    }
    for open in scan.open.iter().filter(|open| !sealed.contains(&(open.from.start(), open.device_id))) {
        batch.insert(keys::open(open.from, open.device_id), json(open)?);
    }
    store.commit(batch)?;
    Ok(store)
}
