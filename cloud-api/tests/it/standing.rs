//! Requests that were allowed when their head arrived and are not when their body does, because the session ended or a
//! role or consent was taken back. Also which endpoints are open to whom: the last admin, a kiosk.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
};

use cloud_api::{
    config::{AskConfig, OutsideConfig},
    open,
};
use diesel::connection::SimpleConnection as _;
use serde_json::{Value, json};

use crate::{attendance::kit, harness::*};

/// A request whose head the server has read and whose body it waits for.
struct Stalled {
    reader: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Stalled {
    /// Waits for `100 Continue`, upon which the server reads the caller's rights. The tests assume that it handles
    /// requests sent after this later.
    fn begin(who: &Client, method: &str, path: &str, body: &Value) -> Self {
        Self::begin_with(who, method, path, ("application/json", body.to_string().into_bytes()))
    }

    /// As [`Self::begin`], with a body of this kind.
    fn begin_with(who: &Client, method: &str, path: &str, (kind, body): (&str, Vec<u8>)) -> Self {
        let host = who.base.strip_prefix("http://").unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\ncontent-type: {kind}\r\n\
             content-length: {}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n",
            who.access,
            body.len()
        );
        let mut reader = BufReader::new(TcpStream::connect(host).unwrap());
        reader.get_mut().write_all(head.as_bytes()).unwrap();
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert!(line.contains("100"), "{method} {path}: {line}");
        reader.read_line(&mut line).unwrap();
        Self { reader, body }
    }

    /// Sends the body; returns the status and the error code.
    fn finish(mut self) -> (u16, String) {
        self.send();
        self.answer()
    }

    fn send(&mut self) {
        // The server may have closed the connection of a request that it refused already.
        let _ = self.reader.get_mut().write_all(&self.body);
    }

    fn answer(mut self) -> (u16, String) {
        let mut answer = String::new();
        self.reader.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let code = body.find("{\"error\"").map(|at| {
            let rest = &body[at..body.rfind('}').unwrap() + 1];
            serde_json::from_str::<Value>(rest).unwrap()["error"]["code"].as_str().unwrap().to_owned()
        });
        (status, code.unwrap_or_default())
    }
}

fn consent(granted: bool) -> Value {
    json!({"kind": "tracking", "granted": granted, "version": "1"})
}

fn put(who: &Client, path: &str, body: &Value) -> Answer {
    who.send("PUT", path, &[("content-type", "application/json")], Some(body.to_string().as_bytes()))
}

fn patch(who: &Client, path: &str, body: &Value) -> Answer {
    who.send("PATCH", path, &[("content-type", "application/json")], Some(body.to_string().as_bytes()))
}

fn role_path(who: &Client) -> String {
    format!("/api/admin/users/{}", who.id)
}

fn sign_out(who: &Client) {
    who.send("POST", "/api/auth/logout", &[], None).expect(204);
}

/// Every guarded operation that reads JSON, with a valid body: method, pattern, path, body.
fn operations(app: &TestApp, who: &Client, other: &Client) -> Vec<(&'static str, &'static str, String, Value)> {
    let minute = minutes("2026-03-10T09:00:00Z", 1, 3).remove(0);
    let one = changed(minute.clone(), &json!({"device_id": who.device}));
    let sync = json!({"device_id": who.device, "buckets": [minute]});
    let codes = app.anonymous().post("/api/auth/device", &json!({})).expect(200).json;
    let team = who.post("/api/team", &json!({"name": "Optics"})).expect(201).json["id"].as_str().unwrap().to_owned();
    let own = |path: &'static str| path.to_owned();
    vec![
        (
            "POST",
            "/api/auth/device/approve",
            own("/api/auth/device/approve"),
            json!({"user_code": codes["user_code"], "approve": true}),
        ),
        ("POST", "/api/blink", own("/api/blink"), one.clone()),
        ("POST", "/blink/track", own("/blink/track"), one.clone()),
        ("POST", "/blink/tracking", own("/blink/tracking"), one),
        ("POST", "/api/blink/sync", own("/api/blink/sync"), sync.clone()),
        ("POST", "/blink/sync", own("/blink/sync"), sync),
        ("PATCH", "/api/user/me", own("/api/user/me"), json!({"name": "Eve"})),
        ("DELETE", "/api/user/me", own("/api/user/me"), json!({"password": PASSWORD})),
        ("PUT", "/api/user/me/consents", own("/api/user/me/consents"), consent(false)),
        ("POST", "/api/user/me/ask", own("/api/user/me/ask"), json!({"question": "How do I blink?"})),
        ("POST", "/api/team", own("/api/team"), json!({"name": "x"})),
        ("PUT", "/api/team/{id}/members/{user_id}", format!("/api/team/{team}/members/{}", other.id), json!({})),
        ("PATCH", "/api/admin/users/{id}", role_path(other), json!({"role": "manager"})),
        ("PUT", "/api/attendance/leaderboard", own("/api/attendance/leaderboard"), json!({"leaderboard": true})),
        ("POST", "/api/attendance/mark-pin", own("/api/attendance/mark-pin"), json!({"id": "ada", "pin": "824519"})),
        ("POST", "/api/attendance/people", own("/api/attendance/people"), json!({"name": "Ada"})),
        ("PUT", "/api/attendance/people/{id}/pin", own("/api/attendance/people/ada/pin"), json!({"pin": "824519"})),
        ("PUT", "/api/attendance/pin", own("/api/attendance/pin"), json!({"pin": "824519"})),
        (
            "POST",
            "/api/attendance/records",
            own("/api/attendance/records"),
            json!({"id": "ada", "date": "2026-03-10", "status": "present", "reason": "was here"}),
        ),
        (
            "PATCH",
            "/api/attendance/records/{id}",
            format!("/api/attendance/records/{}", uuid::Uuid::nil()),
            json!({"status": "late", "reason": "was here"}),
        ),
    ]
}

/// Every guarded operation that reads a form or a file, with a valid one: path, kind, body.
fn forms() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let mark = kit::form(&kit::recording(&json!({"face": 1.0})));
    let enrolment = kit::form(&kit::enrolment("Ada", &[1.0]));
    let records = b"Date,Time,Status,Name\n2026-03-09,09:00:00,present,Ada\n".to_vec();
    vec![
        ("/api/attendance/import", "text/csv", records),
        ("/api/attendance/mark-attendance", kit::MULTIPART.1, mark.clone()),
        ("/mark-attendance", kit::MULTIPART.1, mark),
        ("/api/attendance/register-user", kit::MULTIPART.1, enrolment.clone()),
        ("/register-user", kit::MULTIPART.1, enrolment),
    ]
}

/// A server that asks a model, and reads faces.
fn whole(backend: Backend) -> TestApp {
    TestApp::start_with(backend, |app| {
        let ask = AskConfig { url: "http://127.0.0.1:9/v1".to_owned(), model: "m".to_owned(), key: None };
        app.outside = OutsideConfig { oidc: None, ask: Some(ask) };
        app.reader = Some(std::sync::Arc::new(kit::Script::default()));
    })
}

contract! {
    on whole;

    fn a_session_that_ends_while_a_body_is_on_its_way_does_nothing(app) {
        let (eve, ada) = (app.user(), app.user());
        app.set_role(&eve, "admin");
        let json = |(method, pattern, path, body): (&'static str, &'static str, String, Value)| {
            (method, pattern, path, ("application/json", body.to_string().into_bytes()))
        };
        let mut tried: Vec<_> = operations(app, &eve, &ada).into_iter().map(json).collect();
        tried.extend(forms().into_iter().map(|(path, kind, body)| ("POST", path, path.to_owned(), (kind, body))));
        let mut known = BTreeSet::new();
        for (method, pattern, path, body) in tried {
            known.insert((method.to_lowercase(), pattern.to_owned()));
            let eve = app.again(&eve);
            let stalled = Stalled::begin_with(&eve, method, &path, body);
            sign_out(&eve);
            assert_eq!(stalled.finish(), (401, "unauthenticated".to_owned()), "{method} {path}");
        }
        // None of the requests was carried out, although the account exists, is an admin, and its consent is granted.
        let eve = app.again(&eve);
        assert_eq!((&eve.get("/api/user/me").expect(200).json["name"], eve.totals().0), (&json!("Ada"), 0));
        assert_eq!(eve.get("/api/user/me/devices").expect(200).json["items"], json!([]));
        assert_eq!(eve.get("/api/user/me/consents").expect(200).json["items"].as_array().unwrap().len(), 1);
        assert_eq!(eve.get("/api/team").expect(200).json["items"].as_array().unwrap().len(), 1);
        assert_eq!(ada.get("/api/user/me").expect(200).json["role"], "member");
        assert_eq!((app.count("attendance_people"), app.count("attendance_records")), (0, 0));
        // Every other operation that reads a body and needs a session must be in the lists above.
        let document = app.anonymous().get("/api/openapi.json").expect(200).json;
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let guarded = operation["security"].as_array().is_some_and(|ways| !ways.is_empty() && !ways.contains(&json!({})));
                if guarded && !operation["requestBody"].is_null() {
                    assert!(known.contains(&(method.clone(), path.clone())), "{method} {path} is not tried here");
                }
            }
        }
    }
}

contract! {
    fn a_session_that_ends_while_a_question_waits_for_its_turn_sends_no_figures(app) {
        // A model that never answers: each connection is a question that holds a turn.
        let model = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", model.local_addr().unwrap());
        let app = &app.replica_with(OutsideConfig { oidc: None, ask: Some(AskConfig { url, model: "m".to_owned(), key: None }) });
        let question = json!({"question": "How do I blink?"});
        let people: Vec<Client> = (0..8).map(|_| app.user()).collect();
        let ada = app.user();
        std::thread::scope(|scope| {
            let asked: Vec<_> = (0..16).map(|n| scope.spawn({ let who = &people[n % 8]; let question = &question; move || who.post("/api/user/me/ask", question).status })).collect();
            let held: Vec<TcpStream> = (0..16).map(|_| model.accept().unwrap().0).collect();
            let mut waiting = Stalled::begin(&ada, "POST", "/api/user/me/ask", &question);
            waiting.send();
            // The server has time to come to the turn.
            (0..50).for_each(|_| drop(people[0].get("/api/user/me").expect(200)));
            sign_out(&ada);
            drop(held);
            asked.into_iter().for_each(|asked| assert_eq!(asked.join().unwrap(), 502));
            assert_eq!(waiting.answer(), (401, "unauthenticated".to_owned()));
        });
        model.set_nonblocking(true).unwrap();
        assert!(model.accept().is_err(), "the seventeenth question reached the model");
    }

    fn a_role_that_is_taken_back_while_a_body_is_on_its_way_is_gone(app) {
        let (boss, eve) = (app.user(), app.user());
        for admin in [&boss, &eve] {
            app.set_role(admin, "admin");
        }
        // She sets her own role: this would undo a demotion for as long as one such request waits.
        let stalled = Stalled::begin(&eve, "PATCH", &role_path(&eve), &json!({"role": "admin"}));
        patch(&boss, &role_path(&eve), &json!({"role": "member"})).expect(200);
        assert_eq!(stalled.finish(), (403, "forbidden".to_owned()));
        assert_eq!(eve.get("/api/user/me").expect(200).json["role"], "member");
        app.set_role(&eve, "manager");
        let team = eve.post("/api/team", &json!({"name": "Optics"})).expect(201).json["id"].as_str().unwrap().to_owned();
        let invite = format!("/api/team/{team}/members/{}", boss.id);
        let stalled = [
            Stalled::begin(&eve, "POST", "/api/team", &json!({"name": "x"})),
            Stalled::begin(&eve, "PUT", &invite, &json!({})),
        ];
        patch(&boss, &role_path(&eve), &json!({"role": "member"})).expect(200);
        for stalled in stalled {
            assert_eq!(stalled.finish(), (403, "forbidden".to_owned()));
        }
        let stalled = Stalled::begin(&eve, "PATCH", "/api/user/me", &json!({"name": "Eve"}));
        patch(&boss, &role_path(&eve), &json!({"role": "kiosk"})).expect(200);
        assert_eq!(stalled.finish(), (403, "forbidden".to_owned()));
        let teams = boss.get("/api/team").expect(200).json["items"].clone();
        assert_eq!((teams.as_array().unwrap().len(), &teams[0]["members"]), (1, &json!([])));
    }

    fn a_consent_that_is_withdrawn_while_minutes_are_on_their_way_stores_none(app) {
        let ada = app.user();
        let sync = json!({"device_id": ada.device, "buckets": minutes("2026-03-10T09:00:00Z", 1, 3)});
        let stalled = Stalled::begin(&ada, "POST", "/api/blink/sync", &sync);
        put(&ada, "/api/user/me/consents", &consent(false)).expect(200);
        assert_eq!(stalled.finish(), (403, "consent_withdrawn".to_owned()));
        assert_eq!(ada.totals().0, 0);
    }

    fn nobody_who_is_erased_consents(app) {
        let ada = app.user();
        let stalled = Stalled::begin(&ada, "PUT", "/api/user/me/consents", &consent(true));
        ada.send("DELETE", "/api/user/me", &[], None).expect(200);
        assert_eq!(stalled.finish(), (401, "unauthenticated".to_owned()));
        let ledger = std::fs::read_to_string(app.folder.path().join("ledger.ndjson")).unwrap();
        let last = ledger.lines().rfind(|line| line.contains(&ada.id)).unwrap();
        assert!(last.contains("erased"), "{last}");
    }

    fn the_last_admin_is_not_erased(app) {
        let (boss, other) = (app.user(), app.user());
        app.set_role(&boss, "admin");
        assert_eq!(boss.send("DELETE", "/api/user/me", &[], None).expect(409).code(), "last_admin");
        boss.get("/api/admin/users").expect(200);
        app.set_role(&other, "admin");
        // Of two admins who erase themselves at once, one is refused.
        let gone: Vec<u16> = std::thread::scope(|scope| {
            let leave = |who: Client| scope.spawn(move || who.send("DELETE", "/api/user/me", &[], None).status);
            [boss, other].map(leave).map(|answer| answer.join().unwrap()).to_vec()
        });
        assert!(gone.contains(&200) && gone.contains(&409), "{gone:?}");
    }

    fn a_kiosk_marks_attendance_and_signs_out_and_does_nothing_else(app) {
        let (desk, ada) = (app.user(), app.user());
        app.set_role(&desk, "kiosk");
        let document = app.anonymous().get("/api/openapi.json").expect(200).json;
        let mut refused = 0;
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let guarded = operation["security"].as_array().is_some_and(|ways| !ways.is_empty());
                let marks = ["/challenge", "/mark-attendance", "/mark-pin"].iter().any(|end| path.ends_with(end));
                if !guarded || marks || path.ends_with("/logout") || path == "/metrics" || path.ends_with("/refresh") {
                    continue;
                }
                refused += 1;
                let real = path.replace("{id}", "me").replace("{user_id}", &ada.id);
                let answer = desk.send(&method.to_uppercase(), &real, &[("content-type", "application/json")], Some(b"{}"));
                assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{method} {path}");
            }
        }
        assert!(refused > 20, "{refused}");
        sign_out(&desk);
        desk.get("/api/user/me").expect(401);
        // The path of the original plan works as well.
        app.again(&desk).send("POST", "/auth/logout", &[], None).expect(204);
    }

    fn contradictions_at_once_end_in_one_consent(app) {
        let people: Vec<Client> = (0..12).map(|_| app.user()).collect();
        std::thread::scope(|scope| {
            for ada in &people {
                for granted in [true, false, true, false] {
                    scope.spawn(move || put(ada, "/api/user/me/consents", &consent(granted)).expect(200));
                }
            }
        });
        let ledger = std::fs::read_to_string(app.folder.path().join("ledger.ndjson")).unwrap();
        for ada in &people {
            let history = ada.get("/api/user/me/consents").expect(200).json["items"].clone();
            let history = history.as_array().unwrap();
            let granted = history.last().unwrap()["granted"].as_bool().unwrap();
            let taken = ada.sync(&minutes("2026-03-10T09:00:00Z", 1, 1)).status;
            assert_eq!(taken, if granted { 200 } else { 403 }, "the flag against the history: {history:?}");
            let lines: Vec<Value> =
                ledger.lines().filter(|line| line.contains(&ada.id)).map(|line| serde_json::from_str(line).unwrap()).collect();
            let by_ledger: Vec<_> = lines.iter().map(|line| (line["granted"].clone(), line["at"].clone())).collect();
            let by_history: Vec<_> = history[1..].iter().map(|item| (item["granted"].clone(), item["at"].clone())).collect();
            assert_eq!(by_ledger, by_history);
        }
    }

    fn a_consent_that_stands_is_not_written_again(app) {
        let ada = app.user();
        for _ in 0..3 {
            let same = put(&ada, "/api/user/me/consents", &consent(true)).expect(200);
            assert_eq!(same.json["items"].as_array().unwrap().len(), 1);
        }
        for _ in 0..3 {
            let withdrawn = put(&ada, "/api/user/me/consents", &consent(false)).expect(200);
            assert_eq!(withdrawn.json["items"].as_array().unwrap().len(), 2);
        }
        let ledger = std::fs::read_to_string(app.folder.path().join("ledger.ndjson")).unwrap();
        assert_eq!(ledger.lines().filter(|line| line.contains(&ada.id)).count(), 1);
        // A first refusal is recorded, because the person said it.
        put(&ada, "/api/user/me/consents", &json!({"kind": "team", "granted": false})).expect(200);
        let last = put(&ada, "/api/user/me/consents", &json!({"kind": "team", "granted": false})).expect(200);
        assert_eq!(last.json["items"].as_array().unwrap().len(), 3);
    }
}

const FLAGS_SQLITE: &str = include_str!("../../migrations/sqlite/2026-11-28-000200_consent_flags/up.sql");
const FLAGS_POSTGRES: &str = include_str!("../../migrations/postgres/2026-11-28-000200_consent_flags/up.sql");

contract! {
    fn a_persons_word_counts_even_if_their_flag_says_otherwise(app) {
        let ada = app.user();
        let mut conn = open::connect(&app.target).unwrap();
        let word = |granted: bool| {
            let body = json!({"kind": "tracking", "granted": granted, "version": "1"}).to_string();
            ada.send("PUT", "/api/user/me/consents", &[("content-type", "application/json")], Some(body.as_bytes())).expect(200);
        };
        let batch = minutes("2026-03-10T09:00:00Z", 1, 3);
        for (granted, status) in [(false, 403), (true, 200)] {
            for fix in ["the same word again", "the migration"] {
                word(granted);
                conn.batch_execute(&format!("UPDATE users SET tracking_consent = {}", !granted)).unwrap();
                match (fix, app.postgres.is_some()) {
                    ("the migration", true) => conn.batch_execute(FLAGS_POSTGRES).unwrap(),
                    ("the migration", false) => conn.batch_execute(FLAGS_SQLITE).unwrap(),
                    _ => word(granted),
                }
                assert_eq!(ada.sync(&batch).status, status, "{granted} {fix}");
            }
        }
        // Somebody who has not consented themselves yet stays without.
        conn.batch_execute("UPDATE users SET tracking_consent = FALSE, awaits_consent = TRUE").unwrap();
        conn.batch_execute(if app.postgres.is_some() { FLAGS_POSTGRES } else { FLAGS_SQLITE }).unwrap();
        ada.sync(&batch).expect(403);
    }
}
