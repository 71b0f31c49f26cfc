//! The archive's job, step by step, while something happens during each write to its store.

use std::{
    collections::VecDeque,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use cloud_api::{
    archive::{
        logs,
        spool::{AT_ONCE, Spool, SpoolWriter},
        worker,
    },
    clock::Clock,
    db::{
        Db,
        archive::{self, QueuedRow},
        archive_removals,
        conn::Conn,
    },
    open,
};
use rstest::rstest;
use serde_json::json;

use crate::{archive_kit::*, harness::*, mock::Mock};

/// A server whose store answers a write with the status of `put`. The server's own job finds nothing due.
fn on_store(backend: Backend, put: impl Fn(&str) -> u16 + Send + Sync + 'static) -> TestApp {
    let store = Mock::start(move |_, request| {
        let name = request.path.splitn(3, '/').nth(2).unwrap_or("");
        (if request.path.starts_with("/waw-") { put(name) } else { 404 }, String::new())
    });
    start_with(backend, |_| {
        let mut config = config(s3(&store.address));
        config.gather_ms = 60_000;
        config
    })
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    actix_web::rt::System::new().block_on(work)
}

/// A spool with this many closed files of one line each.
fn spooled(folder: &Path, files: usize) -> Arc<Spool> {
    let spool = Arc::new(Spool::new(folder).unwrap());
    for n in 0..files {
        SpoolWriter(spool.clone()).write_all(format!("{{\"n\":{n}}}\n").as_bytes()).unwrap();
        spool.close_older(Duration::ZERO);
    }
    spool
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn lines_of_an_object_that_was_given_up_meanwhile_are_archived_anew(#[case] backend: Backend) {
    let (target, others) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(1)));
    let (seen, left) = (target.clone(), others.clone());
    let app = on_store(backend, move |_| {
        let (mut left, target) = (left.lock().unwrap(), seen.lock().unwrap().clone().unwrap());
        if *left > 0 {
            *left -= 1;
            // Another replica considers the object abandoned.
            let mut conn = open::connect(&target).unwrap();
            assert_eq!(archive_removals::clear_up(&mut conn, at("2026-03-10T12:10:00Z"), at(NOW)).unwrap(), 1);
        }
        200
    });
    *target.lock().unwrap() = Some(app.target.clone());
    let (archive, db, spool) = (archive_of(&app), Db::new(&app.target, 2), spooled(&app.folder.path().join("s"), 1));
    let pass = || wait(logs::archive_closed(&archive, &db, &spool, &Clock::manual(at(NOW)))).unwrap();
    assert_eq!((pass(), written(&app), spool.closed().unwrap().len()), (0, 0, 1), "the only copy is the file");
    assert_eq!((pass(), written(&app), spool.closed().unwrap().len()), (1, 1, 0));
}

/// Each write takes five minutes by the clock; the third one fails.
#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn leases_and_removals_of_a_long_pass_begin_when_they_begin(#[case] backend: Backend) {
    let clock = Clock::manual(at("2026-03-10T12:05:00Z"));
    let (target, times) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(Vec::new())));
    let (seen, log, moved) = (target.clone(), times.clone(), clock.clone());
    let app = on_store(backend, move |name| {
        let (target, mut log, now) = (seen.lock().unwrap().clone().unwrap(), log.lock().unwrap(), moved.now());
        let mut conn = open::connect(&target).unwrap();
        let object = archive::object(&mut conn, name).unwrap().unwrap();
        let key = archive::key(&mut conn, object.key_id).unwrap().unwrap();
        log.push((now.0 - object.created_at.0, key.leased_until.0 - now.0));
        moved.set(now.plus(5 * 60_000));
        if log.len() == 3 { 403 } else { 200 }
    });
    *target.lock().unwrap() = Some(app.target.clone());
    let people: Vec<Client> = (0..3).map(|_| app.user()).collect();
    for person in &people {
        person.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
    }
    let (archive, db) = (archive_of(&app), Db::new(&app.target, 2));
    assert!(matches!(wait(worker::gather(&archive, &db, &clock)), Err(worker::WorkError::Store(_))));
    assert_eq!(*times.lock().unwrap(), [(0, 30_000); 3]);
    let due = |now, conn: &mut Conn| archive_removals::take_due(conn, None, now, 0, 10).unwrap().len();
    let mut conn = open::connect(&app.target).unwrap();
    let settled = clock.now().plus(archive_removals::SETTLE_MS);
    assert_eq!((due(settled.plus(-1), &mut conn), due(settled, &mut conn)), (0, 1), "it may still arrive");

    // The log's files: a replica that looks while one is being written does not consider it abandoned.
    let spool = spooled(&app.folder.path().join("s"), 2);
    times.lock().unwrap().clear();
    assert_eq!(wait(logs::archive_closed(&archive, &db, &spool, &clock)).unwrap(), 2);
    assert!(times.lock().unwrap().iter().all(|(age, _)| *age == 0), "{times:?}");
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn the_job_leaves_an_erasures_objects_to_the_request(#[case] backend: Backend) {
    let app = start(backend);
    let people: Vec<Client> = (0..8).map(|_| app.user()).collect();
    for person in &people {
        person.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
    }
    eventually("eight objects", || written(&app) == 8 && queue(&app).batches == 0);
    let erased = std::sync::atomic::AtomicBool::new(false);
    let taken = std::thread::scope(|scope| {
        // It looks for due removals as the job of another replica does, all the time.
        let job = scope.spawn(|| {
            let (mut conn, mut taken) = (open::connect(&app.target).unwrap(), Vec::new());
            while !erased.load(std::sync::atomic::Ordering::Relaxed) {
                taken.extend(archive_removals::take_due(&mut conn, None, at(NOW), 0, 10).unwrap());
            }
            taken
        });
        for person in &people {
            assert_eq!(store(&erase(person).expect(200), "archive")["status"], "done");
        }
        erased.store(true, std::sync::atomic::Ordering::Relaxed);
        job.join().unwrap()
    });
    assert!(taken.is_empty(), "{taken:?}");
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn an_erasure_is_not_done_before_what_was_to_go_already_is_gone(#[case] backend: Backend) {
    let answers = Mutex::new(vec![403, 200, 403]);
    let app = on_store(backend, move |_| answers.lock().unwrap().pop().unwrap());
    let (ada, eve) = (app.user(), app.user());
    let clock = Clock::manual(at("2026-03-10T12:05:00Z"));
    let (archive, db) = (archive_of(&app), Db::new(&app.target, 2));
    let pass = || wait(worker::gather(&archive, &db, &clock));
    eve.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
    // A refused write may have reached the store all the same.
    assert!(pass().is_err());
    assert_eq!(pass().unwrap(), 1);
    ada.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
    assert!(pass().is_err());
    assert_eq!(queue(&app).removals, 2);
    let receipt = erase(&ada).expect(200);
    let expected = json!({
        "store": "archive", "status": "pending", "objects_pending": 1,
        "removed": {"keys": 1, "batches": 1, "objects": 1},
    });
    assert_eq!(store(&receipt, "archive"), &expected);
    let mut conn = open::connect(&app.target).unwrap();
    for row in archive_removals::take_due(&mut conn, None, at("2026-03-10T12:30:00Z"), 0, 10).unwrap() {
        archive_removals::done(&mut conn, row.id).unwrap();
    }
    let path = format!("/api/erasures/{}", receipt.json["receipt_id"].as_str().unwrap());
    assert_eq!(store(&app.anonymous().get(&path).expect(200), "archive")["status"], "done");
}

#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn nothing_waits_for_a_clock_that_was_put_back(#[case] backend: Backend) {
    let mut app = on_store(backend, |_| 200);
    app.set_time("2026-04-09T12:00:00Z");
    let ada = app.user();
    ada.store(&minutes("2026-04-09T09:00:00Z", 1, 1));
    app.stop();
    let mut conn = open::connect(&app.target).unwrap();
    let key = archive::key_of(&mut conn, ada.id.parse().unwrap()).unwrap().unwrap().id;
    let ahead = at("2026-04-09T12:00:00Z");
    assert!(archive::lease(&mut conn, key, ahead, ahead.plus(30_000)).unwrap());
    // By the right clock the lease is over and the batch is due.
    let right = Clock::manual(at(NOW));
    let (archive, db) = (archive_of(&app), Db::new(&app.target, 2));
    assert_eq!(wait(worker::gather(&archive, &db, &right)).unwrap(), 1);
    // A removal that was put off is due too; one that waits for less than an hour goes on waiting.
    let due = |conn: &mut Conn| archive_removals::take_due(conn, None, at(NOW), 0, 10).unwrap();
    archive_removals::give_up(&mut conn, objects(&app), None, at(NOW)).unwrap();
    let removal = due(&mut conn).remove(0);
    for (put_off, expected) in [(ahead, 1), (at(NOW).plus(3_600_000), 0), (at(NOW).plus(3_600_001), 1)] {
        archive_removals::failed(&mut conn, &removal, put_off).unwrap();
        assert_eq!(due(&mut conn).len(), expected, "{put_off:?}");
    }
}

/// The batches that a person sent while the store was away are not all read into memory at once.
#[rstest]
#[case(Backend::Sqlite)]
#[case(Backend::Postgres)]
fn no_more_is_read_of_a_queue_than_an_object_takes(#[case] backend: Backend) {
    let app = on_store(backend, |_| 403);
    let ada = app.user();
    // One batch for each of 510 minutes, which differ by their times.
    for n in 0..510 {
        ada.store(&minutes(&format!("2026-03-10T{:02}:{:02}:00Z", n / 60, n % 60), 1, 1));
    }
    let mut conn = open::connect(&app.target).unwrap();
    let key = archive::key_of(&mut conn, ada.id.parse().unwrap()).unwrap().unwrap().id;
    let mut read = |limit, enough| -> Vec<QueuedRow> { archive::queued(&mut conn, key, limit, enough).unwrap() };
    let all = read(1_000, i64::MAX);
    let ids = |rows: &[QueuedRow]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert!(all.len() == 510 && all.is_sorted_by_key(|row| (row.queued_at, row.id)));
    for wanted in [1, 7, 509] {
        let bytes: i64 = all[..wanted].iter().map(|row| i64::from(row.bytes)).sum();
        assert_eq!(ids(&read(1_000, bytes)), ids(&all[..wanted]));
        assert_eq!(ids(&read(1_000, bytes + 1)), ids(&all[..=wanted]), "what begins below the bound is in it");
    }
    assert_eq!(ids(&read(5, i64::MAX)), ids(&all[..5]));
}

#[test]
fn after_a_long_outage_all_of_the_log_is_archived_in_one_pass() {
    let app = start(Backend::Sqlite);
    let (archive, db) = (archive_of(&app), Db::new(&app.target, 2));
    let spool = spooled(&app.folder.path().join("s"), 2 * AT_ONCE + 1);
    let clock = Clock::manual(at(NOW));
    assert_eq!(wait(logs::archive_closed(&archive, &db, &spool, &clock)).unwrap(), 2 * AT_ONCE + 1);
    assert!(spool.closed().unwrap().is_empty());
}

#[test]
fn a_log_file_that_cannot_be_deleted_waits_for_the_next_pass() {
    let folder = Arc::new(Mutex::new(None::<PathBuf>));
    let seen = folder.clone();
    let app = on_store(Backend::Sqlite, move |_| {
        let folder = seen.lock().unwrap().clone().unwrap();
        for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            // A folder in place of the file makes deleting it fail.
            fs::remove_file(&file).unwrap();
            fs::create_dir(file).unwrap();
        }
        200
    });
    let home = app.folder.path().join("s");
    *folder.lock().unwrap() = Some(home.clone());
    let (archive, db, spool) = (archive_of(&app), Db::new(&app.target, 2), spooled(&home, 1));
    assert_eq!(wait(logs::archive_closed(&archive, &db, &spool, &Clock::manual(at(NOW)))).unwrap(), 0);
    assert_eq!(written(&app), 1, "none is lost");
}

/// Fifty people, as many as are read at once, who each upload more while their queue is archived.
#[test]
fn a_pass_ends_though_more_is_queued_while_it_lasts() {
    let clock = Clock::manual(at("2026-03-10T12:05:00Z"));
    let waiting = Arc::new(Mutex::new(VecDeque::<(Client, Clock)>::new()));
    let (left, moved) = (waiting.clone(), clock.clone());
    let app = on_store(Backend::Sqlite, move |_| {
        if let Some((person, theirs)) = left.lock().unwrap().pop_front() {
            // The step is small enough that no session expires.
            moved.set(moved.now().plus(10_000));
            theirs.set(moved.now());
            person.store(&minutes("2026-03-10T10:00:00Z", 1, 1));
        }
        200
    });
    for n in 0..50 {
        app.clock.set(at(NOW).plus(n * 1_000));
        let person = app.user();
        person.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
        waiting.lock().unwrap().push_back((person, app.clock.clone()));
    }
    let (archive, db) = (archive_of(&app), Db::new(&app.target, 2));
    assert_eq!(wait(worker::gather(&archive, &db, &clock)).unwrap(), 50);
    assert_eq!(queue(&app).batches, 50, "what came meanwhile waits for the next pass");
}

#[test]
fn a_store_that_takes_nothing_may_still_remove() {
    let store = Mock::start(|_, request| match request.method.as_str() {
        "DELETE" => (204, String::new()),
        _ => (403, String::new()),
    });
    let app = start_with(Backend::Sqlite, |_| config(s3(&store.address)));
    app.user().store(&minutes("2026-03-10T09:00:00Z", 1, 1));
    // Objects whose write was refused may have reached the store, so they are to be removed.
    eventually("a refused write", || queue(&app).removals > 0);
    app.set_time("2026-03-10T13:00:00Z");
    eventually("a removal", || store.seen.lock().unwrap().iter().any(|request| request.method == "DELETE"));
    assert_eq!(written(&app), 0);
}
