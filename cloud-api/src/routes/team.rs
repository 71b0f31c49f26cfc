//! Teams. A manager sees the members of their team and one figure per closed week; nobody sees a member's minutes.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use blink_proto::http::{
    MembershipStatus, Role, Team, TeamManager, TeamMember, TeamMembership, TeamWeek, TeamWeeks, Teams,
};
use uuid::Uuid;

use super::consents::{self, TEAM_VERSION};
use crate::{
    db::{
        DbError,
        conn::Conn,
        housekeeping::{self, ClockTrust},
        id::{Id, User},
        teams::{self, Acceptance, MemberRow, Membership, TeamRow},
        users::{self, UserRow},
    },
    domain::account,
    domain::time::UtcMs,
    error::{ApiError, ApiResult},
    http::body,
    principal::Principal,
    state::State,
};

/// Make a team.
#[utoipa::path(
    post,
    path = "/api/team",
    tag = "team",
    request_body = blink_proto::http::TeamRequest,
    responses((status = 201, body = blink_proto::http::Team), (status = 403)),
)]
pub(crate) async fn create(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    who.require(Role::Manager)?;
    let mut fields = body::object(&req, payload).await?;
    let name = fields.text("name", |text| account::name(text)?.ok_or_else(|| "must not be empty".to_owned()));
    let timezone = fields.optional_text("timezone", account::time_zone);
    let Some(name) = name else { return Err(ApiError::invalid(fields.wrong())) };
    fields.finish()?;
    let made = who.write(&state, move |conn, who| {
        who.require(Role::Manager)?;
        let manager = Id::<User>::from(who.user);
        let own_zone = users::by_id(conn, manager)?.map_or_else(|| "UTC".to_owned(), |user| user.timezone);
        let row = TeamRow {
            id: Id::fresh(),
            name: name.clone(),
            manager_id: Some(manager),
            timezone: timezone.clone().unwrap_or(own_zone),
            created_at: who.at,
        };
        teams::insert(conn, &row)?;
        Ok(managed_item(conn, &row)?)
    });
    Ok(HttpResponse::Created().json(made.await?))
}

/// Teams I manage, am in, or am invited to.
#[utoipa::path(
    get,
    path = "/api/team",
    tag = "team",
    responses((status = 200, body = blink_proto::http::Teams)),
)]
pub(crate) async fn list(who: Principal, state: Data<State>) -> ApiResult {
    let (user, role) = (Id::<User>::from(who.user), who.role);
    let items = state
        .db
        .read(move |conn| -> Result<_, DbError> {
            let managed = if role == Role::Admin { teams::all(conn)? } else { teams::managed_by(conn, user)? };
            let item = if role >= Role::Manager { managed_item } else { item };
            let mut items = managed.iter().map(|row| item(conn, row)).collect::<Result<Vec<_>, _>>()?;
            for Membership { team, accepted_at } in teams::of_member(conn, user)? {
                if !managed.iter().any(|managed| managed.id == team.id) {
                    let accepted_at = Some(accepted_at.map(UtcMs::timestamp));
                    items.push(Team { accepted_at, ..self::item(conn, &team)? });
                }
            }
            Ok(items)
        })
        .await?;
    Ok(HttpResponse::Ok().json(Teams { items }))
}

/// The team as all its members see it, including its manager.
fn item(conn: &mut Conn, row: &TeamRow) -> Result<Team, DbError> {
    let manager = row.manager_id.map(|id| users::by_id(conn, id)).transpose()?.flatten();
    Ok(Team {
        id: row.id.0,
        name: row.name.clone(),
        timezone: row.timezone.clone(),
        created_at: row.created_at.timestamp(),
        manager: manager.map(|user| TeamManager { id: user.id.into(), name: user.name, email: user.email }),
        accepted_at: None,
        members: None,
    })
}

fn managed_item(conn: &mut Conn, row: &TeamRow) -> Result<Team, DbError> {
    let members = teams::members(conn, row.id)?.into_iter().map(member_item).collect();
    Ok(Team { members: Some(members), ..item(conn, row)? })
}

/// A member as their manager sees them. Of a person who has not accepted yet, it shows only what the manager typed.
fn member_item(member: MemberRow) -> TeamMember {
    let accepted = member.accepted_at.is_some();
    let by_id = member.invited_as.as_deref().is_none_or(|typed| typed.parse::<Uuid>().is_ok());
    TeamMember {
        user_id: (accepted || by_id).then(|| member.user_id.into()),
        name: member.name.filter(|_| accepted),
        email: if accepted { Some(member.email) } else { member.invited_as.filter(|_| !by_id) },
        invited_at: member.invited_at.timestamp(),
        accepted_at: member.accepted_at.map(UtcMs::timestamp),
    }
}

/// The team, if the caller manages it or is an admin. Others get 403 whether it exists or not.
fn managed(conn: &mut Conn, who: &Principal, team: &str) -> Result<TeamRow, ApiError> {
    let forbidden = || ApiError::forbidden("forbidden", "This needs to be your team.");
    let id = team.parse().map_err(|_| forbidden())?;
    match teams::by_id(conn, id)? {
        Some(row) if who.role == Role::Admin => Ok(row),
        Some(row) if who.role >= Role::Manager && row.manager_id == Some(who.user.into()) => Ok(row),
        None if who.role == Role::Admin => Err(ApiError::not_found()),
        _ => Err(forbidden()),
    }
}

/// The person whose id or e-mail address is in the path.
fn named(conn: &mut Conn, member: &str) -> Result<Option<UserRow>, DbError> {
    match member.parse() {
        Ok(id) => users::by_id(conn, id),
        Err(_) => users::by_email_keys(conn, &account::Email::keys(member)),
    }
}

fn is_own(who: &Principal, member: &str) -> bool {
    member == "me" || member.parse().ok() == Some(who.user)
}

/// Invite a person; or, as that person, accept.
#[utoipa::path(
    put,
    path = "/api/team/{id}/members/{user_id}",
    tag = "team",
    request_body = Option<blink_proto::http::TeamAcceptance>,
    params(("id" = String, Path), ("user_id" = String, Path, description = "a person's id, or me; inviting takes an e-mail address too")),
    responses((status = 200, body = blink_proto::http::TeamMembership), (status = 201, body = blink_proto::http::TeamMembership), (status = 403), (status = 404), (status = 409), (status = 429)),
)]
pub(crate) async fn put_member(
    who: Principal,
    path: Path<(String, String)>,
    req: HttpRequest,
    payload: Payload,
    state: Data<State>,
) -> ApiResult {
    let (team, member) = path.into_inner();
    read_acceptance(&req, payload).await?;
    if is_own(&who, &member) {
        return accept(&who, &team, &state).await;
    }
    let invited = who.write(&state, move |conn, who| {
        let team = managed(conn, who, &team)?.id;
        let nobody = || {
            let message = "There is no account with this id or address.";
            ApiError::new(StatusCode::NOT_FOUND, "no_such_person", message)
        };
        let user = named(conn, &member)?.ok_or_else(nobody)?;
        teams::invite(conn, team, user.id, &member, who.at)
            .map_err(|e| if e.is_foreign_key_violation() { nobody() } else { e.into() })
    });
    invited.await?;
    Ok(HttpResponse::Created().json(TeamMembership { status: MembershipStatus::Invited }))
}

/// Checks the version of the consent text if one is given; an invitation has none.
async fn read_acceptance(req: &HttpRequest, payload: Payload) -> Result<(), ApiError> {
    let mut fields = body::optional_object(req, payload).await?;
    fields.optional_text("version", |text| match text {
        TEAM_VERSION => Ok(()),
        _ => Err(format!("must be \"{TEAM_VERSION}\", the version of the text at /api/consents")),
    });
    Ok(fields.finish()?)
}

async fn accept(who: &Principal, team: &str, state: &State) -> ApiResult {
    let team = team.parse().map_err(|_| ApiError::not_found())?;
    let ledger = state.ledger.clone();
    let accepted = who.write(state, move |conn, who| match teams::accept(conn, team, who.user.into(), who.at)? {
        Acceptance::Accepted => consents::team_accepted(conn, &ledger, who),
        Acceptance::Member => Ok(()),
        Acceptance::NotInvited => Err(ApiError::not_found()),
        Acceptance::InAnotherTeam => Err(ApiError::new(
            StatusCode::CONFLICT,
            "in_another_team",
            "A person is in one team at a time: leave the other one first.",
        )),
    });
    accepted.await?;
    Ok(HttpResponse::Ok().json(TeamMembership { status: MembershipStatus::Accepted }))
}

/// Take a person out; or, as that person, leave.
#[utoipa::path(
    delete,
    path = "/api/team/{id}/members/{user_id}",
    tag = "team",
    params(("id" = String, Path), ("user_id" = String, Path, description = "a person's id, or me; inviting takes an e-mail address too")),
    responses((status = 204), (status = 403), (status = 404)),
)]
pub(crate) async fn delete_member(who: Principal, path: Path<(String, String)>, state: Data<State>) -> ApiResult {
    let (team, member) = path.into_inner();
    let ledger = state.ledger.clone();
    let removed = who.write(&state, move |conn, who| {
        let (team, member) = if is_own(who, &member) {
            (team.parse().map_err(|_| ApiError::not_found())?, Some(who.user.into()))
        } else {
            let team = managed(conn, who, &team)?.id;
            // The manager sees an invitation as they typed it, whoever has that address by now.
            match teams::invited_as(conn, team, &member)? {
                Some(invited) => (team, Some(invited)),
                None => (team, named(conn, &member)?.map(|user| user.id)),
            }
        };
        let member = member.ok_or_else(ApiError::not_found)?;
        users::hold(conn, member)?;
        let had_joined = teams::is_member(conn, team, member)?;
        if !teams::remove(conn, team, member)? {
            return Err(ApiError::not_found());
        }
        if had_joined { consents::team_left(conn, &ledger, member, who.at) } else { Ok(()) }
    });
    removed.await?;
    Ok(HttpResponse::NoContent().finish())
}

/// One figure for each closed week, or none.
#[utoipa::path(
    get,
    path = "/api/team/{id}/blinks",
    tag = "team",
    params(("id" = String, Path)),
    responses((status = 200, body = blink_proto::http::TeamWeeks), (status = 403), (status = 404)),
)]
pub(crate) async fn blinks(who: Principal, team: Path<String>, state: Data<State>) -> ApiResult {
    let weeks = who.write(&state, move |conn, who| {
        let team = managed(conn, who, &team).or_else(|refused| joined(conn, who, &team, refused))?;
        // Closing a week is final, so it is not done by a clock that may be ahead.
        if let ClockTrust::Trusted { .. } = housekeeping::trust(conn, who.at)? {
            teams::close_weeks(conn, &team, who.at)?;
        }
        Ok(teams::weeks(conn, team.id)?)
    });
    let items = weeks.await?.into_iter().map(|week| TeamWeek {
        from_timestamp: week.week_from.timestamp(),
        to_timestamp: week.week_to.timestamp(),
        suppressed: week.blinks_per_minute.is_none(),
        blinks_per_minute: week.blinks_per_minute,
    });
    Ok(HttpResponse::Ok().json(TeamWeeks { items: items.collect() }))
}

/// The team, if the caller is a member of it; else `refused`.
fn joined(conn: &mut Conn, who: &Principal, team: &str, refused: ApiError) -> Result<TeamRow, ApiError> {
    let Ok(id) = team.parse() else { return Err(refused) };
    if !teams::is_member(conn, id, who.user.into())? {
        return Err(refused);
    }
    teams::by_id(conn, id)?.ok_or(refused)
}
