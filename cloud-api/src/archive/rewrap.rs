//! Changes the master key: opens every key that the old one sealed and seals it anew, in one transaction. The keys
//! themselves stay the same, so the archived objects need no change.

use diesel::{
    QueryableByName, RunQueryDsl as _, sql_query,
    sql_types::{Binary, Bool, Text},
};

use super::keys;
use crate::{
    auth::{
        key_rows,
        master::{MasterKey, MasterKeyError},
    },
    db::{DbError, archive, attendance::people, conn::Conn},
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum RewrapError {
    #[error("the database failed")]
    Database(#[from] DbError),
    #[error("a key cannot be opened with the master key in use")]
    Master(#[from] MasterKeyError),
}

impl From<diesel::result::Error> for RewrapError {
    fn from(e: diesel::result::Error) -> Self {
        Self::Database(e.into())
    }
}

#[derive(QueryableByName)]
struct SigningKey {
    #[diesel(sql_type = Text)]
    kid: String,
    #[diesel(sql_type = Binary)]
    secret: Vec<u8>,
    #[diesel(sql_type = Bool)]
    sealed: bool,
}

/// Seals all keys with `new` and returns their number. It must run in a transaction, which must be rolled back on a
/// failure, and every server must be stopped.
pub(crate) fn change(
    conn: &mut Conn,
    old: Option<&MasterKey>,
    desk_old: Option<&MasterKey>,
    new: &MasterKey,
) -> Result<usize, RewrapError> {
    let opened = |purpose: &str, sealed: &[u8]| old.ok_or(MasterKeyError::Sealed)?.open(purpose, sealed);
    let mut changed = 0;
    for row in archive::keys(conn)? {
        let purpose = keys::purpose(row.id);
        let sealed = new.seal(&purpose, &opened(&purpose, &row.sealed)?)?;
        archive::reseal_key(conn, row.id, sealed)?;
        changed += 1;
    }
    for person in people::enrolled(conn)? {
        let purpose = people::key_purpose(person.uid);
        let Some(sealed) = &person.sealed_key else { continue };
        people::reseal(
            conn,
            &person.id,
            &new.seal(&purpose, &desk_old.ok_or(MasterKeyError::Sealed)?.open(&purpose, sealed)?)?,
        )?;
        changed += 1;
    }
    // With SQLite the signing keys are in a file, which no master key seals.
    let Conn::Postgres(conn) = conn else { return Ok(changed) };
    sql_query("LOCK TABLE signing_keys IN EXCLUSIVE MODE").execute(conn)?;
    let rows: Vec<SigningKey> = sql_query("SELECT kid, secret, sealed FROM signing_keys").load(conn)?;
    for row in rows {
        let purpose = key_rows::purpose(&row.kid);
        let secret = if row.sealed { opened(&purpose, &row.secret)? } else { row.secret };
        sql_query("UPDATE signing_keys SET secret = $1, sealed = TRUE WHERE kid = $2")
            .bind::<Binary, _>(new.seal(&purpose, &secret)?)
            .bind::<Text, _>(&row.kid)
            .execute(conn)?;
        changed += 1;
    }
    Ok(changed)
}
