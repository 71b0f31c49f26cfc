//! On PostgreSQL the signing keys are rows that all replicas share, sealed with the master key.

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl as _, sql_query,
    sql_types::{Binary, Bool, Text},
};

use super::{
    keys::{KeyError, Keyring, Record, turn},
    master::MasterKey,
};
use crate::db::{DbError, types::Utc};
use crate::domain::time::UtcMs;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    kid: String,
    #[diesel(sql_type = Utc)]
    created_at: UtcMs,
    #[diesel(sql_type = Binary)]
    secret: Vec<u8>,
    #[diesel(sql_type = Bool)]
    sealed: bool,
}

/// The purpose bound to a sealed signing key: its id, so that no sealed key can take the place of another.
pub(crate) fn purpose(kid: &str) -> String {
    format!("signing key {kid}")
}

/// Reads the keys, seals those that are not sealed yet, and rotates them: adds the first key or one that is due and
/// drops keys that have ended. The caller's transaction and its table lock keep replicas that start together from
/// rotating at once.
///
/// Fails when a key is sealed with another master key, or sealed while no master key is given.
pub(crate) fn open(
    conn: &mut PgConnection,
    master: Option<&MasterKey>,
    now: UtcMs,
    forced: bool,
) -> Result<Keyring, KeyError> {
    let failed = |e: diesel::result::Error| KeyError::Database(DbError::from(e));
    sql_query("LOCK TABLE signing_keys IN EXCLUSIVE MODE").execute(conn).map_err(failed)?;
    let rows: Vec<Row> = sql_query("SELECT kid, created_at, secret, sealed FROM signing_keys ORDER BY created_at, kid")
        .load(conn)
        .map_err(failed)?;
    let mut records = Vec::new();
    for row in rows {
        let secret = match (row.sealed, master) {
            (true, Some(master)) => master.open(&purpose(&row.kid), &row.secret).map_err(KeyError::Master)?,
            (true, None) => return Err(KeyError::NoMaster),
            (false, master) => {
                if let Some(master) = master {
                    let sealed = master.seal(&purpose(&row.kid), &row.secret).map_err(KeyError::Master)?;
                    sql_query("UPDATE signing_keys SET secret = $1, sealed = TRUE WHERE kid = $2")
                        .bind::<Binary, _>(sealed)
                        .bind::<Text, _>(&row.kid)
                        .execute(conn)
                        .map_err(failed)?;
                }
                row.secret
            }
        };
        records.push(Record { kid: row.kid, created_at: row.created_at, secret });
    }
    let due = turn(&records, now, forced);
    for kid in &due.dropped {
        sql_query("DELETE FROM signing_keys WHERE kid = $1").bind::<Text, _>(kid).execute(conn).map_err(failed)?;
        records.retain(|record| record.kid != *kid);
    }
    if let Some(record) = due.added {
        let stored = match master {
            Some(master) => master.seal(&purpose(&record.kid), &record.secret).map_err(KeyError::Master)?,
            None => record.secret.clone(),
        };
        sql_query("INSERT INTO signing_keys (kid, created_at, secret, sealed) VALUES ($1, $2, $3, $4)")
            .bind::<Text, _>(&record.kid)
            .bind::<Utc, _>(record.created_at)
            .bind::<Binary, _>(stored)
            .bind::<Bool, _>(master.is_some())
            .execute(conn)
            .map_err(failed)?;
        records.push(record);
    }
    Keyring::from_records(&records).ok_or(KeyError::DamagedRows)
}
