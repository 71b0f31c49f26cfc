//! The program's commands: where they write, what they refuse, and how they end.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use cloud_api::{
    clock::Clock,
    config::{DatabaseConfig, Target},
    open,
};
use diesel::connection::SimpleConnection as _;
use rustix::process::Signal;
use serde_json::json;

use crate::{
    archive_kit::eventually,
    harness::*,
    postgres::Database,
    process::{Running, program},
};

pub(crate) fn run(home: &Path, args: &[&str]) -> Output {
    program(home).args(args).output().unwrap()
}

#[track_caller]
pub(crate) fn says(output: &Output, code: i32, word: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(stderr.lines().count() == 1 && stderr.contains(word), "{word}: {stderr}");
}

fn serve(home: &Path) -> Command {
    let mut command = program(home);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command
}

#[test]
fn a_command_that_waits_for_a_password_holds_nobody_up() {
    let home = tempfile::tempdir().unwrap();
    let running = Running::start(serve(home.path()));
    let mut command = program(home.path());
    command.args(["admin", "create", "boss@example.org", "--password-stdin"]).stdin(Stdio::piped());
    let mut command = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut typing = command.stdin.take().unwrap();
    let (first, rest) = PASSWORD.split_at(5);
    typing.write_all(first.as_bytes()).unwrap();
    eventually("it reads the password", || rustix::io::ioctl_fionread(&typing).unwrap() == 0);
    Client::new(&running.address).post("/api/auth/register", &registration("ada@example.org", "UTC")).expect(201);
    assert!(run(home.path(), &["admin", "list"]).status.success());
    typing.write_all(format!("{rest}\n").as_bytes()).unwrap();
    assert!(command.wait_with_output().unwrap().status.success());
    let login = json!({"email": "boss@example.org", "password": PASSWORD});
    Client::new(&running.address).post("/api/auth/login", &login).expect(200);
}

#[test]
fn a_mistyped_database_is_not_made() {
    let home = tempfile::tempdir().unwrap();
    for args in [&["backup", "b.gz"][..], &["purge"], &["admin", "list"], &["archive", "list"]] {
        let output = program(home.path()).env("DATABASE_URL", "sqlite:typo.db").args(args).output().unwrap();
        says(&output, 1, "There is no database at typo.db");
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_device_is_no_certificate_no_key_and_no_ledger() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("key.pem"), "x").unwrap();
    for (settings, code) in [
        (&[("CLOUD_API_TLS_CERT", "/dev/zero"), ("CLOUD_API_TLS_KEY", "key.pem")][..], 2),
        (&[("CLOUD_API_MASTER_KEY_FILE", "/dev/zero")], 2),
        (&[("CLOUD_API_LEDGER", "/dev/null")], 1),
    ] {
        says(&serve(home.path()).envs(settings.iter().copied()).output().unwrap(), code, "no plain file");
    }
}

#[test]
fn whoever_trusts_everybody_is_told() {
    let home = tempfile::tempdir().unwrap();
    let log = |proxies: &str| {
        let mut command = serve(home.path());
        command.args(["--trusted-proxies", proxies]);
        let running = Running::start(command);
        Client::new(&running.address).get("/health").expect(200);
        running.stop(Signal::TERM).2
    };
    for everybody in ["0.0.0.0/0", "10.0.0.0/8,::/0", "::ffff:0:0/96"] {
        assert!(log(everybody).contains("CLOUD_API_TRUSTED_PROXIES holds everybody"), "{everybody}");
    }
    assert!(!log("10.0.0.0/8").contains("CLOUD_API_TRUSTED_PROXIES"));
}

#[test]
fn whoever_stops_reading_ends_no_command_with_a_crash() {
    let home = tempfile::tempdir().unwrap();
    assert!(run(home.path(), &["migrate"]).status.success());
    let made = |command: &mut Command| {
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that reads no password may have ended already.
        let _ = child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes());
        child.wait_with_output().unwrap()
    };
    made(program(home.path()).args(["admin", "create", "ada@example.org", "--password-stdin"]));
    for args in [
        &["openapi"][..],
        &["migrate"],
        &["purge"],
        &["admin", "list"],
        &["admin", "rotate-keys"],
        &["admin", "reset-password", "ada@example.org"],
        &["admin", "create", "eve@example.org", "--password-stdin"],
        &["backup", "b.gz"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let closed = made(program(home.path()).args(args).stdout(writer));
        assert!(closed.status.success() && closed.stderr.is_empty(), "{args:?}: {closed:?}");
    }
    // A command whose output cannot be written fails with that reason.
    for args in [&["openapi"][..], &["admin", "list"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        says(&made(program(home.path()).args(args).stdout(full)), 1, "Standard output");
    }
}

#[test]
fn of_a_wrong_address_the_part_is_named_and_never_the_password() {
    let home = tempfile::tempdir().unwrap();
    for (url, word) in [
        ("postgres://ada:S3cr%tPassw0rd@127.0.0.1:1/x", "%25"),
        ("postgres://ada:S3cr@Passw0rd@127.0.0.1/x", "%40"),
        ("postgres://ada:S3cret/Passw0rd@127.0.0.1/x", "%2F"),
        ("sqlite:///data/q.db?mode=rwc", "?"),
        ("sqlite:~/x.db", "~"),
        ("sqlite:file:/x.db", "file:"),
    ] {
        for command in ["migrate", "serve"] {
            let output = program(home.path()).env("DATABASE_URL", url).arg(command).output().unwrap();
            says(&output, 2, word);
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(!stderr.contains("S3cr") && !stderr.contains("Passw0rd"), "{stderr}");
        }
    }
    let output =
        program(home.path()).env("DATABASE_URL", "postgres://ada:S3cr%40t@127.0.0.1:1/x").arg("migrate").output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("S3cr"), "{output:?}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn an_older_program_leaves_a_newer_database_alone() {
    for postgres in [false, true] {
        let home = tempfile::tempdir().unwrap();
        let database = postgres.then(Database::create);
        let url = database.as_ref().map_or_else(|| format!("sqlite:{}/x.db", home.path().display()), Database::url);
        let run = |args: &[&str]| program(home.path()).env("DATABASE_URL", &url).args(args).output().unwrap();
        assert!(run(&["migrate"]).status.success());
        let mut conn = open::connect(&url.parse().unwrap()).unwrap();
        conn.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99999999999999')").unwrap();
        for args in [&["serve"][..], &["serve", "--no-migrate"], &["migrate"], &["purge"], &["admin", "list"]] {
            let output = run(args);
            says(&output, 1, "99999999999999");
            assert!(String::from_utf8_lossy(&output.stderr).contains("20261129"), "{output:?}");
        }
    }
}

#[test]
fn one_database_file_has_one_server() {
    let home = tempfile::tempdir().unwrap();
    let first = Running::start(serve(home.path()));
    says(&serve(home.path()).output().unwrap(), 5, "Another server");
    let (code, ..) = first.stop(Signal::KILL);
    assert_eq!(code, None);
    drop(Running::start(serve(home.path())));
    // A symbolic link to it is the same database, and writes through it work.
    let link = home.path().join("link.db");
    std::os::unix::fs::symlink(home.path().join(".local/share/cloud-api/server.db"), &link).unwrap();
    let mut linked = serve(home.path());
    linked.env("DATABASE_URL", format!("sqlite:{}", link.display()));
    let linked = Running::start(linked);
    Client::new(&linked.address).post("/api/auth/register", &registration("ada@example.org", "UTC")).expect(201);
    says(&serve(home.path()).output().unwrap(), 5, "Another server");
}

#[test]
fn a_database_that_others_could_read_is_private_after_a_start() {
    let home = tempfile::tempdir().unwrap();
    let running = Running::start(serve(home.path()));
    // After a write the database's log files exist.
    Client::new(&running.address).get("/healthz").expect(200);
    running.stop(Signal::KILL);
    let folder = home.path().join(".local/share/cloud-api");
    let names = ["server.db", "server.db-wal", "server.db-shm"];
    for name in names {
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let running = Running::start(serve(home.path()));
    Client::new(&running.address).get("/healthz").expect(200);
    for name in names {
        let mode = fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
}

#[test]
fn an_idle_server_ends_at_once() {
    let home = tempfile::tempdir().unwrap();
    let mut command = serve(home.path());
    // Without the desk, which warns that there is no face-worker.
    command.env("CLOUD_API_ROLES", "auth,data,sync,web");
    let running = Running::start(command);
    Client::new(&running.address).get("/health").expect(200);
    let (code, took, log) = running.stop(Signal::TERM);
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_millis(1_400), "{took:?}");
    assert!(!log.contains("WARN"), "{log}");
}

#[test]
fn what_is_under_way_is_finished_and_what_is_new_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let running = Running::start(serve(home.path()));
    let address = running.address.trim_start_matches("http://").to_owned();
    let mut slow = TcpStream::connect(&address).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let body = br#"{"email":"ada@example.org","password":"not it at all"}"#;
    let head = format!(
        "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).unwrap();
    // The request is being handled once the server asks for its body.
    let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    slow.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    slow.write_all(&body[..10]).unwrap();
    let stopping = thread::spawn(move || running.stop(Signal::TERM));
    let asked = Instant::now();
    while TcpStream::connect(&address).is_ok() {
        assert!(asked.elapsed() < Duration::from_millis(900), "it goes on taking connections");
        thread::yield_now();
    }
    slow.write_all(&body[10..]).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let (code, took, log) = stopping.join().unwrap();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(2) && !log.contains("still under way"), "{took:?} {log}");
}

#[test]
fn other_signals_end_nothing() {
    let home = tempfile::tempdir().unwrap();
    let running = Running::start(serve(home.path()));
    for signal in [Signal::HUP, Signal::USR1, Signal::USR2] {
        running.signal(signal);
        Client::new(&running.address).get("/health").expect(200);
    }
    let (code, _, log) = running.stop(Signal::TERM);
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("SIGHUP: keys and certificate are read anew"), "{log}");
}

#[test]
fn a_running_server_learns_keys_although_a_newer_program_has_migrated() {
    for database in [None, Some(Database::create())] {
        let home = tempfile::tempdir().unwrap();
        let file = format!("sqlite:{}/server.db", home.path().display());
        let url = database.as_ref().map_or(file, Database::url);
        let mut command = serve(home.path());
        command.env("DATABASE_URL", &url);
        let running = Running::start(command);
        let target: Target = url.parse().unwrap();
        let mut conn = open::connect(&target).unwrap();
        let config = DatabaseConfig {
            target: target.clone(),
            master_key_file: None,
            ledger: home.path().join("ledger.ndjson"),
            connections: 1,
            retention_days: 1,
            migrate: false,
            alone: false,
        };
        // The new key signs at once, because it was made an hour ago.
        let hour_ago = Clock::System.now().plus(-3_600_000);
        let (kid, _) = open::open_keys(&mut conn, &config, hour_ago, true).unwrap().signing(Clock::System.now());
        conn.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')").unwrap();
        assert!(open::connect(&target).is_err(), "commands refuse it");
        running.signal(Signal::HUP);
        let ada = Client::new(&running.address);
        let mut tokens = ada.post("/api/auth/register", &registration("ada@example.org", "UTC")).expect(201).json;
        eventually("a token is signed with the new key", || {
            tokens = ada.post("/api/auth/refresh", &json!({"refresh_token": tokens["refresh_token"]})).expect(200).json;
            let head = tokens["access_token"].as_str().unwrap().split('.').next().unwrap();
            String::from_utf8(URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap().contains(&kid)
        });
    }
}

#[test]
fn options_of_a_noun_stand_before_and_after_its_verb() {
    let home = tempfile::tempdir().unwrap();
    let url = "sqlite:there.db";
    assert!(run(home.path(), &["migrate", "--database", url]).status.success());
    for args in [["admin", "--database", url, "list"], ["admin", "list", "--database", url]] {
        assert!(run(home.path(), &args).status.success(), "{args:?}");
    }
    for args in [["archive", "--database", url, "list"], ["archive", "list", "--database", url]] {
        assert!(run(home.path(), &args).status.success(), "{args:?}");
    }
}

#[test]
fn every_figure_is_there_before_its_first_event() {
    let home = tempfile::tempdir().unwrap();
    let running = Running::start(serve(home.path()));
    Client::new(&running.address).get("/health").expect(200);
    let figures = Client::new(&running.address).get("/metrics").expect(200).text;
    for line in [
        "minutes_accepted_total 0",
        "sign_in_failures_total 0",
        "refresh_token_reuse_total 0",
        "minutes_rejected_total{code=\"in_future\"} 0",
        "archive_failures_total{what=\"key\"} 0",
        "archive_batches_skipped_total 0",
        "retention_held 0",
    ] {
        assert!(figures.lines().any(|figure| figure == line), "{line} in {figures}");
    }
    for kind in figures.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = kind.split(' ').next().unwrap();
        assert!(figures.contains(&format!("# HELP {name} ")), "{name} has no help");
    }
}

#[test]
fn a_purge_by_a_doubted_clock_wants_the_operators_word() {
    let home = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/x.db", home.path().display());
    let run = |args: &[&str]| program(home.path()).env("DATABASE_URL", &url).args(args).output().unwrap();
    assert!(run(&["migrate"]).status.success());
    let mut conn = open::connect(&url.parse().unwrap()).unwrap();
    conn.batch_execute("INSERT INTO housekeeping (what, at) VALUES ('retention', 0)").unwrap();
    says(&run(&["purge"]), 1, "--trust-clock");
    assert!(run(&["purge", "--trust-clock"]).status.success());
    assert!(run(&["purge"]).status.success());
}
