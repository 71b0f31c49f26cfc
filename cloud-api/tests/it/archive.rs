//! The archive in a folder: archiving, reading back, and erasure.

use cloud_api::{
    archive::{codec, store::Bucket},
    config::archive::ArchiveLocation,
    db::{
        archive::{self, ObjectRow},
        id::Id,
    },
    open,
};
use diesel::connection::SimpleConnection as _;
use rstest::rstest;
use serde_json::json;

use crate::{archive_kit::*, harness::*};

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn a_batch_becomes_an_object_that_says_nothing_without_its_key(#[case] backend: Backend) {
    let app = start(backend);
    let ada = app.user();
    let batch = minutes("2026-03-10T09:00:00Z", 60, 17);
    ada.store(&batch);
    eventually("an object", || written(&app) == 1 && queue(&app).batches == 0);
    let folder = app.folder.path().join("archive/waw-blink-data");
    let paths = files(&folder);
    assert_eq!(paths.len(), 1, "{paths:?}");
    let (path, bytes) = (paths[0].to_string_lossy().into_owned(), std::fs::read(&paths[0]).unwrap());
    for personal in [&ada.id, &ada.email, &ada.device.to_string(), "blink_count", "2026-03-10"] {
        assert!(!holds(&bytes, personal) && !path.contains(personal), "{personal}");
    }
    assert!(path.contains("/2026-03/"), "{path}");
    assert!(bytes.len() < 60 * 100, "it is compressed: {}", bytes.len());
    let expected: Vec<_> = batch.iter().map(|minute| as_archived(minute, &ada)).collect();
    assert_eq!(opened(&app), expected);

    // Minutes that were stored already are not archived again; new ones are.
    assert_eq!(ada.sync(&batch).expect(200).json["duplicates"], 60);
    ada.store(&minutes("2026-03-10T11:00:00Z", 1, 3));
    eventually("a second object", || written(&app) == 2 && queue(&app).batches == 0);
    assert_eq!(opened(&app).len(), 61);
    let held = ada.get("/api/user/me/export").expect(200).json["archive"].clone();
    assert_eq!((&held["on"], &held["objects"], &held["minutes"]), (&json!(true), &json!(2), &json!(61)));
    assert_eq!((&held["oldest_minute"], &held["batches_waiting"]), (&json!("2026-03-10T09:00:00Z"), &json!(0)));
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn batches_of_one_person_are_gathered_and_people_never_mix(#[case] backend: Backend) {
    let app = start_with(backend, |home| {
        let mut config = config(ArchiveLocation::Folder(home.join("archive")));
        config.gather_ms = 60_000;
        config
    });
    let (ada, eve) = (app.user(), app.user());
    for n in 0..5 {
        ada.store(&minutes(&format!("2026-03-10T09:0{n}:00Z"), 1, n));
        eve.store(&minutes(&format!("2026-03-10T09:0{n}:00Z"), 1, n));
    }
    assert_eq!((queue(&app).batches, written(&app)), (10, 0), "the clock stands: nothing is due");
    app.set_time("2026-03-10T12:01:01Z");
    eventually("two objects", || written(&app) == 2 && queue(&app).batches == 0);
    assert!(objects(&app).iter().all(|object| object.records == 5));
    let keys: std::collections::HashSet<_> = objects(&app).iter().map(|object| object.key_id).collect();
    assert_eq!(keys.len(), 2, "each has a key of their own");
    assert_eq!(opened(&app).len(), 10);
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn erasure_destroys_the_key_and_removes_the_objects(#[case] backend: Backend) {
    let app = start(backend);
    let (ada, eve) = (app.user(), app.user());
    ada.store(&minutes("2026-03-10T09:00:00Z", 20, 3));
    eve.store(&minutes("2026-03-10T09:00:00Z", 20, 3));
    eventually("two objects", || written(&app) == 2 && queue(&app).batches == 0);
    let folder = app.folder.path().join("archive/waw-blink-data");
    let copies: Vec<Vec<u8>> = files(&folder).iter().map(|path| std::fs::read(path).unwrap()).collect();

    let receipt = erase(&ada).expect(200);
    let archived = store(&receipt, "archive");
    assert_eq!(
        archived,
        &json!({"store": "archive", "status": "done", "removed": {"keys": 1, "batches": 0, "objects": 1}})
    );
    assert_eq!(store(&receipt, "database")["removed"]["minutes"], 20);
    assert_eq!((written(&app), files(&folder).len()), (1, 1), "her object is gone, the other's is there");
    // Somebody kept copies of both objects: no key is left for hers.
    let mut conn = open::connect(&app.target).unwrap();
    let keys: Vec<bool> =
        copies.iter().map(|copy| archive::key(&mut conn, codec::key_id(copy).unwrap()).unwrap().is_some()).collect();
    assert_eq!(keys.iter().filter(|there| **there).count(), 1);
    assert_eq!(opened(&app).len(), 20, "eve's opens");

    // Whoever has the receipt's id can look at it later. It names no person.
    let id = receipt.json["receipt_id"].as_str().unwrap();
    let again = app.anonymous().get(&format!("/api/erasures/{id}")).expect(200);
    assert_eq!(again.json["stores"], receipt.json["stores"]);
    assert!(!again.text.contains(&ada.id));
    for nothing in ["00000000-0000-4000-8000-000000000000", "x"] {
        assert_eq!(app.anonymous().get(&format!("/api/erasures/{nothing}")).expect(404).code(), "not_found");
    }
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn what_waits_is_erased_with_the_person_and_never_archived(#[case] backend: Backend) {
    let app = start_with(backend, |home| {
        let mut config = config(ArchiveLocation::Folder(home.join("archive")));
        config.gather_ms = 60_000;
        config
    });
    let (ada, eve) = (app.user(), app.user());
    for n in 0..3 {
        ada.store(&minutes(&format!("2026-03-10T09:0{n}:00Z"), 1, n));
    }
    eve.store(&minutes("2026-03-10T09:00:00Z", 1, 3));
    let receipt = erase(&ada).expect(200);
    assert_eq!(store(&receipt, "archive")["removed"], json!({"keys": 1, "batches": 3, "objects": 0}));
    assert_eq!(store(&receipt, "archive")["status"], "done");
    assert_eq!(queue(&app).batches, 1);
    app.set_time("2026-03-10T12:01:01Z");
    eventually("eve's object", || written(&app) == 1);
    assert!(opened(&app).iter().all(|line| line["user_id"] == eve.id.as_str()));
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn a_key_that_another_replica_destroyed_is_made_anew(#[case] backend: Backend) {
    let app = start(backend);
    let ada = app.user();
    ada.store(&minutes("2026-03-10T09:00:00Z", 1, 3));
    eventually("an object", || written(&app) == 1 && queue(&app).batches == 0);
    // As `earlier_minutes: remove` does, of which this server's cache knows nothing.
    let mut conn = open::connect(&app.target).unwrap();
    conn.batch_execute("DELETE FROM archive_objects; DELETE FROM archive_keys").unwrap();
    ada.store(&minutes("2026-03-10T10:00:00Z", 2, 3));
    eventually("an object", || written(&app) == 1 && queue(&app).batches == 0);
    assert_eq!(objects(&app)[0].records, 2);
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn without_an_archive_nothing_changes_and_the_receipt_is_of_the_database(#[case] backend: Backend) {
    let app = TestApp::start(backend);
    let ada = app.user();
    ada.store(&minutes("2026-03-10T09:00:00Z", 5, 3));
    assert_eq!(queue(&app).batches, 0);
    assert_eq!(ada.get("/api/user/me/export").expect(200).json["archive"]["on"], false);
    let receipt = erase(&ada).expect(200);
    assert_eq!(receipt.json["stores"].as_array().unwrap().len(), 1);
    let id = receipt.json["receipt_id"].as_str().unwrap();
    assert_eq!(app.anonymous().get(&format!("/api/erasures/{id}")).expect(200).json["stores"], receipt.json["stores"]);
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn an_archive_that_was_turned_off_is_said_to_be_pending(#[case] backend: Backend) {
    let mut app = start(backend);
    let ada = app.user();
    ada.store(&minutes("2026-03-10T09:00:00Z", 5, 3));
    eventually("an object", || written(&app) == 1 && queue(&app).batches == 0);
    let archive = app.archive.take();
    app.restart();
    let ada = Client { base: app.address.clone(), ..ada };
    let receipt = erase(&ada).expect(200);
    let expected = json!({
        "store": "archive", "status": "pending", "objects_pending": 1,
        "removed": {"keys": 1, "batches": 0, "objects": 1},
    });
    assert_eq!(store(&receipt, "archive"), &expected);
    // When the archive is turned on again, the object is removed.
    app.archive = archive;
    app.restart();
    let path = format!("/api/erasures/{}", receipt.json["receipt_id"].as_str().unwrap());
    let nobody = app.anonymous();
    eventually("done", || store(&nobody.get(&path).expect(200), "archive")["status"] == "done");
    assert!(files(&app.folder.path().join("archive/waw-blink-data")).is_empty());
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn what_is_past_retention_leaves_the_archive_too(#[case] backend: Backend) {
    let app = start(backend);
    let ada = app.user();
    ada.store(&minutes("2026-03-01T09:00:00Z", 5, 3));
    eventually("one", || written(&app) == 1);
    ada.store(&minutes("2026-03-09T09:00:00Z", 5, 3));
    eventually("two", || written(&app) == 2);
    let mut conn = open::connect(&app.target).unwrap();
    let run = |conn: &mut _| cloud_api::db::purge::run(conn, at("2026-03-05T00:00:00Z"), at(NOW)).unwrap();
    assert_eq!(run(&mut conn).objects, 1);
    assert_eq!(run(&mut conn).objects, 0);
    let folder = app.folder.path().join("archive/waw-blink-data");
    eventually("one is gone", || files(&folder).len() == 1 && queue(&app).removals == 0);
    assert!(opened(&app).iter().all(|line| line["from_timestamp"].as_str().unwrap().starts_with("2026-03-09")));
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn two_replicas_archive_each_minute_once(#[case] backend: Backend) {
    let one = start(backend);
    let two = replica(&one);
    let people: Vec<Client> = (0..4).map(|_| one.user()).collect();
    std::thread::scope(|scope| {
        for (n, person) in people.iter().enumerate() {
            let there = Client { base: if n % 2 == 0 { &one } else { &two }.address.clone(), ..person.clone() };
            scope.spawn(move || {
                for hour in 0..8 {
                    there.store(&minutes(&format!("2026-03-10T0{hour}:00:00Z"), 10, 1));
                }
            });
        }
    });
    eventually("an empty queue", || queue(&one).batches == 0 && objects(&one).iter().all(|object| object.written));
    let times = times_archived(&one);
    assert_eq!(times.len(), 4 * 8 * 10);
    assert!(times.values().all(|count| *count == 1));
    assert_eq!(
        files(&one.folder.path().join("archive/waw-blink-data")).len(),
        written(&one),
        "and no object is unknown"
    );
}

/// A replica crashed while it had a lease, an object registered, and the object already in the store.
#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn what_a_dead_replica_left_behind_is_taken_over(#[case] backend: Backend) {
    let mut app = start(backend);
    let archive = app.archive.take();
    app.restart();
    let ada = app.user();
    app.archive = archive;
    // Her batch stays queued, because the server is stopped before it is due.
    let mut conn = open::connect(&app.target).unwrap();
    app.archive.as_mut().unwrap().gather_ms = 60_000;
    app.restart();
    let ada = Client { base: app.address.clone(), ..ada };
    ada.store(&minutes("2026-03-10T09:00:00Z", 5, 3));
    app.stop();
    let key = archive::key_of(&mut conn, ada.id.parse().unwrap()).unwrap().unwrap();
    let name = format!("{}/2026-03/left-behind", key.id.0);
    assert!(archive::lease(&mut conn, key.id, at(NOW), at("2026-03-10T12:00:30Z")).unwrap());
    let left = ObjectRow {
        id: Id::fresh(),
        key_id: key.id,
        bucket: Bucket::Data.as_str().to_owned(),
        name: name.clone(),
        created_at: at(NOW),
        oldest_at: at(NOW),
        records: 5,
        bytes: 3,
        written: false,
    };
    archive::register(&mut conn, &left).unwrap();
    let path = app.folder.path().join("archive/waw-blink-data").join(&name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "abc").unwrap();

    app.archive.as_mut().unwrap().gather_ms = 0;
    app.restart();
    // While the lease lasts nothing is touched; then the batch is archived anew and the old object removed.
    let eve = app.user();
    eve.store(&minutes("2026-03-10T09:00:00Z", 5, 3));
    eventually("eve's object", || written(&app) == 1);
    assert!(path.exists() && queue(&app).batches == 1);
    app.set_time("2026-03-10T12:00:31Z");
    eventually("ada's object", || written(&app) == 2 && queue(&app).batches == 0);
    app.set_time("2026-03-10T12:02:00Z");
    eventually("what was left is gone", || !path.exists() && queue(&app).removals == 0);
    assert!(times_archived(&app).values().all(|count| *count == 1));
}

/// An object of the log whose server crashed while writing it. No later lease leads to it.
#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn what_was_never_finished_is_cleared_up(#[case] backend: Backend) {
    let mut app = start(backend);
    let ada = app.user();
    ada.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
    eventually("an object", || written(&app) == 1 && queue(&app).batches == 0);
    app.stop();
    let mut conn = open::connect(&app.target).unwrap();
    let key = archive::key_of(&mut conn, ada.id.parse().unwrap()).unwrap().unwrap();
    let object = |name: &str, created_at| ObjectRow {
        id: Id::fresh(),
        key_id: key.id,
        bucket: Bucket::Logs.as_str().to_owned(),
        name: name.to_owned(),
        created_at,
        oldest_at: created_at,
        records: 1,
        bytes: 1,
        written: false,
    };
    archive::register(&mut conn, &object("old", at("2026-03-10T11:57:00Z"))).unwrap();
    archive::register(&mut conn, &object("young", at("2026-03-10T11:59:00Z"))).unwrap();
    app.restart();
    let unfinished = || -> Vec<String> {
        objects(&app).into_iter().filter(|object| !object.written).map(|object| object.name).collect()
    };
    eventually("the old one goes", || unfinished() == ["young"] && queue(&app).removals == 1);
    app.set_time("2026-03-10T12:01:30Z");
    eventually("both are gone", || unfinished().is_empty());
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn a_full_queue_stops_no_upload(#[case] backend: Backend) {
    let app = start_with(backend, |home| {
        let mut config = config(ArchiveLocation::Folder(home.join("archive")));
        config.queue_max_bytes = 0;
        config
    });
    let ada = app.user();
    let mut n = 0;
    // The job measures the queue when it starts.
    eventually("a batch that is not queued", || {
        ada.store(&minutes(&format!("2026-03-10T{:02}:{:02}:00Z", n / 60, n % 60), 1, 1));
        n += 1;
        app.anonymous().get("/metrics").text.contains("archive_batches_skipped_total")
    });
    assert_eq!(ada.totals().0, n, "every one of them is in the database");
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn a_key_that_does_not_open_stops_no_upload(#[case] backend: Backend) {
    let one = start_with(backend, |home| {
        let mut config = config(ArchiveLocation::Folder(home.join("archive")));
        config.gather_ms = 60_000;
        config
    });
    // The replica has not read the person's key before it was damaged.
    let two = replica(&one);
    let ada = one.user();
    ada.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
    let mut conn = open::connect(&one.target).unwrap();
    let key = archive::key_of(&mut conn, ada.id.parse().unwrap()).unwrap().unwrap();
    archive::reseal_key(&mut conn, key.id, b"damaged".to_vec()).unwrap();
    let there = Client { base: two.address.clone(), ..ada };
    there.store(&minutes("2026-03-10T10:00:00Z", 1, 1));
    assert_eq!((there.totals().0, queue(&one).batches), (2, 1), "stored, and not archived");
    assert!(there.get("/metrics").text.contains("archive_failures_total{what=\"queue\"}"));
}

#[test]
fn another_master_key_is_said_at_the_start() {
    let app = start(Backend::Sqlite);
    let ada = app.user();
    ada.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
    eventually("an object", || written(&app) == 1);
    let other = app.folder.path().join("other");
    std::fs::write(&other, [8; 32]).unwrap();
    let mut command = crate::process::program(app.folder.path());
    let url = format!("sqlite:{}", app.folder.path().join("server.db").display());
    command.env("DATABASE_URL", url).env("CLOUD_API_MASTER_KEY_FILE", other).env("CLOUD_API_ARCHIVE", "folder");
    let output = command.args(["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(
        said.contains("a key of the archive cannot be opened") && said.contains("CLOUD_API_MASTER_KEY_FILE"),
        "{said}"
    );
}
