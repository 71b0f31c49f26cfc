//! Gives each test a server of its own, and clients with or without an account.

use std::{
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

use cloud_api::{
    clock::Clock,
    config::{
        AccessConfig, ArchiveConfig, AttendanceConfig, Config, DatabaseConfig, OutsideConfig, Part, ServerConfig,
        Target,
    },
    db::{housekeeping, transaction, users},
    domain::time::UtcMs,
    faces::Reader,
    startup::Application,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use uuid::Uuid;

pub(crate) use crate::bodies::{changed, gzip, minute, minutes};
use crate::postgres::Database;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// Runs each test on SQLite and on PostgreSQL.
macro_rules! contract {
    ($($(#[$meta:meta])* fn $name:ident($app:ident) $body:block)*) => {$(
        mod $name {
            use super::*;
            fn body($app: &TestApp) $body
            $(#[$meta])*
            #[test]
            fn sqlite() {
                body(&TestApp::start(Backend::Sqlite));
            }
            $(#[$meta])*
            #[test]
            fn postgres() {
                body(&TestApp::start(Backend::Postgres));
            }
        }
    )*};
}

/// The initial time of every test's server.
pub(crate) const NOW: &str = "2026-03-10T12:00:00Z";

const ALL_PARTS: [Part; 5] = [Part::Auth, Part::Data, Part::Sync, Part::Attendance, Part::Web];

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) fn at(text: &str) -> UtcMs {
    text.parse::<Timestamp>().unwrap().into()
}

pub(crate) struct TestApp {
    pub(crate) address: String,
    pub(crate) clock: Clock,
    pub(crate) folder: TempDir,
    pub(crate) target: Target,
    pub(crate) postgres: Option<Database>,
    pub(crate) access: AccessConfig,
    pub(crate) outside: OutsideConfig,
    /// Takes effect with the next [`Self::restart`].
    pub(crate) archive: Option<ArchiveConfig>,
    /// Reads faces in the place of the program, from the next [`Self::restart`] on.
    pub(crate) reader: Option<Reader>,
    /// Takes effect with the next [`Self::restart`].
    pub(crate) attendance: AttendanceConfig,
    pub(crate) master_key_file: Option<std::path::PathBuf>,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl TestApp {
    pub(crate) fn start(backend: Backend) -> Self {
        Self::start_with(backend, |_| ())
    }

    /// Starts with other settings.
    pub(crate) fn start_with(backend: Backend, change: impl FnOnce(&mut Self)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = (backend == Backend::Postgres).then(Database::create);
        let sqlite = Target::Sqlite(folder.path().join("server.db"));
        let target = postgres.as_ref().map_or(sqlite, Database::target);
        let mut app = Self::unstarted(folder, target, postgres, AccessConfig::default(), None);
        change(&mut app);
        app.run();
        app
    }

    /// Changes the settings and restarts the server.
    pub(crate) fn set_access(&mut self, access: AccessConfig) {
        self.access = access;
        self.restart();
    }

    /// Starts on an existing PostgreSQL database.
    pub(crate) fn on(database: Database) -> Self {
        let target = database.target();
        let folder = tempfile::tempdir().unwrap();
        let mut app = Self::unstarted(folder, target, Some(database), AccessConfig::default(), None);
        app.run();
        app
    }

    /// Another server on the same database, with settings of outside services.
    pub(crate) fn replica_with(&self, outside: OutsideConfig) -> Self {
        let mut app = self.replica();
        app.outside = outside;
        app.restart();
        app
    }

    /// Starts another server on the same database.
    pub(crate) fn replica(&self) -> Self {
        let (access, master_key_file) = (self.access.clone(), self.master_key_file.clone());
        let mut app = Self::unstarted(tempfile::tempdir().unwrap(), self.target.clone(), None, access, master_key_file);
        app.reader = self.reader.clone();
        app.attendance = self.attendance.clone();
        app.run();
        app
    }

    fn unstarted(
        folder: TempDir,
        target: Target,
        postgres: Option<Database>,
        access: AccessConfig,
        master_key_file: Option<std::path::PathBuf>,
    ) -> Self {
        let clock = Clock::manual(at(NOW));
        Self {
            address: String::new(),
            clock,
            folder,
            target,
            postgres,
            access,
            outside: OutsideConfig::default(),
            archive: None,
            reader: None,
            attendance: AttendanceConfig::default(),
            master_key_file,
            stop: None,
            server: None,
        }
    }

    /// Gives a person a role, as an operator at the machine would.
    pub(crate) fn set_role(&self, who: &Client, role: &str) {
        let mut conn = cloud_api::open::connect(&self.target).unwrap();
        let id = who.id.parse().unwrap();
        assert_eq!(users::set_role(&mut conn, id, role).unwrap(), users::RoleChange::Done);
    }

    /// Sets the time like a clock that went on while the server ran: retention has run every hour.
    pub(crate) fn pass_time(&self, text: &str) {
        self.set_time(text);
        let mut conn = cloud_api::open::connect(&self.target).unwrap();
        transaction(&mut conn, |conn| housekeeping::begin_run(conn, at(text), true)).unwrap();
    }

    /// Starts the server on its present data.
    fn run(&mut self) {
        let config = Config {
            access: self.access.clone(),
            outside: self.outside.clone(),
            archive: self.archive.clone(),
            attendance: self.attendance.clone(),
            server: ServerConfig {
                listen: "127.0.0.1:0".parse().unwrap(),
                workers: 2,
                public_url: None,
                tls: None,
                behind_proxy: false,
                exports_dir: None,
                parts: ALL_PARTS.to_vec(),
            },
            database: DatabaseConfig {
                target: self.target.clone(),
                master_key_file: self.master_key_file.clone(),
                ledger: self.folder.path().join("ledger.ndjson"),
                connections: 4,
                retention_days: 1_095,
                migrate: true,
                // Some tests start a second server with other settings on the same file.
                alone: false,
            },
            log: "info".to_owned(),
        };
        let (clock, reader) = (self.clock.clone(), self.reader.clone());
        let (told, address) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        self.server = Some(thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let application = match reader {
                    Some(reader) => Application::build_with(config, clock, reader).await.unwrap(),
                    None => Application::build(config, clock).await.unwrap(),
                };
                told.send(application.address()).unwrap();
                application.run_until_stopped(async { drop(stopped.await) }).await.unwrap();
            });
        }));
        self.stop = Some(stop);
        self.address = format!("http://{}", address.recv_timeout(Duration::from_secs(30)).unwrap());
    }

    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            server.join().unwrap();
        }
    }

    pub(crate) fn restart(&mut self) {
        self.stop();
        self.run();
    }

    pub(crate) fn anonymous(&self) -> Client {
        Client::new(&self.address)
    }

    /// Registers a person in this time zone.
    pub(crate) fn user_in(&self, timezone: &str) -> Client {
        let mut client = self.anonymous();
        let email = format!("{}@example.org", Uuid::new_v4().simple());
        let answer = client.post("/api/auth/register", &registration(&email, timezone));
        assert_eq!(answer.status, 201, "{answer:?}");
        client.sign_in(&answer.json);
        client
    }

    /// The same person, signed in again, because an earlier access token has expired.
    pub(crate) fn again(&self, who: &Client) -> Client {
        let mut client = who.clone();
        let login = json!({"email": who.email, "password": PASSWORD});
        client.sign_in(&self.anonymous().post("/api/auth/login", &login).expect(200).json);
        client
    }

    pub(crate) fn user(&self) -> Client {
        self.user_in("UTC")
    }

    pub(crate) fn set_time(&self, text: &str) {
        self.clock.set(at(text));
    }
}

impl Drop for TestApp {
    /// Tells the server to stop without waiting for it: kept-alive connections may hold it for a second.
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

pub(crate) fn registration(email: &str, timezone: &str) -> Value {
    json!({
        "email": email, "password": PASSWORD, "name": "Ada", "timezone": timezone,
        "consent": {"tracking": true, "version": "1"},
    })
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// The code of the error envelope, which must be complete.
    #[track_caller]
    pub(crate) fn code(&self) -> &str {
        let error = &self.json["error"];
        let whole = error["code"].is_string() && error["message"].is_string() && error["request_id"].is_string();
        assert!(whole && self.json.as_object().unwrap().len() == 1, "no envelope: {self:?}");
        assert!(self.header("content-type").starts_with("application/json"), "{self:?}");
        assert_eq!(self.header("x-request-id"), error["request_id"].as_str().unwrap());
        error["code"].as_str().unwrap()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    pub(crate) fn field(&self, name: &str) -> &str {
        self.json["error"]["fields"][name].as_str().unwrap_or("")
    }
}

/// A client, which is anonymous until [`Client::sign_in`].
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) agent: ureq::Agent,
    pub(crate) base: String,
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) device: Uuid,
}

impl Client {
    pub(crate) fn new(base: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .allow_non_standard_methods(true)
            .timeout_global(Some(Duration::from_secs(60)))
            // The server closes an idle connection after 5 s.
            .max_idle_age(Duration::from_secs(2))
            .build()
            .new_agent();
        Self {
            agent,
            base: base.to_owned(),
            id: String::new(),
            email: String::new(),
            access: String::new(),
            refresh: String::new(),
            device: Uuid::new_v4(),
        }
    }

    pub(crate) fn sign_in(&mut self, tokens: &Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.id = text(&tokens["user"]["id"]);
        self.email = text(&tokens["user"]["email"]);
        self.access = text(&tokens["access_token"]);
        self.refresh = text(&tokens["refresh_token"]);
    }

    pub(crate) fn with_access(&self, token: &str) -> Self {
        Self { access: token.to_owned(), ..self.clone() }
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        self.try_send(method, path, headers, body).unwrap()
    }

    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        if !self.access.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.access));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = match body {
            Some(body) => self.agent.run(request.body(body)?)?,
            None => self.agent.run(request.body(())?)?,
        };
        let bytes = answer.body_mut().with_config().limit(64 << 20).read_to_vec()?;
        // A photo is none; its bytes do not matter here.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), text, json })
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], Some(body.to_string().as_bytes()))
    }

    pub(crate) fn sync(&self, buckets: &[Value]) -> Answer {
        self.post("/api/blink/sync", &json!({"device_id": self.device, "buckets": buckets}))
    }

    /// Uploads minutes, which must all be accepted as new.
    #[track_caller]
    pub(crate) fn store(&self, buckets: &[Value]) {
        let answer = self.sync(buckets).expect(200);
        assert_eq!(answer.json["accepted"], buckets.len(), "{answer:?}");
    }

    pub(crate) fn blinks(&self, query: &str) -> Answer {
        self.get(&format!("/api/user/{}/blinks?{query}", self.id))
    }

    /// The sums of blinks and observed milliseconds over the whole history.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let items = self.blinks("group=week&limit=1000").expect(200);
        let sum = |name: &str| items.json["items"].as_array().unwrap().iter().map(|i| i[name].as_u64().unwrap()).sum();
        (sum("blink_count"), sum("observed_ms"))
    }
}
