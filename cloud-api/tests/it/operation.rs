//! Limits, registration policies, metrics, retention, CORS, and the paths of the original plan.

use std::process::{Command, Stdio};

use cloud_api::{
    config::{AccessConfig, access::Registration},
    db::purge,
    open,
};
use serde_json::json;

use crate::{
    harness::*,
    process::{Running, program},
};

fn login(app: &TestApp, email: &str, password: &str) -> Answer {
    app.anonymous().post("/api/auth/login", &json!({"email": email, "password": password}))
}

contract! {
    fn guessing_is_stopped_and_forgiven_after_a_quarter_of_an_hour(app) {
        let ada = app.user();
        for _ in 0..20 {
            login(app, &ada.email, "not it at all").expect(401);
        }
        let refused = login(app, &ada.email, PASSWORD).expect(429);
        assert_eq!(refused.code(), "too_many_requests");
        assert_eq!(refused.header("retry-after"), "900");
        // Others in the same office can still sign in, and signed-in people stay signed in.
        let eve = app.user();
        login(app, &eve.email, PASSWORD).expect(200);
        ada.get("/api/user/me").expect(200);
        app.set_time("2026-03-10T12:10:00Z");
        assert_eq!(login(app, &ada.email, PASSWORD).expect(429).header("retry-after"), "300");
        app.set_time("2026-03-10T12:15:00Z");
        login(app, &ada.email, PASSWORD).expect(200);
        // A successful sign-in clears earlier failures.
        for _ in 0..19 {
            login(app, &ada.email, "not it at all").expect(401);
        }
        login(app, &ada.email, PASSWORD).expect(200);
        login(app, &ada.email, "not it at all").expect(401);
    }

    fn one_machine_cannot_flood_and_another_of_the_same_person_can_go_on(app) {
        let ada = app.user();
        let batch = minutes("2026-03-10T09:00:00Z", 1, 1);
        let refused = (0..2_000).map(|_| ada.sync(&batch)).find(|answer| answer.status != 200).expect("never refused");
        assert_eq!((refused.status, refused.code()), (429, "too_many_requests"));
        assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 1);
        Client { device: uuid::Uuid::new_v4(), ..ada }.store(&batch);
    }

    fn the_plans_addresses_answer(app) {
        let nobody = app.anonymous();
        let mut ada = nobody.clone();
        ada.sign_in(&nobody.post("/auth/register", &registration("ada@example.org", "UTC")).expect(201).json);
        ada.sign_in(&nobody.post("/auth/login", &json!({"email": "ada@example.org", "password": PASSWORD})).expect(200).json);
        let batch = minutes("2026-03-10T09:00:00Z", 3, 5);
        let one = |n: usize| changed(batch[n].clone(), &json!({"device_id": ada.device}));
        ada.post("/blink/track", &one(0)).expect(201);
        ada.post("/blink/tracking", &one(1)).expect(201);
        let synced = ada.post("/blink/sync", &json!({"device_id": ada.device, "buckets": batch})).expect(200);
        assert_eq!((&synced.json["accepted"], &synced.json["duplicates"]), (&json!(1), &json!(2)));
        assert_eq!(ada.get("/user/profile").expect(200).json["email"], "ada@example.org");
        ada.post("/auth/logout", &json!({})).expect(204);
        assert_eq!(ada.get("/user/profile").expect(401).code(), "unauthenticated");
    }

    fn what_is_past_retention_goes_and_nothing_else(app) {
        app.set_time("2024-02-10T12:00:00Z");
        let ada = app.user();
        ada.store(&minutes("2024-01-31T23:50:00Z", 20, 1));
        ada.store(&minutes("2024-02-09T23:50:00Z", 20, 1));
        let mut conn = open::connect(&app.target).unwrap();
        let run = |conn: &mut _| purge::run(conn, at("2024-02-10T00:00:00Z"), at("2024-02-11T00:00:00Z")).unwrap();
        let purged = run(&mut conn);
        // On PostgreSQL the ten minutes of January went with their partition.
        let expected = if app.postgres.is_some() { (1, 20) } else { (0, 30) };
        assert_eq!((purged.months, purged.minutes, purged.sums, purged.sessions), (expected.0, expected.1, 3, 0));
        assert_eq!(ada.totals(), (10, 600_000));
        assert_eq!(ada.blinks("group=minute&limit=1000").json["items"].as_array().unwrap().len(), 10);
        assert_eq!(run(&mut conn).minutes, 0);
        // Minutes of a deleted month can be uploaded again, in case a client still has them.
        ada.store(&minutes("2024-01-31T23:50:00Z", 10, 1));
        assert_eq!(purge::run(&mut conn, at("2024-01-01T00:00:00Z"), at("2025-02-11T00:00:00Z")).unwrap().sessions, 1);
        ada.get("/api/user/me").expect(401);
    }

    fn figures_name_routes_and_nobody(app) {
        let ada = app.user();
        ada.store(&minutes("2026-03-10T09:00:00Z", 7, 1));
        ada.sync(&[json!(1)]).expect(200);
        login(app, &ada.email, "not it at all").expect(401);
        let figures = app.anonymous().get("/metrics").expect(200);
        assert!(figures.header("content-type").starts_with("text/plain"));
        for line in [
            "minutes_accepted_total 7", "minutes_rejected_total{code=\"invalid\"} 1", "sign_in_failures_total 1",
            "http_requests_total{route=\"/api/blink/sync\",method=\"POST\",status=\"200\"} 2",
        ] {
            assert!(figures.text.contains(line), "{line} in {}", figures.text);
        }
        assert!(figures.text.contains("http_request_duration_seconds_bucket"));
        assert!(!figures.text.contains(&ada.id) && !figures.text.contains("example.org"));
    }
}

#[test]
fn registration_follows_the_policy() {
    let mut app = TestApp::start(Backend::Sqlite);
    let register = |app: &TestApp, email: &str| app.anonymous().post("/api/auth/register", &registration(email, "UTC"));
    app.set_access(AccessConfig { registration: Registration::Closed, ..AccessConfig::default() });
    assert_eq!(register(&app, "ada@example.org").expect(403).code(), "registration_closed");
    app.set_access(AccessConfig { registration: "domain:Example.org".parse().unwrap(), ..AccessConfig::default() });
    register(&app, "ada@EXAMPLE.org").expect(201);
    for other in ["ada@example.com", "ada@sub.example.org", "ada@evilexample.org", "a@example.org.evil"] {
        assert_eq!(register(&app, other).expect(403).code(), "registration_closed");
    }
    // An account takes no such address later either.
    let mut ada = app.anonymous();
    ada.sign_in(&login(&app, "ada@example.org", PASSWORD).expect(200).json);
    let change = |email: &str| {
        let body = json!({"email": email, "current_password": PASSWORD}).to_string();
        ada.send("PATCH", "/api/user/me", &[("content-type", "application/json")], Some(body.as_bytes()))
    };
    assert_eq!(change("ada@evil.example").expect(403).code(), "registration_closed");
    assert_eq!(change("lovelace@Example.org").expect(200).json["email"], "lovelace@Example.org");
}

#[test]
fn only_listed_sites_may_use_it_from_a_browser() {
    let mut app = TestApp::start(Backend::Sqlite);
    let preflight = |app: &TestApp, origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type"),
        ];
        app.anonymous().send("OPTIONS", "/api/auth/login", &headers, None)
    };
    assert_eq!(preflight(&app, "https://good.example").header("access-control-allow-origin"), "");
    app.set_access(AccessConfig { cors_origins: vec!["https://good.example".to_owned()], ..AccessConfig::default() });
    let good = preflight(&app, "https://good.example").expect(200);
    assert_eq!(good.header("access-control-allow-origin"), "https://good.example");
    assert_eq!(good.header("access-control-allow-credentials"), "");
    for evil in ["https://evil.example", "http://good.example", "https://good.example.evil", "null"] {
        assert_eq!(preflight(&app, evil).header("access-control-allow-origin"), "", "{evil}");
    }
    let simple = app.anonymous().send("GET", "/api/consents", &[("origin", "https://evil.example")], None);
    assert_eq!(simple.header("access-control-allow-origin"), "");
}

#[test]
fn figures_want_their_token_where_a_proxy_makes_everybody_local() {
    let home = tempfile::tempdir().unwrap();
    let start = |token: Option<&str>| {
        let mut command = program(home.path());
        // The first server runs until the end of the test, so the second needs its own database.
        let database = format!("sqlite:{}", home.path().join(token.unwrap_or("first")).display());
        command.env("DATABASE_URL", database).args(["serve", "--listen", "127.0.0.1:0", "--behind-proxy"]);
        if let Some(token) = token {
            command.env("CLOUD_API_METRICS_TOKEN", token);
        }
        Running::start(command)
    };
    let running = start(None);
    Client::new(&running.address).get("/metrics").expect(404);
    let health = Client::new(&running.address).get("/health").expect(200);
    assert!(
        health.header("strict-transport-security").starts_with("max-age="),
        "the proxy ends TLS, and this server says so"
    );
    let (_, _, log) = running.stop(rustix::process::Signal::TERM);
    assert!(log.contains("CLOUD_API_TRUSTED_PROXIES"), "{log}");
    let running = start(Some("let me see"));
    let nobody = Client::new(&running.address);
    nobody.get("/metrics").expect(401);
    nobody.with_access("let me se").get("/metrics").expect(401);
    nobody.with_access("let me see").get("/metrics").expect(200);
}

#[test]
fn a_process_answers_its_parts_alone() {
    let home = tempfile::tempdir().unwrap();
    let mut command = program(home.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--roles", "auth,sync"]);
    let running = Running::start(command);
    let mut ada = Client::new(&running.address);
    ada.sign_in(&ada.post("/api/auth/register", &registration("ada@example.org", "UTC")).expect(201).json);
    ada.sync(&[]).expect(200);
    ada.get("/health").expect(200);
    for path in ["/api/user/me", "/", "/api/admin/users"] {
        assert_eq!(ada.get(path).expect(404).code(), "not_found", "{path}");
    }
}

#[test]
fn limits_are_off_on_loopback_alone() {
    let home = tempfile::tempdir().unwrap();
    let mut command: Command = program(home.path());
    command.args(["serve", "--listen", "0.0.0.0:0", "--behind-proxy", "--rate-limit", "off"]).stdout(Stdio::null());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 1);
}

#[test]
fn purge_says_what_it_removed() {
    let home = tempfile::tempdir().unwrap();
    for command in ["migrate", "purge"] {
        let output = program(home.path()).arg(command).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let output = program(home.path()).arg("purge").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "0 minutes, 0 sessions, 0 links removed\n");
}

#[test]
fn without_its_database_it_says_so_and_recovers_by_itself() {
    let app = TestApp::start(Backend::Postgres);
    let ada = app.user();
    let database = app.postgres.as_ref().unwrap();
    database.shut();
    assert_eq!(app.anonymous().get("/health").expect(200).json["status"], "ok");
    let away = app.anonymous().get("/healthz").expect(503);
    assert_eq!((away.code(), away.header("retry-after")), ("unavailable", "5"));
    let away = ada.sync(&minutes("2026-03-10T09:00:00Z", 1, 1)).expect(503);
    assert_eq!(away.code(), "unavailable");
    assert!(!away.text.to_lowercase().contains("postgres"));
    database.open();
    ada.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
    app.anonymous().get("/healthz").expect(200);
}

#[test]
fn a_full_or_locked_disk_is_503_and_loses_nothing() {
    use diesel::connection::SimpleConnection as _;
    let app = TestApp::start(Backend::Sqlite);
    let ada = app.user();
    let batch = minutes("2026-03-10T09:00:00Z", 60, 1);
    ada.store(&batch[..30]);
    // Another program holds the write lock for longer than the server waits.
    let mut other = open::connect(&app.target).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    assert_eq!(ada.sync(&batch).expect(503).code(), "unavailable");
    assert_eq!(ada.totals().0, 30, "reading goes on");
    other.batch_execute("ROLLBACK").unwrap();
    assert_eq!(ada.sync(&batch).expect(200).json["accepted"], 30);
}
