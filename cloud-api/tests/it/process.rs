//! The real program: its output, exit codes, signals and files.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::harness::*;

/// The program with an empty environment but for `HOME`.
pub(crate) fn program(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloud-api"));
    command.env_clear().env("HOME", home).current_dir(home).stdin(Stdio::null());
    command
}

fn ended(mut command: Command) -> Output {
    command.output().unwrap()
}

#[track_caller]
fn one_line(output: &Output, code: i32) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(output.stdout.is_empty());
    stderr
}

pub(crate) struct Running {
    child: Child,
    pub(crate) address: String,
    /// Reads the log, so that the pipe never fills.
    log: Option<JoinHandle<String>>,
}

impl Running {
    #[track_caller]
    pub(crate) fn start(command: Command) -> Self {
        Self::try_start(command).unwrap()
    }

    /// Runs it without waiting for anything.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            text
        });
        Self { address: String::new(), child, log: Some(log) }
    }

    /// Waits for the line that names the listening address; the error is what the program printed.
    pub(crate) fn try_start(command: Command) -> Result<Self, String> {
        let mut running = Self::spawn(command);
        let mut line = String::new();
        BufReader::new(running.child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        match line.trim().strip_prefix("cloud-api listening on ") {
            Some(address) => {
                running.address = address.to_owned();
                Ok(running)
            }
            None => {
                let _ = running.child.wait();
                Err(running.log.take().unwrap().join().unwrap())
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Sends the signal and waits for the end; returns the exit code, the time it took, and the log.
    pub(crate) fn stop(mut self, signal: Signal) -> (Option<i32>, Duration, String) {
        let started = Instant::now();
        self.signal(signal);
        let code = self.child.wait().unwrap().code();
        let took = started.elapsed();
        let log = self.log.take().unwrap().join().unwrap();
        (code, took, log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn serve(home: &Path) -> Command {
    let mut command = program(home);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command
}

#[test]
fn it_serves_from_nothing_and_keeps_its_files_to_itself() {
    let home = tempfile::tempdir().unwrap();
    let running = Running::start(serve(home.path()));
    let mut ada = Client::new(&running.address);
    let answer = ada.post("/api/auth/register", &registration("ada@example.org", "UTC")).expect(201);
    ada.sign_in(&answer.json);
    let folder = home.path().join(".local/share/cloud-api");
    for name in ["server.db", "server.db-wal", "server.keys.json"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
    let (code, took, log) = running.stop(Signal::TERM);
    assert_eq!(code, Some(0), "{log}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(!log.contains("ada@example.org") && !log.contains("/api/user/me/") && !log.contains(PASSWORD));
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
    assert!(log.contains("\"route\":\"/api/auth/register\""), "{log}");
}

#[test]
fn both_signals_stop_it_with_clients_connected() {
    for signal in [Signal::INT, Signal::TERM] {
        let home = tempfile::tempdir().unwrap();
        let running = Running::start(serve(home.path()));
        // One connection is idle, and one never finishes its request.
        Client::new(&running.address).get("/health").expect(200);
        let half = std::net::TcpStream::connect(running.address.trim_start_matches("http://")).unwrap();
        std::io::Write::write_all(&mut &half, b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{").unwrap();
        let (code, took, log) = running.stop(signal);
        assert_eq!(code, Some(0), "{log}");
        assert!(took < Duration::from_secs(2), "{took:?}");
    }
}

#[test]
fn an_acknowledged_minute_survives_sigkill() {
    let home = tempfile::tempdir().unwrap();
    let running = Running::start(serve(home.path()));
    let mut ada = Client::new(&running.address);
    let answer = ada.post("/api/auth/register", &registration("ada@example.org", "UTC")).expect(201);
    ada.sign_in(&answer.json);
    let hour_ago = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1);
    let from = blink_proto::MinuteStart::containing(hour_ago).start();
    ada.store(&minutes(&from.to_string(), 10, 2));
    running.stop(Signal::KILL);
    let running = Running::start(serve(home.path()));
    let again = Client { access: ada.access.clone(), id: ada.id.clone(), ..Client::new(&running.address) };
    assert_eq!(again.totals(), (20, 600_000));
}

#[test]
fn a_port_in_use_is_exit_5() {
    let home = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = program(home.path());
    command.args(["serve", "--listen", &taken.local_addr().unwrap().to_string()]);
    let line = one_line(&ended(command), 5);
    assert!(line.contains("in use") && line.contains("--listen"), "{line}");
}

#[test]
fn wrong_usage_is_exit_2_and_one_line() {
    let home = tempfile::tempdir().unwrap();
    for args in [
        &["serve", "--listen", "nowhere"][..],
        &["serve", "--listen", "0.0.0.0:0"],
        &["serve", "--database", "postgres:typo"],
        &["serve", "--database", "sqlite:"],
        &["serve", "--retention-days", "0"],
        &["serve", "--log", "x=y=z"],
        &["serve", "--no-such-flag"],
        &["no-such-command"],
        &[],
    ] {
        let mut command = program(home.path());
        command.args(args);
        let line = one_line(&ended(command), 2);
        assert!(line.starts_with("cloud-api: "), "{args:?}: {line}");
    }
    let mut command = program(home.path());
    command.env_remove("HOME").arg("migrate");
    one_line(&ended(command), 2);
}

#[test]
fn what_cannot_work_is_exit_1_and_one_line() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "x").unwrap();
    std::fs::write(
        home.path().join("text.db"),
        "this is no database, but it is long enough to be looked at as one".repeat(20),
    )
    .unwrap();
    let keys = home.path().join("damaged.keys.json");
    std::fs::write(&keys, "{").unwrap();
    std::fs::set_permissions(&keys, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    for url in ["sqlite:file/server.db", "sqlite:text.db", "sqlite:damaged.db", "postgres://nobody@127.0.0.1:1/none"] {
        let mut command = serve(home.path());
        command.env("DATABASE_URL", url);
        let started = Instant::now();
        one_line(&ended(command), 1);
        assert!(started.elapsed() < Duration::from_secs(20), "{url}");
    }
    let mut command = serve(home.path());
    command.arg("--no-migrate");
    assert!(one_line(&ended(command), 1).contains("cloud-api migrate"));
}

#[test]
fn migrate_says_what_it_did_and_then_serve_needs_none() {
    let home = tempfile::tempdir().unwrap();
    let migrate = || {
        let mut command = program(home.path());
        command.arg("migrate");
        let output = ended(command);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_ne!(migrate(), "0 migrations applied\n");
    assert_eq!(migrate(), "0 migrations applied\n");
    let mut command = serve(home.path());
    command.arg("--no-migrate");
    let running = Running::start(command);
    Client::new(&running.address).get("/healthz").expect(200);
}

#[test]
fn settings_come_from_flags_then_environment_then_the_env_file() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".env"), "DATABASE_URL=sqlite:from-file.db\nCLOUD_API_LISTEN=127.0.0.1:0\n")
        .unwrap();
    let mut command = program(home.path());
    command.arg("serve");
    drop(Running::start(command));
    assert!(home.path().join("from-file.db").exists());
    let mut command = program(home.path());
    command.arg("serve").env("DATABASE_URL", "sqlite:from-env.db");
    drop(Running::start(command));
    assert!(home.path().join("from-env.db").exists());
    let mut command = program(home.path());
    command.args(["serve", "--database", "sqlite:from-flag.db"]).env("DATABASE_URL", "sqlite:not-this.db");
    drop(Running::start(command));
    assert!(home.path().join("from-flag.db").exists() && !home.path().join("not-this.db").exists());

    std::fs::write(home.path().join(".env"), "this is no setting\n").unwrap();
    let mut command = program(home.path());
    command.arg("serve");
    assert!(one_line(&ended(command), 2).contains(".env"));
}

#[test]
fn beyond_loopback_it_serves_behind_a_proxy_alone() {
    let home = tempfile::tempdir().unwrap();
    let mut command = program(home.path());
    command.args(["serve", "--listen", "0.0.0.0:0"]);
    assert!(one_line(&ended(command), 2).contains("CLOUD_API_BEHIND_PROXY"));
    let mut command = program(home.path());
    command.args(["serve", "--listen", "127.0.0.2:0", "--behind-proxy"]);
    let running = Running::start(command);
    assert_eq!(Client::new(&running.address).get("/health").expect(200).json["status"], json!("ok"));
}

#[test]
fn help_and_version_are_not_failures() {
    let home = tempfile::tempdir().unwrap();
    for args in [&["--help"][..], &["--version"], &["serve", "--help"], &["man"], &["completions", "fish"]] {
        let mut command = program(home.path());
        command.args(args);
        let output = ended(command);
        assert!(output.status.success() && output.stderr.is_empty());
        assert!(!output.stdout.is_empty());
    }
}

#[test]
fn an_operator_makes_people_and_links_at_the_machine() {
    let home = tempfile::tempdir().unwrap();
    let admin = |args: &[&str], stdin: &str| {
        let mut command = program(home.path());
        command.arg("admin").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), stdin.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let text = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
    one_line(&admin(&["list"], ""), 1);
    let mut server = serve(home.path());
    // The plain pages, whether or not the dashboard is built.
    server.env("CLOUD_API_DASHBOARD", "false");
    let running = Running::start(server);
    let made = admin(&["create", "boss@example.org", "--role", "admin", "--password-stdin"], &format!("{PASSWORD}\n"));
    assert!(made.status.success(), "{made:?}");
    one_line(&admin(&["create", "BOSS@example.org", "--role", "member", "--password-stdin"], PASSWORD), 1);
    one_line(&admin(&["create", "x@example.org", "--password-stdin"], "short\n"), 2);
    one_line(&admin(&["create", "x@example.org", "--role", "emperor", "--password-stdin"], PASSWORD), 2);
    one_line(&admin(&["create", "x@example.org"], ""), 2);
    one_line(&admin(&["create", "nobody", "--password-stdin"], PASSWORD), 2);
    one_line(&admin(&["set-role", "boss@example.org", "member"], ""), 1);
    one_line(&admin(&["set-role", "nobody@example.org", "member"], ""), 1);
    assert!(text(&admin(&["list"], "")).ends_with("\tadmin\tboss@example.org\n"));

    let mut boss = Client::new(&running.address);
    let login =
        |password: &str| boss.post("/api/auth/login", &json!({"email": "boss@example.org", "password": password}));
    let session = login(PASSWORD).expect(200);
    // An account made by the operator has no tracking consent yet.
    let tracked =
        boss.with_access(session.json["access_token"].as_str().unwrap()).sync(&minutes("2026-03-10T09:00:00Z", 1, 1));
    assert_eq!(tracked.expect(403).code(), "consent_withdrawn");

    let link = text(&admin(&["reset-password", "boss@example.org"], ""));
    let (page, token) = link.trim().split_once('#').unwrap();
    assert_eq!(page, "http://127.0.0.1:8080/reset");
    assert!(boss.get("/reset").expect(200).text.contains("/assets/reset.js"));
    let reset =
        |token: &str, password: &str| boss.post("/api/auth/reset", &json!({"token": token, "password": password}));
    assert_ne!(reset(token, "short").expect(422).field("password"), "");
    assert_eq!(reset("no such token", "another long password").expect(401).code(), "invalid_link");
    reset(token, "another long password").expect(204);
    assert_eq!(reset(token, "a third long password").expect(401).code(), "invalid_link");
    boss.with_access(session.json["access_token"].as_str().unwrap()).get("/api/user/me").expect(401);
    login(PASSWORD).expect(401);
    let session = login("another long password").expect(200);
    boss.sign_in(&session.json);
    boss.get("/api/admin/users").expect(200);
}

#[test]
fn keys_are_changed_without_signing_anybody_out() {
    for postgres in [false, true] {
        let home = tempfile::tempdir().unwrap();
        let database = postgres.then(crate::postgres::Database::create);
        let url = database.as_ref().map_or("sqlite:server.db".to_owned(), crate::postgres::Database::url);
        let start = || {
            let mut command = serve(home.path());
            command.env("DATABASE_URL", &url);
            Running::start(command)
        };
        let running = start();
        let mut ada = Client::new(&running.address);
        ada.sign_in(&ada.post("/api/auth/register", &registration("ada@example.org", "UTC")).expect(201).json);
        let output = program(home.path()).env("DATABASE_URL", &url).args(["admin", "rotate-keys"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        running.stop(Signal::TERM);
        let running = start();
        let mut again = Client::new(&running.address);
        (again.access, again.refresh) = (ada.access.clone(), ada.refresh.clone());
        again.get("/api/user/me").expect(200);
        again.post("/api/auth/refresh", &json!({"refresh_token": again.refresh})).expect(200);
    }
}

#[test]
fn sealed_keys_open_with_their_master_key_alone() {
    let home = tempfile::tempdir().unwrap();
    let database = crate::postgres::Database::create();
    std::fs::write(home.path().join("one.key"), [1; 32]).unwrap();
    std::fs::write(home.path().join("two.key"), [2; 32]).unwrap();
    std::fs::write(home.path().join("short.key"), "short").unwrap();
    let command = |key: Option<&str>| {
        let mut command = serve(home.path());
        command.env("DATABASE_URL", database.url());
        if let Some(key) = key {
            command.env("CLOUD_API_MASTER_KEY_FILE", key);
        }
        command
    };
    // The keys are stored unsealed, and sealed as soon as there is a master key.
    Running::start(command(None)).stop(Signal::TERM);
    Running::start(command(Some("one.key"))).stop(Signal::TERM);
    let line = |key, code| {
        let output = ended(command(key));
        let stderr = String::from_utf8(output.stderr.clone()).unwrap();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        stderr.lines().last().unwrap().to_owned()
    };
    assert!(line(None, 1).contains("CLOUD_API_MASTER_KEY_FILE"));
    assert!(line(Some("two.key"), 1).contains("CLOUD_API_MASTER_KEY_FILE"));
    assert!(line(Some("short.key"), 2).contains("openssl"));
    Running::start(command(Some("one.key"))).stop(Signal::TERM);
    let mut open = program(home.path());
    open.args(["serve", "--listen", "0.0.0.0:0", "--behind-proxy"]).env("DATABASE_URL", database.url());
    assert!(one_line(&ended(open), 2).contains("CLOUD_API_MASTER_KEY_FILE"));
}
