//! `schema.sql` equals what the migrations make, and the migrations can be undone.

use std::{process::Command, sync::Mutex};

use cloud_api::{
    db::{conn::Conn, migrate},
    open,
};
use diesel::{
    Connection as _, PgConnection, RunQueryDsl as _,
    connection::{Instrumentation, InstrumentationEvent, SimpleConnection as _, set_default_instrumentation},
    sql_query,
};
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};

use crate::{
    harness::*,
    postgres::{Database, bin},
};

#[derive(diesel::QueryableByName)]
struct Name {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

fn dump(database: &Database) -> String {
    let output = Command::new(bin().join("pg_dump"))
        .args(["--schema-only", "--no-owner", "--exclude-table=__diesel_schema_migrations", &database.url()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    // Lines that differ between dumps or program versions are left out.
    let kept = text.lines().filter(|line| !line.is_empty() && !line.starts_with("--") && !line.starts_with('\\'));
    kept.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_readable_schema_is_the_migrations() {
    let (by_hand, by_migrations) = (Database::create(), Database::create());
    by_hand.connect().batch_execute(include_str!("../../../schema.sql")).unwrap();
    let mut conn = open::connect(&by_migrations.target()).unwrap();
    migrate::run(&mut conn, &by_migrations.target()).unwrap();
    let (by_hand, by_migrations) = (dump(&by_hand), dump(&by_migrations));
    assert!(by_hand.contains("CREATE TABLE public.blink_data"), "{by_hand}");
    assert_eq!(by_hand, by_migrations);
}

#[test]
fn the_readable_schema_names_every_table() {
    let text = include_str!("../../../schema.sql");
    let head: String = text.lines().take_while(|line| line.starts_with("--")).collect();
    for table in text.lines().filter_map(|line| line.strip_prefix("CREATE TABLE ")) {
        let name = table.split_whitespace().next().unwrap();
        assert!(head.contains(&format!(" {name} ")), "{name} is not in the head of schema.sql");
    }
}

#[test]
fn minutes_begin_with_the_five_columns_of_the_plan() {
    let expected = ["id", "user_id", "blink_count", "from_timestamp", "to_timestamp"];
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let app = TestApp::start(backend);
        let mut conn = open::connect(&app.target).unwrap();
        let query = match backend {
            Backend::Sqlite => "SELECT name FROM pragma_table_info('blink_data') ORDER BY cid",
            Backend::Postgres => {
                "SELECT column_name::text AS name FROM information_schema.columns \
                 WHERE table_name = 'blink_data' ORDER BY ordinal_position"
            }
        };
        let columns: Vec<Name> = match &mut conn {
            Conn::Sqlite(conn) => sql_query(query).load(conn).unwrap(),
            Conn::Postgres(conn) => sql_query(query).load(conn).unwrap(),
        };
        assert_eq!(columns.iter().take(5).map(|c| c.name.as_str()).collect::<Vec<_>>(), expected);
    }
}

/// What Citus asks of a distributed table: the person is in each of its keys, and no foreign key leads to or from it.
#[test]
fn distributed_tables_have_the_person_in_every_key() {
    let database = Database::create();
    let mut conn = open::connect(&database.target()).unwrap();
    migrate::run(&mut conn, &database.target()).unwrap();
    let Conn::Postgres(conn) = &mut conn else { panic!("no PostgreSQL") };
    let script = include_str!("../../../packaging/citus.sql");
    let tables: Vec<&str> =
        script.split("create_distributed_table('").skip(1).map(|rest| rest.split('\'').next().unwrap()).collect();
    assert_eq!(tables, ["blink_data", "blink_rollups"]);
    for table in tables {
        let mut names = |query: &str| {
            let query = sql_query(query).bind::<diesel::sql_types::Text, _>(table);
            query.load::<Name>(conn).unwrap().into_iter().map(|row| row.name).collect::<Vec<_>>()
        };
        let keys = "FROM pg_index WHERE indisunique AND indrelid = $1::regclass";
        assert!(!names(&format!("SELECT indexrelid::regclass::text AS name {keys}")).is_empty(), "{table} has a key");
        let without = names(&format!(
            "SELECT indexrelid::regclass::text AS name {keys} AND NOT EXISTS (SELECT 1 FROM pg_attribute \
             WHERE attrelid = indrelid AND attname = 'user_id' AND attnum = ANY (indkey))"
        ));
        assert!(without.is_empty(), "{table}: {without:?}");
        let foreign = names(
            "SELECT conname::text AS name FROM pg_constraint \
             WHERE contype = 'f' AND $1::regclass IN (conrelid, confrelid)",
        );
        assert!(foreign.is_empty(), "{table}: {foreign:?}");
    }
}

/// The statements of every connection that this process has made, with what was bound; those that it prepared.
static STATEMENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static PREPARED: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn capture() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(|event: InstrumentationEvent<'_>| match event {
        InstrumentationEvent::StartQuery { query, .. } => STATEMENTS.lock().unwrap().push(query.to_string()),
        InstrumentationEvent::CacheQuery { sql, .. } => PREPARED.lock().unwrap().push(sql.to_owned()),
        _ => {}
    }))
}

/// What keeps a request on one worker of Citus: a statement about minutes or sums is about one person, and joins nothing
/// that is at the coordinator.
#[test]
fn no_statement_of_a_request_joins_or_writes_the_minutes_of_two_people() {
    set_default_instrumentation(capture).unwrap();
    let app = TestApp::start(Backend::Postgres);
    let people = [app.user(), app.user(), app.user()];
    STATEMENTS.lock().unwrap().clear();
    let all = minutes("2026-03-10T09:00:00Z", 120, 3);
    std::thread::scope(|scope| {
        for person in &people {
            scope.spawn(|| {
                for minute in &all[..20] {
                    person.store(std::slice::from_ref(minute));
                }
                person.store(&all[20..]);
                for group in ["minute", "hour", "day", "week"] {
                    person.blinks(&format!("group={group}&limit=100")).expect(200);
                }
                person.get("/api/user/me/insights").expect(200);
                person.get("/api/user/me/export").expect(200);
            });
        }
    });
    let statements = STATEMENTS.lock().unwrap().clone();
    let distributed = |text: &&String| text.contains("blink_data") || text.contains("blink_rollups");
    let of_minutes: Vec<_> = statements.iter().filter(distributed).collect();
    // Of each person: writing and summing 21 uploads and looking for room, and reading.
    assert!(of_minutes.len() > 3 * (3 * 21 + 6), "{} statements", of_minutes.len());
    for statement in of_minutes {
        let whose = people.iter().filter(|person| statement.contains(&person.id)).count();
        assert_eq!(whose, 1, "{statement}");
        let local = ["users", "sessions", "devices", "consents", "archive"];
        let words = statement.split(|c: char| !c.is_alphanumeric() && c != '_');
        assert_eq!(words.filter(|word| local.contains(word)).count(), 0, "{statement}");
    }
    let prepared = PREPARED.lock().unwrap();
    for hot in
        ["INSERT INTO blink_data ", "INSERT INTO blink_rollups ", "INSERT INTO devices ", "FROM blink_rollups WHERE"]
    {
        let times = prepared.iter().filter(|sql| sql.contains(hot)).count();
        // Once for each connection, of which there are fewer than uploads, and for each way to wait for a lock.
        assert!((1..=20).contains(&times), "{hot}: prepared {times} times");
    }
}

#[test]
fn migrations_can_be_undone() {
    let database = Database::create();
    let mut conn = open::connect(&database.target()).unwrap();
    migrate::run(&mut conn, &database.target()).unwrap();
    let before = dump(&Database::create());
    let Conn::Postgres(mut conn) = conn else { unreachable!() };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres");
    conn.revert_all_migrations(FileBasedMigrations::from_path(folder).unwrap()).unwrap();
    assert_eq!(dump(&database), before);

    let file = tempfile::tempdir().unwrap();
    let path = file.path().join("x.db");
    let mut conn = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    conn.run_pending_migrations(FileBasedMigrations::from_path(folder).unwrap()).unwrap();
    conn.revert_all_migrations(FileBasedMigrations::from_path(folder).unwrap()).unwrap();
}

#[test]
fn replicas_that_start_together_share_one_schema_and_one_set_of_keys() {
    let database = Database::create();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let target = database.target();
            scope.spawn(move || {
                let mut conn = open::connect(&target).unwrap();
                migrate::run(&mut conn, &target).unwrap();
            });
        }
    });
    let one = TestApp::on(database);
    let ada = one.user();
    let two = one.replica();
    // A token of one replica works on the other; signing out on one ends it on the other.
    let there = Client { access: ada.access.clone(), ..two.anonymous() };
    there.get("/api/user/me").expect(200);
    ada.send("POST", "/api/auth/logout", &[], None).expect(204);
    there.get("/api/user/me").expect(401);
    let mut conn = PgConnection::establish(&one.postgres.as_ref().unwrap().url()).unwrap();
    #[derive(diesel::QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    let keys: Count = sql_query("SELECT count(*) AS n FROM signing_keys").get_result(&mut conn).unwrap();
    assert_eq!(keys.n, 1);
}
