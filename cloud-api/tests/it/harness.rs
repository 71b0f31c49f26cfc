//! Gives each test a server of its own.

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

use crate::postgres::Database;
pub(crate) use crate::{
    bodies::{changed, gzip, minute, minutes},
    client::{Answer, Client},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

/// Runs each test on SQLite and on PostgreSQL. With `on f;` before them the servers come of `f`.
macro_rules! contract {
    (on $start:path; $($(#[$meta:meta])* fn $name:ident($app:ident) $body:block)*) => {$(
        mod $name {
            use super::*;
            fn body($app: &TestApp) $body
            $(#[$meta])*
            #[test]
            fn sqlite() {
                body(&$start(Backend::Sqlite));
            }
            $(#[$meta])*
            #[test]
            fn postgres() {
                body(&$start(Backend::Postgres));
            }
        }
    )*};
    ($($tests:tt)*) => {
        contract! { on TestApp::start; $($tests)* }
    };
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
    /// The recording of a demonstration.
    pub(crate) demo: Option<std::path::PathBuf>,
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
        let postgres = (backend == Backend::Postgres).then(Database::migrated);
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
            demo: None,
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
                demo: self.demo.clone(),
                exports_dir: None,
                // Whether it is built where the tests run must make no difference.
                dashboard: false,
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
            demo_folder: None,
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
        self.address = format!("http://{}", address.recv_timeout(Duration::from_secs(120)).unwrap());
    }

    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            server.join().unwrap();
        }
    }

    /// The number of rows of a table, or of what follows FROM.
    pub(crate) fn count(&self, of: &str) -> i64 {
        use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            n: i64,
        }
        let mut conn = cloud_api::open::connect(&self.target).unwrap();
        sql_query(format!("SELECT count(*) AS n FROM {of}")).get_result::<Count>(&mut conn).unwrap().n
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

    /// The same person, signed in again, because an earlier access token has expired or the server was restarted.
    pub(crate) fn again(&self, who: &Client) -> Client {
        let mut client = Client { base: self.address.clone(), ..who.clone() };
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
