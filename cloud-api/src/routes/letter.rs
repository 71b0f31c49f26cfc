//! A week's letter from a person's own minutes. Which camera measured is known on their machines alone, so here figures of
//! different machines are told apart, and `blinkctl letter` does the rest.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use blink_figures::{Hours, Letter, Week, page};
use jiff::tz::TimeZone;

use crate::{
    db::{DbError, conn::Conn, history, users},
    domain::zone,
    error::ApiResult,
    http::query::Asked,
    principal::Principal,
    state::State,
};

/// How the letter is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
enum Format {
    Json,
    Html,
    Md,
}

impl Format {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "json" => Some(Self::Json),
            "html" => Some(Self::Html),
            "md" => Some(Self::Md),
            _ => None,
        }
    }
}

/// My letter of a week: what changed against the four weeks before, and how sure that is.
#[utoipa::path(
    get,
    path = "/api/user/me/letter",
    tag = "minutes",
    params(("week" = Option<String>, Query, pattern = "^[0-9]{4}-W(0[1-9]|[1-4][0-9]|5[0-2])$", description = "an ISO week, such as 2026-W10; the last whole one if absent; W53 where the year has one"), ("format" = inline(Option<Format>), Query, description = "json, html or md; json if absent")),
    responses((status = 200, content((Letter = "application/json"), (String = "text/html"), (String = "text/markdown"))), (status = 422), (status = 429)),
)]
pub(crate) async fn letter(who: Principal, req: HttpRequest, state: Data<State>) -> ApiResult {
    let mut asked = Asked::read(req.query_string())?;
    let week =
        asked.take("week", |text| text.parse::<Week>().ok(), "must be an ISO week that there is, such as 2026-W10");
    let format = asked.take("format", Format::parse, "must be json, html or md").unwrap_or(Format::Json);
    asked.finish()?;
    let (user, now) = (who.user.into(), state.clock.now());
    let read = move |conn: &mut Conn| -> Result<Letter, DbError> {
        let zone = users::by_id(conn, user)?.map_or(TimeZone::UTC, |u| zone::stored(&u.timezone));
        let mut hours = Hours::new(zone, now.timestamp());
        let week = week.unwrap_or_else(|| Week::of(hours.today()).previous());
        let setups = history::hours(conn, user, Letter::span(week), &mut hours)?;
        Ok(Letter::new(&hours, &setups, week))
    };
    let letter = state.read_for(who.user, read).await?;
    Ok(match format {
        Format::Json => HttpResponse::Ok().json(letter),
        Format::Html => HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page::html(&letter)),
        Format::Md => HttpResponse::Ok().content_type("text/markdown; charset=utf-8").body(page::markdown(&letter)),
    })
}
