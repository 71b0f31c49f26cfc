//! Accounts, their owners' consents, and the locks that other writes about a person rely on.

use blink_proto::http::Role;
use diesel::prelude::*;

use super::{
    DbError,
    attendance::people as desk,
    conn::Conn,
    id::{Consent, Id, User},
    schema::{blink_rollups, consents, users},
    types::SqlId,
};
use crate::domain::time::UtcMs;

#[derive(Clone, Queryable, Identifiable, Insertable)]
#[diesel(table_name = users)]
pub struct UserRow {
    pub id: Id<User>,
    pub email: String,
    /// The normalised address, which is unique.
    pub email_key: String,
    pub name: Option<String>,
    pub timezone: String,
    pub role: String,
    /// PHC string; null for a person who signs in through a provider only.
    pub password_hash: Option<String>,
    /// Whether the newest tracking consent is granted.
    pub tracking_consent: bool,
    /// Whether the account was made without the person's consent, so that they may do nothing until they give it.
    pub awaits_consent: bool,
    pub created_at: UtcMs,
}

impl From<UserRow> for blink_proto::http::User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id.into(),
            email: row.email,
            name: row.name,
            timezone: row.timezone,
            // A CHECK constraint allows only known roles.
            role: row.role.parse().unwrap_or(Role::Kiosk),
            created_at: row.created_at.timestamp(),
        }
    }
}

#[derive(Clone, Queryable, Identifiable, Insertable)]
#[diesel(table_name = consents)]
pub struct ConsentRow {
    pub id: Id<Consent>,
    pub user_id: Id<User>,
    /// `tracking`, `team` or `biometric`.
    pub kind: String,
    /// The version of the text that was shown.
    pub version: String,
    pub granted: bool,
    pub at: UtcMs,
}

impl ConsentRow {
    /// When the answer after this one is given. The newest counts, so it is later even if another replica's clock is
    /// ahead.
    pub(crate) fn next_at(&self, now: UtcMs) -> UtcMs {
        now.max(self.at.plus(1))
    }

    /// The withdrawal of this consent.
    pub(crate) fn withdrawn(self, now: UtcMs) -> Self {
        Self { id: Id::fresh(), granted: false, at: self.next_at(now), ..self }
    }
}

/// Adds a person and their consent. Fails with a unique violation when the address is taken.
pub fn insert(conn: &mut Conn, user: &UserRow, consent: &ConsentRow) -> Result<(), DbError> {
    insert_person(conn, user)?;
    diesel::insert_into(consents::table).values(consent.clone()).execute(conn)?;
    Ok(())
}

/// Adds a person who has not consented yet. Fails with a unique violation when the address is taken.
pub fn insert_person(conn: &mut Conn, user: &UserRow) -> Result<(), DbError> {
    diesel::insert_into(users::table).values(user.clone()).execute(conn)?;
    Ok(())
}

pub fn by_email_key(conn: &mut Conn, key: &str) -> Result<Option<UserRow>, DbError> {
    Ok(users::table.filter(users::email_key.eq(key)).first(conn).optional()?)
}

pub fn by_email_keys(conn: &mut Conn, keys: &[String]) -> Result<Option<UserRow>, DbError> {
    for key in keys {
        if let Some(user) = by_email_key(conn, key)? {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

pub fn by_id(conn: &mut Conn, id: Id<User>) -> Result<Option<UserRow>, DbError> {
    Ok(users::table.filter(users::id.eq(id)).first(conn).optional()?)
}

/// Locks a person's row until the transaction ends. Whoever ends all of a person's sessions takes this lock, and so
/// does whoever begins a session because of something read before: the second waits and then sees what the first did.
pub fn hold(conn: &mut Conn, id: Id<User>) -> Result<Option<UserRow>, DbError> {
    if let Conn::Postgres(conn) = conn {
        diesel::sql_query("SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE").bind::<SqlId, _>(id).execute(conn)?;
    }
    by_id(conn, id)
}

pub fn consents_of(conn: &mut Conn, user: Id<User>) -> Result<Vec<ConsentRow>, DbError> {
    Ok(consents::table.filter(consents::user_id.eq(user)).order((consents::at, consents::id)).load(conn)?)
}

/// The newest entry of each kind of consent. The caller has locked the person.
pub fn newest_consents(conn: &mut Conn, user: Id<User>) -> Result<Vec<ConsentRow>, DbError> {
    let mut newest = Vec::<ConsentRow>::new();
    for row in consents_of(conn, user)? {
        newest.retain(|earlier| earlier.kind != row.kind);
        newest.push(row);
    }
    Ok(newest)
}

/// Adds an entry; its effect on tracking, teams and the attendance desk comes in the same transaction. The caller has locked the person.
pub fn record_consent(conn: &mut Conn, entry: &ConsentRow) -> Result<(), DbError> {
    if entry.kind == "tracking" {
        let own = users::table.filter(users::id.eq(entry.user_id));
        diesel::update(own).set(users::tracking_consent.eq(entry.granted)).execute(conn)?;
        if entry.granted {
            diesel::update(own).set(users::awaits_consent.eq(false)).execute(conn)?;
        }
    }
    if entry.kind == "team" && !entry.granted {
        super::teams::leave_all(conn, entry.user_id)?;
    }
    if entry.kind == "biometric"
        && !entry.granted
        && let Some(person) = desk::hold_user(conn, entry.user_id)?
    {
        desk::withdraw(conn, &person, Some(entry.user_id), entry.at)?;
    }
    add_consent(conn, entry)
}

/// Adds an entry whose effect the caller has carried out.
pub(crate) fn add_consent(conn: &mut Conn, entry: &ConsentRow) -> Result<(), DbError> {
    diesel::insert_into(consents::table).values(entry.clone()).execute(conn)?;
    Ok(())
}

/// Changes to an account; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, AsChangeset)]
#[diesel(table_name = users)]
pub struct Change {
    pub email: Option<String>,
    pub email_key: Option<String>,
    /// `Some(None)` removes the name.
    pub name: Option<Option<String>>,
    pub timezone: Option<String>,
    pub password_hash: Option<String>,
}

impl Change {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.email.is_none() && self.name.is_none() && self.timezone.is_none() && self.password_hash.is_none()
    }
}

/// Fails with a unique violation when the new address is taken.
pub fn change(conn: &mut Conn, user: Id<User>, change: &Change) -> Result<(), DbError> {
    if !change.is_empty() {
        diesel::update(users::table.filter(users::id.eq(user))).set(change.clone()).execute(conn)?;
    }
    Ok(())
}

/// Makes an account safe for a person who has just proved that its address is theirs. Nobody had proved it before, so
/// somebody else may have made the account and waited for this. So the password, all sessions and whatever would begin
/// one are removed, every consent is withdrawn, teams are left, and devices forgotten. If there was a consent or there
/// are minutes, the account awaits the person's own consent, and they then say whether the minutes are theirs. Also
/// returns the withdrawals, for the ledger.
pub fn proved(conn: &mut Conn, user: UserRow, now: UtcMs) -> Result<(UserRow, Vec<ConsentRow>), DbError> {
    super::sessions::end_others(conn, user.id, Id::NIL)?;
    super::one_time::forget_all(conn, user.id)?;
    let granted = newest_consents(conn, user.id)?.into_iter().filter(|row| row.granted);
    let withdrawn: Vec<_> = granted.map(|row| row.withdrawn(now)).collect();
    for entry in &withdrawn {
        record_consent(conn, entry)?;
    }
    super::teams::leave_all(conn, user.id)?;
    super::devices::forget_all(conn, user.id)?;
    let awaits_consent = user.awaits_consent || user.tracking_consent || has_minutes(conn, user.id)?;
    let row = users::table.filter(users::id.eq(user.id));
    diesel::update(row)
        .set((
            users::password_hash.eq(None::<String>),
            users::tracking_consent.eq(false),
            users::awaits_consent.eq(awaits_consent),
        ))
        .execute(conn)?;
    Ok((UserRow { password_hash: None, tracking_consent: false, awaits_consent, ..user }, withdrawn))
}

pub fn has_minutes(conn: &mut Conn, user: Id<User>) -> Result<bool, DbError> {
    let own = blink_rollups::table.filter(blink_rollups::user_id.eq(user));
    Ok(diesel::select(diesel::dsl::exists(own)).get_result(conn)?)
}

/// Up to `limit` people after `after`, ordered by id.
pub fn list(conn: &mut Conn, after: Option<Id<User>>, limit: i64) -> Result<Vec<UserRow>, DbError> {
    let after = after.unwrap_or(Id::NIL);
    Ok(users::table.filter(users::id.gt(after)).order(users::id).limit(limit).load(conn)?)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleChange {
    Done,
    NoSuchPerson,
    /// The change would leave the server without an admin.
    LastAdmin,
}

/// Locks all roles: without it two admins could demote each other at once. SQLite has one writer anyway.
pub fn hold_roles(conn: &mut Conn) -> Result<(), DbError> {
    if let Conn::Postgres(conn) = conn {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext('roles'))").execute(conn)?;
    }
    Ok(())
}

/// Whether this person is the only admin. The caller has locked the roles.
pub fn is_last_admin(conn: &mut Conn, user: Id<User>) -> Result<bool, DbError> {
    let admins: Vec<Id<User>> = users::table.filter(users::role.eq("admin")).select(users::id).limit(2).load(conn)?;
    Ok(admins == [user])
}

/// Gives a person a role, unless they are the last admin.
pub fn set_role(conn: &mut Conn, user: Id<User>, role: &str) -> Result<RoleChange, DbError> {
    hold_roles(conn)?;
    if by_id(conn, user)?.is_none() {
        return Ok(RoleChange::NoSuchPerson);
    }
    if role != "admin" && is_last_admin(conn, user)? {
        return Ok(RoleChange::LastAdmin);
    }
    diesel::update(users::table.filter(users::id.eq(user))).set(users::role.eq(role)).execute(conn)?;
    Ok(RoleChange::Done)
}
