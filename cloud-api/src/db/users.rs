//! People and their consents.

use blink_proto::http::Role;
use diesel::prelude::*;

use super::{
    DbError,
    conn::Conn,
    schema::{blink_rollups, consents, users},
    types::DbId,
};
use crate::domain::time::UtcMs;

#[derive(Clone, Queryable, Identifiable, Insertable)]
#[diesel(table_name = users)]
pub struct UserRow {
    pub id: DbId,
    /// The address as it was typed.
    pub email: String,
    /// The address in the form that must be unique.
    pub email_key: String,
    /// What the person is called.
    pub name: Option<String>,
    pub timezone: String,
    pub role: String,
    /// PHC string; null for people who sign in elsewhere.
    pub password_hash: Option<String>,
    /// The newest tracking consent.
    pub tracking_consent: bool,
    /// Whether the account was made without the person's consent and may do nothing until it is there.
    pub awaits_consent: bool,
    /// When the account was made.
    pub created_at: UtcMs,
}

impl From<UserRow> for blink_proto::http::User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id.into(),
            email: row.email,
            name: row.name,
            timezone: row.timezone,
            // The database's check allows no other word.
            role: row.role.parse().unwrap_or(Role::Kiosk),
            created_at: row.created_at.timestamp(),
        }
    }
}

/// One entry of a person's consent history.
#[derive(Clone, Queryable, Identifiable, Insertable)]
#[diesel(table_name = consents)]
pub struct ConsentRow {
    pub id: DbId,
    pub user_id: DbId,
    /// `tracking`, `team` or `biometric`.
    pub kind: String,
    /// The version of the text that was shown.
    pub version: String,
    pub granted: bool,
    pub at: UtcMs,
}

/// Adds a person and the consent they gave. A taken address is a unique violation.
///
/// Fails when the address is taken or the database fails.
pub fn insert(conn: &mut Conn, user: &UserRow, consent: &ConsentRow) -> Result<(), DbError> {
    insert_person(conn, user)?;
    diesel::insert_into(consents::table).values(consent.clone()).execute(conn)?;
    Ok(())
}

/// Adds a person whose consent is not there yet. A taken address is a unique violation.
///
/// Fails when the address is taken or the database fails.
pub fn insert_person(conn: &mut Conn, user: &UserRow) -> Result<(), DbError> {
    diesel::insert_into(users::table).values(user.clone()).execute(conn)?;
    Ok(())
}

/// The person with this address.
pub fn by_email_key(conn: &mut Conn, key: &str) -> Result<Option<UserRow>, DbError> {
    Ok(users::table.filter(users::email_key.eq(key)).first(conn).optional()?)
}

/// The person with the first of these addresses that has an account.
pub fn by_email_keys(conn: &mut Conn, keys: &[String]) -> Result<Option<UserRow>, DbError> {
    for key in keys {
        if let Some(user) = by_email_key(conn, key)? {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

/// The person with this id.
pub fn by_id(conn: &mut Conn, id: DbId) -> Result<Option<UserRow>, DbError> {
    Ok(users::table.filter(users::id.eq(id)).first(conn).optional()?)
}

/// The person, held until the transaction ends. Whoever ends all of somebody's sessions holds them, and so does whoever
/// begins one on the strength of something read before: one waits for the other, and then sees what became of it.
pub fn hold(conn: &mut Conn, id: DbId) -> Result<Option<UserRow>, DbError> {
    if let Conn::Postgres(conn) = conn {
        diesel::sql_query("SELECT 1 FROM users WHERE id = $1 FOR NO KEY UPDATE")
            .bind::<super::types::Id, _>(id)
            .execute(conn)?;
    }
    by_id(conn, id)
}

/// A person's consents, oldest first.
pub fn consents_of(conn: &mut Conn, user: DbId) -> Result<Vec<ConsentRow>, DbError> {
    Ok(consents::table.filter(consents::user_id.eq(user)).order((consents::at, consents::id)).load(conn)?)
}

/// What a person said last of each kind of consent. The caller holds them.
pub fn newest_consents(conn: &mut Conn, user: DbId) -> Result<Vec<ConsentRow>, DbError> {
    let mut newest = Vec::<ConsentRow>::new();
    for row in consents_of(conn, user)? {
        newest.retain(|earlier| earlier.kind != row.kind);
        newest.push(row);
    }
    Ok(newest)
}

/// Adds to a person's consents; tracking takes effect with the same commit. The caller holds them.
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
    diesel::insert_into(consents::table).values(entry.clone()).execute(conn)?;
    Ok(())
}

/// What a person changes about themselves; `None` stays.
#[derive(Clone, Debug, Default, AsChangeset)]
#[diesel(table_name = users)]
pub struct Change {
    /// The address as it was typed.
    pub email: Option<String>,
    /// The address in the form that must be unique.
    pub email_key: Option<String>,
    /// The name; `Some(None)` removes it.
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

/// Changes a person. A taken address is a unique violation.
///
/// Fails when the address is taken or the database fails.
pub fn change(conn: &mut Conn, user: DbId, change: &Change) -> Result<(), DbError> {
    if !change.is_empty() {
        diesel::update(users::table.filter(users::id.eq(user))).set(change.clone()).execute(conn)?;
    }
    Ok(())
}

/// Somebody proved that the account's address is theirs. Nobody had proved it before, so whoever made the account may be
/// another, who waited for this: the password goes, and so does every session and whatever would begin one; every consent
/// is withdrawn, teams are left, machines forgotten. The account awaits the person's own consent where there was one, or
/// minutes, of which they then say whether they are theirs. Returns the withdrawals as well, for the ledger.
pub fn proved(conn: &mut Conn, user: UserRow, now: UtcMs) -> Result<(UserRow, Vec<ConsentRow>), DbError> {
    super::sessions::end_others(conn, user.id, DbId(uuid::Uuid::nil()))?;
    super::one_time::forget_all(conn, user.id)?;
    let granted = newest_consents(conn, user.id)?.into_iter().filter(|row| row.granted);
    let withdrawn: Vec<_> = granted
        .map(|row| ConsentRow { id: DbId::fresh(), granted: false, at: now.max(row.at.plus(1)), ..row })
        .collect();
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

/// Whether minutes of a person are stored.
pub fn has_minutes(conn: &mut Conn, user: DbId) -> Result<bool, DbError> {
    let own = blink_rollups::table.filter(blink_rollups::user_id.eq(user));
    Ok(diesel::select(diesel::dsl::exists(own)).get_result(conn)?)
}

/// Up to `limit` people from after `after`, in the order of their ids.
pub fn list(conn: &mut Conn, after: Option<DbId>, limit: i64) -> Result<Vec<UserRow>, DbError> {
    let after = after.unwrap_or(DbId(uuid::Uuid::nil()));
    Ok(users::table.filter(users::id.gt(after)).order(users::id).limit(limit).load(conn)?)
}

/// What became of a change of role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleChange {
    Done,
    /// There is no such person.
    NoSuchPerson,
    /// It would leave the server without an admin.
    LastAdmin,
}

/// Lets one transaction at a time change who is an admin: two admins must not demote each other at once. On SQLite there
/// is one writer anyway.
pub fn hold_roles(conn: &mut Conn) -> Result<(), DbError> {
    if let Conn::Postgres(conn) = conn {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext('roles'))").execute(conn)?;
    }
    Ok(())
}

/// Whether there is no admin but this one. The caller holds the roles.
pub fn is_last_admin(conn: &mut Conn, user: DbId) -> Result<bool, DbError> {
    let admins: Vec<DbId> = users::table.filter(users::role.eq("admin")).select(users::id).limit(2).load(conn)?;
    Ok(admins == [user])
}

/// Gives a person a role, and never takes the last admin's.
pub fn set_role(conn: &mut Conn, user: DbId, role: &str) -> Result<RoleChange, DbError> {
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
