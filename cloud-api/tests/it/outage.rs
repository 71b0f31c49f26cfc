//! Databases that are busy, read-only, gone, replaced, or do not answer.

use std::{
    fs, io,
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use cloud_api::{
    config::{AccessConfig, Target},
    db::{Db, DbError, conn::Conn, purge, transaction},
    open,
};
use diesel::{QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _, sql_query, sql_types::Integer};
use serde_json::json;

use crate::{archive_kit::eventually, harness::*, postgres::Database};

#[test]
fn a_row_that_somebody_holds_is_503() {
    let app = TestApp::start(Backend::Postgres);
    let ada = app.user();
    let mut other = open::connect(&app.target).unwrap();
    other.batch_execute(&format!("BEGIN; SELECT 1 FROM users WHERE id = '{}' FOR UPDATE", ada.id)).unwrap();
    let batch = minutes("2026-03-10T09:00:00Z", 1, 1);
    assert_eq!(ada.sync(&batch).expect(503).code(), "unavailable");
    other.batch_execute("ROLLBACK").unwrap();
    ada.store(&batch);
}

#[test]
fn a_read_only_database_is_said_and_left_behind() {
    let app = TestApp::start(Backend::Postgres);
    let ada = app.user();
    let database = app.postgres.as_ref().unwrap();
    database.set_read_only(true);
    database.throw_out();
    let batch = |n: usize| minutes(&format!("2026-03-10T09:{n:02}:00Z"), 1, 1);
    for n in 0..8 {
        assert_eq!(ada.sync(&batch(n)).expect(503).code(), "unavailable");
    }
    let health = app.anonymous().get("/healthz").expect(503);
    assert!(health.json["error"]["message"].as_str().unwrap().contains("takes no writes"), "{health:?}");
    assert_eq!(ada.totals().0, 0, "reading goes on");
    // No connection from the read-only time stays in the pool.
    database.set_read_only(false);
    for n in 0..8 {
        eventually("a write is taken", || ada.sync(&batch(n)).status == 200);
    }
    for n in 10..20 {
        ada.store(&batch(n));
    }
    app.anonymous().get("/healthz").expect(200);
}

#[test]
fn an_old_minute_and_retention_let_others_go_on_while_somebody_reads() {
    let mut app = TestApp::start(Backend::Postgres);
    // Eve uploads without a rate limit.
    app.set_access(AccessConfig { rate_limit: false, ..AccessConfig::default() });
    let (ada, eve) = (app.user(), app.user());
    ada.store(&minutes("2026-01-10T09:00:00Z", 3, 1));
    // This reader holds a snapshot, as a backup does.
    let mut reader = open::connect(&app.target).unwrap();
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT count(*) FROM blink_data").unwrap();
    let started = Instant::now();
    ada.store(&minutes("2025-08-10T09:00:00Z", 1, 1));
    eve.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let target = app.target.clone();
    let purging = thread::spawn(move || {
        let mut conn = open::connect(&target).unwrap();
        purge::run(&mut conn, at("2026-02-10T00:00:00Z"), at(NOW))
    });
    let mut slowest = Duration::ZERO;
    let mut n = 0;
    while !purging.is_finished() {
        let started = Instant::now();
        eve.sync(&minutes(&format!("2026-03-10T{:02}:{:02}:00Z", n / 60, n % 60), 1, 1)).expect(200);
        slowest = slowest.max(started.elapsed());
        n = (n + 1) % 500;
    }
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
    assert!(purging.join().unwrap().is_err(), "it cannot end while somebody reads");
    reader.batch_execute("COMMIT").unwrap();
    let mut conn = open::connect(&app.target).unwrap();
    let purged = purge::run(&mut conn, at("2026-02-10T00:00:00Z"), at(NOW)).unwrap();
    assert!(purged.months >= 2, "{purged:?}");
    assert_eq!(ada.totals().0, 0);
    // Minutes of a deleted month can be uploaded again.
    ada.store(&minutes("2026-01-10T09:00:00Z", 3, 1));
}

#[test]
fn files_that_are_removed_or_replaced_are_no_database_any_more() {
    for replaced in [false, true] {
        let app = TestApp::start(Backend::Sqlite);
        let ada = app.user();
        ada.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
        let path = app.folder.path().join("server.db");
        fs::rename(&path, app.folder.path().join("away.db")).unwrap();
        if replaced {
            fs::copy(app.folder.path().join("away.db"), &path).unwrap();
        }
        assert_eq!(ada.sync(&minutes("2026-03-10T09:01:00Z", 1, 1)).expect(503).code(), "unavailable");
        app.anonymous().post("/api/auth/register", &registration("x@example.org", "UTC")).expect(503);
        app.anonymous().get("/healthz").expect(503);
        // The file is put back, and the server works again.
        fs::rename(app.folder.path().join("away.db"), &path).unwrap();
        ada.store(&minutes("2026-03-10T09:01:00Z", 1, 1));
    }
}

#[test]
fn an_erased_person_leaves_the_log_when_the_last_reader_has_gone() {
    let app = TestApp::start(Backend::Sqlite);
    let (ada, eve) = (app.user(), app.user());
    ada.store(&minutes("2026-03-10T09:00:00Z", 20, 3));
    let mut reader = open::connect(&app.target).unwrap();
    reader.batch_execute("BEGIN; SELECT count(*) FROM users").unwrap();
    let started = Instant::now();
    let headers = [("content-type", "application/json")];
    let body = json!({"password": PASSWORD}).to_string();
    let receipt = ada.send("DELETE", "/api/user/me", &headers, Some(body.as_bytes())).expect(200).json;
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(receipt["stores"][0]["status"], "pending", "{receipt}");
    let started = Instant::now();
    eve.store(&minutes("2026-03-10T09:00:00Z", 1, 1));
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    let holds = || {
        let log = fs::read(app.folder.path().join("server.db-wal")).unwrap();
        log.windows(ada.email.len()).any(|window| window == ada.email.as_bytes())
    };
    assert!(holds());
    reader.batch_execute("COMMIT").unwrap();
    let look = format!("/api/erasures/{}", receipt["receipt_id"].as_str().unwrap());
    eventually("the receipt says done", || {
        app.anonymous().get(&look).expect(200).json["stores"][0]["status"] == "done"
    });
    assert!(!holds());
}

#[test]
fn retention_goes_in_steps_that_let_others_in() {
    let app = TestApp::start(Backend::Sqlite);
    let ada = app.user();
    for day in 1..=2 {
        ada.store(&minutes(&format!("2026-03-0{}T00:00:00Z", day * 3), 4_000, 1));
    }
    let mut conn = open::connect(&app.target).unwrap();
    let steps: Vec<usize> = std::iter::from_fn(|| {
        let step = |conn: &mut Conn| purge::minutes_step(conn, at("2026-03-10T00:00:00Z"));
        Some(transaction(&mut conn, step).unwrap()).filter(|removed| *removed > 0)
    })
    .collect();
    assert_eq!(steps, [5_000, 3_000]);
}

/// A proxy to a database. It can swallow everything on its present connections for ever while new ones work, like a
/// failover without a reset.
struct Proxy {
    folder: tempfile::TempDir,
    pairs: Arc<Mutex<Vec<Pair>>>,
}

/// A proxied connection. It is kept open, as a dead peer's is.
struct Pair {
    swallows: Arc<AtomicBool>,
    _ends: [UnixStream; 2],
}

impl Proxy {
    fn start(to: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let pairs: Arc<Mutex<Vec<Pair>>> = Arc::default();
        let (to, known) = (to.join(".s.PGSQL.5432"), pairs.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = UnixStream::connect(&to) else { continue };
                let swallows = Arc::new(AtomicBool::new(false));
                let ends = [client.try_clone().unwrap(), server.try_clone().unwrap()];
                known.lock().unwrap().push(Pair { swallows: swallows.clone(), _ends: ends });
                for (from, into) in [(&client, &server), (&server, &client)] {
                    let (from, into) = (from.try_clone().unwrap(), into.try_clone().unwrap());
                    let swallows = swallows.clone();
                    thread::spawn(move || pump(from, into, &swallows));
                }
            }
        });
        Self { folder, pairs }
    }

    fn swallow(&self) {
        self.pairs.lock().unwrap().iter().for_each(|pair| pair.swallows.store(true, Ordering::SeqCst));
    }
}

fn pump(mut from: UnixStream, mut into: UnixStream, swallows: &AtomicBool) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = io::Read::read(&mut from, &mut buffer).unwrap_or(0);
        // Everything is dropped, including the end of the stream.
        if swallows.load(Ordering::SeqCst) {
            if read == 0 {
                return;
            }
            continue;
        }
        if read == 0 || io::Write::write_all(&mut into, &buffer[..read]).is_err() {
            let _ = into.shutdown(std::net::Shutdown::Both);
            return;
        }
    }
}

#[derive(QueryableByName)]
struct One {
    #[diesel(sql_type = Integer)]
    n: i32,
}

#[test]
fn connections_that_a_failover_left_dead_are_given_up() {
    let database = Database::create();
    let proxy = Proxy::start(database.folder());
    let url = format!("postgres://postgres@/{}?host={}", database.name(), proxy.folder.path().display());
    let target: Target = url.parse().unwrap();
    actix_web::rt::System::new().block_on(async {
        let db = Db::new(&target, 2).with_work_limit(Duration::from_secs(2));
        assert_eq!(slept(&db, 0.0).await.unwrap(), 1);
        // One is in use when the failover comes, and one is idle.
        let in_use = actix_web::rt::spawn({
            let db = db.clone();
            async move { slept(&db, 60.0).await }
        });
        sleeping(&database, 1).await;
        assert_eq!(slept(&db, 0.0).await.unwrap(), 1);
        proxy.swallow();
        let started = Instant::now();
        // New connections through the same proxy work.
        while slept(&db, 0.0).await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "it does not come back");
        }
        let overdue = in_use.await.unwrap();
        assert!(matches!(overdue, Err(DbError::Overdue)), "{overdue:?}");
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    });
}

/// A query that takes this many seconds.
async fn slept(db: &Db, seconds: f32) -> Result<i32, DbError> {
    db.read(move |conn| {
        let query = format!("SELECT 1 AS n FROM pg_sleep({seconds})");
        Ok(sql_query(query).get_result::<One>(conn)?.n)
    })
    .await
}

async fn sleeping(database: &Database, queries: i64) {
    let started = Instant::now();
    while database.sleepers() != queries {
        assert!(started.elapsed() < Duration::from_secs(30), "not {queries} queries");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

#[test]
fn a_slow_query_is_cut_alone() {
    let database = Database::create();
    actix_web::rt::System::new().block_on(async {
        let db = Db::new(&database.target(), 2).with_work_limit(Duration::from_secs(6));
        let run = |seconds: f32| {
            let db = db.clone();
            actix_web::rt::spawn(async move { slept(&db, seconds).await })
        };
        let (slow, first) = (run(60.0), run(4.0));
        sleeping(&database, 2).await;
        // It waits for a connection for so long that its whole work takes more than the limit.
        let innocent = run(4.0);
        assert_eq!(first.await.unwrap().unwrap(), 1);
        let cut = slow.await.unwrap();
        assert!(matches!(cut, Err(DbError::Overdue)), "{cut:?}");
        assert_eq!(innocent.await.unwrap().unwrap(), 1);
        assert_eq!(slept(&db, 0.0).await.unwrap(), 1);
    });
}

#[test]
fn a_database_that_takes_connections_and_says_nothing_holds_nobody() {
    let folder = tempfile::tempdir().unwrap();
    // The kernel accepts the connection, and nothing answers it.
    let _silent = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
    let target: Target = format!("postgres://postgres@/x?host={}", folder.path().display()).parse().unwrap();
    let started = Instant::now();
    assert!(open::connect(&target).is_err());
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}
