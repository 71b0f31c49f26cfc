//! What people asked for since a backup was made is done again, from the ledger.
//!
//! A line is written before its commit, so it may speak of something that a backup of about the same time does not hold
//! yet, or of something that then failed. The replay starts well before the backup, and compares.

use blink_proto::UserId;
use jiff::{SignedDuration, Timestamp};

use super::BackupError;
use crate::{
    db::{
        conn::Conn,
        erase,
        types::DbId,
        users::{self, ConsentRow},
    },
    domain::time::UtcMs,
    ledger::{Entry, What},
};

/// Between a line and its commit, or its failure, lies at most this; clocks of replicas differ by less.
const UNDER_WAY: SignedDuration = SignedDuration::from_hours(1);

/// What was done again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Replayed {
    pub(super) erased: u64,
    pub(super) consents: u64,
    /// Erasures that had failed: the backup, made later, still holds the person.
    pub(super) failed_erasures: u64,
}

pub(super) fn replay(
    conn: &mut Conn,
    ledger: &[Entry],
    created_at: Timestamp,
    now: UtcMs,
) -> Result<Replayed, BackupError> {
    let since = created_at.checked_sub(UNDER_WAY).unwrap_or(Timestamp::MIN);
    let taken_back = taken_back(ledger);
    let mut done = Replayed::default();
    for entry in ledger {
        let user = DbId::from(entry.user_id);
        if users::by_id(conn, user)?.is_none() {
            continue;
        }
        match &entry.what {
            What::Erased if taken_back.iter().any(|failed| failed.holds(entry)) => {}
            What::Erased if entry.at < since => done.failed_erasures += 1,
            What::Erased => {
                erase::person(conn, user, None, now)?;
                done.erased += 1;
            }
            What::NotErased { .. } => {}
            What::Consent { kind, version, granted } if entry.at >= since => {
                let row = ConsentRow {
                    id: DbId::fresh(),
                    user_id: user,
                    kind: kind.clone(),
                    version: version.clone(),
                    granted: *granted,
                    at: entry.at.into(),
                };
                if is_news(conn, &row)? {
                    users::record_consent(conn, &row)?;
                    done.consents += 1;
                }
            }
            What::Consent { .. } => {}
        }
    }
    Ok(done)
}

/// An erasure that is known to have failed.
struct Failed {
    user: UserId,
    begun: Timestamp,
    noticed: Timestamp,
}

impl Failed {
    fn holds(&self, entry: &Entry) -> bool {
        entry.user_id == self.user && (self.begun..=self.noticed).contains(&entry.at)
    }
}

fn taken_back(ledger: &[Entry]) -> Vec<Failed> {
    let failed = |entry: &Entry| match entry.what {
        What::NotErased { begun } => Some(Failed { user: entry.user_id, begun, noticed: entry.at }),
        _ => None,
    };
    ledger.iter().filter_map(failed).collect()
}

/// Whether a consent of the ledger is not in the backup, and nothing later is.
fn is_news(conn: &mut Conn, row: &ConsentRow) -> Result<bool, BackupError> {
    let mut known = users::consents_of(conn, row.user_id)?;
    known.retain(|known| known.kind == row.kind);
    Ok(known.last().is_none_or(|newest| {
        let same = newest.granted == row.granted && newest.version == row.version;
        !same && newest.at <= row.at
    }))
}
