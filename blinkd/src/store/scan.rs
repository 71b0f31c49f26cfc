//! Reads a whole store as far as it can be read, so that what is left of a damaged one is not lost.

use blink_proto::MinuteStart;

use super::{Aside, Meta, Queued, SCHEMA, StoreError, guarded, keys};
use crate::minutes::OpenMinute;

/// What could be read of a store, and the first fault.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) meta: Option<Meta>,
    pub(super) open: Vec<OpenMinute>,
    pub(super) queue: Vec<Queued>,
    pub(super) aside: Vec<Aside>,
    pub(super) wrong: Option<String>,
}

/// Reads everything. It stops at the first fault and keeps what was read until then.
pub(super) fn scan(db: &sled::Db) -> Scan {
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
            let fits = keys::open(minute.from, minute.device_id) == key || keys::open_before(minute.from) == key;
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
