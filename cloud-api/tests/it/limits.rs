//! Limits stop guessing and flooding without affecting other people.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use cloud_api::{
    config::AccessConfig,
    db::{
        id::Id,
        one_time,
        users::{self, ConsentRow},
    },
    open,
    routes::reset,
};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types::BigInt};
use rstest::rstest;
use serde_json::json;
use uuid::Uuid;

use crate::{harness::*, oidc_kit};

const JSON: (&str, &str) = ("content-type", "application/json");
const WRONG: &str = "not it at all";

/// Signs in from an address that a trusted proxy reports.
fn login_from(app: &TestApp, from: &str, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password}).to_string();
    app.anonymous().send("POST", "/api/auth/login", &[JSON, ("x-forwarded-for", from)], Some(body.as_bytes()))
}

fn login(app: &TestApp, email: &str, password: &str) -> Answer {
    app.anonymous().post("/api/auth/login", &json!({"email": email, "password": password}))
}

/// Sends `count` requests at once and returns their statuses, sorted.
fn at_once(count: usize, ask: impl Fn(usize) -> u16 + Sync) -> Vec<u16> {
    let mut all: Vec<u16> = thread::scope(|scope| {
        let ask = &ask;
        let threads: Vec<_> = (0..count).map(|n| scope.spawn(move || ask(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    all.sort_unstable();
    all
}

/// The sum of all counted attempts.
fn counted(app: &TestApp) -> i64 {
    #[derive(QueryableByName)]
    struct Sum {
        #[diesel(sql_type = BigInt)]
        sum: i64,
    }
    let mut conn = open::connect(&app.target).unwrap();
    let sum = "SELECT CAST(coalesce(sum(attempts), 0) AS BIGINT) AS sum FROM sign_in_attempts";
    sql_query(sum).get_result::<Sum>(&mut conn).unwrap().sum
}

#[rstest]
#[case::sqlite(Backend::Sqlite)]
#[case::postgres(Backend::Postgres)]
fn an_address_that_is_refused_holds_nobody_shut_and_writes_nothing(#[case] backend: Backend) {
    let mut app = TestApp::start(backend);
    let trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    app.set_access(AccessConfig { trusted_proxies, ..AccessConfig::default() });
    let (app, ada) = (&app, app.user());
    let next = AtomicUsize::new(0);
    at_once(8, |_| {
        while next.fetch_add(1, Ordering::Relaxed) < 200 {
            // Azure's gateway adds the port, which differs with each connection.
            let n = next.load(Ordering::Relaxed);
            login_from(app, &format!("203.0.113.66:{}", 40_000 + n), &format!("x{n}@nowhere.org"), WRONG).expect(401);
        }
        401
    });
    let before = counted(app);
    assert_eq!(before, 400, "200 failures, under address and account");
    for _ in 0..21 {
        let refused = login_from(app, "203.0.113.66", &ada.email, WRONG).expect(429);
        assert_eq!(refused.header("retry-after"), "900");
    }
    // The refused request's body is not read either.
    let cut = app.anonymous().send("POST", "/api/auth/login", &[JSON, ("x-forwarded-for", "203.0.113.66")], Some(b"{"));
    assert_eq!(cut.status, 429);
    assert_eq!(counted(app), before);
    for (home, password, status) in [("198.51.100.7:4711", PASSWORD, 200), ("[2001:db8::1]:443", WRONG, 401)] {
        login_from(app, home, &ada.email, password).expect(status);
    }
    app.set_time("2026-03-10T12:15:00Z");
    login_from(app, "203.0.113.66", &ada.email, PASSWORD).expect(200);
}

contract! {
    /// People of an office, who share one address, sign in at the same moment.
    fn right_sign_ins_are_never_too_many(app) {
        let people: Vec<Client> = (0..7).map(|_| app.user()).collect();
        let answers = at_once(210, |n| login(app, &people[n % 7].email, PASSWORD).status);
        assert_eq!(answers, [200; 210]);
        assert_eq!(counted(app), 0);
    }

    fn a_burst_of_guesses_is_no_better_than_a_row(app) {
        let ada = app.user();
        let answers = at_once(30, |_| login(app, &ada.email, WRONG).status);
        assert_eq!((&answers[..20], &answers[20..]), (&[401; 20][..], &[429; 10][..]));
        login(app, &ada.email, PASSWORD).expect(429);
    }

    fn a_new_password_by_link_opens_what_guessing_has_shut(app) {
        let ada = app.user();
        (0..20).for_each(|_| drop(login(app, &ada.email, WRONG).expect(401)));
        login(app, &ada.email, PASSWORD).expect(429);
        let mut conn = open::connect(&app.target).unwrap();
        let id = ada.id.parse().unwrap();
        let link = one_time::create(&mut conn, id, reset::PURPOSE, at(NOW).plus(reset::LIFE_MS)).unwrap();
        let new = "another horse battery";
        app.anonymous().post("/api/auth/reset", &json!({"token": link.expose(), "password": new})).expect(204);
        login(app, &ada.email, new).expect(200);
    }

    fn an_account_has_so_many_devices_and_each_goes_on(app) {
        let ada = app.user();
        let batch = minutes("2026-03-10T09:00:00Z", 1, 1);
        let with = |device| Client { device, ..ada.clone() };
        let first = with(Uuid::new_v4());
        first.store(&batch);
        (1..100).for_each(|_| with(Uuid::new_v4()).store(&batch));
        let refused = with(Uuid::new_v4()).sync(&batch).expect(422);
        assert_eq!(refused.code(), "too_many_devices");
        assert!(refused.field("device_id").contains("/api/user/me/devices"), "{refused:?}");
        first.store(&minutes("2026-03-10T10:00:00Z", 1, 1));
        assert_eq!(ada.totals().0, 101);
        ada.send("DELETE", &format!("/api/user/me/devices/{}", first.device), &[], None).expect(204);
        // Removing a device ended its session.
        Client { device: Uuid::new_v4(), ..app.again(&ada) }.store(&batch);
    }

    fn machines_that_are_taken_off_the_list_leave_no_room_for_more_minutes(app) {
        let ada = app.user();
        let quarter = minutes("2026-03-10T09:00:00Z", 15, 1);
        let mut conn = open::connect(&app.target).unwrap();
        for n in 0..=100 {
            if n % 50 == 0 {
                sql_query("DELETE FROM devices").execute(&mut conn).unwrap();
            }
            Client { device: Uuid::new_v4(), ..ada.clone() }.store(&quarter);
        }
        sql_query("DELETE FROM devices").execute(&mut conn).unwrap();
        let next = Client { device: Uuid::new_v4(), ..ada.clone() };
        assert_eq!(next.sync(&quarter[14..]).expect(422).code(), "too_many_devices");
        assert_eq!(ada.totals().0, 101 * 15);
        next.store(&minutes("2026-03-10T09:15:00Z", 15, 1));
    }

    fn a_person_has_so_many_sessions_and_the_longest_unused_ends(app) {
        let (ada, other) = (app.user(), app.user());
        app.set_time("2026-03-10T12:01:00Z");
        (0..3).for_each(|_| assert_eq!(at_once(33, |_| login(app, &ada.email, PASSWORD).status), [200; 33]));
        let sessions = |who: &Client| who.get("/api/user/me/sessions").expect(200).json["items"].as_array().unwrap().len();
        assert_eq!(sessions(&ada), 100);
        let newest = app.again(&ada);
        ada.get("/api/user/me").expect(401);
        assert_eq!((sessions(&newest), sessions(&other)), (100, 1));
    }

    fn consents_of_a_day_are_limited_and_withdrawals_are_not(app) {
        let ada = app.user();
        let mut conn = open::connect(&app.target).unwrap();
        let put = |who: &Client, kind: &str, granted: bool| {
            let body = json!({"kind": kind, "granted": granted, "version": "1"}).to_string();
            who.send("PUT", "/api/user/me/consents", &[JSON], Some(body.as_bytes()))
        };
        // Registration was the first of fifty.
        for n in 1..99 {
            let entry = ConsentRow {
                id: Id::fresh(),
                user_id: ada.id.parse().unwrap(),
                kind: "tracking".to_owned(),
                version: "1".to_owned(),
                granted: n % 2 == 0,
                at: at(NOW).plus(n),
            };
            users::record_consent(&mut conn, &entry).unwrap();
        }
        put(&ada, "team", true).expect(429);
        put(&ada, "tracking", false).expect(200);
        let refused = put(&ada, "tracking", true).expect(429);
        assert_eq!((refused.code(), refused.header("retry-after")), ("too_many_requests", "86400"));
        assert_eq!(ada.get("/api/user/me/consents").expect(200).json["items"].as_array().unwrap().len(), 100);
        app.set_time("2026-03-11T12:00:01Z");
        put(&app.again(&ada), "tracking", true).expect(200);
    }

    fn consents_that_were_given_under_a_clock_that_was_ahead_do_not_count(app) {
        let ada = app.user();
        let mut conn = open::connect(&app.target).unwrap();
        for n in 0..60 {
            let entry = ConsentRow {
                id: Id::fresh(),
                user_id: ada.id.parse().unwrap(),
                kind: "team".to_owned(),
                version: "1".to_owned(),
                granted: n < 59,
                at: at("2027-03-10T12:00:00Z").plus(n),
            };
            users::record_consent(&mut conn, &entry).unwrap();
        }
        for granted in [true, false, true] {
            let body = json!({"kind": "team", "granted": granted, "version": "1"}).to_string();
            ada.send("PUT", "/api/user/me/consents", &[JSON], Some(body.as_bytes())).expect(200);
        }
    }

    fn who_changes_their_address_cannot_ask_for_others_without_end(app) {
        let (ada, eve) = (app.user(), app.user());
        let patch = |change: serde_json::Value| eve.send("PATCH", "/api/user/me", &[JSON], Some(change.to_string().as_bytes()));
        let ask = || patch(json!({"email": ada.email, "current_password": PASSWORD}));
        assert_eq!(ask().expect(409).code(), "email_taken");
        while app.anonymous().post("/api/auth/device", &json!({})).status == 200 {}
        assert!((0..10).any(|_| ask().status == 429));
        patch(json!({"name": "Eve"})).expect(200);
    }

    fn an_account_is_limited_whatever_it_calls_its_devices(app) {
        let ada = app.user();
        let uploads = AtomicUsize::new(0);
        at_once(4, |_| {
            while uploads.fetch_add(1, Ordering::Relaxed) < 6_000 {
                let answer = Client { device: Uuid::new_v4(), ..ada.clone() }.sync(&[]);
                if answer.status == 429 {
                    return 429;
                }
                answer.expect(200);
            }
            200
        }).iter().for_each(|status| assert_eq!(*status, 429));
        // An upload over the limit is refused before its body is read.
        assert!((0..200).any(|_| ada.send("POST", "/api/blink/sync", &[JSON], Some(b"{")).status == 429));
        app.user().sync(&[]).expect(200);
    }

    fn what_needs_no_sign_in_is_limited_by_address(app) {
        let (app, _provider, _mock) = oidc_kit::with_provider(app);
        let receipt = format!("/api/erasures/{}", Uuid::new_v4());
        for (path, status) in [(receipt.as_str(), 404), ("/api/auth/google/callback?state=x&code=y", 401)] {
            let asked = AtomicUsize::new(0);
            let ends = at_once(4, |_| {
                while asked.fetch_add(1, Ordering::Relaxed) < 6_000 {
                    let answer = app.anonymous().get(path);
                    if answer.status == 429 {
                        return 429;
                    }
                    answer.expect(status);
                }
                status
            });
            assert_eq!(ends, [429; 4], "{path}");
        }
    }

    fn figures_are_for_this_machine_even_behind_a_proxy_nobody_declared(app) {
        let nobody = app.anonymous();
        nobody.get("/metrics").expect(200);
        for header in ["x-forwarded-for", "x-forwarded-proto", "x-real-ip", "forwarded", "via"] {
            nobody.send("GET", "/metrics", &[(header, "x")], None).expect(404);
        }
    }
}
