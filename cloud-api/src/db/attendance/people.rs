//! People of the desk, their PINs and their biometrics.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Binary, Nullable, Text},
};

use super::{
    records,
    schema::{
        attendance_consents, attendance_corrections, attendance_encodings, attendance_people, attendance_refusals,
    },
};
use crate::{
    attendance::record::Day,
    db::{
        DbError,
        conn::Conn,
        id::{Consent, DeskPerson, FaceEncoding, Id, User},
        types::{SqlId, Utc},
    },
    domain::time::UtcMs,
};

/// A person, without their photo.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = attendance_people)]
pub(crate) struct PersonRow {
    pub id: String,
    pub uid: Id<DeskPerson>,
    pub user_id: Option<Id<User>>,
    pub name: String,
    pub enrolled_on: Day,
    pub registered_at: UtcMs,
    /// Whether they are on the leaderboard, by their own wish.
    pub leaderboard: bool,
    pub pin_hash: Option<String>,
    /// Their key, sealed with the master key. Without one they have no biometrics.
    pub sealed_key: Option<Vec<u8>>,
    pub changed_in: i64,
}

/// What is kept of a face: the person's key, the photo and the encodings that it seals.
#[derive(Clone)]
pub(crate) struct Biometrics {
    pub sealed_key: Vec<u8>,
    pub photo: Vec<u8>,
    pub encodings: Vec<(Id<FaceEncoding>, Vec<u8>)>,
}

pub(crate) fn by_id(conn: &mut Conn, id: &str) -> Result<Option<PersonRow>, DbError> {
    Ok(attendance_people::table
        .filter(attendance_people::id.eq(id))
        .select(PersonRow::as_select())
        .first(conn)
        .optional()?)
}

pub(crate) fn by_uid(conn: &mut Conn, uid: Id<DeskPerson>) -> Result<Option<PersonRow>, DbError> {
    Ok(attendance_people::table
        .filter(attendance_people::uid.eq(uid))
        .select(PersonRow::as_select())
        .first(conn)
        .optional()?)
}

pub(crate) fn by_user(conn: &mut Conn, user: Id<User>) -> Result<Option<PersonRow>, DbError> {
    let own = attendance_people::table.filter(attendance_people::user_id.eq(Some(user)));
    Ok(own.select(PersonRow::as_select()).first(conn).optional()?)
}

/// Reads a person and locks them until the transaction ends: nobody erases them or their biometrics meanwhile.
pub(crate) fn hold(conn: &mut Conn, id: &str) -> Result<Option<PersonRow>, DbError> {
    if let Conn::Postgres(conn) = conn {
        sql_query("SELECT 1 FROM attendance_people WHERE id = $1 FOR UPDATE").bind::<Text, _>(id).execute(conn)?;
    }
    by_id(conn, id)
}

/// Reads the person of this `uid` and locks them until the transaction ends.
pub(crate) fn hold_uid(conn: &mut Conn, uid: Id<DeskPerson>) -> Result<Option<PersonRow>, DbError> {
    match by_uid(conn, uid)? {
        // Meanwhile somebody else may have got the id.
        Some(person) => Ok(hold(conn, &person.id)?.filter(|held| held.uid == uid)),
        None => Ok(None),
    }
}

/// Reads an account's person and locks them until the transaction ends.
pub(crate) fn hold_user(conn: &mut Conn, user: Id<User>) -> Result<Option<PersonRow>, DbError> {
    match by_user(conn, user)? {
        // Meanwhile they may have become another account's.
        Some(person) => Ok(hold(conn, &person.id)?.filter(|held| held.user_id == Some(user))),
        None => Ok(None),
    }
}

/// As [`hold`], but others may hold the person so too: for marks, which only need that the person stays.
pub(crate) fn hold_shared(conn: &mut Conn, id: &str) -> Result<Option<PersonRow>, DbError> {
    if let Conn::Postgres(conn) = conn {
        sql_query("SELECT 1 FROM attendance_people WHERE id = $1 FOR SHARE").bind::<Text, _>(id).execute(conn)?;
    }
    by_id(conn, id)
}

/// Up to `limit` people after `after`, ordered by id.
pub(crate) fn list(conn: &mut Conn, after: Option<&str>, limit: i64) -> Result<Vec<PersonRow>, DbError> {
    let later = attendance_people::table.filter(attendance_people::id.gt(after.unwrap_or("")));
    Ok(later.order(attendance_people::id).limit(limit).select(PersonRow::as_select()).load(conn)?)
}

/// Adds a person without biometrics. Fails with a unique violation when the id or the account is taken.
pub(crate) fn insert(conn: &mut Conn, person: &PersonRow) -> Result<(), DbError> {
    use attendance_people as p;
    diesel::insert_into(p::table)
        .values((
            p::id.eq(person.id.clone()),
            p::uid.eq(person.uid),
            p::user_id.eq(person.user_id),
            p::name.eq(person.name.clone()),
            p::enrolled_on.eq(person.enrolled_on),
            p::registered_at.eq(person.registered_at),
            p::leaderboard.eq(person.leaderboard),
            p::pin_hash.eq(person.pin_hash.clone()),
            p::changed_in.eq(person.changed_in),
        ))
        .execute(conn)?;
    Ok(())
}

/// Changes a person's name and, when one is given, links an account. Fails with a unique violation when another person
/// has it.
pub(crate) fn rename(conn: &mut Conn, id: &str, name: &str, user: Option<Id<User>>) -> Result<(), DbError> {
    let own = attendance_people::table.filter(attendance_people::id.eq(id));
    diesel::update(own).set(attendance_people::name.eq(name)).execute(conn)?;
    if user.is_some() {
        let own = attendance_people::table.filter(attendance_people::id.eq(id));
        diesel::update(own).set(attendance_people::user_id.eq(user)).execute(conn)?;
    }
    Ok(())
}

/// Takes a person's account from them, which stays.
pub(crate) fn unlink(conn: &mut Conn, id: &str) -> Result<(), DbError> {
    let own = attendance_people::table.filter(attendance_people::id.eq(id));
    diesel::update(own).set(attendance_people::user_id.eq(None::<Id<User>>)).execute(conn)?;
    Ok(())
}

pub(crate) fn set_pin(conn: &mut Conn, id: &str, hash: Option<&str>) -> Result<(), DbError> {
    let own = attendance_people::table.filter(attendance_people::id.eq(id));
    diesel::update(own).set(attendance_people::pin_hash.eq(hash)).execute(conn)?;
    Ok(())
}

/// Replaces all biometrics of a person. The caller has locked them, and has the gallery's next number.
pub(crate) fn put_biometrics(
    conn: &mut Conn,
    person: &PersonRow,
    new: &Biometrics,
    version: i64,
    now: UtcMs,
) -> Result<(), DbError> {
    let own = attendance_encodings::table.filter(attendance_encodings::person.eq(&person.id));
    diesel::delete(own).execute(conn)?;
    for (id, sealed) in &new.encodings {
        diesel::insert_into(attendance_encodings::table)
            .values((
                attendance_encodings::id.eq(*id),
                attendance_encodings::person.eq(person.id.clone()),
                attendance_encodings::sealed.eq(sealed.clone()),
                attendance_encodings::made_at.eq(now),
            ))
            .execute(conn)?;
    }
    set_sealed(conn, &person.id, Some(&new.sealed_key), Some(&new.photo), version)
}

/// Removes a person's encodings and photo and destroys their key. The caller has locked them. Returns the number of
/// encodings.
pub(crate) fn remove_biometrics(conn: &mut Conn, id: &str) -> Result<usize, DbError> {
    let own = attendance_encodings::table.filter(attendance_encodings::person.eq(id));
    let gone = diesel::delete(own).execute(conn)?;
    let version = next_version(conn)?;
    set_sealed(conn, id, None, None, version)?;
    Ok(gone)
}

/// What a withdrawal did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Withdrawn {
    pub encodings: usize,
    /// The time in the withdrawal's row, which is later than the consent's; `None` when there was no consent to withdraw.
    pub at: Option<UtcMs>,
}

/// Removes a person's face because its consent ended, and records that. `by` is whoever took it down. The caller has
/// locked the person.
pub(crate) fn withdraw(
    conn: &mut Conn,
    person: &PersonRow,
    by: Option<Id<User>>,
    now: UtcMs,
) -> Result<Withdrawn, DbError> {
    let encodings = remove_biometrics(conn, &person.id)?;
    let Some(last) = newest_consent(conn, &person.id)?.filter(|last| last.granted) else {
        return Ok(Withdrawn { encodings, at: None });
    };
    let at = last.next_at(now);
    record_consent(conn, &DeskConsentRow { id: Id::fresh(), granted: false, at, taken_by: by, ..last })?;
    Ok(Withdrawn { encodings, at: Some(at) })
}

fn set_sealed(
    conn: &mut Conn,
    id: &str,
    key: Option<&[u8]>,
    photo: Option<&[u8]>,
    version: i64,
) -> Result<(), DbError> {
    sql_query("UPDATE attendance_people SET sealed_key = $1, photo = $2, changed_in = $3 WHERE id = $4")
        .bind::<Nullable<Binary>, _>(key)
        .bind::<Nullable<Binary>, _>(photo)
        .bind::<BigInt, _>(version)
        .bind::<Text, _>(id)
        .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = BigInt)]
    version: i64,
}

/// The number of a change of the gallery. Its row stays locked until the transaction ends, so that numbers become
/// visible in their order.
pub(crate) fn next_version(conn: &mut Conn) -> Result<i64, DbError> {
    let row: Version =
        sql_query("UPDATE attendance_gallery SET version = version + 1 RETURNING version").get_result(conn)?;
    Ok(row.version)
}

/// Numbers all faces as one change of the gallery: a restored number is one of another database.
pub(crate) fn renumber(conn: &mut Conn) -> Result<(), DbError> {
    let version = next_version(conn)?;
    diesel::update(attendance_people::table).set(attendance_people::changed_in.eq(version)).execute(conn)?;
    Ok(())
}

/// The number of the last change of the gallery.
pub(crate) fn version(conn: &mut Conn) -> Result<i64, DbError> {
    let row: Version = sql_query("SELECT version FROM attendance_gallery").get_result(conn)?;
    Ok(row.version)
}

/// All people who have biometrics.
pub(crate) fn enrolled(conn: &mut Conn) -> Result<Vec<PersonRow>, DbError> {
    let enrolled = attendance_people::table.filter(attendance_people::sealed_key.is_not_null());
    Ok(enrolled.select(PersonRow::as_select()).load(conn)?)
}

pub(crate) fn any_enrolled(conn: &mut Conn) -> Result<Option<PersonRow>, DbError> {
    let enrolled = attendance_people::table.filter(attendance_people::sealed_key.is_not_null());
    Ok(enrolled.select(PersonRow::as_select()).first(conn).optional()?)
}

#[derive(QueryableByName)]
pub(crate) struct SealedEncoding {
    #[diesel(sql_type = SqlId)]
    pub id: Id<FaceEncoding>,
    #[diesel(sql_type = Text)]
    pub person: String,
    #[diesel(sql_type = Binary)]
    pub sealed: Vec<u8>,
}

/// The encodings of people whose biometrics changed after the number `since`.
pub(crate) fn encodings_since(conn: &mut Conn, since: i64) -> Result<Vec<SealedEncoding>, DbError> {
    Ok(sql_query(
        "SELECT e.id, e.person, e.sealed FROM attendance_encodings e JOIN attendance_people p ON p.id = e.person \
         WHERE p.changed_in > $1 ORDER BY e.person, e.id",
    )
    .bind::<BigInt, _>(since)
    .load(conn)?)
}

pub(crate) fn encodings_of(conn: &mut Conn, id: &str) -> Result<i64, DbError> {
    let own = attendance_encodings::table.filter(attendance_encodings::person.eq(id));
    Ok(own.count().get_result(conn)?)
}

pub(crate) fn photo(conn: &mut Conn, id: &str) -> Result<Option<Vec<u8>>, DbError> {
    let own = attendance_people::table.filter(attendance_people::id.eq(id));
    Ok(own.select(attendance_people::photo).first::<Option<Vec<u8>>>(conn).optional()?.flatten())
}

/// The purpose that is bound to a person's sealed key.
#[must_use]
pub(crate) fn key_purpose(uid: Id<DeskPerson>) -> String {
    format!("attendance key {}", uid.0)
}

pub(crate) fn reseal(conn: &mut Conn, id: &str, sealed: &[u8]) -> Result<(), DbError> {
    let own = attendance_people::table.filter(attendance_people::id.eq(id));
    diesel::update(own).set(attendance_people::sealed_key.eq(Some(sealed))).execute(conn)?;
    Ok(())
}

/// A consent to biometrics, or its withdrawal.
#[derive(Clone, Queryable)]
pub(crate) struct DeskConsentRow {
    pub id: Id<Consent>,
    pub person: String,
    pub version: String,
    pub granted: bool,
    pub at: UtcMs,
    /// The account of who took it down.
    pub taken_by: Option<Id<User>>,
}

impl DeskConsentRow {
    /// When the answer after this one is given. The newest counts, so it is later even if the clock was ahead.
    pub(crate) fn next_at(&self, now: UtcMs) -> UtcMs {
        now.max(self.at.plus(1))
    }
}

pub(crate) fn record_consent(conn: &mut Conn, row: &DeskConsentRow) -> Result<(), DbError> {
    sql_query(
        "INSERT INTO attendance_consents (id, person, version, granted, at, taken_by) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind::<SqlId, _>(row.id)
    .bind::<Text, _>(&row.person)
    .bind::<Text, _>(&row.version)
    .bind::<diesel::sql_types::Bool, _>(row.granted)
    .bind::<Utc, _>(row.at)
    .bind::<Nullable<SqlId>, _>(row.taken_by)
    .execute(conn)?;
    Ok(())
}

pub(crate) fn consents_of(conn: &mut Conn, person: &str) -> Result<Vec<DeskConsentRow>, DbError> {
    let own = attendance_consents::table.filter(attendance_consents::person.eq(person));
    Ok(own.order((attendance_consents::at, attendance_consents::id)).load(conn)?)
}

pub(crate) fn newest_consent(conn: &mut Conn, person: &str) -> Result<Option<DeskConsentRow>, DbError> {
    Ok(consents_of(conn, person)?.pop())
}

/// What an erasure at the desk removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Removed {
    pub desk_people: usize,
    pub desk_encodings: usize,
    pub desk_photos: usize,
    pub desk_records: usize,
    pub desk_corrections: usize,
    pub desk_consents: usize,
    pub desk_refusals: usize,
}

/// Removes a person of the desk and everything about them, and destroys their key.
pub(crate) fn erase(conn: &mut Conn, id: &str) -> Result<Removed, DbError> {
    if hold(conn, id)?.is_none() {
        return Ok(Removed::default());
    }
    let has_photo = photo(conn, id)?.is_some();
    let desk_records = records::delete_all(conn, id)?;
    let desk_encodings = remove_biometrics(conn, id)?;
    macro_rules! delete {
        ($table:ident) => {
            diesel::delete($table::table.filter($table::person.eq(id))).execute(conn)?
        };
    }
    Ok(Removed {
        desk_records,
        desk_encodings,
        desk_photos: usize::from(has_photo),
        desk_corrections: delete!(attendance_corrections),
        desk_consents: delete!(attendance_consents),
        desk_refusals: delete!(attendance_refusals),
        desk_people: diesel::delete(attendance_people::table.filter(attendance_people::id.eq(id))).execute(conn)?,
    })
}
