//! Requests that are being handled while the account is handed over to its address's owner, or its password changes.

use std::thread;

use cloud_api::{
    db::{
        DbError,
        conn::Conn,
        device_codes::{self, CodeRow, Decider, Poll},
        id::{Id, User},
        sessions::{self, SessionRow},
        transaction, users,
    },
    open,
};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types::BigInt};
use serde_json::{Value, json};

use crate::{archive_kit::eventually, harness::*};

fn session(user: Id<User>) -> SessionRow {
    let (now, expires_at) = (at(NOW), at("2026-04-10T12:00:00Z"));
    SessionRow {
        id: Id::fresh(),
        user_id: user,
        user_agent: None,
        signed_in_at: now,
        refreshed_at: now,
        expires_at,
        used_token: None,
        next_token: Id::fresh(),
    }
}

fn approved(conn: &mut Conn, code: &str, who: Decider) -> bool {
    let row = CodeRow {
        code_hash: device_codes::hash(code),
        user_code: code.to_owned(),
        device_name: "a device".to_owned(),
        address: "127.0.0.1".to_owned(),
        expires_at: at("2026-03-10T12:10:00Z"),
        polled_at: None,
        user_id: None,
        denied: false,
        session_id: None,
    };
    device_codes::insert(conn, &row, at(NOW)).unwrap();
    device_codes::decide(conn, code, who, true, at(NOW)).unwrap()
}

contract! {
    fn what_was_read_before_begins_no_session(app) {
        let eve = app.user();
        let id = eve.id.parse().unwrap();
        let mut conn = open::connect(&app.target).unwrap();
        let conn = &mut conn;
        let before = users::by_id(conn, id).unwrap().unwrap();
        let verified = before.password_hash.clone();
        assert!(verified.is_some() && sessions::insert_verified(conn, &session(id), verified.as_deref()).unwrap());
        let own = Decider { user: id, session: sessions::of_user(conn, id, at(NOW)).unwrap()[0].id };
        assert!(sessions::standing(conn, own.session, at(NOW)).unwrap().is_some() && approved(conn, "BCDF-GHJK", own));
        users::proved(conn, before, at(NOW)).unwrap();
        assert!(!sessions::insert_verified(conn, &session(id), verified.as_deref()).unwrap());
        assert!(sessions::standing(conn, own.session, at(NOW)).unwrap().is_none());
        let told = device_codes::poll(conn, "BCDF-GHJK", 5_000, at(NOW), |approval| session(approval.user)).unwrap();
        assert!(!matches!(told, Poll::Approved { .. }));
        assert!(sessions::of_user(conn, id, at(NOW)).unwrap().is_empty());
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Waits until this many connections wait for a lock. `eyes` must not be in a transaction.
pub(crate) fn until_waiting(eyes: &mut Conn, connections: i64) {
    let waiting = "SELECT count(*) AS count FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("all of them wait", || sql_query(waiting).get_result::<Count>(eyes).unwrap().count == connections);
}

/// A request of Eve's: its method, path and body, and the status it must get.
type Request = (&'static str, &'static str, Value, u16);

/// Hands the account over after the requests have passed every check and before they write.
fn go_over<const N: usize>(app: &TestApp, eve: &Client, requests: [Request; N]) -> Conn {
    let id = eve.id.parse().unwrap();
    let (mut conn, mut eyes) = (open::connect(&app.target).unwrap(), open::connect(&app.target).unwrap());
    let under_way = transaction(&mut conn, |conn| -> Result<_, DbError> {
        let row = users::hold(conn, id)?.unwrap();
        let under_way = requests.map(|(method, path, body, status)| {
            let eve = eve.clone();
            let headers = [("content-type", "application/json")];
            let send = move || eve.send(method, path, &headers, Some(body.to_string().as_bytes()));
            (path, status, thread::spawn(send))
        });
        until_waiting(&mut eyes, N as i64);
        users::proved(conn, row, at(NOW))?;
        Ok(under_way)
    });
    for (path, status, answer) in under_way.unwrap() {
        assert_eq!(answer.join().unwrap().status, status, "{path}");
    }
    assert!(sessions::of_user(&mut conn, id, at(NOW)).unwrap().is_empty());
    assert_eq!(users::by_id(&mut conn, id).unwrap().unwrap().password_hash, None);
    conn
}

#[test]
fn what_was_under_way_when_the_account_went_over_is_for_nothing() {
    let app = TestApp::start(Backend::Postgres);
    let eve = app.user();
    let codes = || app.anonymous().post("/api/auth/device", &json!({})).expect(200).json;
    let decide = |codes: &Value| json!({"user_code": codes["user_code"], "approve": true});
    let poll = |codes: &Value| {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        json!({"grant_type": grant, "device_code": codes["device_code"]})
    };
    let (first, second) = (codes(), codes());
    eve.post("/api/auth/device/approve", &decide(&first)).expect(200);
    let patch = json!({"password": "eve's horse battery", "current_password": PASSWORD});
    let requests = [
        ("POST", "/api/auth/login", json!({"email": eve.email, "password": PASSWORD}), 401),
        ("PATCH", "/api/user/me", patch, 401),
        ("POST", "/api/auth/device/approve", decide(&second), 401),
        ("POST", "/api/auth/device/token", poll(&first), 400),
    ];
    go_over(&app, &eve, requests);
    app.anonymous().post("/api/auth/device/token", &poll(&second)).expect(400);
}

#[test]
fn an_erasure_under_way_when_the_account_went_over_erases_nothing() {
    let app = TestApp::start(Backend::Postgres);
    let eve = app.user();
    eve.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
    let mut conn = go_over(&app, &eve, [("DELETE", "/api/user/me", json!({"password": PASSWORD}), 401)]);
    let stored = "SELECT count(*) AS count FROM blink_data";
    assert_eq!(sql_query(stored).get_result::<Count>(&mut conn).unwrap().count, 1);
}
