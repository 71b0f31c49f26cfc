//! Errors as HTML pages, for addresses that a browser opens by itself, such as a provider's redirect back.

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header::{ACCEPT, ContentType},
};

/// Marks a request whose errors are to be shown as a page.
struct ForPeople;

/// Whether the client accepts HTML, as browsers do. If so, an error is answered as a page.
pub(crate) fn wants_a_page(req: &HttpRequest) -> bool {
    let wanted = req.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let page =
        wanted.split(',').any(|kind| kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("text/html"));
    if page {
        req.extensions_mut().insert(ForPeople);
    }
    page
}

pub(super) fn is_for_people(req: &HttpRequest) -> bool {
    req.extensions().get::<ForPeople>().is_some()
}

/// The page says what went wrong, what to do, and the request id by which the operator finds it in the log.
pub(super) fn page(mut answer: HttpResponseBuilder, message: &str, request_id: &str) -> HttpResponse {
    let text = include_str!("../../dashboard/plain/problem.html");
    answer
        .insert_header(ContentType::html())
        .body(text.replace("{message}", &escaped(message)).replace("{request_id}", &escaped(request_id)))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true)]
    #[case("application/json, text/html;q=0.5", true)]
    #[case("TEXT/HTML", true)]
    #[case("application/json", false)]
    #[case("*/*", false)]
    #[case("text/htmlx", false)]
    #[case("", false)]
    fn programs_get_json(#[case] accept: &str, #[case] page: bool) {
        let req = TestRequest::default().insert_header((ACCEPT, accept)).to_http_request();
        assert_eq!((wants_a_page(&req), is_for_people(&req)), (page, page));
    }

    #[test]
    fn nothing_of_a_message_is_markup() {
        assert_eq!(escaped("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
    }
}
