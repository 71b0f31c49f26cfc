//! The folders of one imaginary person, and blinkctl within them.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use blink_profile::Paths;
use blink_proto::{Minute, status::Status};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    Server,
    program::{Ended, binary},
    until,
};

/// A password that the server accepts.
pub const PASSWORD: &str = "correct horse battery";

/// An empty profile, removed after the test.
#[derive(Debug)]
pub struct Profile {
    folder: TempDir,
}

impl Default for Profile {
    fn default() -> Self {
        Self::new()
    }
}

impl Profile {
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("waw").tempdir().expect("there is a temporary folder");
        for name in ["config", "data", "state", "run"] {
            fs::create_dir(folder.path().join(name)).expect("the folder is ours");
        }
        Self { folder }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    #[must_use]
    pub fn paths(&self) -> Paths {
        Paths::under(self.path())
    }

    /// The binary `name`, run in this profile; the caller's own settings do not reach it.
    #[must_use]
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new(binary(name));
        self.confine(&mut command);
        command
    }

    /// A program of the system, run in this profile.
    #[must_use]
    pub fn plain(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        self.confine(&mut command);
        command
    }

    /// Sets the environment of `command` to this profile alone.
    pub fn confine(&self, command: &mut Command) {
        command
            .current_dir(self.path())
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("XDG_DATA_HOME", self.path().join("data"))
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("XDG_RUNTIME_DIR", self.path().join("run"))
            .env("TZ", "UTC")
            // A test must not touch the keyring of whoever runs it.
            .env("BLINKD_ACCOUNT__KEYRING", "off");
        if let Some(models) = models() {
            command.env("BLINKD_MODELS_DIR", models);
        }
    }

    #[must_use]
    pub fn ctl(&self, args: &[&str]) -> Ended {
        self.ctl_with(args, "")
    }

    #[must_use]
    pub fn ctl_with(&self, args: &[&str], input: &str) -> Ended {
        Ended::of(self.command("blinkctl").args(args), input)
    }

    #[must_use]
    pub fn blinkd(&self, args: &[&str]) -> Ended {
        Ended::of(self.command("blinkd").args(args), "")
    }

    /// The daemon's status. Panics when no daemon answers.
    #[track_caller]
    #[must_use]
    pub fn status(&self) -> Status {
        let json = self.ctl(&["status", "--json"]).success();
        serde_json::from_str(&json).expect("status --json is a status")
    }

    /// Waits until `wanted` accepts the daemon's status; `what` names the condition.
    #[track_caller]
    pub fn status_when(&self, what: &str, limit: Duration, wanted: impl Fn(&Status) -> bool) -> Status {
        until(what, limit, || Some(self.status()).filter(&wanted))
    }

    /// Appends `minute` to its day of the history, as the daemon writes it.
    pub fn add_to_history(&self, minute: &Minute) {
        let folder = self.paths().history();
        fs::create_dir_all(&folder).expect("the folder is ours");
        let day = folder.join(format!("{}.ndjson", minute.from_timestamp.strftime("%Y-%m-%d")));
        let mut day = fs::File::options().create(true).append(true).open(day).expect("the folder is ours");
        let line = serde_json::to_string(minute).expect("a minute is JSON");
        writeln!(day, "{line}").expect("there is room on the disk");
    }

    /// Registers an account on `server`, which signs this profile in and gives consent; returns the account's id.
    #[track_caller]
    pub fn register(&self, server: &Server, email: &str) -> String {
        let url = server.url();
        let args = ["register", "--server", &url, "--email", email, "--password-stdin", "--accept-consent", "--json"];
        let answer = self.ctl_with(&args, &format!("{PASSWORD}\n")).success();
        let answer: Value = serde_json::from_str(&answer).expect("register --json is JSON");
        answer["user_id"].as_str().expect("an account has an id").to_owned()
    }
}

/// The model folder of whoever runs the test, so that models are not fetched for every test.
fn models() -> Option<PathBuf> {
    let base = || {
        Some(
            env::var_os("XDG_DATA_HOME")
                .map_or(PathBuf::from(env::var_os("HOME")?).join(".local/share"), PathBuf::from),
        )
    };
    env::var_os("BLINKD_MODELS_DIR").map(PathBuf::from).or_else(|| Some(base()?.join("blinkd/models")))
}
