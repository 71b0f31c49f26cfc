//! A list as CSV, streamed page by page, because a company's years would not fit the memory of one request.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE},
    web::{Bytes, Data},
};
use futures_util::stream;
use tokio::sync::mpsc::{self, Sender};

use super::list::{Ask, Reckoning, csv_page};
use crate::{
    attendance::records_csv,
    error::{ApiError, ApiResult},
    http::page,
    principal::Principal,
    state::State,
};

/// Longest time a client may take to read one page.
const READER: Duration = Duration::from_secs(30);

/// Breaks the connection off; the reason is in the log.
#[derive(Debug, thiserror::Error)]
#[error("the list was broken off")]
struct Broken;

/// Whether the client would rather have CSV than JSON: it stands first in what it accepts.
pub(super) fn is_wanted(req: &HttpRequest) -> bool {
    let accepted = req.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kinds = accepted.split(',').map(|kind| kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase());
    kinds.into_iter().find(|kind| matches!(kind.as_str(), "text/csv" | "application/json" | "*/*")).as_deref()
        == Some("text/csv")
}

/// Answers with every page of the question from its cursor on. A fault breaks the connection off, so that half a list
/// cannot pass for a whole one.
pub(super) async fn stream(who: Principal, ask: Ask, state: Data<State>) -> ApiResult {
    let turn = state.limits.export_turn(who.user).await?;
    let ask = ask.in_steps(page::MAX_LIMIT);
    let reckoning = Reckoning::of(&state);
    // The first page is read before the answer begins, so that a refusal is an answer.
    let first = page(&state, &who, ask.clone(), &reckoning).await?;
    let (parts, received) = mpsc::channel::<Result<Bytes, Broken>>(1);
    actix_web::rt::spawn(async move {
        let _turn = turn;
        if let Err(broken) = send_all(&state, &who, ask, &reckoning, first, &parts).await {
            tracing::info!(cause = broken.cause, "a list was broken off");
            let _ = tokio::time::timeout(READER, parts.send(Err(Broken))).await;
        }
    });
    let body = stream::unfold(received, |mut received| async { Some((received.recv().await?, received)) });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8; header=present"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"attendance.csv\""))
        .streaming(body))
}

type Page = (Vec<records_csv::Row>, Option<String>);

async fn page(state: &State, who: &Principal, ask: Ask, reckoning: &Reckoning) -> Result<Page, ApiError> {
    let who = who.again(state).await?;
    let reckoning = reckoning.clone();
    state.db.read(move |conn| csv_page(conn, &who, &ask, &reckoning)).await
}

async fn send_all(
    state: &State,
    who: &Principal,
    ask: Ask,
    reckoning: &Reckoning,
    first: Page,
    parts: &Sender<Result<Bytes, Broken>>,
) -> Result<(), ApiError> {
    let mut text = records_csv::header().into_bytes();
    let mut next = first;
    loop {
        next.0.iter().for_each(|row| records_csv::write(row, &mut text));
        let part = Bytes::from(std::mem::take(&mut text));
        let sent = tokio::time::timeout(READER, parts.send(Ok(part))).await;
        sent.map_err(|_| slow())?.map_err(|_| slow())?;
        let Some(cursor) = next.1 else { return Ok(()) };
        next = page(state, who, ask.after(&cursor), reckoning).await?;
    }
}

fn slow() -> ApiError {
    ApiError::internal("the reader took too long, or has gone")
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("text/csv", true)]
    #[case("Text/CSV; header=present, application/json;q=0.5", true)]
    #[case("text/html, text/csv", true)]
    #[case("application/json, text/csv", false)]
    #[case("*/*", false)]
    #[case("", false)]
    fn csv_is_asked_for(#[case] accept: &str, #[case] wanted: bool) {
        assert_eq!(is_wanted(&TestRequest::default().insert_header((ACCEPT, accept)).to_http_request()), wanted);
    }
}
