//! Teams. A manager sees who is in theirs and one figure for a closed week; nobody sees a member's minutes.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload},
};
use blink_proto::http::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use super::consents::TEAM_VERSION;
use crate::{
    db::{
        DbError,
        conn::Conn,
        teams::{self, Acceptance, TeamRow},
        types::DbId,
        users::{self, ConsentRow},
    },
    domain::account,
    domain::time::UtcMs,
    error::{ApiError, ApiResult},
    http::body,
    ledger::What,
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
pub async fn create(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    who.require(Role::Manager)?;
    let mut fields = body::object(&req, payload).await?;
    let name = fields.text("name", |text| account::name(text)?.ok_or_else(|| "must not be empty".to_owned()));
    let timezone = fields.optional_text("timezone", account::time_zone);
    let Some(name) = name else { return Err(ApiError::invalid(fields.wrong())) };
    fields.finish()?;
    let (manager, now) = (DbId::from(who.user), state.clock.now());
    let answer = state
        .db
        .write(move |conn| -> Result<_, DbError> {
            let own_zone = users::by_id(conn, manager)?.map_or_else(|| "UTC".to_owned(), |user| user.timezone);
            let timezone = timezone.clone().unwrap_or(own_zone);
            let row =
                TeamRow { id: DbId::fresh(), name: name.clone(), manager_id: Some(manager), timezone, created_at: now };
            teams::insert(conn, &row)?;
            managed_item(conn, &row)
        })
        .await?;
    Ok(HttpResponse::Created().json(answer))
}

/// Teams I manage, am in, or am invited to.
#[utoipa::path(
    get,
    path = "/api/team",
    tag = "team",
    responses((status = 200, body = blink_proto::http::Teams)),
)]
pub async fn list(who: Principal, state: Data<State>) -> ApiResult {
    let (user, admin) = (DbId::from(who.user), who.role == Role::Admin);
    let items = state
        .db
        .read(move |conn| -> Result<_, DbError> {
            let managed = if admin { teams::all(conn)? } else { teams::managed_by(conn, user)? };
            let mut items = managed.iter().map(|row| managed_item(conn, row)).collect::<Result<Vec<_>, _>>()?;
            for (row, accepted_at) in teams::of_member(conn, user)? {
                if !managed.iter().any(|managed| managed.id == row.id) {
                    let mut item = item(conn, &row)?;
                    item["accepted_at"] = json!(accepted_at.map(UtcMs::timestamp));
                    items.push(item);
                }
            }
            Ok(items)
        })
        .await?;
    Ok(HttpResponse::Ok().json(json!({"items": items})))
}

/// A team as everybody in it sees it: with whose it is.
fn item(conn: &mut Conn, row: &TeamRow) -> Result<Value, DbError> {
    let manager = row.manager_id.map(|id| users::by_id(conn, id)).transpose()?.flatten();
    Ok(json!({
        "id": row.id.0, "name": row.name, "timezone": row.timezone, "created_at": row.created_at.timestamp(),
        "manager": manager.map(|user| json!({"id": user.id.0, "name": user.name, "email": user.email})),
    }))
}

fn managed_item(conn: &mut Conn, row: &TeamRow) -> Result<Value, DbError> {
    let mut item = item(conn, row)?;
    let members = teams::members(conn, row.id)?.into_iter().map(|member| {
        json!({
            "user_id": member.user_id.0, "name": member.name, "email": member.email,
            "invited_at": member.invited_at.timestamp(), "accepted_at": member.accepted_at.map(UtcMs::timestamp),
        })
    });
    item["members"] = Value::Array(members.collect());
    Ok(item)
}

/// The team, when the caller manages it or is an admin; else 403, whether it exists or not.
async fn managed(who: &Principal, team: &str, state: &State) -> Result<TeamRow, ApiError> {
    let forbidden = || ApiError::forbidden("forbidden", "This needs to be your team.");
    let id = team.parse::<Uuid>().map(DbId).map_err(|_| forbidden())?;
    let row = state.db.read(move |conn| teams::by_id(conn, id)).await?;
    match row {
        Some(row) if who.role == Role::Admin => Ok(row),
        Some(row) if who.role >= Role::Manager && row.manager_id == Some(who.user.into()) => Ok(row),
        None if who.role == Role::Admin => Err(ApiError::not_found()),
        _ => Err(forbidden()),
    }
}

/// Invite a person; or, as that person, accept.
#[utoipa::path(
    put,
    path = "/api/team/{id}/members/{user_id}",
    tag = "team",
    request_body = blink_proto::http::Option<blink_proto::http::TeamAcceptance>,
    params(("id" = blink_proto::http::String, Path), ("user_id" = blink_proto::http::String, Path, description = "a person's id, or me; inviting takes an e-mail address too")),
    responses((status = 200, body = blink_proto::http::TeamMembership), (status = 201, body = blink_proto::http::TeamMembership), (status = 403), (status = 404), (status = 409)),
)]
pub async fn put_member(
    who: Principal,
    path: Path<(String, String)>,
    req: HttpRequest,
    payload: Payload,
    state: Data<State>,
) -> ApiResult {
    let (team, member) = path.into_inner();
    if member == "me" || member.parse::<Uuid>().ok() == Some(who.user.0) {
        return accept(&who, &team, &req, payload, &state).await;
    }
    let team = managed(&who, &team, &state).await?.id;
    read_acceptance(&req, payload).await?;
    let now = state.clock.now();
    let invited = state
        .db
        .write(move |conn| -> Result<bool, DbError> {
            let user = match member.parse::<Uuid>() {
                Ok(id) => users::by_id(conn, DbId(id))?,
                Err(_) => match account::Email::parse(&member) {
                    Ok(email) => users::by_email_key(conn, &email.key)?,
                    Err(_) => None,
                },
            };
            let Some(user) = user else { return Ok(false) };
            teams::invite(conn, team, user.id, now)?;
            Ok(true)
        })
        .await?;
    if !invited {
        return Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "no_such_person",
            "There is no account with this id or address.",
        ));
    }
    Ok(HttpResponse::Created().json(json!({"status": "invited"})))
}

/// The version of the text that was agreed to, where it is said; an invitation needs none.
async fn read_acceptance(req: &HttpRequest, payload: Payload) -> Result<(), ApiError> {
    let mut fields = body::optional_object(req, payload).await?;
    fields.optional_text("version", |text| match text {
        TEAM_VERSION => Ok(()),
        _ => Err(format!("must be \"{TEAM_VERSION}\", the version of the text at /api/consents")),
    });
    Ok(fields.finish()?)
}

async fn accept(who: &Principal, team: &str, req: &HttpRequest, payload: Payload, state: &State) -> ApiResult {
    read_acceptance(req, payload).await?;
    let team = team.parse::<Uuid>().map(DbId).map_err(|_| ApiError::not_found())?;
    let (user, now) = (DbId::from(who.user), state.clock.now());
    let accepted = state
        .db
        .write(move |conn| -> Result<Acceptance, DbError> {
            let accepted = teams::accept(conn, team, user, now)?;
            if accepted == Acceptance::Accepted {
                users::record_consent(
                    conn,
                    &ConsentRow {
                        id: DbId::fresh(),
                        user_id: user,
                        kind: "team".to_owned(),
                        version: TEAM_VERSION.to_owned(),
                        granted: true,
                        at: now,
                    },
                )?;
            }
            Ok(accepted)
        })
        .await?;
    if accepted == Acceptance::Accepted {
        let (kind, version) = ("team".to_owned(), TEAM_VERSION.to_owned());
        state.remember(who.user, What::Consent { kind, version, granted: true }).await?;
    }
    match accepted {
        Acceptance::Accepted => Ok(HttpResponse::Ok().json(json!({"status": "accepted"}))),
        Acceptance::NotInvited => Err(ApiError::not_found()),
        Acceptance::InAnotherTeam => Err(ApiError::new(
            StatusCode::CONFLICT,
            "in_another_team",
            "A person is in one team at a time: leave the other one first.",
        )),
    }
}

/// Take a person out; or, as that person, leave.
#[utoipa::path(
    delete,
    path = "/api/team/{id}/members/{user_id}",
    tag = "team",
    params(("id" = blink_proto::http::String, Path), ("user_id" = blink_proto::http::String, Path, description = "a person's id, or me; inviting takes an e-mail address too")),
    responses((status = 204), (status = 403), (status = 404)),
)]
pub async fn delete_member(who: Principal, path: Path<(String, String)>, state: Data<State>) -> ApiResult {
    let (team, member) = path.into_inner();
    let own = member == "me" || member.parse::<Uuid>().ok() == Some(who.user.0);
    let team = if own {
        team.parse::<Uuid>().map(DbId).map_err(|_| ApiError::not_found())?
    } else {
        managed(&who, &team, &state).await?.id
    };
    let member = if own { Some(who.user.0) } else { member.parse::<Uuid>().ok() };
    let member = DbId(member.ok_or_else(ApiError::not_found)?);
    let removed = state.db.write(move |conn| teams::remove(conn, team, member)).await?;
    if removed { Ok(HttpResponse::NoContent().finish()) } else { Err(ApiError::not_found()) }
}

/// One figure for each closed week, or none.
#[utoipa::path(
    get,
    path = "/api/team/{id}/blinks",
    tag = "team",
    params(("id" = blink_proto::http::String, Path)),
    responses((status = 200, body = blink_proto::http::TeamWeeks), (status = 403), (status = 404)),
)]
pub async fn blinks(who: Principal, team: Path<String>, state: Data<State>) -> ApiResult {
    let team = match managed(&who, &team, &state).await {
        Ok(row) => row,
        Err(refused) => {
            let id = team.parse::<Uuid>().map(DbId);
            let user = who.user.into();
            let Ok(id) = id else { return Err(refused) };
            let found = state.db.read(move |conn| -> Result<_, DbError> {
                Ok(if teams::is_member(conn, id, user)? { teams::by_id(conn, id)? } else { None })
            });
            found.await?.ok_or(refused)?
        }
    };
    let now = state.clock.now();
    let weeks = state
        .db
        .write(move |conn| -> Result<_, DbError> {
            teams::close_weeks(conn, &team, now)?;
            teams::weeks(conn, team.id)
        })
        .await?;
    let items = weeks.into_iter().map(|week| {
        let mut item = json!({
            "from_timestamp": week.week_from.timestamp(), "to_timestamp": week.week_to.timestamp(),
            "suppressed": week.blinks_per_minute.is_none(),
        });
        if let Some(figure) = week.blinks_per_minute {
            item["blinks_per_minute"] = json!(figure);
        }
        item
    });
    Ok(HttpResponse::Ok().json(json!({"items": items.collect::<Vec<_>>()})))
}
