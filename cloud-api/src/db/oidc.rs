//! Sign-ins through an OpenID provider: those on their way, and whom each of the provider's people is here.

use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{
    DbError,
    conn::Conn,
    schema::{oidc_identities, oidc_logins},
    types::DbId,
    users::{self, UserRow},
};
use crate::domain::time::UtcMs;

/// What must be remembered of a sign-in until the browser comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The PKCE verifier (RFC 7636).
    pub verifier: String,
    /// What the id token must repeat.
    pub nonce: String,
}

/// Remembers a sign-in under its state, and forgets those whose time is over.
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

/// Takes a remembered sign-in, once.
pub fn take(conn: &mut Conn, state: &str, now: UtcMs) -> Result<Option<Pending>, DbError> {
    let hash = Sha256::digest(state).to_vec();
    let live = oidc_logins::state_hash.eq(hash.clone()).and(oidc_logins::expires_at.gt(now));
    let found: Option<(String, String)> =
        oidc_logins::table.filter(live).select((oidc_logins::verifier, oidc_logins::nonce)).first(conn).optional()?;
    let taken = diesel::delete(oidc_logins::table.filter(oidc_logins::state_hash.eq(hash))).execute(conn)?;
    Ok(found.filter(|_| taken == 1).map(|(verifier, nonce)| Pending { verifier, nonce }))
}

/// Both spellings of an issuer: links that were made before issuers were kept without their last slash have it.
fn spellings(issuer: &str) -> [String; 2] {
    [issuer.to_owned(), format!("{issuer}/")]
}

/// Lets one sign-in of the provider's person at a time find or make their account. On SQLite there is one writer anyway.
pub fn hold(conn: &mut Conn, issuer: &str, subject: &str) -> Result<(), DbError> {
    if let Conn::Postgres(conn) = conn {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext($1), hashtext($2))")
            .bind::<diesel::sql_types::Text, _>(issuer)
            .bind::<diesel::sql_types::Text, _>(subject)
            .execute(conn)?;
    }
    Ok(())
}

/// Whom the provider's person is here.
pub fn user_of(conn: &mut Conn, issuer: &str, subject: &str) -> Result<Option<UserRow>, DbError> {
    let own = oidc_identities::issuer.eq_any(spellings(issuer).to_vec()).and(oidc_identities::subject.eq(subject));
    let id: Option<DbId> =
        oidc_identities::table.filter(own).select(oidc_identities::user_id).first(conn).optional()?;
    id.map_or(Ok(None), |id| users::by_id(conn, id))
}

/// Whether a person is one of this provider's already.
pub fn is_linked(conn: &mut Conn, issuer: &str, user: DbId) -> Result<bool, DbError> {
    let own = oidc_identities::issuer.eq_any(spellings(issuer).to_vec()).and(oidc_identities::user_id.eq(user));
    Ok(diesel::select(diesel::dsl::exists(oidc_identities::table.filter(own))).get_result(conn)?)
}

/// Links the provider's person to one here.
pub fn link(conn: &mut Conn, issuer: &str, subject: &str, user: DbId) -> Result<(), DbError> {
    diesel::insert_into(oidc_identities::table)
        .values((
            oidc_identities::issuer.eq(issuer),
            oidc_identities::subject.eq(subject),
            oidc_identities::user_id.eq(user),
        ))
        .execute(conn)?;
    Ok(())
}

/// As whom providers know a person: issuers and their names for them.
pub fn identities_of(conn: &mut Conn, user: DbId) -> Result<Vec<(String, String)>, DbError> {
    let own = oidc_identities::table.filter(oidc_identities::user_id.eq(user));
    Ok(own.select((oidc_identities::issuer, oidc_identities::subject)).order(oidc_identities::issuer).load(conn)?)
}

/// Forgets a person's links; how many there were.
pub fn unlink_all(conn: &mut Conn, user: DbId) -> Result<usize, DbError> {
    Ok(diesel::delete(oidc_identities::table.filter(oidc_identities::user_id.eq(user))).execute(conn)?)
}
