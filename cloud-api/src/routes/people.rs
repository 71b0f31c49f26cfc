//! A person's own account.

use actix_web::{HttpResponse, web::Data};
use blink_proto::http::User;

use super::State;
use crate::{
    auth::principal::Principal,
    db::users,
    error::{ApiError, ApiResult},
};

/// `GET /api/user/me`.
///
/// # Errors
/// 401 without a live session.
pub async fn me(who: Principal, state: Data<State>) -> ApiResult {
    let user = state.db.read(move |conn| users::by_id(conn, who.user.into())).await?;
    Ok(HttpResponse::Ok().json(User::from(user.ok_or_else(ApiError::unauthenticated)?)))
}
