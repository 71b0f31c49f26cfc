//! Stores a batch on SQLite, which has one writer at a time.

use std::collections::BTreeSet;

use diesel::{
    SqliteConnection,
    dsl::{exists, select},
    prelude::*,
    sql_types::{Nullable, Text},
    upsert::excluded,
};

use super::{
    super::{
        DbError,
        id::{Id, User},
        minute_row::MinuteRow,
        schema::{blink_data, blink_rollups, devices, sessions, users},
    },
    Batch, MAX_DEVICES, MAX_SLOT_MINUTES, Outcome, SlotSums, refusal, slot_of, stored,
};
use crate::domain::time::UtcMs;

diesel::define_sql_function! {
    /// The first of the two that is not null.
    fn coalesce(first: Nullable<Text>, second: Nullable<Text>) -> Nullable<Text>;
}

pub(super) fn store(conn: &mut SqliteConnection, batch: &Batch) -> Result<Outcome, DbError> {
    if let Some(refused) = refusal!(conn, batch) {
        return Ok(refused);
    }
    let own = devices::table.filter(devices::user_id.eq(batch.user));
    let others = own.filter(devices::device_id.ne(batch.device)).count().get_result::<i64>(conn)?;
    let slots: BTreeSet<UtcMs> = batch.minutes.iter().map(|m| slot_of(m.from)).collect();
    let full = blink_rollups::table
        .filter(blink_rollups::user_id.eq(batch.user).and(blink_rollups::slot_from.eq_any(slots)))
        .filter(blink_rollups::minutes.gt(MAX_SLOT_MINUTES));
    if others >= i64::from(MAX_DEVICES) || select(exists(full)).get_result(conn)? {
        return Ok(Outcome::TooManyDevices);
    }
    diesel::insert_into(devices::table)
        .values((
            devices::user_id.eq(batch.user),
            devices::device_id.eq(batch.device),
            devices::session_id.eq(Some(batch.session)),
            devices::first_seen_at.eq(batch.received_at),
            devices::last_seen_at.eq(batch.received_at),
            devices::user_agent.eq(&batch.user_agent),
        ))
        .on_conflict((devices::user_id, devices::device_id))
        .do_update()
        .set((
            devices::session_id.eq(excluded(devices::session_id)),
            devices::last_seen_at.eq(excluded(devices::last_seen_at)),
            // A request that names no program leaves the one that is known.
            devices::user_agent.eq(coalesce(excluded(devices::user_agent), devices::user_agent)),
        ))
        .execute(conn)?;
    let mut slots = SlotSums::default();
    for minute in &batch.minutes {
        let new = diesel::insert_into(blink_data::table)
            .values(MinuteRow::of(batch, minute))
            .on_conflict((blink_data::user_id, blink_data::from_timestamp, blink_data::device_id))
            .do_nothing()
            .execute(conn)?;
        if new == 1 {
            slots.add(minute.from, minute.blink_count, minute.observed_ms);
        }
    }
    let accepted = slots.accepted();
    roll_up(conn, batch.user, slots)?;
    Ok(stored(batch, accepted))
}

fn roll_up(conn: &mut SqliteConnection, user: Id<User>, SlotSums(slots): SlotSums) -> Result<(), DbError> {
    for (from, sum) in slots {
        use blink_rollups::{blink_count, minutes, observed_ms, slot_from, user_id};
        diesel::insert_into(blink_rollups::table)
            .values((
                user_id.eq(user),
                slot_from.eq(from),
                blink_count.eq(sum.blink_count),
                observed_ms.eq(sum.observed_ms),
                minutes.eq(sum.minutes),
            ))
            .on_conflict((user_id, slot_from))
            .do_update()
            .set((
                blink_count.eq(blink_count + excluded(blink_count)),
                observed_ms.eq(observed_ms + excluded(observed_ms)),
                minutes.eq(minutes + excluded(minutes)),
            ))
            .execute(conn)?;
    }
    Ok(())
}
