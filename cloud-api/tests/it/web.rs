//! Web pages: the refresh token as a cookie that no script reads and no other site uses, and the provider's redirects.

use cloud_api::{
    config::OidcConfig,
    config::{AccessConfig, OutsideConfig},
};
use serde_json::{Value, json};

use crate::{
    harness::*,
    peers::Peer,
    process::{Running, program},
    provider,
};

const WEB: (&str, &str) = ("x-waw-client", "web");
const JSON: (&str, &str) = ("content-type", "application/json");
const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

/// The cookie of this name in an answer: `name=value`, and its attributes.
#[track_caller]
fn cookie(answer: &Answer, name: &str) -> (String, String) {
    let all = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let whole = all.filter(|text| text.starts_with(&format!("{name}="))).collect::<Vec<_>>();
    assert_eq!(whole.len(), 1, "{answer:?}");
    let (pair, rest) = whole[0].split_once("; ").unwrap();
    (pair.to_owned(), rest.to_owned())
}

fn has_cookie(answer: &Answer) -> bool {
    answer.headers.contains_key("set-cookie")
}

fn post(client: &Client, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    let headers: Vec<_> = headers.iter().copied().chain([JSON]).collect();
    client.send("POST", path, &headers, Some(body.to_string().as_bytes()))
}

/// Signs in as a page does; returns the answer and the cookie.
fn sign_in(client: &Client, email: &str) -> (Answer, String) {
    let answer = post(client, "/api/auth/login", &[WEB], &json!({"email": email, "password": PASSWORD})).expect(200);
    let (pair, about) = cookie(&answer, "waw_refresh");
    assert_eq!(about, "HttpOnly; SameSite=Strict; Path=/api/auth; Max-Age=5184000");
    assert!(answer.json.get("refresh_token").is_none(), "{answer:?}");
    (answer, pair)
}

fn refresh(client: &Client, cookie: &str) -> Answer {
    client.send("POST", "/api/auth/refresh", &[WEB, ("cookie", cookie)], None)
}

contract! {
    fn a_page_never_sees_its_refresh_token(app) {
        let nobody = app.anonymous();
        let made = post(&nobody, "/api/auth/register", &[WEB], &registration("ada@example.org", "UTC")).expect(201);
        let (first, _) = cookie(&made, "waw_refresh");
        let mut names: Vec<_> = made.json.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["access_token", "expires_in", "token_type", "user"]);
        let again = refresh(&nobody, &first).expect(200);
        let (second, _) = cookie(&again, "waw_refresh");
        assert!(again.json.get("refresh_token").is_none() && first != second);
        let ada = nobody.with_access(again.json["access_token"].as_str().unwrap());
        assert_eq!(ada.get("/api/user/me").expect(200).json["email"], "ada@example.org");
        let (_, third) = sign_in(&nobody, "ada@example.org");
        assert_ne!(second, third, "a sign-in of its own");
        // Other clients still get the token in the body, and no cookie.
        let login = nobody.post("/api/auth/login", &json!({"email": "ada@example.org", "password": PASSWORD})).expect(200);
        assert!(login.json["refresh_token"].is_string() && !has_cookie(&login));
        let token = json!({"refresh_token": login.json["refresh_token"]});
        assert!(!has_cookie(&nobody.post("/api/auth/refresh", &token).expect(200)));
    }

    fn a_cookie_follows_the_same_rules_as_a_token(app) {
        let ada = app.user();
        let nobody = app.anonymous();
        let (answer, first) = sign_in(&nobody, &ada.email);
        // A lost answer: the same token works again. Once its successor is used, the first ends the session.
        refresh(&nobody, &first).expect(200);
        let (second, _) = cookie(&refresh(&nobody, &first).expect(200), "waw_refresh");
        refresh(&nobody, &second).expect(200);
        let reused = refresh(&nobody, &first).expect(401);
        assert_eq!(reused.code(), "refresh_token_reused");
        let (empty, about) = cookie(&reused, "waw_refresh");
        assert_eq!((empty.as_str(), about.as_str()), ("waw_refresh=", "HttpOnly; SameSite=Strict; Path=/api/auth; Max-Age=0"));
        nobody.with_access(answer.json["access_token"].as_str().unwrap()).get("/api/user/me").expect(401);
        for cookie in ["waw_refresh=", "waw_refresh=nonsense", "other=x"] {
            assert_eq!(refresh(&nobody, cookie).expect(401).code(), "invalid_refresh_token", "{cookie}");
        }
        assert_eq!(refresh(&nobody, &format!("waw_refresh={}", ada.access)).expect(401).code(), "invalid_refresh_token");
    }

    fn another_site_cannot_use_the_cookie(app) {
        let ada = app.user();
        let nobody = app.anonymous();
        let (_, cookie) = sign_in(&nobody, &ada.email);
        let with = ("cookie", cookie.as_str());
        // A form or script of another site can send these: none of our headers, and a simple content type.
        for headers in [vec![with], vec![with, ("content-type", "text/plain")], vec![with, ("x-waw-client", "tray")]] {
            for (path, status) in [("/api/auth/refresh", 415), ("/api/auth/logout", 401)] {
                let answer = nobody.send("POST", path, &headers, Some(b"{}")).expect(status);
                assert!(!has_cookie(&answer), "{answer:?}");
            }
        }
        post(&nobody, "/api/auth/refresh", &[with], &json!({})).expect(422);
        // For a page a token in the body does not count, because it could be another person's.
        let token = json!({"refresh_token": ada.refresh});
        assert_eq!(post(&nobody, "/api/auth/refresh", &[WEB], &token).expect(401).code(), "invalid_refresh_token");
        refresh(&nobody, &cookie).expect(200);
    }

    fn signing_out_needs_the_cookie_alone(app) {
        let ada = app.user();
        let nobody = app.anonymous();
        let (answer, cookie_of_ada) = sign_in(&nobody, &ada.email);
        let access = nobody.with_access(answer.json["access_token"].as_str().unwrap());
        access.get("/api/user/me").expect(200);
        let out = nobody.send("POST", "/api/auth/logout", &[WEB, ("cookie", &cookie_of_ada)], None).expect(204);
        assert_eq!(cookie(&out, "waw_refresh").0, "waw_refresh=");
        access.get("/api/user/me").expect(401);
        refresh(&nobody, &cookie_of_ada).expect(401);
        // Signing out twice succeeds. Without a cookie nobody is signed in, and the browser's cookie is deleted.
        // Another session is not affected.
        nobody.send("POST", "/api/auth/logout", &[WEB, ("cookie", &cookie_of_ada)], None).expect(204);
        let nothing = nobody.send("POST", "/api/auth/logout", &[WEB], None).expect(401);
        assert_eq!((nothing.code(), cookie(&nothing, "waw_refresh").0.as_str()), ("unauthenticated", "waw_refresh="));
        ada.get("/api/user/me").expect(200);
        // A page may also sign out with the bearer token.
        let (answer, _) = sign_in(&nobody, &ada.email);
        let access = nobody.with_access(answer.json["access_token"].as_str().unwrap());
        access.send("POST", "/auth/logout", &[WEB], None).expect(204);
        access.get("/api/user/me").expect(401);
    }
}

#[test]
fn no_other_site_may_say_that_it_is_our_page() {
    let mut app = TestApp::start(Backend::Sqlite);
    app.set_access(AccessConfig { cors_origins: vec!["https://good.example".to_owned()], ..AccessConfig::default() });
    let preflight = |headers: &str| {
        let asked = [
            ("origin", "https://good.example"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", headers),
        ];
        app.anonymous().send("OPTIONS", "/api/auth/refresh", &asked, None)
    };
    assert_eq!(preflight("content-type").expect(200).header("access-control-allow-credentials"), "");
    let refused = preflight("content-type,x-waw-client");
    let allowed = refused.header("access-control-allow-headers").to_lowercase();
    assert!(refused.status >= 400 || !allowed.contains("x-waw-client"), "{refused:?}");
}

#[test]
fn behind_tls_the_cookie_crosses_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let mut command = program(home.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--behind-proxy"]);
    let running = Running::start(command);
    let nobody = Client::new(&running.address);
    let made = post(&nobody, "/api/auth/register", &[WEB], &registration("ada@example.org", "UTC")).expect(201);
    let (pair, about) = cookie(&made, "__Secure-waw_refresh");
    assert_eq!(about, "HttpOnly; SameSite=Strict; Secure; Path=/api/auth; Max-Age=5184000");
    refresh(&nobody, &pair).expect(200);
    // A cookie set over plain HTTP cannot have this name, so it does not count.
    refresh(&nobody, &pair.replace("__Secure-", "")).expect(401);
}

fn with_provider() -> (TestApp, Peer) {
    let provider = provider::start();
    let oidc = OidcConfig { issuer: provider.said.clone(), client_id: "waw".to_owned(), client_secret: None };
    let mut app = TestApp::start(Backend::Sqlite);
    app.outside = OutsideConfig { oidc: Some(oidc), ..OutsideConfig::default() };
    app.restart();
    (app, provider)
}

/// Sends a browser to the provider and back: where it is redirected to, and its cookie.
fn way(app: &TestApp, next: &str, person: &Value) -> (String, String) {
    let begun = app.anonymous().send("GET", &format!("/api/auth/google{next}"), &[BROWSER], None).expect(303);
    let (bound, about) = cookie(&begun, "waw_oidc");
    assert_eq!(about, "HttpOnly; SameSite=Lax; Path=/; Max-Age=600");
    let person = form_urlencoded::byte_serialize(person.to_string().as_bytes()).collect::<String>();
    let back = Client::new("").get(&format!("{}&person={person}", begun.header("location"))).expect(302);
    (back.header("location").strip_prefix(&app.address).unwrap().to_owned(), bound)
}

#[test]
fn a_browser_comes_back_to_the_page_it_left_and_consents() {
    let (app, _provider) = with_provider();
    let person = json!({"sub": "ada", "email": "ada@example.org", "email_verified": true});
    for (next, page) in [
        ("", "/?signed_in=google"),
        ("?next=%2Fdevice%3Fcode%3DBCDF-GHJK", "/device?code=BCDF-GHJK&signed_in=google"),
        ("?next=%2F%2Fevil.example", "/?signed_in=google"),
        ("?next=https%3A%2F%2Fevil.example", "/?signed_in=google"),
    ] {
        let (callback, bound) = way(&app, next, &person);
        let back = app.anonymous().send("GET", &callback, &[BROWSER, ("cookie", &bound)], None).expect(303);
        assert_eq!((back.header("location"), back.text.as_str()), (page, ""));
        let (token, about) = cookie(&back, "waw_refresh");
        assert!(about.contains("HttpOnly; SameSite=Strict"), "{about}");
        assert_eq!(cookie(&back, "waw_oidc").1, "HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
        // The page then refreshes with its cookie.
        let session = refresh(&app.anonymous(), &token).expect(200);
        let ada = app.anonymous().with_access(session.json["access_token"].as_str().unwrap());
        if page == "/?signed_in=google" && next.is_empty() {
            assert_eq!(ada.get("/api/user/me").expect(403).code(), "consent_required");
            let consent = json!({"kind": "tracking", "granted": true, "version": "1"}).to_string();
            ada.send("PUT", "/api/user/me/consents", &[WEB, JSON], Some(consent.as_bytes())).expect(200);
        }
        assert_eq!(ada.get("/api/user/me").expect(200).json["email"], "ada@example.org");
    }
}

#[test]
fn what_fails_on_the_way_back_is_a_page_that_people_can_read() {
    let (app, _provider) = with_provider();
    let stale = app.anonymous().send("GET", "/api/auth/google/callback?code=x&state=y", &[BROWSER], None).expect(401);
    assert!(stale.header("content-type").starts_with("text/html"), "{stale:?}");
    assert!(stale.text.contains("The sign-in was not begun here") && stale.text.contains("href=\"/\""));
    assert!(stale.text.contains(stale.header("x-request-id")) && !stale.text.contains('{'));
    let (callback, bound) = way(&app, "", &json!({"sub": "eve"}));
    let refused = app.anonymous().send("GET", &callback, &[BROWSER, ("cookie", &bound)], None).expect(403);
    assert!(refused.text.contains("The provider tells this server no address of yours") && !has_cookie(&refused));
    let (_, bound) = way(&app, "", &json!({"sub": "eve"}));
    let state = bound.split_once('=').unwrap().1;
    let no = format!("/api/auth/google/callback?error=access_denied&state={state}");
    let refused = app.anonymous().send("GET", &no, &[BROWSER, ("cookie", &bound)], None).expect(401);
    assert!(refused.text.contains("The provider did not sign you in"));
    // A program gets the error as JSON.
    let json = app.anonymous().send("GET", &no, &[("accept", "application/json")], None).expect(401);
    assert_eq!(json.code(), "sign_in_failed");
}

#[test]
fn the_page_offers_a_provider_where_there_is_one() {
    let (app, _provider) = with_provider();
    assert!(app.anonymous().get("/").expect(200).text.contains("href=\"/api/auth/google\">"));
    let without = TestApp::start(Backend::Sqlite);
    assert!(without.anonymous().get("/").expect(200).text.contains("href=\"/api/auth/google\" hidden>"));
}
