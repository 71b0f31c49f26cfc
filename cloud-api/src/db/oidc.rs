//! Pending sign-ins through an OpenID provider, and the links between its people and accounts here.

use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{
    DbError,
    conn::Conn,
    id::{Id, User},
    schema::{oidc_identities, oidc_logins},
    users::{self, UserRow},
};
use crate::domain::time::UtcMs;

/// A person's identity at a provider.
#[derive(Clone, Debug, Queryable)]
pub struct Identity {
    pub issuer: String,
    /// The provider's stable id of the person.
    pub subject: String,
}

/// What must be kept of a sign-in until the browser comes back.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Pending {
    /// The PKCE verifier (RFC 7636).
    pub verifier: String,
    /// The id token must contain this nonce.
    pub nonce: String,
}

/// Stores a sign-in under its state and deletes expired ones.
pub fn remember(conn: &mut Conn, state: &str, pending: &Pending, now: UtcMs, until: UtcMs) -> Result<(), DbError> {
    diesel::delete(oidc_logins::table.filter(oidc_logins::expires_at.le(now))).execute(conn)?;
    diesel::insert_into(oidc_logins::table)
        .values((
            oidc_logins::state_hash.eq(Sha256::digest(state).to_vec()),
            oidc_logins::verifier.eq(pending.verifier.clone()),
            oidc_logins::nonce.eq(pending.nonce.clone()),
            oidc_logins::expires_at.eq(until),
        ))
        .execute(conn)?;
    Ok(())
}

/// Returns a pending sign-in and deletes it, so that it can be used once.
pub fn take(conn: &mut Conn, state: &str, now: UtcMs) -> Result<Option<Pending>, DbError> {
    let hash = Sha256::digest(state).to_vec();
    let live = oidc_logins::state_hash.eq(hash.clone()).and(oidc_logins::expires_at.gt(now));
    let found: Option<Pending> =
        oidc_logins::table.filter(live).select((oidc_logins::verifier, oidc_logins::nonce)).first(conn).optional()?;
    let taken = diesel::delete(oidc_logins::table.filter(oidc_logins::state_hash.eq(hash))).execute(conn)?;
    Ok(found.filter(|_| taken == 1))
}

/// An issuer without and with a final slash: older links were stored with it.
fn spellings(issuer: &str) -> [String; 2] {
    [issuer.to_owned(), format!("{issuer}/")]
}

/// Locks a person of the provider, so that two sign-ins at once do not make two accounts. SQLite has one writer anyway.
pub fn hold(conn: &mut Conn, issuer: &str, subject: &str) -> Result<(), DbError> {
    if let Conn::Postgres(conn) = conn {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext($1), hashtext($2))")
            .bind::<diesel::sql_types::Text, _>(issuer)
            .bind::<diesel::sql_types::Text, _>(subject)
            .execute(conn)?;
    }
    Ok(())
}

/// The account that a person of the provider is linked to.
pub fn user_of(conn: &mut Conn, issuer: &str, subject: &str) -> Result<Option<UserRow>, DbError> {
    let own = oidc_identities::issuer.eq_any(spellings(issuer).to_vec()).and(oidc_identities::subject.eq(subject));
    let id: Option<Id<User>> =
        oidc_identities::table.filter(own).select(oidc_identities::user_id).first(conn).optional()?;
    id.map_or(Ok(None), |id| users::by_id(conn, id))
}

/// Whether an account is linked to a person of this provider.
pub fn is_linked(conn: &mut Conn, issuer: &str, user: Id<User>) -> Result<bool, DbError> {
    let own = oidc_identities::issuer.eq_any(spellings(issuer).to_vec()).and(oidc_identities::user_id.eq(user));
    Ok(diesel::select(diesel::dsl::exists(oidc_identities::table.filter(own))).get_result(conn)?)
}

pub fn link(conn: &mut Conn, issuer: &str, subject: &str, user: Id<User>) -> Result<(), DbError> {
    diesel::insert_into(oidc_identities::table)
        .values((
            oidc_identities::issuer.eq(issuer),
            oidc_identities::subject.eq(subject),
            oidc_identities::user_id.eq(user),
        ))
        .execute(conn)?;
    Ok(())
}

/// A person's linked identities: issuer and subject.
pub fn identities_of(conn: &mut Conn, user: Id<User>) -> Result<Vec<Identity>, DbError> {
    let own = oidc_identities::table.filter(oidc_identities::user_id.eq(user));
    Ok(own.select((oidc_identities::issuer, oidc_identities::subject)).order(oidc_identities::issuer).load(conn)?)
}

/// Deletes a person's links and returns how many there were.
pub fn unlink_all(conn: &mut Conn, user: Id<User>) -> Result<usize, DbError> {
    Ok(diesel::delete(oidc_identities::table.filter(oidc_identities::user_id.eq(user))).execute(conn)?)
}
