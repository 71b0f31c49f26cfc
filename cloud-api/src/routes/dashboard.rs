//! Serves the web dashboard, which `make dashboard` builds and the program embeds. Where it was not built there are the
//! plain pages alone. A build without optimisation reads the files where they were built instead.

use std::borrow::Cow;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method,
        header::{
            AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ContentType, Encoding,
            Header as _, VARY,
        },
    },
    web::{Data, Path},
};
use rust_embed::RustEmbed;
use serde_json::json;
use uuid::Uuid;

use crate::{
    error::{ApiError, ApiResult},
    http::{blocking, embedded_file, in_parts, people::wants_a_page},
    state::State,
};

#[derive(RustEmbed)]
#[folder = "dashboard/dist"]
#[allow_missing = true]
struct Files;

type Found = Option<Cow<'static, [u8]>>;

fn embedded(name: &str) -> Found {
    Files::get(name).map(|file| file.data)
}

const SHELL: &str = "index.html";

pub(crate) fn is_built() -> bool {
    embedded(SHELL).is_some()
}

/// The one page of the dashboard, which shows what the address wants. No cache keeps it, because it names the others.
pub(crate) fn shell(state: &State) -> ApiResult {
    let shell = embedded(SHELL).ok_or_else(ApiError::not_found)?;
    let text = std::str::from_utf8(&shell).map_err(|_| ApiError::internal("the dashboard's page is no text"))?;
    let nonce = Uuid::new_v4().simple().to_string();
    let features = json!({"google": state.oidc.is_some(), "ask": state.ask.is_some(), "demo": state.demo.is_some()});
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header((CONTENT_SECURITY_POLICY, policy(&nonce)))
        .body(filled(text, &nonce, &features.to_string())))
}

/// Mantine writes style elements, which carry the nonce.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self'; font-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

fn filled(shell: &str, nonce: &str, features: &str) -> String {
    shell.replace("{nonce}", nonce).replace("{features}", &features.replace('&', "&amp;").replace('"', "&quot;"))
}

/// `GET /assets/{file}`: the names hold a hash of what is in them, so they are kept for ever.
pub(crate) async fn asset(req: HttpRequest, name: Path<String>) -> ApiResult {
    file(&req, &format!("assets/{name}"), "public, max-age=31536000, immutable", embedded)
}

/// `GET /color-scheme.js`, which sets the theme before anything is drawn.
pub(crate) async fn color_scheme(req: HttpRequest) -> ApiResult {
    file(&req, "color-scheme.js", "no-cache", embedded)
}

/// `GET /demos/demo.mp4`: the recording of a demonstration.
pub(crate) async fn demo_video(state: Data<State>) -> ApiResult {
    let path = state.demo.clone().ok_or_else(ApiError::not_found)?;
    let video = blocking(move || std::fs::read(path)).await?.map_err(|_| ApiError::not_found())?;
    Ok(HttpResponse::Ok().content_type("video/mp4").body(in_parts(video.into())))
}

/// Any other address: the dashboard shows pages of its own at some, and says of the rest that there is none.
pub(crate) async fn elsewhere(req: HttpRequest, state: Data<State>) -> ApiResult {
    let is_page = state.dashboard && req.method() == Method::GET && !req.path().starts_with("/api");
    if is_page && wants_a_page(&req) { shell(&state) } else { Err(ApiError::not_found()) }
}

/// A file, compressed as it was built, in the best way that the client takes.
fn file(req: &HttpRequest, name: &str, cache: &'static str, get: impl Fn(&str) -> Found) -> ApiResult {
    let whole = get(name).ok_or_else(ApiError::not_found)?;
    let kept = [(Encoding::brotli(), "br"), (Encoding::gzip(), "gz")];
    let kept = kept.map(|(encoding, ending)| get(&format!("{name}.{ending}")).map(|bytes| (encoding, bytes)));
    let available: Vec<Encoding> = kept.iter().flatten().map(|(encoding, _)| encoding.clone()).collect();
    let wanted = AcceptEncoding::parse(req).ok().and_then(|accepted| accepted.negotiate(available.iter()));
    let compressed = kept.into_iter().flatten().find(|(encoding, _)| Some(encoding) == wanted.as_ref());
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CACHE_CONTROL, cache))
        .insert_header((VARY, "accept-encoding"))
        .content_type(mime_guess::from_path(name).first_or_octet_stream());
    let bytes = match compressed {
        Some((encoding, bytes)) => {
            answer.insert_header((CONTENT_ENCODING, encoding.to_string()));
            bytes
        }
        None => whole,
    };
    Ok(answer.body(embedded_file(bytes)))
}

#[cfg(test)]
mod tests {
    use actix_web::{
        body::to_bytes,
        http::header::{ACCEPT_ENCODING, CONTENT_TYPE},
        test::TestRequest,
    };
    use rstest::rstest;

    use super::*;

    fn built(name: &str) -> Found {
        let text = match name {
            "assets/a.js" => "plain",
            "assets/a.js.br" => "brotli",
            "assets/a.js.gz" => "gzip",
            "assets/b.woff2" => "font",
            _ => return None,
        };
        Some(Cow::Borrowed(text.as_bytes()))
    }

    #[rstest]
    #[case::best("assets/a.js", "gzip, br", Some("br"), "brotli")]
    #[case::as_the_client_wants("assets/a.js", "gzip;q=1, br;q=0.5", Some("gzip"), "gzip")]
    #[case::one_only("assets/a.js", "gzip", Some("gzip"), "gzip")]
    #[case::none_of_both("assets/a.js", "zstd", None, "plain")]
    #[case::nothing_said("assets/a.js", "", None, "plain")]
    #[case::not_compressed("assets/b.woff2", "gzip, br", None, "font")]
    #[actix_web::test]
    async fn files_come_compressed_as_they_were_built(
        #[case] name: &str,
        #[case] accepted: &str,
        #[case] encoding: Option<&str>,
        #[case] bytes: &str,
    ) {
        let req = TestRequest::default().insert_header((ACCEPT_ENCODING, accepted)).to_http_request();
        let answer = file(&req, name, "no-cache", built).unwrap();
        let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header(CONTENT_ENCODING).as_deref(), encoding);
        assert_eq!(header(VARY).as_deref(), Some("accept-encoding"));
        let kind = if name.ends_with("js") { "text/javascript" } else { "font/woff2" };
        assert_eq!(header(CONTENT_TYPE).as_deref(), Some(kind));
        assert_eq!(to_bytes(answer.into_body()).await.unwrap(), bytes);
    }

    #[test]
    fn there_is_no_other_file() {
        let req = TestRequest::default().to_http_request();
        for name in ["assets/c.js", "assets/../assets/a.js", "assets/"] {
            assert_eq!(file(&req, name, "no-cache", built).unwrap_err().code, "not_found", "{name}");
        }
    }

    #[test]
    fn the_page_gets_its_nonce_and_what_the_server_can_do() {
        let shell =
            "<meta name=\"csp-nonce\" content=\"{nonce}\" /><meta name=\"server-features\" content=\"{features}\" />";
        assert_eq!(
            filled(shell, "n1", r#"{"ask":true}"#),
            "<meta name=\"csp-nonce\" content=\"n1\" /><meta name=\"server-features\" content=\"{&quot;ask&quot;:true}\" />"
        );
        assert!(policy("n1").contains("style-src 'self' 'nonce-n1';") && !policy("n1").contains("unsafe"));
    }
}
