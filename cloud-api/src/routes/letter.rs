//! A week's letter from a person's own minutes. Which camera measured is known on their machines alone, so here figures of
//! different machines are told apart, and `blinkctl letter` does the rest.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    web::{Data, Query},
};
use blink_figures::{Hours, Letter, Setup, Setups, Week, page};
use jiff::tz::TimeZone;

use crate::{
    db::{DbError, history, users},
    domain::zone,
    error::{ApiError, ApiResult},
    principal::Principal,
    state::State,
};

/// How the letter is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Html,
    Markdown,
}

/// My letter of a week: what changed against the four weeks before, and how sure that is.
#[utoipa::path(
    get,
    path = "/api/user/me/letter",
    tag = "minutes",
    params(("week" = Option<String>, Query, description = "an ISO week, such as 2026-W10; the last whole one if absent"), ("format" = Option<String>, Query, description = "json, html or md; json if absent")),
    responses((status = 200, body = Letter), (status = 422), (status = 429)),
)]
pub(crate) async fn letter(who: Principal, query: Query<BTreeMap<String, String>>, state: Data<State>) -> ApiResult {
    let week = query.get("week").map(|text| text.parse::<Week>()).transpose();
    let week = week.map_err(|why| ApiError::invalid_field("week", why))?;
    let format = match query.get("format").map_or("json", String::as_str) {
        "json" => Format::Json,
        "html" => Format::Html,
        "md" => Format::Markdown,
        _ => return Err(ApiError::invalid_field("format", "must be json, html or md")),
    };
    let (user, now) = (who.user.into(), state.clock.now());
    let turn = state.limits.read_turn(who.user).await?;
    let letter = state.db.read(move |conn| -> Result<Result<Letter, ApiError>, DbError> {
        let _turn = turn;
        let zone = users::by_id(conn, user)?.map_or(TimeZone::UTC, |u| zone::stored(&u.timezone));
        let mut hours = Hours::new(zone.clone(), now.timestamp());
        let this = Week::of(hours.today());
        let week = week.unwrap_or_else(|| this.previous());
        if week > this {
            return Ok(Err(ApiError::invalid_field("week", format!("has not begun: this week is {this}"))));
        }
        let span = Letter::span(week);
        let start = |date: jiff::civil::Date| date.to_zoned(zone.clone()).map(|zoned| zoned.timestamp().into());
        let Ok((from, to)) = start(span.first).and_then(|from| Ok((from, start(span.last.tomorrow()?)?))) else {
            return Ok(Err(ApiError::invalid_field("week", "is out of range")));
        };
        let mut setups = Setups::default();
        history::by_machine(conn, user, from, to, |machine, mut piece| {
            piece.setup = setups.number(&Setup { machine, ..Setup::default() });
            hours.add(piece);
        })?;
        Ok(Ok(Letter::new(&hours, &setups, week)))
    });
    let letter = letter.await??;
    Ok(match format {
        Format::Json => HttpResponse::Ok().json(letter),
        Format::Html => HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page::html(&letter)),
        Format::Markdown => {
            HttpResponse::Ok().content_type("text/markdown; charset=utf-8").body(page::markdown(&letter))
        }
    })
}
