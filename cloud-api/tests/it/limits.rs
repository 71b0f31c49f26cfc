//! Limits stop guessing and flooding without affecting other people.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use cloud_api::{config::AccessConfig, db::one_time, open, routes::reset};
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
