//! The plain dashboard, embedded: sign in, today's figures, one's own history. It is what `/` shows while the full web
//! dashboard is not built in.

use crate::state::State;
use actix_web::{HttpResponse, body::MessageBody, http::header::CACHE_CONTROL, web::Data};

fn page(content_type: &'static str, body: impl MessageBody + 'static) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-cache")).content_type(content_type).body(body)
}

/// `GET /`, `GET /device`. Where there is a sign-in provider, it says so.
pub(crate) async fn index(state: Data<State>) -> HttpResponse {
    let provider = if state.oidc.is_some() { "" } else { " hidden" };
    page("text/html; charset=utf-8", include_str!("../../dashboard/index.html").replace("{provider}", provider))
}

/// `GET /reset`: where a one-time link leads.
pub(crate) async fn reset() -> HttpResponse {
    page("text/html; charset=utf-8", include_str!("../../dashboard/reset.html"))
}

/// `GET /assets/reset.js`.
pub(crate) async fn reset_script() -> HttpResponse {
    page("text/javascript; charset=utf-8", include_str!("../../dashboard/reset.js"))
}

/// `GET /assets/app.js`.
pub(crate) async fn script() -> HttpResponse {
    page("text/javascript; charset=utf-8", include_str!("../../dashboard/app.js"))
}

/// `GET /assets/app.css`.
pub(crate) async fn style() -> HttpResponse {
    page("text/css; charset=utf-8", include_str!("../../dashboard/app.css"))
}

/// `GET /favicon.svg`.
pub(crate) async fn icon() -> HttpResponse {
    page("image/svg+xml", include_str!("../../dashboard/favicon.svg"))
}
