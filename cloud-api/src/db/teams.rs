//! Teams, their members, and the figures of their closed weeks.

use diesel::prelude::*;

use super::{
    DbError,
    conn::Conn,
    id::{Id, Team, User},
    schema::{blink_rollups, team_members, team_weeks, teams, users},
    types::SqlId,
};
use crate::domain::time::UtcMs;
use crate::domain::{interval::Grouping, team, zone};

#[derive(Clone, Debug, Queryable, Insertable)]
#[diesel(table_name = teams)]
pub struct TeamRow {
    pub id: Id<Team>,
    pub name: String,
    /// Null after the manager was erased.
    pub manager_id: Option<Id<User>>,
    /// Weeks begin and end in this zone.
    pub timezone: String,
    pub created_at: UtcMs,
}

/// A member, or a person who is invited.
#[derive(Clone, Debug, Queryable)]
pub(crate) struct MemberRow {
    pub user_id: Id<User>,
    pub email: String,
    pub name: Option<String>,
    pub invited_at: UtcMs,
    pub accepted_at: Option<UtcMs>,
    /// What the manager typed to invite them; null for old invitations.
    pub invited_as: Option<String>,
}

/// A team that a person is in or invited to.
pub(crate) struct Membership {
    pub team: TeamRow,
    pub accepted_at: Option<UtcMs>,
}

#[derive(Clone, Debug, Queryable)]
pub(crate) struct WeekRow {
    pub week_from: UtcMs,
    pub week_to: UtcMs,
    /// The mean of the members' means, rounded; null for a suppressed week.
    pub blinks_per_minute: Option<i32>,
}

pub(crate) fn insert(conn: &mut Conn, row: &TeamRow) -> Result<(), DbError> {
    diesel::insert_into(teams::table).values(row.clone()).execute(conn)?;
    Ok(())
}

pub(crate) fn by_id(conn: &mut Conn, id: Id<Team>) -> Result<Option<TeamRow>, DbError> {
    Ok(teams::table.filter(teams::id.eq(id)).first(conn).optional()?)
}

pub(crate) fn all(conn: &mut Conn) -> Result<Vec<TeamRow>, DbError> {
    Ok(teams::table.order((teams::created_at, teams::id)).load(conn)?)
}

pub(crate) fn managed_by(conn: &mut Conn, user: Id<User>) -> Result<Vec<TeamRow>, DbError> {
    Ok(teams::table.filter(teams::manager_id.eq(Some(user))).order((teams::created_at, teams::id)).load(conn)?)
}

/// The teams that a person is in or invited to, each with the time they accepted.
pub(crate) fn of_member(conn: &mut Conn, user: Id<User>) -> Result<Vec<Membership>, DbError> {
    let rows: Vec<(Id<Team>, Option<UtcMs>)> = team_members::table
        .filter(team_members::user_id.eq(user))
        .select((team_members::team_id, team_members::accepted_at))
        .order((team_members::invited_at, team_members::team_id))
        .load(conn)?;
    let mut found = Vec::new();
    for (team, accepted_at) in rows {
        found.extend(by_id(conn, team)?.map(|team| Membership { team, accepted_at }));
    }
    Ok(found)
}

pub(crate) fn members(conn: &mut Conn, team: Id<Team>) -> Result<Vec<MemberRow>, DbError> {
    Ok(team_members::table
        .inner_join(users::table)
        .filter(team_members::team_id.eq(team))
        .select((
            users::id,
            users::email,
            users::name,
            team_members::invited_at,
            team_members::accepted_at,
            team_members::invited_as,
        ))
        .order((team_members::invited_at, users::id))
        .load(conn)?)
}

pub(crate) fn is_member(conn: &mut Conn, team: Id<Team>, user: Id<User>) -> Result<bool, DbError> {
    let accepted = team_members::accepted_at.is_not_null();
    let own = team_members::team_id.eq(team).and(team_members::user_id.eq(user)).and(accepted);
    let count: i64 = team_members::table.filter(own).count().get_result(conn)?;
    Ok(count > 0)
}

/// Invites a person and stores what the manager typed. Inviting again changes nothing. Fails with a foreign key violation
/// when the person was erased meanwhile.
pub(crate) fn invite(
    conn: &mut Conn,
    team: Id<Team>,
    user: Id<User>,
    invited_as: &str,
    now: UtcMs,
) -> Result<(), DbError> {
    let invitation = diesel::insert_into(team_members::table).values((
        team_members::team_id.eq(team),
        team_members::user_id.eq(user),
        team_members::invited_at.eq(now),
        team_members::invited_as.eq(Some(invited_as)),
    ));
    match conn {
        Conn::Sqlite(conn) => invitation.on_conflict_do_nothing().execute(conn)?,
        Conn::Postgres(conn) => invitation.on_conflict_do_nothing().execute(conn)?,
    };
    Ok(())
}

/// The person of the team's oldest open invitation for which the manager typed this.
pub(crate) fn invited_as(conn: &mut Conn, team: Id<Team>, typed: &str) -> Result<Option<Id<User>>, DbError> {
    let open = team_members::team_id.eq(team).and(team_members::accepted_at.is_null());
    Ok(team_members::table
        .filter(open.and(team_members::invited_as.eq(Some(typed))))
        .select(team_members::user_id)
        .order((team_members::invited_at, team_members::user_id))
        .first(conn)
        .optional()?)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acceptance {
    Accepted,
    Member,
    NotInvited,
    InAnotherTeam,
}

/// Accepts an invitation. The caller has locked the person, so that of two acceptances at once one sees the other.
pub(crate) fn accept(conn: &mut Conn, team: Id<Team>, user: Id<User>, now: UtcMs) -> Result<Acceptance, DbError> {
    let accepted: Vec<Id<Team>> = team_members::table
        .filter(team_members::user_id.eq(user).and(team_members::accepted_at.is_not_null()))
        .select(team_members::team_id)
        .load(conn)?;
    match accepted.first() {
        Some(other) if *other == team => return Ok(Acceptance::Member),
        Some(_) => return Ok(Acceptance::InAnotherTeam),
        None => {}
    }
    let own = team_members::team_id.eq(team).and(team_members::user_id.eq(user));
    let updated =
        diesel::update(team_members::table.filter(own)).set(team_members::accepted_at.eq(Some(now))).execute(conn)?;
    Ok(if updated == 1 { Acceptance::Accepted } else { Acceptance::NotInvited })
}

/// Removes a member or an invitation; false when there was neither.
pub(crate) fn remove(conn: &mut Conn, team: Id<Team>, user: Id<User>) -> Result<bool, DbError> {
    let own = team_members::team_id.eq(team).and(team_members::user_id.eq(user));
    Ok(diesel::delete(team_members::table.filter(own)).execute(conn)? > 0)
}

/// Removes a person who withdrew their team consent from the team they accepted.
pub(crate) fn leave_all(conn: &mut Conn, user: Id<User>) -> Result<(), DbError> {
    let own = team_members::user_id.eq(user).and(team_members::accepted_at.is_not_null());
    diesel::delete(team_members::table.filter(own)).execute(conn)?;
    Ok(())
}

pub(crate) fn weeks(conn: &mut Conn, team: Id<Team>) -> Result<Vec<WeekRow>, DbError> {
    Ok(team_weeks::table
        .filter(team_weeks::team_id.eq(team))
        .select((team_weeks::week_from, team_weeks::week_to, team_weeks::blinks_per_minute))
        .order(team_weeks::week_from)
        .load(conn)?)
}

/// Closes each due week of a team once: whole weeks since the team was made, 48 hours after their end.
pub(crate) fn close_weeks(conn: &mut Conn, team: &TeamRow, now: UtcMs) -> Result<(), DbError> {
    if let Conn::Postgres(conn) = conn {
        // The lock keeps two replicas from closing the same week at different moments.
        diesel::sql_query("SELECT 1 FROM teams WHERE id = $1 FOR UPDATE").bind::<SqlId, _>(team.id).execute(conn)?;
    }
    // A closed week is never computed again, so no figure is better than one in the wrong zone.
    let Some(zone) = zone::find(&team.timezone) else {
        tracing::error!("a team's time zone is not known to this machine: its weeks are not closed");
        return Ok(());
    };
    let last = weeks(conn, team.id)?.last().map(|week| week.week_to);
    let mut week = match last {
        Some(end) => Grouping::Week.around(end, &zone),
        None => {
            let first = Grouping::Week.around(team.created_at, &zone);
            if first.start == team.created_at { first } else { Grouping::Week.around(first.end, &zone) }
        }
    };
    while week.end.plus(team::CLOSED_AFTER_MS) <= now {
        let members: Vec<Id<User>> = team_members::table
            .filter(team_members::team_id.eq(team.id).and(team_members::accepted_at.le(Some(week.start))))
            .select(team_members::user_id)
            .load(conn)?;
        let mut sums = Vec::with_capacity(members.len());
        for member in members {
            // In every zone weeks begin on a quarter of an hour, so the sums are exact.
            let within = blink_rollups::slot_from.ge(week.start).and(blink_rollups::slot_from.lt(week.end));
            let slots: Vec<(i64, i64)> = blink_rollups::table
                .filter(blink_rollups::user_id.eq(member).and(within))
                .select((blink_rollups::blink_count, blink_rollups::observed_ms))
                .load(conn)?;
            let mut sum = team::WeekSum::default();
            for (blinks, observed_ms) in slots {
                sum.blinks += blinks.unsigned_abs();
                sum.observed_ms += observed_ms.unsigned_abs();
            }
            sums.push(sum);
        }
        diesel::insert_into(team_weeks::table)
            .values((
                team_weeks::team_id.eq(team.id),
                team_weeks::week_from.eq(week.start),
                team_weeks::week_to.eq(week.end),
                team_weeks::blinks_per_minute.eq(team::week_figure(&sums)),
            ))
            .execute(conn)?;
        week = Grouping::Week.around(week.end, &zone);
    }
    Ok(())
}
