//! Whether other people see one on the leaderboard: one's own choice.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use blink_proto::http::LeaderboardChoice;

use crate::{
    db::attendance::lists,
    error::{ApiError, ApiResult},
    http::body,
    principal::Principal,
    state::State,
};

/// Let other people see me on the leaderboard, or not.
#[utoipa::path(
    put,
    path = "/api/attendance/leaderboard",
    tag = "attendance",
    request_body = LeaderboardChoice,
    responses((status = 200, body = LeaderboardChoice), (status = 404)),
)]
pub(crate) async fn choose(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    let mut fields = body::object(&req, payload).await?;
    let Some(leaderboard) = fields.required_flag("leaderboard") else {
        return Err(ApiError::invalid(fields.wrong()));
    };
    fields.finish()?;
    let chosen = who.write(&state, move |conn, who| {
        if lists::choose_leaderboard(conn, who.user.into(), leaderboard)? {
            return Ok(LeaderboardChoice { leaderboard });
        }
        let message = "Your account is nobody at the attendance desk yet: a manager links it.";
        Err(ApiError::new(StatusCode::NOT_FOUND, "not_enrolled", message))
    });
    Ok(HttpResponse::Ok().json(chosen.await?))
}
