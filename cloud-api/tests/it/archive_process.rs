//! The archive of the real program: kill and restart, its log, its commands, and backup and restore.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output},
};

use cloud_api::{
    config::Target,
    db::users::{self, Change},
    open,
};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    archive_kit::*,
    harness::*,
    postgres::Database,
    process::{Running, program},
};

/// A server's folder and database, for the server and its commands.
struct Home {
    folder: tempfile::TempDir,
    url: String,
    _postgres: Option<Database>,
}

impl Home {
    fn new(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = (backend == Backend::Postgres).then(Database::create);
        let sqlite = format!("sqlite:{}", folder.path().join("server.db").display());
        let url = postgres.as_ref().map_or(sqlite, Database::url);
        std::fs::write(folder.path().join("master"), [7; 32]).unwrap();
        Self { folder, url, _postgres: postgres }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = program(self.path());
        command
            .env("DATABASE_URL", &self.url)
            .env("CLOUD_API_LEDGER", self.path().join("ledger.ndjson"))
            .env("CLOUD_API_MASTER_KEY_FILE", self.path().join("master"))
            .env("CLOUD_API_ARCHIVE", format!("folder:{}", self.path().join("archive").display()))
            .env("CLOUD_API_ARCHIVE_GATHER_S", "0")
            .args(args);
        command
    }

    fn serve(&self) -> Running {
        Running::start(self.command(&["serve", "--listen", "127.0.0.1:0"]))
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The output of a command, which must succeed.
    #[track_caller]
    fn said(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The error line of a command, which must fail with exit code 1.
    #[track_caller]
    fn refused(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{args:?}: {said}");
        assert!(output.stdout.is_empty(), "{args:?}");
        said
    }

    /// Names of finished objects in a bucket.
    fn names(&self, bucket: &str) -> Vec<String> {
        let listed = self.said(&["archive", "list"]);
        let lines = listed.lines().filter(|line| !line.contains("being written"));
        lines
            .filter_map(|line| {
                let fields: Vec<&str> = line.split('\t').collect();
                (fields[1] == bucket).then(|| fields[0].to_owned())
            })
            .collect()
    }

    /// Every archived line of a bucket, read with the operators' command.
    fn lines(&self, bucket: &str) -> Vec<Value> {
        let names = self.names(bucket);
        let texts: Vec<String> = names.iter().map(|name| self.said(&["archive", "cat", name])).collect();
        texts.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn register(server: &Running, email: &str) -> Client {
    let mut client = Client::new(&server.address);
    client.sign_in(&client.post("/api/auth/register", &registration(email, "UTC")).expect(201).json);
    client
}

/// `count` minutes that end `hours` before now.
fn recent(hours: i64, count: i64) -> Vec<Value> {
    let from = blink_proto::MinuteStart::containing(jiff::Timestamp::now()).start();
    minutes(&(from - jiff::SignedDuration::from_hours(hours)).to_string(), count, 2)
}

fn killed_and_started_again(backend: Backend) {
    let home = Home::new(backend);
    let server = home.serve();
    let mut ada = register(&server, "ada@example.org");
    let mut server = Some(server);
    let (rounds, each) = if std::env::var_os("WAW_TEST_LONG").is_some() { (10, 30) } else { (4, 8) };
    let mut sent = 0;
    for round in 0..rounds {
        for n in 0..each {
            // Each batch has its own hour. Meanwhile the job is writing objects.
            ada.store(&recent(2 * (round * each + n + 1), 20));
            sent += 20;
        }
        server.take().unwrap().stop(Signal::KILL);
        let again = home.serve();
        ada.base.clone_from(&again.address);
        server = Some(again);
    }
    // The lease of a killed process expires after half a minute.
    eventually("everything is archived", || {
        let figures = ada.get("/metrics").text;
        figures.lines().any(|line| line == "archive_queue_batches 0")
            && !home.said(&["archive", "list"]).lines().any(|l| l.contains("\tdata\t") && l.contains("being written"))
    });
    let mut times = std::collections::BTreeMap::<String, u32>::new();
    for line in home.lines("data") {
        *times.entry(line["from_timestamp"].to_string()).or_default() += 1;
    }
    assert_eq!(times.len() as i64, sent);
    assert!(times.values().all(|count| *count == 1), "each accepted minute is archived once");
    assert_eq!(ada.totals().0 as i64, 2 * sent);
}

#[test]
fn killed_at_any_time_on_sqlite_it_archives_each_minute_once() {
    killed_and_started_again(Backend::Sqlite);
}

#[test]
fn killed_at_any_time_on_postgres_it_archives_each_minute_once() {
    killed_and_started_again(Backend::Postgres);
}

#[test]
fn the_log_is_archived_and_names_nobody() {
    let home = Home::new(Backend::Sqlite);
    let server = home.serve();
    let ada = register(&server, "ada@example.org");
    ada.get("/api/user/me").expect(200);
    eventually("the log", || home.lines("logs").iter().any(|line| line["route"] == "/api/user/me"));
    server.stop(Signal::KILL);
    // Files that the killed server had not archived are archived by the next one.
    let server = home.serve();
    eventually("both starts", || home.lines("logs").iter().filter(|l| l["message"] == "listening").count() == 2);
    let lines = home.lines("logs");
    let text = lines.iter().map(Value::to_string).collect::<String>();
    assert!(!text.contains("ada@example.org") && !text.contains(&ada.id) && !text.contains(PASSWORD));
    let person = lines.iter().find(|line| line["route"] == "/api/user/me").unwrap()["person"].as_str().unwrap();
    assert_eq!(person.len(), 12, "a pseudonym");
    assert!(home.names("logs").iter().all(|name| name.len() == "2026-11/20/".len() + 36));
    server.stop(Signal::TERM);
    use std::os::unix::fs::PermissionsExt as _;
    for path in files(&home.path().join("ledger.log-spool")) {
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn the_operator_lists_reads_and_checks_it_and_damage_is_said() {
    let home = Home::new(Backend::Sqlite);
    let server = home.serve();
    let (ada, eve) = (register(&server, "ada@example.org"), register(&server, "eve@example.org"));
    let batch = recent(3, 30);
    ada.store(&batch);
    eve.store(&recent(3, 1));
    eventually("two objects", || home.names("data").len() == 2);
    drop(server);
    let listed = home.said(&["archive", "list", "--email", "Ada@example.org"]);
    let fields: Vec<&str> = listed.trim_end().split('\t').collect();
    assert_eq!(
        (listed.lines().count(), fields[1], fields[4], fields[5]),
        (1, "data", "30", ada.id.as_str()),
        "{listed}"
    );
    // An account from before today's rules for addresses is found too.
    let (mut conn, old) =
        (open::connect(&Target::Sqlite(home.path().join("server.db"))).unwrap(), "ada\u{200b}@example.org");
    let change = Change { email: Some(old.to_owned()), email_key: Some(old.to_owned()), ..Change::default() };
    users::change(&mut conn, ada.id.parse().unwrap(), &change).unwrap();
    assert_eq!(home.said(&["archive", "list", "--email", old]), listed);
    let name = fields[0];
    let printed = home.said(&["archive", "cat", name]);
    let ids =
        |text: &str| text.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&printed), batch.iter().map(|minute| minute["id"].clone()).collect::<Vec<_>>());
    let checked = home.said(&["archive", "check"]);
    assert!(checked.contains("0 missing, 0 unknown"), "{checked}");

    // A changed byte, a cut object, another one in its place, or a missing one gives one error line and no output.
    let path = home.path().join("archive/waw-blink-data").join(name);
    let whole = std::fs::read(&path).unwrap();
    let other = home.names("data").into_iter().find(|other| other != name).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    let others = std::fs::read(home.path().join("archive/waw-blink-data").join(&other)).unwrap();
    for (bytes, why) in [
        (changed, "it was changed, renamed, or sealed with another key"),
        (whole[..whole.len() - 3].to_vec(), "it was changed, renamed, or sealed with another key"),
        (others, "it was changed, renamed, or sealed with another key"),
        (b"hello".to_vec(), "it is no object of this archive"),
        (Vec::new(), "it is no object of this archive"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let said = home.refused(&["archive", "cat", name]);
        assert!(said.contains(why) && said.contains(name), "{said}");
    }
    std::fs::remove_file(&path).unwrap();
    assert!(home.refused(&["archive", "cat", name]).contains("there is no object"));
    std::fs::write(home.path().join("archive/waw-blink-data/stray"), &whole).unwrap();
    let output = home.run(&["archive", "check", "--remove-unknown"]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(printed.contains(&format!("missing\t{name}")) && printed.contains("unknown, removed\tstray"), "{printed}");
    assert!(!home.path().join("archive/waw-blink-data/stray").exists());
    // A command on an archive that is off says so.
    let off = home.command(&["archive", "cat", name]).env("CLOUD_API_ARCHIVE", "off").output().unwrap();
    assert_eq!(off.status.code(), Some(2));
}

fn through_a_backup(from: Backend, to: Backend) {
    let home = Home::new(from);
    let server = home.serve();
    let (ada, eve) = (register(&server, "ada@example.org"), register(&server, "eve@example.org"));
    ada.store(&recent(3, 30));
    eve.store(&recent(3, 7));
    eventually("two objects", || home.names("data").len() == 2);
    assert!(home.run(&["backup", "b.gz"]).status.success());
    // After the backup: one more batch, whose object no backup knows, and an erasure.
    ada.store(&recent(9, 5));
    eventually("three objects", || home.names("data").len() == 3);
    let receipt = erase(&eve).expect(200);
    assert_eq!(store(&receipt, "archive")["status"], "done");
    drop(server);

    // The backup contains no usable key: neither the master key nor a person's.
    let mut plain = Vec::new();
    let whole = std::fs::read(home.path().join("b.gz")).unwrap();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&whole[..]), &mut plain).unwrap();
    let text = String::from_utf8(plain).unwrap();
    assert!(text.contains("archive_keys") && !text.contains(&"07".repeat(32)));

    let target = Home::new(to);
    let mut restored = Home { url: target.url.clone(), ..home };
    restored._postgres = target._postgres;
    let _folder = target.folder;
    let said = restored.said(&["restore", "b.gz"]);
    assert!(said.contains("1 people stay erased"), "{said}");
    // Ada's object can be decrypted with the same master key; Eve's key was destroyed again.
    assert_eq!(restored.lines("data").len(), 30);
    let listed = restored.said(&["archive", "list"]);
    assert!(listed.contains(&ada.id) && !listed.contains(&eve.id), "{listed}");
    // The object written after the backup is found, can be opened by name and removed; so can the later log.
    let checked = restored.said(&["archive", "check"]);
    let strays = checked.lines().filter_map(|line| line.strip_prefix("unknown\t"));
    let opened: Vec<String> = strays.map(|stray| restored.said(&["archive", "cat", stray])).collect();
    let minutes: Vec<&String> = opened.iter().filter(|text| text.contains("blink_count")).collect();
    assert_eq!((minutes.len(), minutes[0].lines().count()), (1, 5), "{checked}");
    restored.said(&["archive", "check", "--remove-unknown"]);
    assert!(restored.said(&["archive", "check"]).contains(" 0 unknown"));
    // The server goes on: the same minutes are duplicates, and a new one is archived with the same key.
    let server = restored.serve();
    let mut again = Client::new(&server.address);
    again.sign_in(&again.post("/api/auth/login", &json!({"email": ada.email, "password": PASSWORD})).expect(200).json);
    again.store(&recent(20, 3));
    eventually("a new object", || restored.lines("data").len() == 33);
    let keys: std::collections::HashSet<String> =
        restored.names("data").iter().map(|name| name.split('/').next().unwrap().to_owned()).collect();
    assert_eq!(keys.len(), 1);
}

#[test]
fn from_sqlite_to_postgres_the_archive_opens_and_who_was_erased_stays_so() {
    through_a_backup(Backend::Sqlite, Backend::Postgres);
}

#[test]
fn from_postgres_to_sqlite_the_archive_opens_and_who_was_erased_stays_so() {
    through_a_backup(Backend::Postgres, Backend::Sqlite);
}

/// Minutes stored per second through HTTP on PostgreSQL, in batches of sixty.
fn ingest(archived: bool) -> (f64, usize) {
    let (rows, clients) = if std::env::var_os("WAW_TEST_LONG").is_some() { (96_000, 8) } else { (9_600, 4) };
    let home = Home::new(Backend::Postgres);
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("CLOUD_API_RATE_LIMIT", "off").env("CLOUD_API_LOG", "warn").env("CLOUD_API_ARCHIVE_GATHER_S", "3600");
    if !archived {
        command.env("CLOUD_API_ARCHIVE", "off");
    }
    let server = Running::start(command);
    let people: Vec<Client> = (0..clients).map(|n| register(&server, &format!("{n}@example.org"))).collect();
    let each = rows / clients;
    let bodies: Vec<Vec<Vec<u8>>> = people
        .iter()
        .map(|who| {
            let all = recent(i64::try_from(each / 60 + 2).unwrap(), i64::try_from(each).unwrap());
            all.chunks(60).map(|b| json!({"device_id": who.device, "buckets": b}).to_string().into_bytes()).collect()
        })
        .collect();
    let started = std::time::Instant::now();
    std::thread::scope(|scope| {
        for (who, bodies) in people.iter().zip(&bodies) {
            scope.spawn(move || {
                for body in bodies {
                    let headers = [("content-type", "application/json")];
                    assert_eq!(
                        who.send("POST", "/api/blink/sync", &headers, Some(body)).expect(200).json["accepted"],
                        60
                    );
                }
            });
        }
    });
    (rows as f64 / started.elapsed().as_secs_f64(), rows)
}

#[test]
fn archiving_costs_ingest_little() {
    // Both ways are measured in turn, so that other load affects one round and not all.
    let mut rounds = Vec::new();
    while rounds.len() < 5 && !rounds.last().is_some_and(|(off, on, _)| 3.0 * on > *off) {
        let ((off, rows), (on, _)) = (ingest(false), ingest(true));
        rounds.push((off, on, rows));
    }
    let (off, on, rows) = rounds.pop().unwrap();
    println!(
        "{rows} minutes in batches of 60: {off:.0} a second without an archive, {on:.0} with one ({:.0} %)",
        100.0 * on / off
    );
    assert!(on > 500.0, "{on:.0} minutes a second");
    assert!(3.0 * on > off, "{on:.0} minutes a second with an archive, {off:.0} without one");
    let _ = std::io::stdout().flush();
}

#[test]
fn another_master_key_opens_everything_and_the_old_one_nothing() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let home = Home::new(backend);
        let server = home.serve();
        let ada = register(&server, "ada@example.org");
        ada.store(&recent(3, 30));
        eventually("an object", || home.names("data").len() == 1);
        let (access, id) = (ada.access.clone(), ada.id.clone());
        drop(server);
        std::fs::write(home.path().join("new"), [9; 32]).unwrap();
        let new = home.path().join("new").display().to_string();
        let said = home.said(&["admin", "change-master-key", &new]);
        assert!(said.contains("keys sealed anew") && !said.starts_with('0'), "{said}");
        let name = home.names("data")[0].clone();
        let refused = home.refused(&["archive", "cat", &name]);
        assert!(refused.contains("cannot be opened"), "{refused}");
        assert!(home.refused(&["admin", "change-master-key", &new]).contains("nothing was changed"));
        std::fs::rename(home.path().join("new"), home.path().join("master")).unwrap();
        assert_eq!(home.said(&["archive", "cat", &name]).lines().count(), 30);
        // Changing the master key signs nobody out.
        let server = home.serve();
        let again = Client { id, ..Client::new(&server.address).with_access(&access) };
        again.get("/api/user/me").expect(200);
    }
}
