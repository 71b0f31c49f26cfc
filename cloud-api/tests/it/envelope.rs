//! Every error has the common envelope, every answer has the security headers, and the pages are served.

use serde_json::json;

use crate::harness::*;

const JSON: (&str, &str) = ("content-type", "application/json");

contract! {
    fn every_refusal_has_the_envelope(app) {
        let (nobody, ada) = (app.anonymous(), app.user());
        let login = "/api/auth/login";
        let large = vec![b' '; (16 << 10) + 1];
        for (answer, status, code) in [
            (nobody.get("/nowhere"), 404, "not_found"),
            (nobody.get("/api/nowhere"), 404, "not_found"),
            (nobody.get("/api/../etc/passwd"), 404, "not_found"),
            (ada.post("/api/nowhere", &json!({})), 404, "not_found"),
            (nobody.get(login), 405, "method_not_allowed"),
            (nobody.send("DELETE", "/health", &[], None), 405, "method_not_allowed"),
            (nobody.send("PURGE", "/health", &[], None), 405, "method_not_allowed"),
            (nobody.get("/api/user/me"), 401, "unauthenticated"),
            (nobody.send("POST", login, &[], Some(b"{}")), 415, "unsupported_media_type"),
            (nobody.send("POST", login, &[("content-type", "text/plain")], Some(b"{}")), 415, "unsupported_media_type"),
            (nobody.send("POST", login, &[("content-type", "application/x-www-form-urlencoded")], Some(b"email=a")), 415, "unsupported_media_type"),
            (nobody.send("POST", login, &[JSON], Some(b"")), 400, "bad_json"),
            (nobody.send("POST", login, &[JSON], Some(b"{\"email\":")), 400, "bad_json"),
            (nobody.send("POST", login, &[JSON], Some(b"\xff\xfe{}")), 400, "bad_json"),
            (nobody.send("POST", login, &[JSON], Some("[".repeat(10_000).as_bytes())), 400, "bad_json"),
            (nobody.send("POST", login, &[JSON], Some(b"[]")), 422, "invalid"),
            (nobody.send("POST", login, &[JSON], Some(b"{}")), 422, "invalid"),
            (nobody.send("POST", login, &[JSON], Some(&large)), 413, "too_large"),
            (ada.send("POST", "/api/blink/sync", &[JSON], Some(b"{\"device_id\"")), 400, "bad_json"),
            (ada.send("POST", "/api/blink/sync", &[JSON], Some(b"\xff")), 400, "bad_json"),
            (ada.send("POST", "/api/blink", &[JSON], Some(b"")), 400, "bad_json"),
        ] {
            assert_eq!((answer.status, answer.code()), (status, code), "{answer:?}");
        }
    }

    fn a_405_says_what_is_allowed(app) {
        assert_eq!(app.anonymous().get("/api/auth/login").expect(405).header("allow"), "POST");
        assert_eq!(app.anonymous().post("/health", &json!({})).expect(405).header("allow"), "GET");
    }

    fn answers_carry_their_headers(app) {
        for path in ["/", "/health", "/api/consents", "/api/nowhere"] {
            let answer = app.anonymous().get(path);
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("x-frame-options"), "DENY");
            assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
            assert!(!answer.header("x-request-id").is_empty());
            assert_eq!(answer.header("cache-control") == "no-store", path != "/");
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
        assert_ne!(app.anonymous().get("/health").header("x-request-id"), app.anonymous().get("/health").header("x-request-id"));
    }

    fn health_is_cheap_and_open(app) {
        let health = app.anonymous().get("/health").expect(200);
        assert_eq!(health.json["status"], "ok");
        assert!(health.json["uptime_s"].is_u64());
        assert_eq!(app.anonymous().get("/healthz").expect(200).json["database"], "ok");
        let head = app.anonymous().send("HEAD", "/health", &[], None).expect(200);
        assert_eq!(head.text, "");
    }

    fn the_api_describes_itself(app) {
        let nobody = app.anonymous();
        let document = nobody.get("/api/openapi.json").expect(200);
        assert_eq!(document.json["openapi"], "3.1.0");
        assert_eq!(document.json["paths"]["/api/blink/sync"]["post"]["security"], json!([{"bearer": []}]));
        for path in ["/api/docs", "/docs"] {
            assert_eq!(nobody.get(path).expect(308).header("location"), "/api/docs/");
        }
        let page = nobody.get("/api/docs/").expect(200);
        assert!(page.header("content-type").starts_with("text/html") && page.text.contains("swagger-ui"));
        assert!(!page.header("content-security-policy").contains("script-src 'self' 'unsafe"));
        assert!(nobody.get("/api/docs/swagger-initializer.js").expect(200).text.contains("/api/openapi.json"));
        assert_eq!(nobody.get("/api/docs/no-such-file").expect(404).code(), "not_found");
    }

    fn the_plain_dashboard_is_self_contained(app) {
        let nobody = app.anonymous();
        let page = nobody.get("/").expect(200);
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(!page.text.contains("http://") && !page.text.contains("https://"), "nothing from elsewhere");
        assert!(!page.text.contains("<style") && !page.text.contains("style=") && !page.text.contains("onclick"));
        for (path, kind) in [("/assets/app.js", "text/javascript"), ("/assets/app.css", "text/css"), ("/favicon.svg", "image/svg+xml")] {
            assert!(page.text.contains(path), "{path}");
            assert!(nobody.get(path).expect(200).header("content-type").starts_with(kind));
        }
        let script = nobody.get("/assets/app.js").text;
        for storage in ["localStorage", "sessionStorage", "document.cookie", "innerHTML", "eval("] {
            assert!(!script.contains(storage), "{storage}");
        }
    }
}
