//! Serves the plain pages, which are embedded: sign-in, today's figures and one's own history. They are what `/` shows
//! where the web dashboard is not built in.

use super::dashboard;
use crate::{error::ApiResult, state::State};
use actix_web::{HttpResponse, body::MessageBody, http::header::CACHE_CONTROL, web::Data};

fn page(content_type: &'static str, body: impl MessageBody + 'static) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-cache")).content_type(content_type).body(body)
}

/// `GET /` and `GET /device`. The button for a sign-in provider is hidden when none is configured.
pub(crate) async fn index(state: Data<State>) -> ApiResult {
    if state.dashboard {
        return dashboard::shell(&state);
    }
    let provider = if state.oidc.is_some() { "" } else { " hidden" };
    Ok(page(
        "text/html; charset=utf-8",
        include_str!("../../dashboard/plain/index.html").replace("{provider}", provider),
    ))
}

/// `GET /reset` is the target of a one-time link.
pub(crate) async fn reset(state: Data<State>) -> ApiResult {
    if state.dashboard {
        return dashboard::shell(&state);
    }
    Ok(page("text/html; charset=utf-8", include_str!("../../dashboard/plain/reset.html")))
}

pub(crate) async fn reset_script() -> HttpResponse {
    page("text/javascript; charset=utf-8", include_str!("../../dashboard/plain/reset.js"))
}

pub(crate) async fn script() -> HttpResponse {
    page("text/javascript; charset=utf-8", include_str!("../../dashboard/plain/app.js"))
}

pub(crate) async fn style() -> HttpResponse {
    page("text/css; charset=utf-8", include_str!("../../dashboard/plain/app.css"))
}

pub(crate) async fn icon() -> HttpResponse {
    page("image/svg+xml", include_str!("../../dashboard/public/favicon.svg"))
}
