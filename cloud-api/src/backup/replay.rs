//! Applies the ledger's entries since a backup was made.
//!
//! An entry is written before its commit, so it may be about a change that a backup of about the same time does not
//! contain yet, or about one that then failed.
//!
//! An erasure is applied whatever its time, unless the ledger takes it back, because the clock of the backup's machine may
//! have been ahead. An account's is also that of the person whom it was linked to at the attendance desk then; somebody
//! who was linked to another account since is not touched.
//!
//! Consents need no clock. A person's answers to one text have ascending times, whatever the clocks said, and the backup
//! holds them all, so what is later than the newest of them is not in the backup. A withdrawal is then carried out even
//! if it had failed. A grant is not, because it may have failed, and the person can give it again. So it is with faces at
//! the desk: one is removed when its removal is later than the newest consent to it in the backup.

use blink_proto::{UserId, http::ConsentKind};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{BackupError, Restored};
use crate::{
    db::{
        attendance::people,
        conn::Conn,
        erase,
        id::{Id, User},
        users::{self, ConsentRow},
    },
    domain::time::UtcMs,
    ledger::{Entry, EntryKind},
};

/// An erasure that precedes the backup by more than this should be in it, and is reported.
const EARLY: SignedDuration = SignedDuration::from_hours(1);

/// Returns what was replayed, with no row counted.
pub(super) fn replay(
    conn: &mut Conn,
    ledger: &[Entry],
    created_at: Timestamp,
    now: UtcMs,
) -> Result<Restored, BackupError> {
    let since = created_at.checked_sub(EARLY).unwrap_or(Timestamp::MIN);
    let taken_back = taken_back(ledger);
    let mut done = Restored::default();
    for entry in ledger {
        let user = Id::<User>::from(entry.user_id);
        let failed = taken_back.iter().any(|failed| failed.holds(entry));
        match &entry.what {
            EntryKind::DeskErased if !failed => done.erased += u64::from(erase_of_desk(conn, entry.user_id.0)?),
            EntryKind::DeskFaceRemoved => forget_face(conn, entry.user_id.0, entry.at.into())?,
            EntryKind::Erased if !failed => {
                unlink_moved(conn, ledger, entry)?;
                for desk in own(ledger, entry) {
                    erase_of_desk(conn, desk)?;
                }
            }
            EntryKind::Consent { kind, granted: false, .. } if kind == ConsentKind::Biometric.as_str() => {
                for desk in own(ledger, entry) {
                    forget_face(conn, desk, entry.at.into())?;
                }
            }
            _ => {}
        }
        if users::by_id(conn, user)?.is_none() {
            continue;
        }
        match &entry.what {
            EntryKind::Erased if failed => {}
            EntryKind::Erased => {
                erase::person(conn, user, None, now)?;
                done.erased += 1;
                done.early_erasures += u64::from(entry.at < since);
            }
            EntryKind::NotErased { .. }
            | EntryKind::DeskLinked { .. }
            | EntryKind::DeskErased
            | EntryKind::DeskFaceRemoved => {}
            EntryKind::Consent { kind, version, granted } => {
                let row = ConsentRow {
                    id: Id::fresh(),
                    user_id: user,
                    kind: kind.clone(),
                    version: version.clone(),
                    granted: *granted,
                    at: entry.at.into(),
                };
                if !is_news(conn, &row)? {
                    continue;
                }
                if row.granted {
                    done.grants += 1;
                } else {
                    users::record_consent(conn, &row)?;
                    done.withdrawals += 1;
                }
            }
        }
    }
    Ok(done)
}

/// The people of the desk who were this account's when the entry was made.
fn own(ledger: &[Entry], entry: &Entry) -> Vec<Uuid> {
    let mut desks: Vec<Uuid> = links(ledger).filter(|link| link.user == entry.user_id).map(|link| link.desk).collect();
    desks.sort_unstable();
    desks.dedup();
    // An erased account was linked to nobody afterwards: a link of a later time is one of a clock that was ahead.
    let without_earlier = entry.what == EntryKind::Erased;
    desks.retain(|desk| holder(ledger, *desk, entry.at).map_or(without_earlier, |holder| holder == entry.user_id));
    desks
}

struct Link {
    at: Timestamp,
    user: UserId,
    desk: Uuid,
}

fn links(ledger: &[Entry]) -> impl DoubleEndedIterator<Item = Link> {
    ledger.iter().filter_map(|entry| match entry.what {
        EntryKind::DeskLinked { desk } => Some(Link { at: entry.at, user: entry.user_id, desk }),
        _ => None,
    })
}

/// The account that a person of the desk was linked to last, at that moment.
fn holder(ledger: &[Entry], desk: Uuid, at: Timestamp) -> Option<UserId> {
    links(ledger).rfind(|link| link.desk == desk && link.at <= at).map(|link| link.user)
}

/// Unlinks the person of an account about to be erased whom the backup does not yet know to be another account's. A
/// manager can link them again.
fn unlink_moved(conn: &mut Conn, ledger: &[Entry], erased: &Entry) -> Result<(), BackupError> {
    if let Some(person) = people::by_user(conn, erased.user_id.into())?
        && holder(ledger, person.uid.0, erased.at).is_some_and(|holder| holder != erased.user_id)
    {
        people::unlink(conn, &person.id)?;
    }
    Ok(())
}

/// Whether there was such a person.
fn erase_of_desk(conn: &mut Conn, uid: Uuid) -> Result<bool, BackupError> {
    let Some(person) = people::by_uid(conn, Id::new(uid))? else { return Ok(false) };
    people::erase(conn, &person.id)?;
    Ok(true)
}

/// Removes a face unless its person has consented to it anew since `at`.
fn forget_face(conn: &mut Conn, uid: Uuid, at: UtcMs) -> Result<(), BackupError> {
    if let Some(person) = people::hold_uid(conn, Id::new(uid))?
        && people::newest_consent(conn, &person.id)?.is_none_or(|newest| newest.at <= at)
    {
        people::withdraw(conn, &person, None, at)?;
    }
    Ok(())
}

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
        EntryKind::NotErased { begun } => Some(Failed { user: entry.user_id, begun, noticed: entry.at }),
        _ => None,
    };
    ledger.iter().filter_map(failed).collect()
}

/// Whether a consent of the ledger says something else than the backup, which has no later one.
fn is_news(conn: &mut Conn, row: &ConsentRow) -> Result<bool, BackupError> {
    let mut known = users::consents_of(conn, row.user_id)?;
    known.retain(|known| known.kind == row.kind);
    Ok(known.last().is_none_or(|newest| {
        let same = newest.granted == row.granted && newest.version == row.version;
        !same && newest.at <= row.at
    }))
}
