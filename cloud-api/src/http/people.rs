//! A failure as a page, for addresses that a person's browser opens by itself, such as the way back from a provider.

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse, HttpResponseBuilder,
    http::header::{ACCEPT, ContentType},
};

/// Marks a request that a person is waiting for.
struct ForPeople;

/// Whether a browser asks for a page: programs take anything, or JSON. What fails then is answered as a page.
pub(crate) fn wants_a_page(req: &HttpRequest) -> bool {
    let wanted = req.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let page =
        wanted.split(',').any(|kind| kind.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("text/html"));
    if page {
        req.extensions_mut().insert(ForPeople);
    }
    page
}

/// Whether [`wants_a_page`] said so.
pub(super) fn is_for_people(req: &HttpRequest) -> bool {
    req.extensions().get::<ForPeople>().is_some()
}

/// The page that says what went wrong, what to do, and under which number the operator finds it.
pub(super) fn page(mut answer: HttpResponseBuilder, message: &str, request_id: &str) -> HttpResponse {
    let text = include_str!("../../dashboard/problem.html");
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
