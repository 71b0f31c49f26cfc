//! A person's own account: reading, changing, exporting and erasing it.

use serde_json::{Value, json};

use crate::harness::*;

fn items(answer: &Answer) -> &Vec<Value> {
    answer.json["items"].as_array().unwrap()
}

fn send(client: &Client, method: &str, path: &str, body: &Value) -> Answer {
    client.send(method, path, &[("content-type", "application/json")], Some(body.to_string().as_bytes()))
}

fn consent(client: &Client, kind: &str, granted: bool) -> Answer {
    send(client, "PUT", "/api/user/me/consents", &json!({"kind": kind, "granted": granted, "version": "1"}))
}

fn login(app: &TestApp, email: &str, password: &str) -> Answer {
    app.anonymous().post("/api/auth/login", &json!({"email": email, "password": password}))
}

contract! {
    fn consents_are_a_history_and_withdrawal_stops_ingest(app) {
        let ada = app.user();
        assert_eq!(items(&ada.get("/api/user/me/consents").expect(200)), &[json!({"kind": "tracking", "granted": true, "version": "1", "at": NOW})]);
        ada.store(&minutes("2026-03-10T09:00:00Z", 2, 3));
        app.set_time("2026-03-10T12:01:00Z");
        assert_eq!(items(&consent(&ada, "tracking", false).expect(200)).len(), 2);
        let batch = minutes("2026-03-10T10:00:00Z", 2, 3);
        assert_eq!(ada.sync(&batch).expect(403).code(), "consent_withdrawn");
        let one = changed(batch[0].clone(), &json!({"device_id": ada.device}));
        assert_eq!(ada.post("/api/blink", &one).expect(403).code(), "consent_withdrawn");
        // Stored minutes stay readable for the person.
        assert_eq!(ada.totals().0, 6);
        app.set_time("2026-03-10T12:02:00Z");
        let history = consent(&ada, "tracking", true).expect(200);
        let words: Vec<_> = items(&history).iter().map(|c| c["granted"].as_bool().unwrap()).collect();
        assert_eq!(words, [true, false, true]);
        ada.store(&batch);
        assert_eq!(ada.totals().0, 12);
    }

    fn a_consent_is_to_a_text_that_exists(app) {
        let ada = app.user();
        for (body, field) in [
            (json!({"kind": "tracking", "granted": true, "version": "2"}), "version"),
            (json!({"kind": "tracking", "granted": true}), "version"),
            (json!({"kind": "marketing", "granted": true, "version": "1"}), "kind"),
            (json!({"kind": "tracking", "granted": "yes", "version": "1"}), "granted"),
            (json!({"kind": "tracking", "version": "1"}), "granted"),
            (json!({}), "kind"),
        ] {
            assert_ne!(send(&ada, "PUT", "/api/user/me/consents", &body).expect(422).field(field), "", "{body}");
        }
        send(&ada, "PUT", "/api/user/me/consents", &json!({"kind": "tracking", "granted": false})).expect(200);
    }

    fn a_person_changes_their_name_and_time_zone(app) {
        let ada = app.user();
        let answer = send(&ada, "PATCH", "/api/user/me", &json!({"name": " Ada Lovelace ", "timezone": "asia/kolkata"})).expect(200);
        assert_eq!((&answer.json["name"], &answer.json["timezone"]), (&json!("Ada Lovelace"), &json!("Asia/Kolkata")));
        assert_eq!(ada.get("/api/user/me").json, answer.json);
        assert_eq!(send(&ada, "PATCH", "/api/user/me", &json!({"name": null})).expect(200).json["name"], Value::Null);
        assert_eq!(send(&ada, "PATCH", "/api/user/me", &json!({})).expect(200).json["timezone"], "Asia/Kolkata");
        let wrong = send(&ada, "PATCH", "/api/user/me", &json!({"name": 5, "timezone": "x", "email": "y", "password": "short"})).expect(422);
        for field in ["name", "timezone", "email", "password"] {
            assert_ne!(wrong.field(field), "", "{field}");
        }
        let mass = send(&ada, "PATCH", "/api/user/me", &json!({"role": "admin", "id": uuid::Uuid::nil(), "tracking_consent": false})).expect(200);
        assert_eq!((&mass.json["role"], &mass.json["id"]), (&json!("member"), &json!(ada.id)));
    }

    fn a_new_password_needs_the_old_one_and_ends_the_other_sessions(app) {
        let ada = app.user();
        let other = login(app, &ada.email, PASSWORD).expect(200);
        let other = ada.with_access(other.json["access_token"].as_str().unwrap());
        let change = |body: Value| send(&ada, "PATCH", "/api/user/me", &body);
        assert_ne!(change(json!({"password": "another long password"})).expect(422).field("current_password"), "");
        let wrong = change(json!({"password": "another long password", "current_password": "not it at all"})).expect(403);
        assert_eq!(wrong.code(), "wrong_password");
        other.get("/api/user/me").expect(200);
        change(json!({"password": "another long password", "current_password": PASSWORD})).expect(200);
        other.get("/api/user/me").expect(401);
        ada.get("/api/user/me").expect(200);
        login(app, &ada.email, PASSWORD).expect(401);
        login(app, &ada.email, "another long password").expect(200);
    }

    fn a_new_address_must_be_free(app) {
        let (ada, eve) = (app.user(), app.user());
        let taken = send(&ada, "PATCH", "/api/user/me", &json!({"email": eve.email.to_uppercase(), "current_password": PASSWORD})).expect(409);
        assert_eq!(taken.code(), "email_taken");
        send(&ada, "PATCH", "/api/user/me", &json!({"email": "new@example.org", "current_password": PASSWORD})).expect(200);
        login(app, "new@example.org", PASSWORD).expect(200);
        login(app, &ada.email, PASSWORD).expect(401);
    }

    fn sessions_are_seen_and_ended_one_by_one(app) {
        let (ada, eve) = (app.user(), app.user());
        let other = login(app, &ada.email, PASSWORD).expect(200);
        let other = ada.with_access(other.json["access_token"].as_str().unwrap());
        let list = ada.get("/api/user/me/sessions").expect(200);
        assert_eq!(items(&list).len(), 2);
        assert_eq!(items(&list).iter().filter(|s| s["current"] == true).count(), 1);
        let id = |current: bool| items(&list).iter().find(|s| s["current"] == current).unwrap()["id"].as_str().unwrap().to_owned();
        let path = format!("/api/user/me/sessions/{}", id(false));
        eve.send("DELETE", &path, &[], None).expect(404);
        other.get("/api/user/me").expect(200);
        ada.send("DELETE", &path, &[], None).expect(204);
        other.get("/api/user/me").expect(401);
        ada.send("DELETE", &path, &[], None).expect(404);
        ada.send("DELETE", "/api/user/me/sessions/x", &[], None).expect(404);
    }

    fn a_device_is_signed_out_and_its_minutes_stay(app) {
        let (ada, eve) = (app.user(), app.user());
        let tray = login(app, &ada.email, PASSWORD).expect(200);
        let tray = Client { access: tray.json["access_token"].as_str().unwrap().to_owned(), ..ada.clone() };
        tray.store(&minutes("2026-03-10T09:00:00Z", 2, 3));
        let list = ada.get("/api/user/me/devices").expect(200);
        assert_eq!(items(&list).len(), 1);
        assert_eq!(items(&list)[0]["device_id"], tray.device.to_string());
        assert_eq!(items(&list)[0]["first_seen_at"], NOW);
        let sent_by = |client: &Client| items(&client.get("/api/user/me/devices").expect(200))[0]["user_agent"].clone();
        assert!(sent_by(&ada).as_str().unwrap().starts_with("ureq/"), "{list:?}");
        let newer = json!({"device_id": tray.device, "buckets": minutes("2026-03-10T09:02:00Z", 1, 0)}).to_string();
        let headers = [("user-agent", "blinkd/9.9.9"), ("content-type", "application/json")];
        tray.send("POST", "/api/blink/sync", &headers, Some(newer.as_bytes())).expect(200);
        assert_eq!(sent_by(&ada), "blinkd/9.9.9");
        let unnamed = json!({"device_id": tray.device, "buckets": minutes("2026-03-10T09:03:00Z", 1, 0)}).to_string();
        let headers = [("user-agent", ""), ("content-type", "application/json")];
        tray.send("POST", "/api/blink/sync", &headers, Some(unnamed.as_bytes())).expect(200);
        assert_eq!(sent_by(&ada), "blinkd/9.9.9", "who does not say leaves what is known");
        let export: blink_proto::http::Export = serde_json::from_value(ada.get("/api/user/me/export").expect(200).json).unwrap();
        assert_eq!(export.devices[0].user_agent.as_deref(), Some("blinkd/9.9.9"));
        let path = format!("/api/user/me/devices/{}", tray.device);
        eve.send("DELETE", &path, &[], None).expect(404);
        ada.send("DELETE", &path, &[], None).expect(204);
        tray.get("/api/user/me").expect(401);
        assert_eq!((items(&ada.get("/api/user/me/devices").expect(200)).len(), ada.totals().0), (0, 6));
    }

    fn the_export_holds_everything_as_it_was_sent(app) {
        let ada = app.user();
        let batch = minutes("2026-03-03T00:00:00Z", 6_000, 3);
        ada.store(&batch);
        let export = ada.get("/api/user/me/export").expect(200);
        assert_eq!(export.json["user"], ada.get("/api/user/me").json);
        for (part, count) in [("consents", 1), ("sessions", 1), ("devices", 1), ("minutes", 6_000)] {
            assert_eq!(export.json[part].as_array().unwrap().len(), count, "{part}");
        }
        for (sent, kept) in batch.iter().zip(export.json["minutes"].as_array().unwrap()) {
            assert_eq!(kept, &changed(sent.clone(), &json!({"user_id": ada.id, "device_id": ada.device})));
        }
        assert!(!export.text.contains("argon2"));
        let other = app.user().get("/api/user/me/export").expect(200);
        assert_eq!(other.json["minutes"], json!([]));
    }

    fn erasure_leaves_nothing_and_says_what_it_removed(app) {
        let (ada, eve) = (app.user(), app.user());
        for person in [&ada, &eve] {
            person.store(&minutes("2026-03-10T09:00:00Z", 20, 3));
        }
        assert_eq!(send(&ada, "DELETE", "/api/user/me", &json!({"password": "not it at all"})).expect(403).code(), "wrong_password");
        let receipt = send(&ada, "DELETE", "/api/user/me", &json!({"password": PASSWORD})).expect(200);
        assert_eq!(receipt.json["user_id"], ada.id);
        let store = &receipt.json["stores"][0];
        assert_eq!((&store["store"], &store["status"]), (&json!("database"), &json!("done")));
        let mut removed = store["removed"].clone();
        // Nobody enrolled a face: nothing of the attendance desk is removed.
        removed.as_object_mut().unwrap().retain(|what, count| !what.starts_with("desk_") || *count != 0);
        assert_eq!(removed, json!({"minutes": 20, "sums": 2, "consents": 1, "sessions": 1, "devices": 1, "links": 0, "identities": 0, "memberships": 0, "accounts": 1}));
        ada.get("/api/user/me").expect(401);
        login(app, &ada.email, PASSWORD).expect(401);
        ada.post("/api/auth/refresh", &json!({"refresh_token": ada.refresh})).expect(401);
        // Other people's data is unchanged, and the address is free again.
        assert_eq!(eve.totals().0, 60);
        let again = app.anonymous().post("/api/auth/register", &registration(&ada.email, "UTC")).expect(201);
        assert_ne!(again.json["user"]["id"], ada.id);
    }

    fn without_the_password_a_sign_in_must_be_fresh(app) {
        let ada = app.user();
        app.set_time("2026-03-10T12:05:01Z");
        assert_eq!(ada.send("DELETE", "/api/user/me", &[], None).expect(403).code(), "fresh_sign_in_required");
        let mut fresh = ada.clone();
        fresh.sign_in(&login(app, &ada.email, PASSWORD).expect(200).json);
        fresh.send("DELETE", "/api/user/me", &[], None).expect(200);
        ada.get("/api/user/me").expect(401);
    }

    fn only_admins_see_people_and_change_roles(app) {
        let mut people: Vec<Client> = (0..5).map(|_| app.user()).collect();
        let path = |who: &Client| format!("/api/admin/users/{}", who.id);
        for role in ["kiosk", "member", "manager"] {
            app.set_role(&people[1], role);
            assert_eq!(people[1].get("/api/admin/users").expect(403).code(), "forbidden");
            assert_eq!(send(&people[1], "PATCH", &path(&people[1]), &json!({"role": "admin"})).expect(403).code(), "forbidden");
        }
        app.anonymous().get("/api/admin/users").expect(401);
        app.set_role(&people[0], "admin");
        let boss = people.remove(0);
        assert_eq!(items(&boss.get("/api/admin/users").expect(200)).len(), 5);
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = boss.get(&format!("/api/admin/users?limit=2{cursor}")).expect(200);
            seen.extend(items(&page).iter().map(|u| u["id"].as_str().unwrap().to_owned()));
            match page.json["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        seen.dedup();
        assert_eq!(seen.len(), 5);
        assert_eq!(send(&boss, "PATCH", &path(&people[1]), &json!({"role": "manager"})).expect(200).json["role"], "manager");
        assert_ne!(send(&boss, "PATCH", &path(&people[1]), &json!({"role": "emperor"})).expect(422).field("role"), "");
        send(&boss, "PATCH", "/api/admin/users/00000000-0000-0000-0000-000000000000", &json!({"role": "member"})).expect(404);
        assert_eq!(send(&boss, "PATCH", &path(&boss), &json!({"role": "member"})).expect(409).code(), "last_admin");
        // Even an admin cannot read another person's minutes.
        assert_eq!(boss.get(&format!("/api/user/{}/blinks", people[1].id)).expect(403).code(), "forbidden");
    }
}

/// The database's files contain nothing of an erased person, including free pages and the log.
#[test]
fn an_erased_person_is_not_in_the_bytes_of_the_file() {
    let app = TestApp::start(Backend::Sqlite);
    let ada = app.user();
    ada.store(&minutes("2026-03-10T09:00:00Z", 20, 3));
    let everything = || -> Vec<u8> {
        let files = std::fs::read_dir(app.folder.path()).unwrap().map(|file| file.unwrap().path());
        files
            .filter(|path| path.to_string_lossy().contains("server.db"))
            .flat_map(|path| std::fs::read(path).unwrap())
            .collect()
    };
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let before = everything();
    assert!(holds(&before, &ada.id) && holds(&before, &ada.email));
    send(&ada, "DELETE", "/api/user/me", &json!({"password": PASSWORD})).expect(200);
    let after = everything();
    assert!(!holds(&after, &ada.id) && !holds(&after, &ada.email) && !holds(&after, &ada.device.to_string()));
}
