//! What a restore does to living people of the desk: nothing that was not asked for.

use std::path::PathBuf;

use cloud_api::{
    backup,
    ledger::{self, EntryKind, Ledger},
    open,
};
use serde_json::{Value, json};

use super::{
    kit::{self, *},
    lifecycle::{backend, restored_from},
};
use crate::{archive_kit::eventually, hangups::begin_and_hang_up, harness::*};

fn backed_up(app: &TestApp, name: &str) -> PathBuf {
    let file = app.folder.path().join(name);
    let mut conn = open::connect(&app.target).unwrap();
    backup::write(&mut conn, std::fs::File::create(&file).unwrap(), app.clock.now().timestamp()).unwrap();
    file
}

/// The people of the desk after a restore, each with whether they have a face.
fn people(app: &TestApp, file: &std::path::Path, manager: &Client) -> Vec<(String, bool)> {
    let new = restored_from(app, backend(app), file);
    new.clock.set(app.clock.now());
    let manager = new.again(manager);
    let people = manager.get("/api/attendance/people").expect(200).json;
    let one = |item: &Value| (item["id"].as_str().unwrap().to_owned(), item["has_biometrics"] == true);
    people["items"].as_array().unwrap().iter().map(one).collect()
}

fn anew(manager: &Client, name: &str, more: &[Part<'_>]) {
    let mut parts = enrolment(name, &[1.0]);
    parts.push(text("force", "true"));
    parts.extend_from_slice(more);
    send(manager, "/api/attendance/register-user", &parts).expect(201);
}

fn erase_account(who: &Client) {
    let body = json!({"password": PASSWORD}).to_string();
    who.send("DELETE", "/api/user/me", &[("content-type", "application/json")], Some(body.as_bytes())).expect(200);
}

fn forget_face(manager: &Client) {
    manager.send("DELETE", "/api/attendance/people/alice/biometrics", &[], None).expect(200);
}

contract! {
    on kit::start;

    fn a_face_enrolled_anew_is_restored(app) {
        let (_, manager) = with_alice(app);
        let before = backed_up(app, "before.gz");
        app.set_time("2026-03-10T12:10:00Z");
        forget_face(&manager);
        let between = backed_up(app, "between.gz");
        // The clock was ahead, and is put right.
        app.set_time("2026-03-10T12:05:00Z");
        anew(&manager, "Alice", &[]);
        // What is not there is not removed, under whatever clock.
        let after = backed_up(app, "after.gz");
        let alice = |has_face| vec![("alice".to_owned(), has_face)];
        assert_eq!(people(app, &before, &manager), alice(false));
        assert_eq!(people(app, &between, &manager), alice(false));
        assert_eq!(people(app, &after, &manager), alice(true));
    }

    fn a_face_that_is_removed_twice_and_enrolled_anew_is_restored(app) {
        let (_, manager) = with_alice(app);
        forget_face(&manager);
        app.set_time("2026-03-10T12:10:00Z");
        forget_face(&manager);
        app.set_time("2026-03-10T12:05:00Z");
        anew(&manager, "Alice", &[]);
        assert_eq!(people(app, &backed_up(app, "after.gz"), &manager), [("alice".to_owned(), true)]);
    }

    fn the_erasure_of_an_account_takes_no_person_who_was_another_ones_by_then(app) {
        let (_, manager) = with_alice(app);
        let (ada, eve) = (app.user(), app.user());
        let backups: Vec<PathBuf> = [None, Some(&ada), Some(&eve)].into_iter().enumerate().map(|(n, link)| {
            app.set_time(&format!("2026-03-10T12:0{n}:00Z"));
            if let Some(account) = link {
                anew(&manager, "Alice", &[text("email", &account.email)]);
            }
            backed_up(app, &format!("{n}.gz"))
        }).collect();
        app.set_time("2026-03-10T12:03:00Z");
        erase_account(&ada);
        for file in &backups {
            assert_eq!(people(app, file, &manager), [("alice".to_owned(), true)], "{}", file.display());
        }
        erase_account(&eve);
        for file in &backups {
            assert_eq!(people(app, file, &manager), [], "{}", file.display());
        }
    }

    fn a_withdrawal_of_an_account_takes_the_face_of_a_backup_that_does_not_know_the_link(app) {
        let (_, manager) = with_alice(app);
        let ada = app.user();
        let file = backed_up(app, "before.gz");
        app.set_time("2026-03-10T12:01:00Z");
        anew(&manager, "Alice", &[text("email", &ada.email)]);
        let body = json!({"kind": "biometric", "granted": false}).to_string();
        let withdrawn = ada.send("PUT", "/api/user/me/consents", &[("content-type", "application/json")], Some(body.as_bytes()));
        withdrawn.expect(200);
        assert_eq!(people(app, &file, &manager), [("alice".to_owned(), false)]);
    }
}

#[test]
fn a_removal_from_the_desk_that_failed_is_taken_back_and_not_carried_out() {
    let app = kit::start(Backend::Postgres);
    let (_, manager) = with_alice(&app);
    let file = backed_up(&app, "before.gz");
    let line = "DELETE /api/attendance/people/alice";
    let path = app.folder.path().join("ledger.ndjson");
    let lines = || ledger::read(&path).unwrap();
    let ledger = begin_and_hang_up(&app, &manager, line, "");
    app.postgres.as_ref().unwrap().throw_out();
    ledger.unlock().unwrap();
    eventually("the ledger takes it back", || {
        lines().iter().any(|line| matches!(line.what, EntryKind::NotErased { .. }))
    });
    let erased = lines().into_iter().find(|line| line.what == EntryKind::DeskErased).unwrap();
    eventually("she is still there", || manager.get("/api/attendance/people").json["items"][0]["id"] == "alice");
    assert_eq!(people(&app, &file, &manager), [("alice".to_owned(), true)]);
    // Had it not been taken back, a restore would carry it out.
    Ledger::open(&path).unwrap().append(&ledger::Entry { at: jiff::Timestamp::MAX, ..erased }).unwrap();
    assert_eq!(people(&app, &file, &manager), []);
}
