//! People and their consents.

use diesel::prelude::*;

use super::{
    DbError,
    conn::Conn,
    schema::{consents, users},
    types::{DbId, UtcMs},
};

/// A person's row.
#[derive(Clone, Queryable, Identifiable, Insertable)]
#[diesel(table_name = users)]
pub struct UserRow {
    /// The account.
    pub id: DbId,
    /// The address as it was typed.
    pub email: String,
    /// The address in the form that must be unique.
    pub email_key: String,
    /// What the person is called.
    pub name: Option<String>,
    /// IANA time zone.
    pub timezone: String,
    /// Role.
    pub role: String,
    /// PHC string; null for people who sign in elsewhere.
    pub password_hash: Option<String>,
    /// The newest tracking consent.
    pub tracking_consent: bool,
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
            role: row.role,
            created_at: row.created_at.timestamp(),
        }
    }
}

/// One entry of a person's consent history.
#[derive(Clone, Queryable, Identifiable, Insertable)]
#[diesel(table_name = consents)]
pub struct ConsentRow {
    /// The entry.
    pub id: DbId,
    /// Whose.
    pub user_id: DbId,
    /// `tracking`, `team` or `biometric`.
    pub kind: String,
    /// The version of the text that was shown.
    pub version: String,
    /// Given or withdrawn.
    pub granted: bool,
    /// When.
    pub at: UtcMs,
}

/// Adds a person and the consent they gave. A taken address is a unique violation.
///
/// # Errors
/// When the address is taken or the database fails.
pub fn insert(conn: &mut Conn, user: &UserRow, consent: &ConsentRow) -> Result<(), DbError> {
    diesel::insert_into(users::table).values(user.clone()).execute(conn)?;
    diesel::insert_into(consents::table).values(consent.clone()).execute(conn)?;
    Ok(())
}

/// The person with this address.
///
/// # Errors
/// When the database fails.
pub fn by_email_key(conn: &mut Conn, key: &str) -> Result<Option<UserRow>, DbError> {
    Ok(users::table.filter(users::email_key.eq(key)).first(conn).optional()?)
}

/// The person with this id.
///
/// # Errors
/// When the database fails.
pub fn by_id(conn: &mut Conn, id: DbId) -> Result<Option<UserRow>, DbError> {
    Ok(users::table.filter(users::id.eq(id)).first(conn).optional()?)
}
