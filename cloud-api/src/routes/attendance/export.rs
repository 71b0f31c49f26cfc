//! What the desk holds of a person, for their export.

use blink_proto::http::{ExportedAttendance, ExportedDeskConsent, ExportedRefusal};

use super::{records, shown};
use crate::{
    db::{
        attendance::{people, records as rows, trail},
        conn::Conn,
        id::{Id, User},
    },
    domain::time::UtcMs,
    error::ApiError,
    state::State,
};

pub(crate) fn of_account(
    conn: &mut Conn,
    state: &State,
    user: Id<User>,
    now: UtcMs,
) -> Result<Option<ExportedAttendance>, ApiError> {
    let Some(person) = people::by_user(conn, user)? else { return Ok(None) };
    let consents = people::consents_of(conn, &person.id)?.into_iter().map(|row| ExportedDeskConsent {
        granted: row.granted,
        version: row.version,
        at: row.at.timestamp(),
        taken_by: row.taken_by.map(|id| id.0),
    });
    let refusals = trail::refusals_of(conn, &person.id)?.into_iter().map(|row| ExportedRefusal {
        date: row.day.0,
        tries: row.tries.unsigned_abs(),
        last_reason: row.last_reason,
        last_at: row.last_at.timestamp(),
    });
    let corrections = trail::corrections_of(conn, &person.id, None)?;
    let all = rows::of_person(conn, &person.id)?;
    Ok(Some(ExportedAttendance {
        person: shown(state, &person, now)?,
        encodings: people::encodings_of(conn, &person.id)?.unsigned_abs(),
        consents: consents.collect(),
        records: all.iter().map(|record| records::shown(state, &person, record, &corrections)).collect(),
        refusals: refusals.collect(),
    }))
}
