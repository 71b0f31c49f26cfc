//! Challenges that were given out. Each is for one use, by the session that got it.

use diesel::{
    OptionalExtension as _, QueryableByName, RunQueryDsl as _, sql_query,
    sql_types::{Bool, Text},
};

use crate::{
    attendance::challenge::Challenge,
    db::{
        DbError,
        conn::Conn,
        id::{self, Id, Session},
        types::{SqlId, Utc},
    },
    domain::time::UtcMs,
};

/// A challenge is kept for this long after its end, so that a second use can be told from none.
const KEEP_MS: i64 = 60 * 60_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub id: Id<id::Challenge>,
    pub challenge: Challenge,
    pub made_at: UtcMs,
    pub expires_at: UtcMs,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    cues_ms: String,
    #[diesel(sql_type = Utc)]
    made_at: UtcMs,
    #[diesel(sql_type = Utc)]
    expires_at: UtcMs,
}

/// Keeps a new challenge, and drops those that ended long ago.
pub(crate) fn insert(
    conn: &mut Conn,
    id: Id<id::Challenge>,
    session: Id<Session>,
    challenge: &Challenge,
    now: UtcMs,
    expires_at: UtcMs,
) -> Result<(), DbError> {
    sql_query("DELETE FROM attendance_challenges WHERE expires_at < $1")
        .bind::<Utc, _>(now.plus(-KEEP_MS))
        .execute(conn)?;
    let cues: Vec<String> = challenge.cues_ms.iter().map(u32::to_string).collect();
    sql_query(
        "INSERT INTO attendance_challenges (id, session_id, cues_ms, made_at, expires_at, used) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind::<SqlId, _>(id)
    .bind::<SqlId, _>(session)
    .bind::<Text, _>(cues.join(","))
    .bind::<Utc, _>(now)
    .bind::<Utc, _>(expires_at)
    .bind::<Bool, _>(false)
    .execute(conn)?;
    Ok(())
}

/// The challenge, if this session got it.
pub(crate) fn of_session(
    conn: &mut Conn,
    id: Id<id::Challenge>,
    session: Id<Session>,
) -> Result<Option<Given>, DbError> {
    let row: Option<Row> =
        sql_query("SELECT cues_ms, made_at, expires_at FROM attendance_challenges WHERE id = $1 AND session_id = $2")
            .bind::<SqlId, _>(id)
            .bind::<SqlId, _>(session)
            .get_result(conn)
            .optional()?;
    let given = |Row { cues_ms, made_at, expires_at }: Row| {
        let cues_ms = cues_ms.split(',').filter_map(|cue| cue.parse().ok()).collect();
        Given { id, challenge: Challenge { cues_ms }, made_at, expires_at }
    };
    Ok(row.map(given))
}

/// Uses up a challenge; false when somebody has used it before.
pub(crate) fn use_up(conn: &mut Conn, id: Id<id::Challenge>, session: Id<Session>) -> Result<bool, DbError> {
    let taken = sql_query("UPDATE attendance_challenges SET used = $1 WHERE id = $2 AND session_id = $3 AND used = $4")
        .bind::<Bool, _>(true)
        .bind::<SqlId, _>(id)
        .bind::<SqlId, _>(session)
        .bind::<Bool, _>(false)
        .execute(conn)?;
    Ok(taken == 1)
}
