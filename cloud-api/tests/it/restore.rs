//! Which of the ledger's entries a restore applies, and what it refuses.

use std::{fs, path::Path};

use blink_proto::UserId;
use cloud_api::{
    backup::{self, BackupError, Restored},
    config::Target,
    db::{conn::Conn, migrate, transaction, users},
    ledger::{self, Entry, EntryKind},
    open,
};
use diesel::{QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _, sql_query, sql_types::BigInt};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{archive_kit::eventually, harness::*, postgres::Database};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

struct Fresh {
    conn: Conn,
    _folder: tempfile::TempDir,
    _database: Option<Database>,
}

fn fresh(like: &TestApp) -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    let database = like.postgres.as_ref().map(|_| Database::create());
    let file = Target::Sqlite(folder.path().join("fresh.db"));
    let target = database.as_ref().map_or(file, Database::target);
    open::prepare_folder(&target).unwrap();
    let mut conn = open::connect(&target).unwrap();
    migrate::run(&mut conn, &target).unwrap();
    Fresh { conn, _folder: folder, _database: database }
}

fn backup(app: &TestApp, at: Timestamp) -> std::path::PathBuf {
    let path = app.folder.path().join(format!("{}.gz", at.as_millisecond()));
    backup::file::write(&mut open::connect(&app.target).unwrap(), &path, true, at).unwrap();
    path
}

fn restore(into: &mut Conn, path: &Path, ledger: &[Entry]) -> Result<Restored, BackupError> {
    transaction(into, |conn| backup::restore(conn, path, ledger, at(NOW)))
}

fn person(who: &Client) -> UserId {
    UserId(who.id.parse().unwrap())
}

fn put_consent(who: &Client, granted: bool) {
    let body = json!({"kind": "tracking", "granted": granted, "version": "1"}).to_string();
    let json = [("content-type", "application/json")];
    who.send("PUT", "/api/user/me/consents", &json, Some(body.as_bytes())).expect(200);
}

contract! {
    fn an_erasure_that_failed_is_not_carried_out(app) {
        let ada = app.user();
        let made: Timestamp = NOW.parse().unwrap();
        let path = backup(app, made);
        let line = |at: Timestamp, what: EntryKind| Entry { at, user_id: person(&ada), what };
        let hours = SignedDuration::from_hours;
        let there = |ledger: &[Entry]| {
            let mut into = fresh(app);
            let restored = restore(&mut into.conn, &path, ledger).unwrap();
            (users::by_id(&mut into.conn, person(&ada).into()).unwrap().is_some(), restored.erased, restored.early_erasures)
        };
        // Erasures after the backup, and while it was made, are applied.
        assert_eq!(there(&[line(made + hours(5), EntryKind::Erased)]), (false, 1, 0));
        assert_eq!(there(&[line(made - SignedDuration::from_secs(30), EntryKind::Erased)]), (false, 1, 0));
        // So is one long before a backup that still contains the person, unless it was taken back: the clock of the
        // backup's machine may be ahead.
        let early = made - hours(5);
        let failed = line(early + SignedDuration::from_secs(9), EntryKind::NotErased { begun: early });
        assert_eq!(there(&[line(early, EntryKind::Erased)]), (false, 1, 1));
        assert_eq!(there(&[line(early, EntryKind::Erased), failed]), (true, 0, 0));
        // An erasure is taken back, and then made after all.
        let begun = made + hours(5);
        let taken_back = line(begun + SignedDuration::from_secs(9), EntryKind::NotErased { begun });
        assert_eq!(there(&[line(begun, EntryKind::Erased), taken_back.clone()]), (true, 0, 0));
        let again = line(begun + hours(1), EntryKind::Erased);
        assert_eq!(there(&[line(begun, EntryKind::Erased), taken_back, again]), (false, 1, 0));
    }

    fn a_withdrawal_on_its_way_while_a_backup_began_is_kept(app) {
        let ada = app.user();
        let made = at("2026-03-10T13:00:00Z").timestamp();
        let path = backup(app, made);
        let consent = |at: Timestamp, granted: bool| Entry {
            at,
            user_id: person(&ada),
            what: EntryKind::Consent { kind: "tracking".to_owned(), version: "1".to_owned(), granted },
        };
        let after = |ledger: &[Entry]| {
            let mut into = fresh(app);
            let restored = restore(&mut into.conn, &path, ledger).unwrap();
            let id = person(&ada).into();
            let history = users::consents_of(&mut into.conn, id).unwrap().iter().map(|row| row.granted).collect::<Vec<_>>();
            (users::by_id(&mut into.conn, id).unwrap().unwrap().tracking_consent, history, restored.withdrawals)
        };
        let before = made - SignedDuration::from_secs(1);
        assert_eq!(after(&[consent(before, false)]), (false, vec![true, false], 1));
        // An entry that the backup contains is not applied twice, and an older one than it contains not at all.
        assert_eq!(after(&[consent(before, true)]), (true, vec![true], 0));
        let long_before = made - SignedDuration::from_mins(61);
        assert_eq!(after(&[consent(long_before, false)]), (true, vec![true], 0));
        assert_eq!(after(&[consent(made + SignedDuration::from_secs(1), false)]), (false, vec![true, false], 1));
    }

    fn who_left_a_team_is_not_back_in_it(app) {
        let (boss, ada, eve) = (app.user(), app.user(), app.user());
        app.set_role(&boss, "manager");
        let team = boss.post("/api/team", &json!({"name": "Optics"})).expect(201).json["id"].as_str().unwrap().to_owned();
        let headers = [("content-type", "application/json")];
        let path = |member: &str| format!("/api/team/{team}/members/{member}");
        for member in [&ada, &eve] {
            boss.send("PUT", &path(&member.id), &headers, Some(b"{}")).expect(201);
            member.send("PUT", &path("me"), &headers, Some(b"{}")).expect(200);
        }
        let backup = backup(app, NOW.parse().unwrap());
        ada.send("DELETE", &path("me"), &[], None).expect(204);
        boss.send("DELETE", &path(&eve.id), &[], None).expect(204);
        let ledger = ledger::read(&app.folder.path().join("ledger.ndjson")).unwrap();
        let members = |ledger: &[Entry]| {
            let mut into = fresh(app);
            restore(&mut into.conn, &backup, ledger).unwrap();
            let query = "SELECT count(*) AS n FROM team_members WHERE accepted_at IS NOT NULL";
            sql_query(query).get_result::<Count>(&mut into.conn).unwrap().n
        };
        assert_eq!((members(&[]), members(&ledger)), (2, 0));
    }

    fn a_backup_under_a_clock_that_was_ahead_undoes_no_withdrawal(app) {
        let ada = app.user();
        let path = backup(app, at("2026-04-09T12:00:00Z").timestamp());
        app.set_time("2026-03-10T12:01:00Z");
        put_consent(&ada, false);
        let ledger = ledger::read(&app.folder.path().join("ledger.ndjson")).unwrap();
        let mut into = fresh(app);
        assert_eq!(restore(&mut into.conn, &path, &ledger).unwrap().withdrawals, 1);
        assert!(!users::by_id(&mut into.conn, person(&ada).into()).unwrap().unwrap().tracking_consent);
    }

    fn a_consent_that_may_have_failed_is_not_given_by_a_restore(app) {
        let ada = app.user();
        app.set_time("2026-03-10T12:01:00Z");
        put_consent(&ada, false);
        let path = backup(app, at("2026-03-10T12:02:00Z").timestamp());
        let what = EntryKind::Consent { kind: "tracking".to_owned(), version: "1".to_owned(), granted: true };
        for minute in [1, 3] {
            let at = at(NOW).plus(minute * 60_000 + 1).timestamp();
            let mut into = fresh(app);
            let restored = restore(&mut into.conn, &path, &[Entry { at, user_id: person(&ada), what: what.clone() }]);
            let restored = restored.unwrap();
            assert_eq!((restored.grants, restored.withdrawals), (1, 0));
            assert!(!users::by_id(&mut into.conn, person(&ada).into()).unwrap().unwrap().tracking_consent);
        }
    }

    fn rows_about_nobody_or_of_another_age_are_refused(app) {
        let ada = app.user();
        ada.store(&minutes("2026-03-10T09:00:00Z", 3, 1));
        let path = backup(app, NOW.parse().unwrap());
        let mut plain = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&fs::read(&path).unwrap()[..]), &mut plain).unwrap();
        let with = |change: &dyn Fn(&mut Value)| -> Vec<u8> {
            let lines = plain.lines().map(|line| {
                let mut line: Value = serde_json::from_str(line).unwrap();
                if line["table"] == "blink_data" {
                    change(&mut line["row"]);
                }
                format!("{line}\n")
            });
            gzip(lines.collect::<String>().as_bytes())
        };
        let year_200000 = 6_249_198_240_000_000_i64;
        let endless = [plain.lines().next().unwrap().as_bytes(), b"\n", &vec![b'x'; 40 << 20]].concat();
        for (what, bytes) in [
            ("nobody", with(&|row| row["user_id"] = json!(uuid::Uuid::new_v4()))),
            ("the year 200000", with(&|row| row["from_timestamp"] = json!(year_200000))),
            ("before 1900", with(&|row| row["from_timestamp"] = json!(-2_300_000_000_000_i64))),
            ("a line without an end", gzip(&endless)),
        ] {
            let bad = app.folder.path().join("bad.gz");
            fs::write(&bad, bytes).unwrap();
            let mut into = fresh(app);
            let refused = restore(&mut into.conn, &bad, &[]);
            assert!(matches!(refused, Err(BackupError::Implausible(..) | BackupError::Cut(_))), "{what}: {refused:?}");
            assert_eq!(users::list(&mut into.conn, None, 1).unwrap().len(), 0, "{what}");
        }
        restore(&mut fresh(app).conn, &path, &[]).unwrap();
    }
}

#[test]
fn an_erasure_that_failed_is_taken_back_in_the_ledger() {
    let app = TestApp::start(Backend::Sqlite);
    let ada = app.user();
    let mut other = open::connect(&app.target).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    // A fresh sign-in is used instead of the password, because attempts could not be counted now.
    let erase = || ada.send("DELETE", "/api/user/me", &[], None);
    assert_eq!(erase().expect(503).code(), "unavailable");
    other.batch_execute("ROLLBACK").unwrap();
    let words = |what: &dyn Fn(&EntryKind) -> bool| {
        let ledger = ledger::read(&app.folder.path().join("ledger.ndjson")).unwrap();
        ledger.iter().filter(|line| what(&line.what)).count()
    };
    let erased = || words(&|what| *what == EntryKind::Erased);
    let taken_back = || words(&|what| matches!(what, EntryKind::NotErased { .. }));
    eventually("no failed erasure stands in the ledger", || erased() == taken_back());
    app.set_time("2026-03-10T12:01:00Z");
    erase().expect(200);
    assert_eq!(erased(), taken_back() + 1);
}
