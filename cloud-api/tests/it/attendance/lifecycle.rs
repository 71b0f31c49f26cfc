//! Backup, restore, retention, and the desk's key.

use cloud_api::{
    backup,
    config::Target,
    db::{attendance::records, migrate, transaction},
    ledger, open,
};
use diesel::connection::SimpleConnection as _;
use serde_json::json;

use super::kit::{self, *};
use crate::{commands::says, harness::*, process::program};

/// Backs the database up and restores it, with the ledger, into an empty database of either kind. The desk's key goes
/// along, as an operator would take it.
fn restored(app: &TestApp, backend: Backend) -> TestApp {
    let file = app.folder.path().join("backup.gz");
    let mut conn = open::connect(&app.target).unwrap();
    let out = std::fs::File::create(&file).unwrap();
    backup::write(&mut conn, out, app.clock.now().timestamp()).unwrap();
    restored_from(app, backend, &file)
}

pub(super) fn restored_from(app: &TestApp, backend: Backend, file: &std::path::Path) -> TestApp {
    TestApp::start_with(backend, |new| {
        let key = |app: &TestApp| match app.target.sqlite_path() {
            Some(path) => path.with_extension("archive.key"),
            None => app.folder.path().join("ledger.attendance.key"),
        };
        std::fs::copy(key(app), key(new)).unwrap();
        open::prepare_folder(&new.target).unwrap();
        let mut conn = open::connect(&new.target).unwrap();
        migrate::run(&mut conn, &new.target).unwrap();
        let ledger = ledger::read(&app.folder.path().join("ledger.ndjson")).unwrap();
        let now = app.clock.now();
        transaction(&mut conn, |conn| backup::restore(conn, file, &ledger, now)).unwrap();
        new.reader = Some(std::sync::Arc::new(Script::default()));
        new.attendance = app.attendance.clone();
    })
}

fn other(backend: Backend) -> Backend {
    if backend == Backend::Sqlite { Backend::Postgres } else { Backend::Sqlite }
}

pub(super) fn backend(app: &TestApp) -> Backend {
    if app.postgres.is_some() { Backend::Postgres } else { Backend::Sqlite }
}

contract! {
    on kit::start;

    fn a_restored_desk_recognises_and_marks(app) {
        let (kiosk, manager) = with_alice(app);
        assert_eq!(decision(&mark(app, &kiosk, 1.0)).0, "late");
        let day = json!({"id": "alice", "date": "2026-03-09", "reason": "camera was covered"});
        manager.post("/api/attendance/records", &day).expect(201);
        let new = restored(app, other(backend(app)));
        new.clock.set(app.clock.now());
        let kiosk = new.again(&Client { base: new.address.clone(), ..kiosk });
        assert_eq!(decision(&mark(&new, &kiosk, 1.0)).0, "already_marked");
        new.set_time("2026-03-11T08:00:00Z");
        assert_eq!(decision(&mark(&new, &new.again(&kiosk), 1.0)).0, "present");
    }

    fn whoever_was_erased_since_the_backup_stays_so(app) {
        let (kiosk, manager) = with_alice(app);
        let ada = app.user();
        enrol(&manager, "Bob", &[5.0]).expect(201);
        enrol(&manager, "Carol", &[9.0]).expect(201);
        let file = app.folder.path().join("backup.gz");
        let mut conn = open::connect(&app.target).unwrap();
        backup::write(&mut conn, std::fs::File::create(&file).unwrap(), app.clock.now().timestamp()).unwrap();
        // Alice leaves, Bob withdraws, and Carol is linked to an account that is erased.
        manager.send("DELETE", "/api/attendance/people/alice", &[], None).expect(200);
        manager.send("DELETE", "/api/attendance/people/bob/biometrics", &[], None).expect(200);
        let mut link = enrolment("Carol", &[9.0]);
        link.extend([text("force", "true"), text("email", &ada.email)]);
        send(&manager, "/api/attendance/register-user", &link).expect(201);
        let body = json!({"password": PASSWORD}).to_string();
        ada.send("DELETE", "/api/user/me", &[("content-type", "application/json")], Some(body.as_bytes())).expect(200);
        let new = restored_from(app, backend(app), &file);
        new.clock.set(app.clock.now());
        let manager = new.again(&Client { base: new.address.clone(), ..manager });
        let people = manager.get("/api/attendance/people").expect(200).json;
        let items = people["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{people}");
        assert_eq!((&items[0]["id"], &items[0]["has_biometrics"]), (&json!("bob"), &json!(false)));
        drop(kiosk);
    }

    fn old_records_go_with_retention(app) {
        let (_, manager) = with_alice(app);
        for day in ["2023-02-28", "2023-03-10", "2023-03-11", "2026-03-09"] {
            let record = json!({"id": "alice", "date": day, "status": "present", "reason": "from paper"});
            manager.post("/api/attendance/records", &record).expect(201);
        }
        let mut conn = open::connect(&app.target).unwrap();
        let now = app.clock.now();
        let time = if app.postgres.is_some() { "'epoch'" } else { "0" };
        let refusal = |day: &str| format!("INSERT INTO attendance_refusals (person, day, tries, last_reason, last_at) VALUES ('alice', '{day}', 1, 'no_blink', {time});");
        conn.batch_execute(&["2023-03-10", "2023-03-11"].map(refusal).concat()).unwrap();
        // 1,095 days before 10 March 2026 is 11 March 2023.
        let purged = cloud_api::db::purge::run(&mut conn, cloud_api::db::purge::keep_from(now, 1_095), now).unwrap();
        assert_eq!(purged.records, 2);
        let left = records::of_person(&mut conn, "alice").unwrap();
        assert_eq!(left.iter().map(|record| record.day.to_string()).collect::<Vec<_>>(), ["2023-03-11", "2026-03-09"]);
        assert_eq!((app.count("attendance_refusals"), app.count("attendance_corrections"), app.count("attendance_months")), (1, 2, 2));
    }

    fn all_records_of_a_person_go_with_their_months(app) {
        let (_, manager) = with_alice(app);
        for day in ["2026-01-09", "2026-03-06", "2026-03-09"] {
            manager.post("/api/attendance/records", &json!({"id": "alice", "date": day, "reason": "from paper"})).expect(201);
        }
        let mut conn = open::connect(&app.target).unwrap();
        assert_eq!(transaction(&mut conn, |conn| records::delete_all(conn, "alice")).unwrap(), 3);
        assert_eq!((app.count("attendance_records"), app.count("attendance_months")), (0, 0));
    }
}

#[test]
fn another_master_key_opens_the_faces_and_the_old_one_does_not() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let mut app = kit::start(backend);
        let [old, new] = ["old", "new"].map(|name| app.folder.path().join(name));
        std::fs::write(&old, [7; 32]).unwrap();
        std::fs::write(&new, [9; 32]).unwrap();
        app.master_key_file = Some(old.clone());
        app.restart();
        let (_, manager) = with_alice(&app);
        app.stop();
        let url = match &app.target {
            Target::Sqlite(path) => format!("sqlite:{}", path.display()),
            Target::Postgres(url) => url.clone(),
        };
        let run = |key: &std::path::Path, args: &[&str]| {
            let mut command = program(app.folder.path());
            command.env("DATABASE_URL", &url).env("CLOUD_API_MASTER_KEY_FILE", key);
            command.env("CLOUD_API_LEDGER", app.folder.path().join("ledger.ndjson"));
            command.args(args).output().unwrap()
        };
        let changed = run(&old, &["admin", "change-master-key", &new.display().to_string()]);
        assert!(changed.status.success(), "{changed:?}");
        says(&run(&old, &["serve", "--listen", "127.0.0.1:0"]), 1, "CLOUD_API_MASTER_KEY_FILE");
        app.master_key_file = Some(new);
        app.restart();
        let (kiosk, manager) = (with_role(&app, "kiosk"), app.again(&manager));
        let photo = manager.get("/api/attendance/people").expect(200).json["items"][0]["image_path"].clone();
        assert!(manager.get(photo.as_str().unwrap()).expect(200).text.ends_with("a photo that must stay sealed"));
        assert_eq!(decision(&mark(&app, &kiosk, 1.0)).0, "late");
    }
}
