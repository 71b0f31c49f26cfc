//! Minutes that come from an exported file instead of from sealing.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{CHUNK, Queued, Store, StoreError};

impl Store {
    /// Queues the imported minutes `queued` for upload and notes the day files' lengths; their lines are in the
    /// history. If it fails, the next opening finds the lines, which say what is to be queued.
    pub fn imported(&mut self, queued: &[Queued], days: BTreeMap<Date, u64>) -> Result<(), StoreError> {
        self.meta.days.extend(days);
        for chunk in queued.chunks(CHUNK) {
            let mut batch = sled::Batch::default();
            for queued in chunk {
                self.enqueue(queued, &mut batch)?;
            }
            self.commit(batch)?;
        }
        self.commit(sled::Batch::default())
    }
}
