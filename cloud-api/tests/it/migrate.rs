//! Waiting for the migrations of another program, which holds the lock.

use std::time::Duration;

use cloud_api::{
    db::{conn::Conn, migrate},
    open,
};
use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _, sql_query,
    sql_types::Text,
};
use rustix::process::Signal;

use crate::{
    archive_kit::eventually,
    postgres::Database,
    process::{Running, program, serve},
};

const SAID: &str = "another program migrates this database; its end is waited for";

/// A connection that holds the lock.
fn other(database: &Database) -> PgConnection {
    let mut other = PgConnection::establish(&database.url()).unwrap();
    sql_query(format!("SELECT pg_advisory_lock({})", migrate::PG_LOCK)).execute(&mut other).unwrap();
    other
}

/// Whether somebody waits for the lock.
fn is_waited_for(other: &mut PgConnection) -> bool {
    let waiting = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    sql_query(waiting).execute(other).unwrap() > 0
}

#[derive(QueryableByName)]
struct Limit {
    #[diesel(sql_type = Text)]
    limit: String,
}

#[test]
fn a_replica_waits_for_anothers_migration() {
    let database = Database::create();
    let mut conn = open::connect(&database.target()).unwrap();
    let Conn::Postgres(inner) = &mut conn else { unreachable!() };
    inner.batch_execute("SET statement_timeout = '50ms'; SET lock_timeout = '50ms'").unwrap();
    std::thread::scope(|scope| {
        // Where something fails, its lock goes before the waiting thread is joined.
        let mut other = other(&database);
        let done = scope.spawn(|| migrate::run(&mut conn, &database.target()));
        eventually("the replica waits", || is_waited_for(&mut other));
        other.batch_execute("SELECT pg_sleep(0.2)").unwrap();
        drop(other);
        assert!(done.join().unwrap().unwrap() > 10);
    });
    let Conn::Postgres(inner) = &mut conn else { unreachable!() };
    let mut limit = |name| {
        let limit = format!("SELECT current_setting('{name}') AS limit");
        sql_query(limit).get_result::<Limit>(inner).unwrap().limit
    };
    assert_eq!([limit("statement_timeout"), limit("lock_timeout")], ["30s", "10s"]);
}

#[test]
fn it_stops_while_it_waits_for_anothers_migration() {
    let (home, database) = (tempfile::tempdir().unwrap(), Database::create());
    let mut other = other(&database);
    let mut command = serve(home.path());
    command.env("DATABASE_URL", database.url());
    let starting = Running::spawn(command);
    eventually("it waits", || is_waited_for(&mut other));
    // Without a handler the signal itself would end it, and a process 1 would live on.
    let (code, took, log) = starting.stop(Signal::TERM);
    assert!(code == Some(0) && took < Duration::from_secs(2) && log.contains(SAID), "{code:?} {took:?} {log}");
    eventually("nothing waits in its name", || !is_waited_for(&mut other));
}

#[test]
fn who_migrates_is_told_what_is_waited_for() {
    let (home, database) = (tempfile::tempdir().unwrap(), Database::create());
    let mut other = other(&database);
    let mut command = program(home.path());
    command.arg("migrate").env("DATABASE_URL", database.url());
    let waiting = Running::spawn(command);
    eventually("it waits", || is_waited_for(&mut other));
    let (_, _, said) = waiting.stop(Signal::TERM);
    assert_eq!(said, format!("cloud-api: {SAID}\n"));
}
