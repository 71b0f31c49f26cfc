//! Admins list people and change their roles. No minute is readable through these endpoints.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Payload, Query},
};
use blink_proto::http::{Role, User, Users};

use crate::{
    db::users::{self, RoleChange},
    error::{ApiError, ApiResult},
    http::{body, page},
    principal::Principal,
    state::State,
};

/// People.
#[utoipa::path(
    get,
    path = "/api/admin/users",
    tag = "administration",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 1_000, description = "items in a page; 100 if absent"), ("cursor" = Option<uuid::Uuid>, Query, description = "next_cursor of the page before")),
    responses((status = 200, body = blink_proto::http::Users), (status = 403), (status = 422)),
)]
pub(crate) async fn list(who: Principal, query: Query<BTreeMap<String, String>>, state: Data<State>) -> ApiResult {
    who.require(Role::Admin)?;
    let limit = page::limit_of(&query)?;
    let after = query.get("cursor").map(|text| text.parse()).transpose();
    let after = after.map_err(|_| ApiError::invalid_field("cursor", page::CURSOR_RULE))?;
    let mut rows = state.db.read(move |conn| users::list(conn, after, page::to_read(limit))).await?;
    let next_cursor = page::cut(&mut rows, limit).map(|row| row.id.0);
    let items: Vec<User> = rows.into_iter().map(User::from).collect();
    Ok(HttpResponse::Ok().json(Users { items, next_cursor }))
}

/// Give a person a role.
#[utoipa::path(
    patch,
    path = "/api/admin/users/{id}",
    tag = "administration",
    request_body = blink_proto::http::RoleChange,
    params(("id" = String, Path)),
    responses((status = 200, body = blink_proto::http::User), (status = 403), (status = 404), (status = 409)),
)]
pub(crate) async fn change(
    who: Principal,
    id: Path<String>,
    req: HttpRequest,
    payload: Payload,
    state: Data<State>,
) -> ApiResult {
    who.require(Role::Admin)?;
    let mut fields = body::object(&req, payload).await?;
    let Some(role) = fields.text("role", |text| text.parse::<Role>().map_err(|e| e.to_string())) else {
        return Err(ApiError::invalid(fields.wrong()));
    };
    let user = id.parse().map_err(|_| ApiError::not_found())?;
    let changed = who.write_roles(&state, move |conn, who| {
        who.require(Role::Admin)?;
        match users::set_role(conn, user, role.as_str())? {
            RoleChange::Done => users::by_id(conn, user)?.ok_or_else(ApiError::not_found),
            RoleChange::LastAdmin => Err(last_admin()),
            RoleChange::NoSuchPerson => Err(ApiError::not_found()),
        }
    });
    Ok(HttpResponse::Ok().json(User::from(changed.await?)))
}

#[must_use]
pub(crate) fn last_admin() -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "last_admin", "This is the last admin: make another one first.")
}
