//! Backup and restore, from either database into either, and what must never be restored.

use std::{collections::BTreeMap, io::Write as _, path::Path, process::Output};

use cloud_api::{
    backup,
    db::{DbError, conn::Conn, snapshot},
    open,
};
use diesel::{
    QueryableByName, RunQueryDsl as _, sql_query,
    sql_types::{BigInt, Text},
};
use serde_json::{Value, json};

use crate::{
    harness::*,
    postgres::Database,
    process::{Running, program},
};

/// An empty database of either kind.
struct EmptyDatabase {
    url: String,
    _postgres: Option<Database>,
}

fn place(home: &Path, backend: Backend) -> EmptyDatabase {
    match backend {
        Backend::Sqlite => {
            let url = format!("sqlite:{}", home.join(format!("{}.db", uuid::Uuid::new_v4())).display());
            EmptyDatabase { url, _postgres: None }
        }
        Backend::Postgres => {
            let database = Database::create();
            EmptyDatabase { url: database.url(), _postgres: Some(database) }
        }
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

contract! {
    fn a_snapshot_has_nothing_of_what_others_commit_meanwhile(app) {
        let people = |conn: &mut Conn| sql_query("SELECT COUNT(*) AS n FROM users").get_result::<Count>(conn).unwrap().n;
        let mut conn = open::connect(&app.target).unwrap();
        let _ada = app.user();
        let during = snapshot(&mut conn, |conn| {
            let before = people(conn);
            let _ben = app.user();
            Ok::<_, DbError>((before, people(conn)))
        });
        assert_eq!((during.unwrap(), people(&mut conn)), ((1, 1), 2));
    }
}

fn run(home: &Path, place: &EmptyDatabase, args: &[&str]) -> Output {
    let ledger = home.join("ledger.ndjson");
    program(home).env("DATABASE_URL", &place.url).env("CLOUD_API_LEDGER", ledger).args(args).output().unwrap()
}

fn serve(home: &Path, place: &EmptyDatabase) -> Running {
    let mut command = program(home);
    command.env("DATABASE_URL", &place.url).env("CLOUD_API_LEDGER", home.join("ledger.ndjson"));
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    Running::start(command)
}

fn register(server: &Running, email: &str) -> Client {
    let mut client = Client::new(&server.address);
    client.sign_in(&client.post("/api/auth/register", &registration(email, "Europe/Berlin")).expect(201).json);
    client
}

fn login(server: &Running, email: &str) -> Option<Client> {
    let mut client = Client::new(&server.address);
    let answer = client.post("/api/auth/login", &json!({"email": email, "password": PASSWORD}));
    (answer.status == 200).then(|| client.sign_in(&answer.json))?;
    Some(client)
}

/// Everything about a person but sessions, which a restore ends.
fn held(client: &Client) -> Value {
    let mut export = client.get("/api/user/me/export").expect(200).json;
    for varying in ["exported_at", "sessions"] {
        export.as_object_mut().unwrap().remove(varying);
    }
    export
}

fn send(client: &Client, method: &str, path: &str, body: &Value) {
    client.send(method, path, &[("content-type", "application/json")], Some(body.to_string().as_bytes())).expect(200);
}

fn there_and_back(from: Backend, to: Backend) {
    let home = tempfile::tempdir().unwrap();
    let (old, new) = (place(home.path(), from), place(home.path(), to));
    let server = serve(home.path(), &old);
    let (ada, eve, bob) = (
        register(&server, "ada@example.org"),
        register(&server, "eve@example.org"),
        register(&server, "bob@example.org"),
    );
    let start = blink_proto::MinuteStart::containing(jiff::Timestamp::now()).start()
        - jiff::SignedDuration::from_hours(24 * 40);
    let mut batch = minutes(&start.to_string(), 5_000, 3);
    for minute in &mut batch {
        minute["mean_fps"] = json!(29.970_029_970_029_97);
        minute["perclos"] = json!(0.1 + 0.2);
        minute["mean_blink_ms"] = Value::Null;
    }
    ada.store(&batch);
    eve.store(&minutes(&start.to_string(), 10, 7));
    let before = held(&ada);
    let totals = ada.totals();
    assert!(run(home.path(), &old, &["backup", "b.gz"]).status.success());

    // After the backup one person is erased and another withdraws consent.
    eve.send(
        "DELETE",
        "/api/user/me",
        &[("content-type", "application/json")],
        Some(json!({"password": PASSWORD}).to_string().as_bytes()),
    )
    .expect(200);
    send(&bob, "PUT", "/api/user/me/consents", &json!({"kind": "tracking", "granted": false}));
    drop(server);

    let restored = run(home.path(), &new, &["restore", "b.gz"]);
    assert!(restored.status.success(), "{restored:?}");
    let said = String::from_utf8(restored.stdout).unwrap();
    assert!(said.contains("1 people stay erased, 1 consents"), "{said}");
    let server = serve(home.path(), &new);
    let ada = login(&server, "ada@example.org").unwrap();
    assert_eq!(held(&ada), before);
    assert_eq!(ada.totals(), totals);
    assert!(login(&server, "eve@example.org").is_none(), "who was erased stays erased");
    let bob = login(&server, "bob@example.org").unwrap();
    assert_eq!(bob.sync(&[]).expect(403).code(), "consent_withdrawn");
    // Uploading the restored minutes again gives duplicates.
    let again = Client { device: before["devices"][0]["device_id"].as_str().unwrap().parse().unwrap(), ..ada };
    assert_eq!(again.sync(&batch).expect(200).json["duplicates"], 5_000);
    // A second restore is refused, because the database has people now.
    let refused = run(home.path(), &new, &["restore", "b.gz"]);
    assert_eq!(refused.status.code(), Some(1));
}

#[test]
fn from_sqlite_to_postgres() {
    there_and_back(Backend::Sqlite, Backend::Postgres);
}

#[test]
fn from_postgres_to_sqlite() {
    there_and_back(Backend::Postgres, Backend::Sqlite);
}

#[test]
fn a_restore_wants_its_ledger_or_the_word_that_there_is_none() {
    let home = tempfile::tempdir().unwrap();
    let old = place(home.path(), Backend::Sqlite);
    let server = serve(home.path(), &old);
    let ada = register(&server, "ada@example.org");
    assert!(run(home.path(), &old, &["backup", "b.gz"]).status.success());
    ada.send("DELETE", "/api/user/me", &[], None).expect(200);
    drop(server);
    let restore = |settings: &[(&str, &str)], args: &[&str]| {
        let mut command = program(home.path());
        command.args(["restore", "b.gz", "--database", "sqlite:try.db"]).args(args);
        command.envs(settings.iter().copied()).output().unwrap()
    };
    for (settings, path) in [(&[("CLOUD_API_LEDGER", "typo")][..], "typo"), (&[], "try.ledger.ndjson")] {
        let refused = restore(settings, &[]);
        let stderr = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(path) && stderr.contains("--no-ledger") && stderr.lines().count() == 1, "{stderr}");
        assert!(!home.path().join("try.db").exists());
    }
    let said = |output: Output| {
        assert!(output.status.success(), "{output:?}");
        std::fs::remove_file(home.path().join("try.db")).unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let with = said(restore(&[("CLOUD_API_LEDGER", "ledger.ndjson")], &[]));
    assert!(with.starts_with("1 lines of the ledger ledger.ndjson read\n"), "{with}");
    assert!(with.contains("1 people stay erased"), "{with}");
    let without = said(restore(&[("CLOUD_API_LEDGER", "typo")], &["--no-ledger"]));
    assert!(without.starts_with("No ledger was read\n") && without.contains("0 people stay erased"), "{without}");
}

#[test]
fn a_backup_that_is_not_whole_restores_nothing() {
    let home = tempfile::tempdir().unwrap();
    let old = place(home.path(), Backend::Sqlite);
    let server = serve(home.path(), &old);
    let ada = register(&server, "ada@example.org");
    let start =
        blink_proto::MinuteStart::containing(jiff::Timestamp::now()).start() - jiff::SignedDuration::from_hours(60);
    ada.store(&minutes(&start.to_string(), 3_000, 3));
    drop(server);
    assert!(run(home.path(), &old, &["backup", "b.gz"]).status.success());
    let whole = std::fs::read(home.path().join("b.gz")).unwrap();
    let mut plain = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&whole[..]), &mut plain).unwrap();
    let lines: Vec<&str> = plain.lines().collect();
    let without_end = gzip(lines[..lines.len() - 1].join("\n").as_bytes());
    let without_a_row = gzip([&lines[..5], &lines[6..]].concat().join("\n").as_bytes());
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 0x55;
    for (what, bytes) in [
        ("cut", whole[..whole.len() / 2].to_vec()),
        ("flipped", flipped),
        ("of two backups", [&whole[..], &whole].concat()),
        ("with something after it", [&whole[..], b"x"].concat()),
        ("without its end", without_end),
        ("without a row", without_a_row),
        ("empty", Vec::new()),
        ("text", b"hello".to_vec()),
        ("of another program", gzip(b"{\"format\":\"x\",\"version\":1,\"created_at\":\"2026-01-01T00:00:00Z\"}\n")),
    ] {
        std::fs::write(home.path().join("bad.gz"), bytes).unwrap();
        let new = place(home.path(), Backend::Sqlite);
        let output = run(home.path(), &new, &["restore", "bad.gz"]);
        assert_eq!(output.status.code(), Some(1), "{what}: {output:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 1, "{what}");
        // Nothing was restored, so the intact backup can still be restored.
        assert!(run(home.path(), &new, &["restore", "b.gz"]).status.success(), "{what}");
    }
    // A ledger that cannot be read could hide an erasure.
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(home.path().join("ledger.ndjson"))
        .unwrap()
        .write_all(b"nonsense\n")
        .unwrap();
    assert_eq!(run(home.path(), &place(home.path(), Backend::Sqlite), &["restore", "b.gz"]).status.code(), Some(1));
    assert!(!plain.contains("session\"") && !plain.contains("token"), "no session and no key");
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table: String,
    #[diesel(sql_type = Text)]
    column: String,
}

#[test]
fn a_backup_holds_every_column_but_those_left_out_on_purpose() {
    let app = TestApp::start(Backend::Postgres);
    let mut conn = app.postgres.as_ref().unwrap().connect();
    let columns: Vec<Column> = sql_query(
        "SELECT c.table_name::text AS table, c.column_name::text AS column FROM information_schema.columns c \
         JOIN information_schema.tables t USING (table_schema, table_name) \
         WHERE c.table_schema = 'public' AND c.table_name !~ '^blink_data_[0-9]' ORDER BY c.table_name, c.ordinal_position",
    )
    .load(&mut conn)
    .unwrap();
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for Column { table, column } in columns {
        tables.entry(table).or_default().push(column);
    }
    let left_out = [
        "__diesel_schema_migrations",
        "sessions",
        "one_time_tokens",
        "device_codes",
        "oidc_logins",
        "sign_in_attempts",
        "signing_keys",
        "housekeeping",
        "attendance_challenges",
        "attendance_gallery",
    ];
    left_out.iter().for_each(|table| assert!(tables.remove(*table).is_some(), "{table}"));
    let held: BTreeMap<String, Vec<String>> = backup::contents()
        .into_iter()
        .map(|(table, columns)| (table.to_owned(), columns.into_iter().map(str::to_owned).collect()))
        .collect();
    assert_eq!(held, tables);
}
