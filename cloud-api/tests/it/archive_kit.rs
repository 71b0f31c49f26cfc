//! Helpers of the archive's tests: servers with an archive, and ways to inspect it.

use std::{
    collections::BTreeMap,
    io::{Read, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use blink_proto::Secret;
use cloud_api::{
    archive::{
        Archive,
        codec::{self, Holds},
        store::Bucket,
    },
    config::{
        ArchiveConfig, DatabaseConfig,
        archive::{ArchiveLocation, S3Config},
    },
    db::archive::{self, ObjectRow, QueueState},
    open,
};
use serde_json::{Value, json};

use crate::harness::*;

/// Waits until the condition holds, up to 90 s, because a machine under load may be slow.
#[track_caller]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(90), "{what}: not within 90 seconds");
        thread::sleep(Duration::from_millis(30));
    }
}

pub(crate) fn config(place: ArchiveLocation) -> ArchiveConfig {
    ArchiveConfig {
        place,
        gather_ms: 0,
        queue_max_bytes: 1 << 30,
        data_bucket: "waw-blink-data".to_owned(),
        logs_bucket: "waw-logs".to_owned(),
    }
}

pub(crate) fn s3(endpoint: &str) -> ArchiveLocation {
    ArchiveLocation::S3(S3Config {
        endpoint: Some(endpoint.to_owned()),
        region: "us-east-1".to_owned(),
        keys: Some(("test".to_owned(), Secret::new("test".to_owned()))),
        session_token: None,
    })
}

/// Starts a server with a master key and this archive.
pub(crate) fn start_with(backend: Backend, archive: impl FnOnce(&Path) -> ArchiveConfig) -> TestApp {
    let mut app = TestApp::start(backend);
    let key = app.folder.path().join("master");
    std::fs::write(&key, [7; 32]).unwrap();
    app.archive = Some(archive(app.folder.path()));
    app.master_key_file = Some(key);
    app.restart();
    app
}

/// Starts a server whose archive is a folder.
pub(crate) fn start(backend: Backend) -> TestApp {
    start_with(backend, |home| config(ArchiveLocation::Folder(home.join("archive"))))
}

/// Another server on the same database and archive.
pub(crate) fn replica(app: &TestApp) -> TestApp {
    let mut other = app.replica();
    other.archive.clone_from(&app.archive);
    other.restart();
    other
}

pub(crate) fn objects(app: &TestApp) -> Vec<ObjectRow> {
    archive::objects(&mut open::connect(&app.target).unwrap(), None, None, 100_000).unwrap()
}

/// The number of finished objects.
pub(crate) fn written(app: &TestApp) -> usize {
    objects(app).iter().filter(|object| object.written).count()
}

pub(crate) fn queue(app: &TestApp) -> QueueState {
    archive::queue_state(&mut open::connect(&app.target).unwrap()).unwrap()
}

/// The archive of a server, as another process opens it.
pub(crate) fn archive_of(app: &TestApp) -> Archive {
    let mut conn = open::connect(&app.target).unwrap();
    let database = DatabaseConfig {
        target: app.target.clone(),
        connections: 1,
        master_key_file: app.master_key_file.clone(),
        ledger: app.folder.path().join("unused"),
        retention_days: 1,
        migrate: false,
        alone: false,
    };
    Archive::open(app.archive.as_ref().unwrap(), &database, &mut conn).unwrap()
}

/// The lines of all objects, decrypted as an operator would.
pub(crate) fn opened(app: &TestApp) -> Vec<Value> {
    let (archive, mut conn) = (archive_of(app), open::connect(&app.target).unwrap());
    let mut lines = Vec::new();
    for object in objects(app).iter().filter(|object| object.written) {
        let read = actix_web::rt::System::new().block_on(archive.stores.get(Bucket::Data, &object.name));
        let bytes = read.unwrap();
        assert_eq!(bytes.len(), usize::try_from(object.bytes).unwrap());
        let key = archive::key(&mut conn, codec::key_id(&bytes).unwrap()).unwrap().unwrap();
        let plain = archive.keys.open(&key).unwrap().open(Holds::Minutes, &object.name, &bytes).unwrap();
        let text = String::from_utf8(plain).unwrap();
        let before = lines.len();
        lines.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        assert_eq!(lines.len() - before, usize::try_from(object.records).unwrap());
    }
    lines
}

/// Counts how often each minute is in the archive, by person, device and time.
pub(crate) fn times_archived(app: &TestApp) -> BTreeMap<String, u32> {
    let mut times = BTreeMap::new();
    for line in opened(app) {
        *times.entry(format!("{} {} {}", line["user_id"], line["device_id"], line["from_timestamp"])).or_default() += 1;
    }
    times
}

/// A minute as it is archived.
pub(crate) fn as_archived(sent: &Value, who: &Client) -> Value {
    changed(sent.clone(), &json!({"user_id": who.id, "device_id": who.device, "received_at": NOW}))
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { found.extend(files(&entry)) } else { found.push(entry) }
    }
    found
}

pub(crate) fn erase(who: &Client) -> Answer {
    let body = json!({"password": PASSWORD}).to_string();
    who.send("DELETE", "/api/user/me", &[("content-type", "application/json")], Some(body.as_bytes()))
}

/// The entry of one store in a receipt.
pub(crate) fn store<'a>(receipt: &'a Answer, name: &str) -> &'a Value {
    let stores = receipt.json["stores"].as_array().unwrap();
    stores.iter().find(|store| store["store"] == name).unwrap_or_else(|| panic!("no {name} in {receipt:?}"))
}

const PASSES: u8 = 0;
const REFUSES: u8 = 1;
const HANGS: u8 = 2;

/// A TCP proxy to a server that can be closed and opened again.
pub(crate) struct SwitchableProxy {
    pub(crate) address: String,
    state: Arc<AtomicU8>,
}

impl SwitchableProxy {
    pub(crate) fn to(server: &str) -> Self {
        let target = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(AtomicU8::new(PASSES));
        let seen = state.clone();
        thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming().flatten() {
                match seen.load(Ordering::SeqCst) {
                    PASSES => pass(&stream, &target, &seen),
                    REFUSES => drop(stream),
                    _ => held.push(stream),
                }
            }
        });
        Self { address, state }
    }

    pub(crate) fn close(&self) {
        self.state.store(REFUSES, Ordering::SeqCst);
    }

    /// Accepts connections and never answers.
    pub(crate) fn hang(&self) {
        self.state.store(HANGS, Ordering::SeqCst);
    }

    pub(crate) fn open(&self) {
        self.state.store(PASSES, Ordering::SeqCst);
    }
}

/// Forwards bytes in both directions while the proxy is open.
fn pass(stream: &TcpStream, target: &str, state: &Arc<AtomicU8>) {
    let Ok(server) = TcpStream::connect(target) else { return };
    for (from, to) in [(stream, &server), (&server, stream)] {
        let (mut from, mut to, state) = (from.try_clone().unwrap(), to.try_clone().unwrap(), state.clone());
        thread::spawn(move || {
            let mut buffer = [0; 16 << 10];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                if state.load(Ordering::SeqCst) != PASSES || to.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(std::net::Shutdown::Both);
            let _ = from.shutdown(std::net::Shutdown::Both);
        });
    }
}
