//! A private PostgreSQL cluster for one run of the tests. The first test that needs it makes it, on a Unix socket in a
//! temporary folder; it is stopped and removed when the test runner has ended.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::PathBuf,
    process::{Command, Stdio},
};

use cloud_api::{config::Target, db::migrate, open};
use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _, sql_query,
    sql_types::BigInt,
};
use uuid::Uuid;

/// A separate database in the run's cluster. Dropping this drops the database.
pub(crate) struct Database {
    name: String,
    cluster: Cluster,
}

/// The database that [`Database::migrated`] copies.
const TEMPLATE: &str = "migrated";

impl Database {
    pub(crate) fn create() -> Self {
        Self::like("template1")
    }

    /// A database with all tables and no rows: a copy, which is made several times faster than migrations run.
    pub(crate) fn migrated() -> Self {
        Self::like(TEMPLATE)
    }

    fn like(template: &str) -> Self {
        let cluster = Cluster::of_this_run();
        let name = format!("t_{}", Uuid::new_v4().simple());
        cluster.admin().batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}")).unwrap();
        Self { name, cluster }
    }

    pub(crate) fn target(&self) -> Target {
        self.cluster.url(&self.name).parse().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        self.cluster.url(&self.name)
    }

    /// Refuses new connections and ends all present ones, like a database that is down.
    pub(crate) fn shut(&self) {
        let mut admin = self.cluster.admin();
        admin.batch_execute(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name)).unwrap();
        self.throw_out();
    }

    /// Makes new sessions read-only, as on a standby, or writable again.
    pub(crate) fn set_read_only(&self, read_only: bool) {
        let sql = format!(
            "SET default_transaction_read_only = off; ALTER DATABASE {} SET default_transaction_read_only = {read_only}",
            self.name
        );
        self.cluster.admin().batch_execute(&sql).unwrap();
    }

    /// Ends every session on the database.
    pub(crate) fn throw_out(&self) {
        let all = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", self.name);
        self.cluster.admin().batch_execute(&all).unwrap();
    }

    /// How many of its queries sleep.
    pub(crate) fn sleepers(&self) -> i64 {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        let query = format!(
            "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = '{}' AND wait_event = 'PgSleep'",
            self.name
        );
        sql_query(query).get_result::<Count>(&mut self.cluster.admin()).unwrap().n
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The folder of the cluster's socket.
    pub(crate) fn folder(&self) -> &std::path::Path {
        &self.cluster.folder
    }

    /// Accepts connections again.
    pub(crate) fn open(&self) {
        self.cluster.admin().batch_execute(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name)).unwrap();
    }

    /// The number of connections that wait for a lock.
    pub(crate) fn waiting(&self) -> i64 {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        let waiting = "SELECT count(*) AS n FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        sql_query(waiting).get_result::<Count>(&mut self.connect()).unwrap().n
    }

    pub(crate) fn connect(&self) -> PgConnection {
        PgConnection::establish(&self.url()).unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = self.cluster.admin().batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

struct Cluster {
    folder: PathBuf,
}

impl Cluster {
    /// The cluster of this run: the runner (nextest or cargo) is the parent of all its test processes.
    fn of_this_run() -> Self {
        let runner = rustix::process::getppid().unwrap().as_raw_nonzero();
        let folder = home().join(format!("cloud-api-pg-{runner}"));
        let lock = fs::File::create(folder.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        let cluster = Self { folder };
        if !cluster.folder.join("ready").exists() {
            cluster.start(runner.get());
            cluster.admin().batch_execute(&format!("CREATE DATABASE {TEMPLATE}")).unwrap();
            let target = cluster.url(TEMPLATE).parse().unwrap();
            migrate::run(&mut open::connect(&target).unwrap(), &target).unwrap();
            fs::write(cluster.folder.join("ready"), "").unwrap();
        }
        cluster
    }

    fn start(&self, runner: i32) {
        let bin = bin();
        let owner = owner();
        fs::create_dir(&self.folder).unwrap();
        fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o755)).unwrap();
        if let Some((uid, gid)) = owner {
            chown(&self.folder, Some(uid), Some(gid)).unwrap();
        }
        let data = self.folder.join("data");
        let run = |program: &str, args: &[&str]| {
            let mut command = Command::new(bin.join(program));
            command
                .args(args)
                .current_dir(&self.folder)
                .env("PGDATA", &data)
                .stdin(Stdio::null())
                .stdout(Stdio::null());
            if let Some((uid, gid)) = owner {
                command.uid(uid).gid(gid);
            }
            // The server must not keep this test's own pipes open.
            let output = command.stderr(fs::File::create(self.folder.join("stderr")).unwrap()).status().unwrap();
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(
                output.success(),
                "{program} failed: {}{}",
                fs::read_to_string(self.folder.join("stderr")).unwrap(),
                log()
            );
        };
        run("initdb", &["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]);
        // No data must survive a crash of the machine, so fsync can be off.
        let settings = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c fsync=off -c max_connections=400 \
             -c shared_buffers=64MB -c max_wal_size=256MB -c wal_level=minimal -c max_wal_senders=0 -c autovacuum_naptime=10s",
            self.folder.display()
        );
        run("pg_ctl", &["start", "-w", "-s", "-l", &self.folder.join("log").display().to_string(), "-o", &settings]);
        self.remove_after(runner);
    }

    #[expect(clippy::zombie_processes, reason = "it outlives this process on purpose")]
    /// Starts a watcher that removes the cluster when the runner ends, in whatever way.
    fn remove_after(&self, runner: i32) {
        let script = format!(
            "while kill -0 {runner} 2>/dev/null; do sleep 0.3; done; \
             kill -QUIT $(head -1 '{folder}/data/postmaster.pid'); sleep 0.3; rm -rf '{folder}' '{folder}.lock'",
            folder = self.folder.display(),
        );
        let quiet = Stdio::null;
        Command::new("sh")
            .args(["-c", &script])
            .current_dir("/")
            .process_group(0)
            .stdin(quiet())
            .stdout(quiet())
            .stderr(quiet())
            .spawn()
            .unwrap();
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@/{database}?host={}", self.folder.display())
    }

    fn admin(&self) -> PgConnection {
        PgConnection::establish(&self.url("postgres")).unwrap()
    }
}

/// Where clusters are made: in memory where there is room, because a database is three hundred files that come and go.
fn home() -> PathBuf {
    const ROOM_BYTES: u64 = 2 << 30;
    let memory = PathBuf::from("/dev/shm");
    let has_room = |stat: rustix::fs::StatVfs| stat.f_bavail * stat.f_frsize >= ROOM_BYTES;
    if rustix::fs::statvfs(&memory).is_ok_and(has_room) { memory } else { std::env::temp_dir() }
}

/// The folder of Debian's newest PostgreSQL, or the one on the path.
pub(crate) fn bin() -> PathBuf {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).collect())
        .unwrap_or_default();
    versions.retain(|path| path.join("initdb").exists());
    versions.sort();
    let on_path = std::env::var_os("PATH")
        .and_then(|path| std::env::split_paths(&path).find(|folder| folder.join("initdb").exists()));
    versions.pop().or(on_path).expect("PostgreSQL is not installed: apt-get install postgresql")
}

/// PostgreSQL refuses to run as root, so root runs it as the user of Debian's package.
fn owner() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("there is no user postgres");
    let mut fields = line.split(':').skip(2).map(|field| field.parse().unwrap());
    Some((fields.next().unwrap(), fields.next().unwrap()))
}
