//! Uploading minutes: each is stored once, however often it is sent.

use cloud_api::open;
use diesel::connection::SimpleConnection as _;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::*;

const JSON: (&str, &str) = ("content-type", "application/json");
const GZIP: (&str, &str) = ("content-encoding", "gzip");

contract! {
    fn sending_again_changes_nothing(app) {
        let ada = app.user();
        let batch = minutes("2026-03-10T09:00:00Z", 60, 3);
        let first = ada.sync(&batch).expect(200);
        assert_eq!(first.json, json!({"accepted": 60, "duplicates": 0, "rejected": []}));
        let again = ada.sync(&batch).expect(200);
        assert_eq!(again.json, json!({"accepted": 0, "duplicates": 60, "rejected": []}));
        assert_eq!(ada.totals(), (180, 60 * 60_000));
    }

    fn overlapping_batches_count_once_and_the_first_wins(app) {
        let ada = app.user();
        ada.store(&minutes("2026-03-10T09:00:00Z", 20, 3));
        let answer = ada.sync(&minutes("2026-03-10T09:10:00Z", 20, 100)).expect(200);
        assert_eq!(answer.json, json!({"accepted": 10, "duplicates": 10, "rejected": []}));
        assert_eq!(ada.totals().0, 20 * 3 + 10 * 100);
        // A minute that is twice in one request is stored once.
        let twice = minutes("2026-03-10T10:00:00Z", 1, 1);
        let answer = ada.sync(&[twice[0].clone(), twice[0].clone()]).expect(200);
        assert_eq!(answer.json, json!({"accepted": 1, "duplicates": 1, "rejected": []}));
    }

    fn the_record_id_decides_nothing(app) {
        let (ada, eve) = (app.user(), app.user());
        let batch = minutes("2026-03-10T09:00:00Z", 2, 3);
        let same_id = [batch[0].clone(), changed(batch[1].clone(), &json!({"id": batch[0]["id"]}))];
        ada.store(&same_id);
        // The same ids and device of another person do not conflict.
        Client { device: ada.device, ..eve.clone() }.store(&same_id);
        assert_eq!((ada.totals().0, eve.totals().0), (6, 6));
        // A stored minute with another id is the same minute.
        let answer = ada.sync(&[changed(batch[0].clone(), &json!({"id": Uuid::new_v4()}))]).expect(200);
        assert_eq!(answer.json["duplicates"], 1);
    }

    fn of_a_minute_that_is_twice_in_a_batch_the_first_counts(app) {
        let ada = app.user();
        let mut batch = minutes("2026-03-05T00:00:00Z", 5_000, 1);
        batch.extend(minutes("2026-03-05T00:00:00Z", 5_000, 2));
        let answer = ada.sync(&batch).expect(200);
        assert_eq!((&answer.json["accepted"], &answer.json["duplicates"]), (&json!(5_000), &json!(5_000)));
        assert_eq!(ada.totals(), (5_000, 300_000_000));
    }

    fn two_devices_are_two_rows_of_one_minute(app) {
        let ada = app.user();
        let laptop = Client { device: Uuid::new_v4(), ..ada.clone() };
        ada.store(&minutes("2026-03-10T09:00:00Z", 1, 3));
        laptop.store(&minutes("2026-03-10T09:00:00Z", 1, 4));
        let item = &ada.blinks("group=minute").expect(200).json["items"][0];
        assert_eq!((&item["blink_count"], &item["observed_ms"]), (&json!(7), &json!(120_000)));
        assert_eq!((&item["blinks_per_minute"], &item["coverage"]), (&json!(3.5), &json!(1.0)));
    }

    fn each_bad_minute_is_refused_by_its_place(app) {
        let ada = app.user();
        let sound = minutes("2026-03-10T09:00:00Z", 12, 3);
        let bad: [(&str, Value); 10] = [
            ("invalid", json!({"blink_count": "3"})),
            ("invalid", json!({"id": "x"})),
            ("invalid", json!({"observed_ms": null})),
            ("bad_interval", json!({"to_timestamp": "2026-03-10T09:30:00Z"})),
            ("unaligned", json!({"from_timestamp": "2026-03-10T09:00:01Z", "to_timestamp": "2026-03-10T09:01:01Z"})),
            ("implausible", json!({"blink_count": 10_000})),
            ("implausible", json!({"observed_ms": 60_001})),
            ("in_future", json!({"from_timestamp": "2026-03-10T12:06:00Z", "to_timestamp": "2026-03-10T12:07:00Z"})),
            ("too_old", json!({"from_timestamp": "2020-03-10T12:06:00Z", "to_timestamp": "2020-03-10T12:07:00Z"})),
            ("wrong_user", json!({"user_id": Uuid::nil()})),
        ];
        let mut batch = vec![sound[0].clone()];
        batch.extend(bad.iter().zip(&sound[1..]).map(|((_, change), base)| changed(base.clone(), change)));
        batch.push(json!("not even an object"));
        batch.push(sound[11].clone());
        let answer = ada.sync(&batch).expect(200);
        assert_eq!((&answer.json["accepted"], &answer.json["duplicates"]), (&json!(2), &json!(0)));
        let got: Vec<_> = answer.json["rejected"].as_array().unwrap().iter()
            .map(|r| (r["index"].as_u64().unwrap(), r["code"].as_str().unwrap().to_owned())).collect();
        let mut expected: Vec<_> = bad.iter().enumerate().map(|(n, (code, _))| (n as u64 + 1, (*code).to_owned())).collect();
        expected.push((11, "invalid".to_owned()));
        assert_eq!(got, expected);
        assert!(answer.json["rejected"].as_array().unwrap().iter().all(|r| !r["detail"].as_str().unwrap().is_empty()));
        assert_eq!(ada.totals().0, 6);
    }

    fn one_own_user_id_and_a_clock_five_minutes_ahead_are_fine(app) {
        let ada = app.user();
        let base = minutes("2026-03-10T12:05:00Z", 1, 3).remove(0);
        ada.store(&[changed(base, &json!({"user_id": ada.id, "device_id": ada.device}))]);
    }

    fn one_minute_is_created_then_there(app) {
        let ada = app.user();
        let body = changed(minutes("2026-03-10T09:00:00Z", 1, 3).remove(0), &json!({"device_id": ada.device}));
        ada.post("/api/blink", &body).expect(201);
        ada.post("/api/blink", &body).expect(200);
        assert_eq!(ada.totals(), (3, 60_000));
        for (change, code) in [
            (json!({"blink_count": -1}), "invalid"),
            (json!({"blink_count": "3"}), "invalid"),
            (json!({"id": "x"}), "invalid"),
            (json!({"to_timestamp": "2026-03-10T09:02:00Z"}), "bad_interval"),
            (json!({"user_id": Uuid::nil()}), "wrong_user"),
        ] {
            let refused = ada.post("/api/blink", &changed(body.clone(), &change)).expect(422);
            let field = change.as_object().unwrap().keys().next().unwrap();
            assert_eq!(refused.code(), code);
            assert_ne!(refused.field(field), "", "{refused:?}");
        }
        let answer = ada.post("/api/blink", &minutes("2026-03-10T09:00:00Z", 1, 3)[0]).expect(422);
        assert_ne!(answer.field("device_id"), "");
    }

    fn only_the_envelope_is_422(app) {
        let ada = app.user();
        let device = ada.device;
        for (body, field) in [
            (json!({"buckets": []}), "device_id"),
            (json!({"device_id": "x", "buckets": []}), "device_id"),
            (json!({"device_id": 5, "buckets": []}), "device_id"),
            (json!({"device_id": device}), "buckets"),
            (json!({"device_id": device, "buckets": {}}), "buckets"),
            (json!({"device_id": device, "buckets": "x"}), "buckets"),
            (json!([]), "body"),
            (json!("x"), "body"),
        ] {
            let answer = ada.post("/api/blink/sync", &body).expect(422);
            assert_ne!(answer.field(field), "", "{body}: {answer:?}");
        }
        assert_eq!(ada.sync(&[]).expect(200).json, json!({"accepted": 0, "duplicates": 0, "rejected": []}));
    }

    fn ten_thousand_are_taken_and_one_more_is_none(app) {
        let ada = app.user();
        let batch = minutes("2026-03-03T00:00:00Z", 10_001, 1);
        let whole = json!({"device_id": ada.device, "buckets": batch}).to_string();
        let body = gzip(whole.as_bytes());
        let answer = ada.send("POST", "/api/blink/sync", &[JSON, GZIP], Some(&body)).expect(413);
        assert_eq!(answer.code(), "too_large");
        assert_eq!(ada.totals(), (0, 0));
        let whole = json!({"device_id": ada.device, "buckets": batch[..10_000]}).to_string();
        let answer = ada.send("POST", "/api/blink/sync", &[JSON, GZIP], Some(&gzip(whole.as_bytes()))).expect(200);
        assert_eq!(answer.json["accepted"], 10_000);
        assert_eq!(ada.totals(), (10_000, 600_000_000));
    }

    fn more_than_eight_megabytes_are_refused_plain_and_packed(app) {
        let ada = app.user();
        let sound = minutes("2026-03-10T09:00:00Z", 1, 3);
        let body = format!("{{\"device_id\":\"{}\",\"buckets\":{},\"pad\":\"{}\"}}", ada.device, json!(sound), " ".repeat(8 << 20));
        let plain = ada.send("POST", "/api/blink/sync", &[JSON], Some(body.as_bytes())).expect(413);
        assert_eq!(plain.code(), "too_large");
        let packed = ada.send("POST", "/api/blink/sync", &[JSON, GZIP], Some(&gzip(body.as_bytes()))).expect(413);
        assert_eq!(packed.code(), "too_large");
        assert_eq!(ada.totals(), (0, 0));
    }

    fn a_gzip_bomb_is_refused(app) {
        let ada = app.user();
        let bomb = gzip(&vec![b' '; 200 << 20]);
        assert!(bomb.len() < 2 << 20);
        assert_eq!(ada.send("POST", "/api/blink/sync", &[JSON, GZIP], Some(&bomb)).expect(413).code(), "too_large");
        let nobody = app.anonymous();
        assert_eq!(nobody.send("POST", "/api/auth/login", &[JSON, GZIP], Some(&bomb)).expect(413).code(), "too_large");
    }

    fn broken_gzip_and_other_encodings_are_refused(app) {
        let ada = app.user();
        let mut cut = gzip(json!({"device_id": ada.device, "buckets": []}).to_string().as_bytes());
        cut.truncate(cut.len() - 6);
        assert_eq!(ada.send("POST", "/api/blink/sync", &[JSON, GZIP], Some(&cut)).expect(400).code(), "bad_gzip");
        assert_eq!(ada.send("POST", "/api/blink/sync", &[JSON, GZIP], Some(b"{}")).expect(400).code(), "bad_gzip");
        let answer = ada.send("POST", "/api/blink/sync", &[JSON, ("content-encoding", "br")], Some(b"{}")).expect(415);
        assert_eq!(answer.code(), "unsupported_encoding");
    }

    fn a_large_body_without_a_sign_in_hears_401(app) {
        let body = vec![b' '; 6 << 20];
        let nobody = app.anonymous();
        for _ in 0..3 {
            assert_eq!(nobody.send("POST", "/api/blink/sync", &[JSON], Some(&body)).expect(401).code(), "unauthenticated");
        }
    }

    fn sums_hold_whoever_sends_at_once(app) {
        let ada = app.user();
        let all = minutes("2026-03-10T00:00:00Z", 600, 2);
        std::thread::scope(|scope| {
            for client in 0..6 {
                let (ada, all) = (&ada, &all);
                scope.spawn(move || {
                    for round in 0..10 {
                        let from = (client * 97 + round * 131) % 540;
                        ada.sync(&all[from..from + 60]).expect(200);
                    }
                });
            }
        });
        ada.sync(&all).expect(200);
        assert_eq!(ada.totals(), (1_200, 600 * 60_000));
        let rows = ada.blinks("group=minute&limit=1000").expect(200);
        assert_eq!(rows.json["items"].as_array().unwrap().len(), 600);
    }

    fn of_many_small_uploads_at_once_each_is_answered_for_itself(app) {
        let people: Vec<Client> = (0..6).map(|_| app.user()).collect();
        let (withdrawn, signed_out) = (app.user(), app.user());
        withdrawn.send("PUT", "/api/user/me/consents", &[JSON], Some(br#"{"kind":"tracking","granted":false}"#)).expect(200);
        let token = signed_out.with_access(&signed_out.access);
        signed_out.post("/api/auth/logout", &json!({})).expect(204);
        let all = minutes("2026-03-10T09:00:00Z", 20, 3);
        let accepted: u64 = std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for person in &people {
                // Every minute comes twice, from two threads.
                for minutes in [all.clone(), all.iter().rev().cloned().collect()] {
                    threads.push(scope.spawn(move || {
                        let one = |minute: &Value| {
                            let answer = person.sync(std::slice::from_ref(minute)).expect(200);
                            assert_eq!(answer.json["accepted"].as_u64().unwrap() + answer.json["duplicates"].as_u64().unwrap(), 1);
                            answer.json["accepted"].as_u64().unwrap()
                        };
                        minutes.iter().map(one).sum::<u64>()
                    }));
                }
            }
            for minute in &all {
                assert_eq!(withdrawn.sync(std::slice::from_ref(minute)).expect(403).code(), "consent_withdrawn");
                assert_eq!(token.sync(std::slice::from_ref(minute)).expect(401).code(), "unauthenticated");
            }
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(accepted, 6 * 20);
        assert!(people.iter().all(|person| person.totals() == (60, 20 * 60_000)));
    }
}

/// An erasure, for one, locks a person's row.
#[test]
fn while_one_persons_row_is_locked_the_others_small_uploads_are_stored() {
    let app = TestApp::start(Backend::Postgres);
    let (ada, eve) = (app.user(), app.user());
    // Fewer than there are connections.
    let all = minutes("2026-03-10T09:00:00Z", 3, 3);
    let mut other = open::connect(&app.target).unwrap();
    other.batch_execute(&format!("BEGIN; SELECT 1 FROM users WHERE id = '{}' FOR UPDATE", ada.id)).unwrap();
    std::thread::scope(|scope| {
        let waiting: Vec<_> = all
            .iter()
            .map(|minute| {
                let body = changed(minute.clone(), &json!({"device_id": ada.device}));
                let ada = &ada;
                scope.spawn(move || ada.post("/api/blink", &body).expect(201))
            })
            .collect();
        for minute in &all {
            eve.store(std::slice::from_ref(minute));
        }
        assert!(waiting.iter().all(|thread| !thread.is_finished()), "they wait for the lock");
        other.batch_execute("COMMIT").unwrap();
        for thread in waiting {
            thread.join().unwrap();
        }
    });
    assert_eq!((ada.totals().0, eve.totals().0), (9, 9));
}
