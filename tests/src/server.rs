//! cloud-api on a free port, with a database of its own.

use std::{collections::BTreeMap, process::Command, time::Duration};

use blink_proto::{DeviceId, Minute, MinuteStart, consent::TRACKING_VERSION};
use serde_json::{Value, json};

use crate::{Profile, Program, profile::PASSWORD, until};

/// How long the server may take to listen: its first start creates keys and tables.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running server. Dropping it kills it.
#[derive(Debug)]
pub struct Server {
    program: Program,
    url: String,
}

impl Server {
    /// Starts a server whose database is in `profile`.
    #[must_use]
    pub fn start(profile: &Profile) -> Self {
        Self::listening(profile, "127.0.0.1:0")
    }

    /// Starts a server that listens on `address`.
    #[must_use]
    pub fn listening(profile: &Profile, address: &str) -> Self {
        Self::run(&mut command(profile, address), profile)
    }

    /// Starts a server by a [`command`] of one's own.
    #[must_use]
    pub fn run(command: &mut Command, profile: &Profile) -> Self {
        let mut program = Program::start(command, profile.path());
        let url = until("the server to listen", START_LIMIT, || {
            let ended = program.ended();
            assert!(ended.is_none(), "the server ended with {ended:?}:\n{}", program.stderr());
            Some(program.stdout().strip_prefix("cloud-api listening on ")?.strip_suffix('\n')?.to_owned())
        });
        Self { program, url }
    }

    /// The base URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The address as `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        self.url.strip_prefix("http://").expect("tests speak plain HTTP").to_owned()
    }

    /// The process, to stop or kill it.
    pub fn program(&mut self) -> &mut Program {
        &mut self.program
    }

    /// The sum of `blink_count` over all minutes of account `user_id` on the server, and the number of these minutes.
    #[track_caller]
    #[must_use]
    pub fn blinks_of(&self, user_id: &str, email: &str) -> (u64, usize) {
        let minutes = self.minutes_of(user_id, email);
        (minutes.values().sum(), minutes.len())
    }

    /// The `blink_count` of each minute of account `user_id` on the server. Panics when the server returns a minute
    /// twice.
    #[track_caller]
    #[must_use]
    pub fn minutes_of(&self, user_id: &str, email: &str) -> BTreeMap<MinuteStart, u64> {
        let answer = self.get(&format!("/api/user/{user_id}/blinks?group=minute&limit=1000"), &self.sign_in(email));
        assert_eq!(answer["next_cursor"], Value::Null, "a test does not last 1,000 minutes");
        let items = answer["items"].as_array().expect("items is a list");
        let mut minutes = BTreeMap::new();
        for item in items {
            let from = item["from_timestamp"].as_str().and_then(|text| text.parse().ok());
            let from = MinuteStart::containing(from.expect("a minute has its start"));
            let before = minutes.insert(from, item["blink_count"].as_u64().expect("a count is a number"));
            assert_eq!(before, None, "{from} is there twice");
        }
        minutes
    }

    /// Makes the account `email`, which no machine is signed in to; returns an access token.
    #[track_caller]
    #[must_use]
    pub fn make_account(&self, email: &str) -> String {
        let consent = json!({ "tracking": true, "version": TRACKING_VERSION });
        let body = json!({ "email": email, "password": PASSWORD, "consent": consent });
        let answer = self.post("/api/auth/register", None, &body);
        answer["access_token"].as_str().expect("there is a token").to_owned()
    }

    /// Uploads `minutes` as the machine `device_id` does; all must be new.
    #[track_caller]
    pub fn upload(&self, token: &str, device_id: DeviceId, minutes: &[Minute]) {
        let body = json!({ "device_id": device_id, "buckets": minutes });
        let answer = self.post("/api/blink/sync", Some(token), &body);
        assert_eq!(answer["accepted"], minutes.len(), "{answer}");
    }

    /// A fresh access token of `email`.
    #[track_caller]
    #[must_use]
    pub fn sign_in(&self, email: &str) -> String {
        let body = json!({ "email": email, "password": PASSWORD });
        let answer = self.post("/api/auth/login", None, &body);
        answer["access_token"].as_str().expect("there is a token").to_owned()
    }

    /// Approves the device that shows `user_code`, as `email` does on the server's page.
    #[track_caller]
    pub fn approve(&self, user_code: &str, email: &str) {
        let body = json!({ "user_code": user_code, "approve": true });
        let _ = self.post("/api/auth/device/approve", Some(&self.sign_in(email)), &body);
    }

    #[track_caller]
    fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Value {
        let mut request = ureq::post(format!("{}{path}", self.url)).header("Content-Type", "application/json");
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut answer = request.send(body.to_string()).unwrap_or_else(|error| panic!("POST {path}: {error}"));
        answer.body_mut().read_json().unwrap_or_default()
    }

    #[track_caller]
    fn get(&self, path: &str, token: &str) -> Value {
        ureq::get(format!("{}{path}", self.url))
            .header("Authorization", format!("Bearer {token}"))
            .call()
            .unwrap_or_else(|error| panic!("GET {path}: {error}"))
            .body_mut()
            .read_json()
            .expect("it answers in JSON")
    }
}

/// The command that serves on `address`.
#[must_use]
pub fn command(profile: &Profile, address: &str) -> Command {
    let mut command = profile.command("cloud-api");
    command.args(["serve", "--listen", address]);
    command
}
