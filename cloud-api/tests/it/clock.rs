//! After the clock leapt, nothing is deleted for its age before the time is confirmed.

use cloud_api::{
    db::{
        Db,
        device_codes::{self, CodeRow},
        housekeeping::{self, ClockTrust},
        oidc, purge, transaction,
    },
    open,
};
use diesel::connection::SimpleConnection as _;
use serde_json::json;

use crate::{archive_kit::eventually, harness::*};

fn run(backend: Backend) {
    let mut app = TestApp::start(backend);
    let ada = app.user();
    ada.store(&minutes("2026-03-10T09:00:00Z", 60, 3));
    eventually("retention ran", || app.count("housekeeping WHERE what = 'retention'") == 1);
    let retention = app.anonymous().get("/healthz").expect(200).json["retention"].clone();
    assert_eq!(retention, json!({"held": false, "last_run_at": NOW}));
    // The server restarts with a clock that is 1,200 days ahead.
    app.stop();
    app.set_time("2029-06-22T12:00:00Z");
    app.restart();
    let ada = Client { base: app.address.clone(), ..ada };
    eventually("the leap is noticed", || app.count("housekeeping WHERE what = 'doubt'") == 1);
    let held = app.anonymous().get("/healthz").expect(200).json["retention"].clone();
    assert_eq!((&held["held"], &held["reason"]), (&json!(true), &json!("clock_doubted")));
    assert_eq!(held["last_run_at"], NOW);
    // Refreshing by that clock does not end a session either.
    let refresh = |who: &Client| app.anonymous().post("/api/auth/refresh", &json!({"refresh_token": who.refresh}));
    refresh(&ada).expect(401);
    // When the clock is put right, all data is there and everybody is still signed in.
    app.set_time("2026-03-10T12:05:00Z");
    assert_eq!(ada.totals(), (180, 3_600_000));
    refresh(&ada).expect(200);
    app.restart();
    let ada = Client { base: app.address.clone(), ..ada };
    assert_eq!(app.anonymous().get("/healthz").expect(200).json["retention"]["held"], false);
    eventually("the doubt is over", || app.count("housekeeping WHERE what = 'doubt'") == 0);
    assert_eq!(ada.totals(), (180, 3_600_000));
}

#[test]
fn a_clock_that_is_ahead_deletes_nothing_on_sqlite() {
    run(Backend::Sqlite);
}

#[test]
fn a_clock_that_is_ahead_deletes_nothing_on_postgres() {
    run(Backend::Postgres);
}

#[test]
fn what_is_past_is_reckoned_from_the_moment_that_was_judged() {
    let mut app = TestApp::start(Backend::Postgres);
    let (ada, bob) = (app.user(), app.user());
    eventually("retention ran", || app.count("housekeeping WHERE what = 'retention'") == 1);
    app.stop();
    // Retention waits between judging and deleting: another is making partitions, and one is missing.
    let mut other = open::connect(&app.target).unwrap();
    other
        .batch_execute(&format!(
            "DROP TABLE blink_data_2026_05; DELETE FROM housekeeping;
             UPDATE sessions SET expires_at = '2026-01-01' FROM users WHERE user_id = users.id AND email = '{}';
             SELECT pg_advisory_lock(hashtext('blink_data_partitions'))",
            bob.email
        ))
        .unwrap();
    app.restart();
    eventually("the clock was judged", || app.count("housekeeping WHERE what = 'retention'") == 1);
    app.set_time("2029-06-22T12:00:00Z");
    eventually("retention went on", || app.count("sessions WHERE expires_at < '2026-03-01'") == 0);
    app.set_time(NOW);
    let ada = Client { base: app.address.clone(), ..ada };
    ada.get("/api/user/me").expect(200);
}

#[test]
fn readiness_reads_minutes_only_after_a_leap_and_not_each_time() {
    let app = TestApp::start(Backend::Postgres);
    app.user().store(&minutes("2026-03-10T09:00:00Z", 60, 3));
    eventually("retention ran", || app.count("housekeeping WHERE what = 'retention'") == 1);
    let locked = "BEGIN; LOCK TABLE blink_data IN ACCESS EXCLUSIVE MODE";
    let mut other = open::connect(&app.target).unwrap();
    other.batch_execute(locked).unwrap();
    app.anonymous().get("/healthz").expect(200);
    other.batch_execute("ROLLBACK").unwrap();
    // The doubt is more than a day old: recent minutes decide whether it is over.
    other
        .batch_execute(
            "UPDATE housekeeping SET at = '2026-01-10' WHERE what = 'retention';
             INSERT INTO housekeeping (what, at) VALUES ('doubt', '2026-03-08')",
        )
        .unwrap();
    actix_web::rt::System::new().block_on(async {
        let db = Db::new(&app.target, 2);
        let trusted = || async { matches!(db.clock_trust(at(NOW)).await, Ok(ClockTrust::Trusted { .. })) };
        assert!(trusted().await);
        other.batch_execute(locked).unwrap();
        assert!(trusted().await);
    });
}

contract! {
    fn minutes_of_the_real_now_wait_while_the_clock_is_ahead(app) {
        let ada = app.user();
        eventually("retention ran", || app.count("housekeeping WHERE what = 'retention'") == 1);
        app.set_time("2029-06-22T12:00:00Z");
        let ahead = app.again(&ada);
        let batch = minutes("2026-03-10T09:00:00Z", 1, 3);
        assert_eq!(ahead.sync(&batch).expect(503).code(), "unavailable");
        let one = changed(batch[0].clone(), &json!({"device_id": ada.device}));
        assert_eq!(ahead.post("/api/blink", &one).expect(503).code(), "unavailable");
        app.pass_time("2029-06-22T12:00:00Z");
        assert_eq!(ahead.sync(&batch).expect(200).json["rejected"][0]["code"], "too_old");
        app.set_time(NOW);
        ada.store(&batch);
    }

    fn much_time_is_believed_after_a_day_with_minutes_or_at_the_operators_word(app) {
        let ada = app.user();
        ada.store(&minutes("2026-03-10T09:00:00Z", 1, 3));
        let mut conn = open::connect(&app.target).unwrap();
        eventually("retention ran", || app.count("housekeeping WHERE what = 'retention'") == 1);
        let mut begin = |time: &str, trusts: bool| {
            let trust = transaction(&mut conn, |conn| housekeeping::begin_run(conn, at(time), trusts)).unwrap();
            matches!(trust, ClockTrust::Trusted { .. })
        };
        // The machine was off for a month; then minutes arrive.
        assert!(!begin("2026-04-10T12:00:00Z", false));
        app.set_time("2026-04-11T12:00:00Z");
        let ada = app.again(&ada);
        assert!(!begin("2026-04-11T12:00:00Z", false), "nobody confirms it");
        ada.store(&minutes("2026-04-11T09:00:00Z", 1, 3));
        assert!(begin("2026-04-11T12:00:00Z", false));
        assert!(!begin("2026-05-11T12:00:00Z", false));
        assert!(begin("2026-05-11T12:00:00Z", true));
        assert!(begin("2026-05-11T13:00:00Z", false));
    }

    fn failures_under_a_clock_that_was_ahead_shut_nobody_out(app) {
        let ada = app.user();
        let login = |password: &str| {
            app.anonymous().post("/api/auth/login", &json!({"email": ada.email, "password": password})).status
        };
        let fail = || (0..20).for_each(|_| assert_eq!(login("not it at all"), 401));
        app.set_time("2026-04-09T12:00:00Z");
        fail();
        assert_eq!(login(PASSWORD), 429);
        app.set_time(NOW);
        assert_eq!(login(PASSWORD), 200);
        // The next failure begins a new window, which ends as usual.
        fail();
        assert_eq!(login(PASSWORD), 429);
        app.set_time("2026-03-10T12:15:00Z");
        assert_eq!(login(PASSWORD), 200);
        // Another replica's clock may be ahead a little: that gives no more tries.
        app.set_time("2026-03-10T12:16:00Z");
        fail();
        app.set_time("2026-03-10T12:15:01Z");
        assert_eq!(login(PASSWORD), 429);
    }

    fn a_sign_in_of_the_future_is_not_fresh(app) {
        let erase = |who: &Client| who.send("DELETE", "/api/user/me", &[], None);
        app.set_time("2026-04-09T12:00:00Z");
        let ada = app.user();
        app.set_time("2026-03-10T12:01:00Z");
        let eve = app.user();
        app.set_time(NOW);
        assert_eq!(erase(&ada).expect(403).code(), "fresh_sign_in_required");
        erase(&app.again(&ada)).expect(200);
        // Another replica's clock may be ahead a little.
        erase(&eve).expect(200);
    }

    fn what_waits_for_a_sign_in_goes_when_its_time_is_over(app) {
        let mut conn = open::connect(&app.target).unwrap();
        let row = CodeRow {
            code_hash: device_codes::hash("x"),
            user_code: "ABCD-EFGH".to_owned(),
            device_name: "a device".to_owned(),
            address: "127.0.0.1".to_owned(),
            expires_at: at("2026-03-10T12:10:00Z"),
            polled_at: None,
            user_id: None,
            denied: false,
            session_id: None,
        };
        device_codes::insert(&mut conn, &row, at(NOW)).unwrap();
        let pending = oidc::Pending { verifier: "v".to_owned(), nonce: "n".to_owned() };
        oidc::remember(&mut conn, "state", &pending, at(NOW), at("2026-03-10T12:10:00Z")).unwrap();
        let mut purged = |time: &str| purge::run(&mut conn, at("2024-01-01T00:00:00Z"), at(time)).unwrap().codes;
        assert_eq!(purged("2026-03-10T12:09:59Z"), 0);
        assert_eq!(purged("2026-03-10T12:10:00Z"), 2);
        assert_eq!((app.count("device_codes"), app.count("oidc_logins")), (0, 0));
    }
}
