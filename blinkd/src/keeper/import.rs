//! Import of exported minutes.
//!
//! A minute is taken unchanged, so that a later export is byte for byte the same; one that blinkd cannot have written
//! is refused with a reason, never cut to fit. The rules of ownership hold: a minute that is to be uploaded must be the
//! signed-in account's own, or nobody's from before the profile's first account, if that account adopted those. Device
//! and start identify a minute: no camera sees the same minute twice, whoever was signed in.

use std::collections::{BTreeMap, btree_map::Entry};

use blink_proto::{
    DeviceId, Minute, MinuteStart, Problem,
    ipc::{ImportRejection, Imported, MAX_IMPORT_MINUTES},
    problem::code,
};
use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{Keeper, not_signed_in};
use crate::{
    minutes::Owner,
    store::{Import, Line, Queued, StoreError, history::day_of},
};

/// A minute counts as over this long after its end, which is when it could have been sealed.
const SEALED_AFTER: SignedDuration = SignedDuration::from_secs(2);

/// The minutes in the history by device and start, for the days read so far.
type Known = BTreeMap<(DeviceId, Timestamp), Minute>;

fn refused(code: &str, detail: impl Into<String>) -> (String, String) {
    (code.to_owned(), detail.into())
}

impl Keeper {
    /// Adds minutes to the history, and with `upload` also to the queue, as far as the signed-in account may send them.
    ///
    /// Fails when there are too many, when nobody is signed in to upload them, or when the disk fails. In the last case
    /// each day's minutes are written completely or not at all, and the import can be repeated.
    pub fn import(&mut self, minutes: Vec<Minute>, upload: bool) -> Result<Imported, Problem> {
        if minutes.len() > MAX_IMPORT_MINUTES {
            let message = format!("{} minutes are too many for one call.", minutes.len());
            return Err(Problem::new(code::TOO_MANY, message, format!("Send at most {MAX_IMPORT_MINUTES} at once.")));
        }
        let owner = if upload { Some(self.owner().ok_or_else(not_signed_in)?) } else { None };
        let now = self.deps.clock.now();
        let mut done = Imported::default();
        let (mut lines, mut queued) = (Vec::new(), Vec::new());
        let (mut known, mut read) = (Known::new(), BTreeMap::new());
        for (index, minute) in (0..).zip(minutes) {
            if let Err((code, detail)) = self.may_take(&minute, now) {
                done.rejected.push(ImportRejection { index, code, detail });
                continue;
            }
            self.read_day(&minute, &mut known, &mut read)?;
            match known.entry((minute.device_id, minute.from_timestamp)) {
                Entry::Occupied(there) if *there.get() == minute => done.duplicates += 1,
                Entry::Occupied(_) => {
                    let detail = "the history has another record of this minute, which never changes".to_owned();
                    done.rejected.push(ImportRejection { index, code: "conflict".to_owned(), detail });
                }
                Entry::Vacant(place) => {
                    place.insert(minute.clone());
                    lines.push(self.line(minute, owner.as_ref(), &mut queued));
                }
            }
        }
        done.imported = lines.len() as u64;
        done.queued = queued.len() as u64;
        self.take_lines(&lines, &queued, now)?;
        tracing::info!(imported = done.imported, queued = done.queued, rejected = done.rejected.len(), "import");
        Ok(done)
    }

    fn may_take(&self, minute: &Minute, now: Timestamp) -> Result<(), (String, String)> {
        minute.check().map_err(|fault| refused("invalid", fault.to_string()))?;
        let from = MinuteStart::containing(minute.from_timestamp);
        let counted_here = minute.device_id == self.device.id && self.counting.minutes.get(from).is_some();
        if now.duration_since(from.end()) < SEALED_AFTER || counted_here {
            return Err(refused("not_over", "this minute is not over yet"));
        }
        let first_kept = self.first_kept_day(now);
        if first_kept.is_some_and(|first| day_of(from) < first) {
            let days = self.deps.retention_days;
            let detail = format!(
                "it is older than the {days} days of history.retention_days and would be removed the next night; \
                 raise that first"
            );
            return Err(refused("too_old", detail));
        }
        Ok(())
    }

    pub(super) fn first_kept_day(&self, now: Timestamp) -> Option<Date> {
        let kept = SignedDuration::from_hours(24 * i64::from(self.deps.retention_days));
        day_of(MinuteStart::containing(now)).checked_sub(kept).ok()
    }

    fn read_day(&mut self, minute: &Minute, known: &mut Known, read: &mut BTreeMap<Date, ()>) -> Result<(), Problem> {
        let day = day_of(MinuteStart::containing(minute.from_timestamp));
        if read.insert(day, ()).is_none() {
            let lines = self.records.history.read(day, 0).map_err(|error| StoreError::from(error).problem())?;
            known.extend(lines.into_iter().map(|l| ((l.minute.device_id, l.minute.from_timestamp), l.minute)));
        }
        Ok(())
    }

    fn line(&self, minute: Minute, account: Option<&Owner>, queued: &mut Vec<Queued>) -> Line {
        let owner = account.filter(|account| match minute.user_id {
            Some(user_id) => user_id == account.user_id,
            None => self
                .person
                .account
                .first
                .as_ref()
                .is_some_and(|first| first.adopted && first.owner == **account && minute.from_timestamp < first.at),
        });
        let Some(owner) = owner else { return Line { minute, server: None, import: Some(Import::Kept) } };
        queued.push(Queued { minute: minute.clone(), owner: Some(owner.clone()), imported: true });
        Line { minute, server: Some(owner.server.clone()), import: Some(Import::Queued) }
    }

    fn take_lines(&mut self, lines: &[Line], queued: &[Queued], now: Timestamp) -> Result<(), Problem> {
        if lines.is_empty() {
            return Ok(());
        }
        let days = self.records.history.append_all(lines).map_err(|error| StoreError::from(error).problem())?;
        // If the store fails here, it reads these lines from the history when it is opened again.
        self.records.with_store(|store| store.imported(queued, days));
        let device_id = self.device.id;
        let ours = lines.iter().filter(|line| line.minute.device_id == device_id);
        self.counting.minutes.know_sealed(ours.map(|line| MinuteStart::containing(line.minute.from_timestamp)));
        self.recount(now);
        if !queued.is_empty() {
            (self.deps.on_sealed)();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
