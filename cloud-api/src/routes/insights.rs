//! A person's insights from their own figures, and questions about them to a language model.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Payload},
};
use blink_figures::{
    Hours, Insights,
    ask::{self, Checked, NoAnswer},
};
use blink_proto::http::AnswerToQuestion;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::{
    config::AskConfig,
    db::{DbError, conn::Conn, history, users},
    domain::fields::Fields,
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
    let read = move |conn: &mut Conn| -> Result<Insights, DbError> {
        let zone = users::by_id(conn, user)?.map_or(TimeZone::UTC, |u| zone::stored(&u.timezone));
        let mut hours = Hours::new(zone, now.timestamp());
        let span = Insights::span(&hours);
        let setups = history::hours(conn, user, span, &mut hours)?;
        Ok(Insights::new(&hours, &setups))
    };
    state.read_for(who.user, read).await
}

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
    let mut figures = json!(read(&who, &state).await?);
    // The bare change says less than the comparison, and a model might tell it instead.
    if let Some(figures) = figures.as_object_mut() {
        figures.retain(|name, _| name != "change_percent" && name != "direction");
    }
    let model = config.model.clone();
    let asked = move || {
        // The turn is held until the model answers: a hanging model holds a thread even when no client waits any more.
        let _turn = turn;
        ask_model(&config, &question, &figures)
    };
    match blocking(asked).await? {
        Ok(checked) => {
            let answer = AnswerToQuestion { answer: checked.marked(), model, stricken: checked.stricken() };
            Ok(HttpResponse::Ok().json(answer))
        }
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
        text if (1..=ask::MAX_QUESTION).contains(&text.chars().count()) => Ok(text.to_owned()),
        _ => Err("must have 1 to 1,000 characters".to_owned()),
    });
    question.ok_or_else(|| ApiError::invalid(fields.wrong()))
}

fn ask_model(config: &AskConfig, question: &str, figures: &Value) -> Result<Checked, String> {
    let asked = ask::request(&config.model, question, figures);
    let mut request = client::agent().post(ask::address(&config.url));
    if let Some(key) = &config.key {
        request = request.header("authorization", format!("Bearer {}", key.expose()));
    }
    let mut answer = request.send_json(&asked).map_err(|e| e.to_string())?;
    if !answer.status().is_success() {
        return Err(format!("the model answered {}", answer.status()));
    }
    let body = answer.body_mut().with_config().limit(ask::MAX_ANSWER_BYTES).read_to_vec().map_err(|e| e.to_string())?;
    match ask::text_of(&body) {
        Ok(text) => Ok(ask::check(&text, figures)),
        Err(NoAnswer::Refused(_)) => Err("the model refused".to_owned()),
        Err(NoAnswer::Empty) => Err("the model's answer has no text".to_owned()),
        Err(NoAnswer::NotACompletion) => Err("the model's answer is no completion".to_owned()),
    }
}
