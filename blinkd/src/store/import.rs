//! Minutes that come from a file of the person's instead of from sealing.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{CHUNK, Queued, Store, StoreError};

impl Store {
    /// The lines of imported minutes are in the history, whose files are so long now; `queued` of them are to be
    /// uploaded.
    ///
    /// Fails when the store failed. When it is opened again it finds the lines, which say what is to become of them.
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
