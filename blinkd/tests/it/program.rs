//! Tests of the program itself: exit codes, and one line that says what to do.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use blink_profile::Paths;
use rstest::rstest;

use crate::fixture::{Client, until};

/// The program on the profile under `root`, without buses.
pub(crate) fn blinkd(root: &Path, args: &[&str]) -> Command {
    let paths = Paths::under(root);
    let mut command = Command::new(env!("CARGO_BIN_EXE_blinkd"));
    let parent = |path: &Path| path.parent().unwrap().to_owned();
    command
        .args(args)
        .env("HOME", root)
        .env("XDG_CONFIG_HOME", parent(&paths.config))
        .env("XDG_DATA_HOME", parent(&paths.data))
        .env("XDG_STATE_HOME", parent(&paths.state))
        .env("XDG_RUNTIME_DIR", parent(&paths.runtime))
        .env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/system")
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/session")
        .env("BLINKD_ACCOUNT__KEYRING", "off")
        .stdin(Stdio::null());
    command
}

pub(crate) fn said(output: &Output) -> String {
    assert!(output.stdout.is_empty(), "stdout: {}", String::from_utf8_lossy(&output.stdout));
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "one line: {text}");
    text
}

#[rstest]
#[case(&[], 2, "blinkd --help")]
#[case(&["fly"], 2, "fly")]
#[case(&["run", "--source", "webcam"], 2, "`webcam` is not a source")]
#[case(&["run", "--source", "gst:videotestsrc ! filesink location=x"], 2, "filesink")]
#[case(&["run", "--config", "/nowhere/config.toml"], 2, "/nowhere/config.toml")]
#[case(&["run", "--nonsense"], 2, "blinkd run --help")]
fn wrong_usage_is_exit_2_and_one_line(#[case] args: &[&str], #[case] code: i32, #[case] says: &str) {
    let root = tempfile::tempdir().unwrap();
    let output = blinkd(root.path(), args).output().unwrap();
    let line = said(&output);
    assert_eq!(output.status.code(), Some(code), "{line}");
    assert!(line.contains(says), "{line}");
}

#[test]
fn a_runtime_folder_that_cannot_be_used_is_said_with_the_way_out() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "no folder").unwrap();
    let output = blinkd(root.path(), &["run", "--headless"]).env("XDG_RUNTIME_DIR", &file).output().unwrap();
    let line = said(&output);
    assert_eq!(output.status.code(), Some(1), "{line}");
    assert!(line.contains("unset XDG_RUNTIME_DIR"), "{line}");
}

#[test]
fn with_json_the_line_is_an_error_object() {
    let root = tempfile::tempdir().unwrap();
    let output = blinkd(root.path(), &["analyze", "--json", "--nonsense", "x.avi"]).output().unwrap();
    let error: serde_json::Value = serde_json::from_str(&said(&output)).unwrap();
    assert_eq!(output.status.code(), Some(2));
    let keys: Vec<_> = error["error"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["code", "fix", "message"]);
}

#[test]
fn an_unknown_key_names_file_and_line() {
    let root = tempfile::tempdir().unwrap();
    let file = Paths::under(root.path()).config_file();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "[upload]\nca_flie = \"x\"\n").unwrap();
    let output = blinkd(root.path(), &["run"]).output().unwrap();
    let line = said(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(line.contains("ca_flie") && line.contains("line 2") && line.contains("config.toml"), "{line}");
}

#[test]
fn a_wrong_environment_variable_is_named() {
    let root = tempfile::tempdir().unwrap();
    let output = blinkd(root.path(), &["run"]).env("BLINKD_LOG__LEVEL", "loud").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("BLINKD_LOG__LEVEL"));
}

#[test]
fn a_data_folder_that_cannot_be_made_is_exit_1() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("data"), "in the way").unwrap();
    let output = blinkd(root.path(), &["run"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("data folder"));
}

#[test]
fn without_a_home_it_says_so() {
    let output = Command::new(env!("CARGO_BIN_EXE_blinkd")).arg("run").env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("HOME"));
}

pub(crate) struct Program(pub(crate) Child);

impl Program {
    pub(crate) fn start(root: &Path) -> Self {
        let source = "synthetic:bpm=20";
        let mut command = blinkd(root, &["run", "--headless", "--source", source]);
        Self::run(root, command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Runs `command`; returns when its socket accepts connections.
    pub(crate) fn run(root: &Path, command: &mut Command) -> Self {
        let program = Self(command.spawn().unwrap());
        let socket = Paths::under(root).socket();
        until("the socket", || std::os::unix::net::UnixStream::connect(&socket).is_ok());
        program
    }

    pub(crate) fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.0.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[rstest]
#[case("-TERM")]
#[case("-INT")]
fn it_stops_cleanly_within_two_seconds_and_a_second_one_is_exit_5(#[case] signal: &str) {
    let root = tempfile::tempdir().unwrap();
    let mut program = Program::start(root.path());
    let second = blinkd(root.path(), &["run"]).output().unwrap();
    assert_eq!(second.status.code(), Some(5));
    assert!(said(&second).contains(&program.0.id().to_string()));

    let mut client = Client::connect(&Paths::under(root.path()).socket());
    client.greet();
    client.consent();
    until("frames", || client.status().fps > 0.0);
    program.signal(signal);
    let asked = Instant::now();
    let status = program.0.wait().unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert!(!Paths::under(root.path()).socket().exists());
    let mut chatter = String::new();
    std::io::Read::read_to_string(program.0.stderr.as_mut().unwrap(), &mut chatter).unwrap();
    assert_eq!(chatter, "", "off a terminal it says nothing");
}

#[test]
fn a_hangup_without_a_terminal_reads_the_settings_and_user_signals_end_nothing() {
    let root = tempfile::tempdir().unwrap();
    let daemon = blinkd(root.path(), &["run", "--headless", "--source", "synthetic"]);
    // Without setsid, blinkd would have the terminal of whoever runs the tests.
    let mut command = Command::new("setsid");
    command.arg(daemon.get_program()).args(daemon.get_args());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.envs(daemon.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut program = Program::run(root.path(), &mut command);
    let state = Paths::under(root.path()).state;
    let logged = || {
        let files = fs::read_dir(&state).into_iter().flatten().flatten();
        files.map(|entry| fs::read_to_string(entry.path()).unwrap_or_default()).collect::<String>()
    };
    let mut client = Client::connect(&Paths::under(root.path()).socket());
    client.greet();
    let caught = || {
        let status = fs::read_to_string(format!("/proc/{}/status", program.0.id())).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap()
    };
    // SIGUSR2 is number 12, and the last signal that blinkd listens for.
    until("signals to be heard", || caught() & (1 << 11) != 0);
    for (signal, says) in [("-HUP", "the settings were read again"), ("-USR1", "SIGUSR1"), ("-USR2", "SIGUSR2")] {
        program.signal(signal);
        until(says, || logged().contains(says));
        client.status();
    }
    program.signal("-TERM");
    assert_eq!(program.0.wait().unwrap().code(), Some(0));
}

/// Makes each small file unreadable: two are damaged, the others are replaced by folders.
fn spoil(paths: &Paths) {
    fs::create_dir_all(&paths.data).unwrap();
    fs::write(paths.owner_file(), "{\"ada@example.org\"").unwrap();
    for name in ["pause.json", "tokens.json", "consent.json", "store"] {
        let _ = fs::remove_dir_all(paths.data.join(name));
        fs::create_dir(paths.data.join(name)).unwrap();
    }
    fs::write(paths.data.join("store/conf"), "damaged").unwrap();
    let account = serde_json::json!({
        "current": {
            "server": "http://127.0.0.1:9", "user_id": uuid::Uuid::from_u128(1), "email": "ada@example.org",
        },
        "first": null,
    });
    fs::write(paths.data.join("account.json"), account.to_string()).unwrap();
}

#[test]
fn killed_it_starts_again_at_once_and_its_logs_name_nobody() {
    let root = tempfile::tempdir().unwrap();
    let mut program = Program::start(root.path());
    program.0.kill().unwrap();
    program.0.wait().unwrap();
    spoil(&Paths::under(root.path()));
    let _again = Program::start(root.path());
    let state = Paths::under(root.path()).state;
    let logged = || {
        let files = fs::read_dir(&state).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
        files.collect::<String>()
    };
    until("a line by each", || logged().matches("\"starting\"").count() == 2);
    for failure in
        ["the enrolment cannot be read", "taken as a pause", "taken as no consent", "the tokens cannot be read"]
    {
        until(failure, || logged().contains(failure));
    }
    for line in logged().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(!line.to_string().contains(root.path().to_str().unwrap()), "{line}");
        assert!(!line.to_string().contains("ada@example.org"), "{line}");
    }
}

#[test]
fn a_missing_model_is_a_state_and_not_an_end() {
    let root = tempfile::tempdir().unwrap();
    let empty = root.path().join("no models");
    fs::create_dir(&empty).unwrap();
    let paths = Paths::under(root.path());
    fs::create_dir_all(&paths.data).unwrap();
    let record = blink_proto::consent::ConsentRecord::granted(jiff::Timestamp::now());
    fs::write(paths.consent_file(), serde_json::to_string(&record).unwrap()).unwrap();
    // Puts another file under the model's name into the folder that is searched first.
    fs::write(empty.join("shape_predictor_68_face_landmarks.dat"), "not a model").unwrap();
    let mut command = blinkd(root.path(), &["run", "--source", "synthetic"]);
    let child = command.env("BLINKD_MODELS_DIR", &empty).spawn().unwrap();
    let _program = Program(child);
    until("the socket", || std::os::unix::net::UnixStream::connect(paths.socket()).is_ok());
    let mut client = Client::connect(&paths.socket());
    client.greet();
    until("the error", || client.status().state == blink_proto::status::State::Error);
    let problem = client.status().last_error.unwrap();
    assert!(problem.code.starts_with("model_"), "{problem:?}");
    assert!(problem.fix.contains("blinkd models"), "{problem:?}");
}
