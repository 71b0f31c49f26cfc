//! A person's insights from their own figures, and questions about them to a language model.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use blink_proto::http::{AnswerToQuestion, Insights};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::json;

use crate::{
    config::AskConfig,
    db::{DbError, history, users},
    domain::fields::Fields,
    domain::insights::{self, BASELINE_DAYS, RECENT_DAYS, Total},
    domain::interval::Grouping,
    domain::time::{DAY_MS, UtcMs},
    domain::zone,
    error::{ApiError, ApiResult},
    http::{blocking, body, client},
    principal::Principal,
    state::State,
};

/// What my figures say.
#[utoipa::path(
    get,
    path = "/api/user/me/insights",
    tag = "minutes",
    responses((status = 200, body = Insights), (status = 429)),
)]
pub(crate) async fn insights(who: Principal, state: Data<State>) -> ApiResult {
    Ok(HttpResponse::Ok().json(read(&who, &state).await?))
}

async fn read(who: &Principal, state: &State) -> Result<Insights, ApiError> {
    let (user, now) = (who.user.into(), state.clock.now());
    let turn = state.limits.read_turn(who.user).await?;
    let insights = state.db.read(move |conn| -> Result<Insights, DbError> {
        let _turn = turn;
        let zone = users::by_id(conn, user)?.map_or(TimeZone::UTC, |u| zone::stored(&u.timezone));
        let since = now.plus(-RECENT_DAYS * DAY_MS);
        let from = since.plus(-BASELINE_DAYS * DAY_MS);
        let slots = history::slots(conn, user, from, now.plus(DAY_MS), i64::from(u16::MAX))?;
        let (mut recent, mut baseline, mut by_hour) = (Total::default(), Total::default(), [Total::default(); 24]);
        let (mut hours_with_data, mut counted_until) = (0, UtcMs(i64::MIN));
        for slot in slots {
            let (blinks, observed) = (slot.blink_count, slot.observed_ms);
            if slot.at >= since {
                recent.add(blinks, observed);
                if slot.at >= counted_until {
                    hours_with_data += 1;
                    counted_until = Grouping::Hour.around(slot.at, &zone).end;
                }
            } else {
                baseline.add(blinks, observed);
            }
            let hour = slot.at.timestamp().to_zoned(zone.clone()).hour();
            by_hour[usize::from(hour.unsigned_abs()) % 24].add(blinks, observed);
        }
        Ok(insights::read(recent, baseline, &by_hour, hours_with_data))
    });
    Ok(insights.await?)
}

const INSTRUCTIONS: &str = "You answer one person's question about their own blinking at screens, from the figures \
    given and nothing else. Say when the figures cannot tell. You never diagnose and never advise on illness: for that, \
    say that a doctor or optometrist should be asked. Three sentences at most, plain words.";

/// Ask about my figures; off unless the operator chose a model.
#[utoipa::path(
    post,
    path = "/api/user/me/ask",
    tag = "minutes",
    request_body = blink_proto::http::Question,
    responses((status = 200, body = AnswerToQuestion), (status = 404), (status = 429), (status = 502)),
)]
pub(crate) async fn ask(who: Principal, req: HttpRequest, payload: Payload, state: Data<State>) -> ApiResult {
    let Some(config) = state.ask.clone() else {
        return Err(ApiError::new(StatusCode::NOT_FOUND, "not_configured", "Questions are off on this server."));
    };
    state.limits.asks(who.user)?;
    let question = question(body::object(&req, payload).await?)?;
    let turn = state.limits.ask_turn(who.user).await?;
    // The session is checked again: no figures may leave for one that ended while the body or the turn was waited for.
    let who = who.again(&state).await?;
    let figures = serde_json::to_string(&read(&who, &state).await?).unwrap_or_default();
    let model = config.model.clone();
    let asked = move || {
        // The turn is held until the model answers: a hanging model holds a thread even when no client waits any more.
        let _turn = turn;
        ask_model(&config, &question, &figures)
    };
    match blocking(asked).await? {
        Ok(answer) => Ok(HttpResponse::Ok().json(AnswerToQuestion { answer, model })),
        Err(cause) => {
            let message = "The model does not answer now: try again in a moment.";
            let mut error = ApiError::new(StatusCode::BAD_GATEWAY, "model_failed", message);
            error.cause = Some(cause);
            Err(error)
        }
    }
}

fn question(mut fields: Fields) -> Result<String, ApiError> {
    let question = fields.text("question", |text| match text.trim() {
        text if (1..=1_000).contains(&text.chars().count()) => Ok(text.to_owned()),
        _ => Err("must have 1 to 1,000 characters".to_owned()),
    });
    question.ok_or_else(|| ApiError::invalid(fields.wrong()))
}

/// The part of a model's answer that is read.
#[derive(Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

fn ask_model(config: &AskConfig, question: &str, figures: &str) -> Result<String, String> {
    let asked = json!({
        "model": config.model,
        "messages": [
            {"role": "system", "content": INSTRUCTIONS},
            {"role": "user", "content": format!("My figures:\n{figures}\n\nMy question:\n{question}")},
        ],
    });
    let mut request = client::agent().post(format!("{}/chat/completions", config.url.trim_end_matches('/')));
    if let Some(key) = &config.key {
        request = request.header("authorization", format!("Bearer {}", key.expose()));
    }
    let mut answer = request.send_json(&asked).map_err(|e| e.to_string())?;
    if !answer.status().is_success() {
        return Err(format!("the model answered {}", answer.status()));
    }
    let answer: Completion = answer.body_mut().with_config().limit(1 << 20).read_json().map_err(|e| e.to_string())?;
    let text = answer.choices.into_iter().next().and_then(|choice| choice.message.content).unwrap_or_default();
    match text.trim() {
        "" => Err("the model's answer has no text".to_owned()),
        text => Ok(text.to_owned()),
    }
}
