//! `POST /api/attendance/challenge`: when to blink.

use actix_web::{HttpResponse, web::Data};
use blink_proto::http::ChallengeResponse;

use crate::{
    attendance::challenge::{Challenge, SLACK_MS},
    db::{attendance::challenges, id::Id},
    error::ApiResult,
    principal::Principal,
    state::State,
};

/// When to blink: for one recording, by this session.
#[utoipa::path(
    post,
    path = "/api/attendance/challenge",
    tag = "attendance",
    responses((status = 200, body = blink_proto::http::ChallengeResponse), (status = 429)),
)]
pub(crate) async fn challenge(who: Principal, state: Data<State>) -> ApiResult {
    state.limits.challenges(who.user)?;
    let given = who.write(&state, |conn, who| {
        // Ids and cues cannot be guessed from earlier ones.
        let (id, challenge) = (Id::random(), Challenge::draw(&mut rand::rng()));
        let expires_at = who.at.plus(i64::from(Challenge::seconds()) * 1_000 + SLACK_MS);
        challenges::insert(conn, id, who.session, &challenge, who.at, expires_at)?;
        Ok((id, challenge))
    });
    let (id, challenge) = given.await?;
    Ok(HttpResponse::Ok().json(ChallengeResponse {
        challenge_id: id.0,
        blinks: u32::try_from(challenge.cues_ms.len()).unwrap_or(u32::MAX),
        seconds: Challenge::seconds(),
        cues_ms: challenge.cues_ms,
    }))
}
