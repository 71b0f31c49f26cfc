//! Builds the application in order and runs it until it is told to stop. It works with port 0, so that tests can run
//! many at once.

mod connections;
mod listen;
mod prepare;

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    address::Network,
    archive::spool::Spool,
    auth::{oidc::Provider, password::Passwords},
    clock::Clock,
    config::{AccessConfig, Config, DatabaseConfig, Part, ServerConfig, Target},
    demo::{self, Demonstration},
    desk::Desk,
    faces::{Reader, pool::Pool},
    failure::{Failure, chain},
    http::{envelope, upload},
    jobs,
    limits::Limits,
    metrics, routes,
    state::State,
    tls::Certificate,
};
use connections::Connections;
use listen::{cannot_listen, listen};
use prepare::{Prepared, prepare};

use actix_cors::Cors;
use actix_web::{
    App, HttpServer,
    dev::Server,
    http::header::{AUTHORIZATION, CONTENT_TYPE},
    middleware::{Condition, from_fn},
    web,
};
use tokio::sync::Notify;

/// How long running requests may take once the server stops; then the process ends anyway.
const STOP_BOUND: Duration = Duration::from_millis(1_500);

/// Longer than [`STOP_BOUND`], so that actix itself cuts no connection before.
const SHUTDOWN_S: u64 = 2;

/// Time limit of one step of a job in PostgreSQL.
const JOB_BOUND: Duration = Duration::from_secs(180);

/// Time limit of emptying SQLite's log at the end.
const CLOSE_BOUND: Duration = Duration::from_millis(300);

/// How long an idle connection of a proxy is kept: longer than proxies keep theirs (nginx and Amazon's load balancers
/// 60 s), so that none of them sends a request on a connection that ends here at that moment.
const KEEP_ALIVE_OF_PROXY: Duration = Duration::from_secs(75);

/// The same of a client. Machines send once a minute, so keeping their connections would keep one for each machine.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// Longest time that a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// A server that listens and does not answer yet.
pub struct Application {
    server: Server,
    address: SocketAddr,
    scheme: &'static str,
    certificate: Option<Arc<Certificate>>,
    database: DatabaseConfig,
    state: State,
    spool: Option<Arc<Spool>>,
    reload: Arc<Notify>,
    claim: Option<fs::File>,
    demo: Option<Demonstration>,
}

impl Application {
    /// Lets the archive's job read log files from this spool.
    #[must_use]
    pub fn with_spool(self, spool: Option<Arc<Spool>>) -> Self {
        Self { spool, ..self }
    }

    /// Has keys and certificate read anew when `reload` is notified.
    #[must_use]
    pub fn reloading_on(self, reload: Arc<Notify>) -> Self {
        Self { reload, ..self }
    }

    /// Listens, migrates the database and makes the keys. Requests wait until [`Self::run_until_stopped`] runs.
    pub async fn build(config: Config, clock: Clock) -> Result<Self, Failure> {
        let reader = Arc::new(Pool::new(&config.attendance));
        Self::build_with(config, clock, reader).await
    }

    /// As [`Self::build`], with another reader of faces.
    pub async fn build_with(config: Config, clock: Clock, reader: Reader) -> Result<Self, Failure> {
        let certificate = certificate(&config)?;
        let listener = listen(config.server.listen)?;
        let address = listener.local_addr().map_err(|e| cannot_listen(config.server.listen, &e))?;
        let target = config.database.target.clone();
        let (database, now) = (config.database.clone(), clock.now());
        let archive = config.archive.clone();
        let prepared = web::block(move || prepare(&database, archive.as_ref(), now)).await;
        let mut prepared =
            prepared.map_err(|_| Failure::failed("start_failed", "Start-up was cancelled", "Start again."))??;
        let claim = prepared.claim.take();
        metrics::start();
        let scheme = if certificate.is_some() { "https" } else { "http" };
        let public_url = config.server.public_url.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
        warn_of_proxies(config.server.behind_proxy, &config.access);
        let state = state_of(prepared, &config, clock, reader, public_url);
        let demo = if state.demo.is_some() { Some(fill(&state).await?) } else { None };
        let server = serve(&state, &config.server, listener, certificate.as_ref());
        let server = server.map_err(|e| cannot_listen(address, &e))?;
        let kind = if matches!(target, Target::Sqlite(_)) { "sqlite" } else { "postgres" };
        tracing::info!(%address, database = kind, version = env!("CARGO_PKG_VERSION"), "listening");
        let (database, reload) = (config.database, Arc::new(Notify::new()));
        Ok(Self { server, address, scheme, certificate, database, state, spool: None, reload, claim, demo })
    }

    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// The listening address, with the real port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` completes. Then it takes no more requests, finishes running ones, and returns within 2 s.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> Result<(), Failure> {
        let (handle, db) = (self.server.handle(), self.state.db.clone());
        // No client waits for a job, so its queries may take longer.
        let state = State { db: db.clone().with_work_limit(JOB_BOUND), ..self.state };
        let spawn = |job: Pin<Box<dyn Future<Output = ()>>>| AbortOnDrop(actix_web::rt::spawn(job));
        let mut jobs = vec![
            spawn(Box::pin(jobs::keys(state.clone(), self.database, self.reload.clone()))),
            spawn(Box::pin(jobs::scrub(db.clone()))),
        ];
        if let Some(archive) = state.archive.clone() {
            jobs.push(spawn(Box::pin(jobs::archive::run(state.clone(), archive, self.spool))));
        }
        if let Some(certificate) = self.certificate {
            jobs.push(spawn(Box::pin(jobs::follow(certificate, self.reload))));
        }
        if state.desk.is_open {
            jobs.extend(state.desk.reader.work().into_iter().map(|work| spawn(work)));
            jobs.push(spawn(Box::pin(jobs::attendance::follow(state.clone()))));
            jobs.push(spawn(Box::pin(jobs::attendance::watch(state.clone()))));
            jobs.push(spawn(Box::pin(jobs::exports::run(state.clone()))));
        }
        if let Some(demo) = self.demo {
            jobs.push(spawn(Box::pin(demo.run(state.clone()))));
        }
        jobs.push(spawn(Box::pin(jobs::run(state))));
        let mut running = std::pin::pin!(self.server);
        tokio::select! {
            ended = &mut running => {
                let why = ended.err().map_or_else(|| "it ended".to_owned(), |e| e.to_string());
                return Err(Failure::failed("server_ended", format!("The server stopped by itself: {why}"), "Start it again."));
            }
            () = stop => {}
        }
        tracing::info!("stopping");
        // The server stops only while it is polled itself; both futures end once no connection is left.
        let ended = async { tokio::join!(handle.stop(true), &mut running) };
        if tokio::time::timeout(STOP_BOUND, ended).await.is_err() {
            tracing::warn!("requests were still under way; stopped nevertheless");
        }
        drop(jobs);
        // Deleted data must not stay in the log until the next start.
        let _ = tokio::time::timeout(CLOSE_BOUND, db.close()).await;
        drop(self.claim);
        Ok(())
    }
}

async fn fill(state: &State) -> Result<Demonstration, Failure> {
    demo::fill(state).await.map_err(|e| {
        let message = format!("The demonstration cannot be made: {} {}", e.message, e.cause.unwrap_or_default());
        Failure::failed("demo_failed", message.trim_end(), "Start it again.")
    })
}

/// What handlers use, for a command that answers no requests. It may work beside a running server.
pub(crate) async fn without_a_server(config: &Config, clock: Clock, reader: Reader) -> Result<State, Failure> {
    let (database, now) = (config.database.clone(), clock.now());
    let prepared = web::block(move || prepare(&database, None, now)).await;
    let prepared =
        prepared.map_err(|_| Failure::failed("start_failed", "Start-up was cancelled", "Start again."))??;
    Ok(state_of(prepared, config, clock, reader, String::new()))
}

fn state_of(prepared: Prepared, config: &Config, clock: Clock, reader: Reader, public_url: String) -> State {
    let Prepared { db, keys, ledger, archive, desk_keys, .. } = prepared;
    let database = &config.database;
    let beside = database.target.sqlite_path().unwrap_or(&database.ledger).with_file_name("exports");
    let ledger = if config.server.demo.is_some() { ledger.silent() } else { ledger };
    let keys = Arc::new(keys);
    let limits = Limits::new(config.access.rate_limit, db.clone(), keys.clone(), clock.clone());
    let is_open = config.server.parts.contains(&Part::Attendance);
    State {
        db,
        keys,
        ledger: Arc::new(ledger),
        archive: archive.map(Arc::new),
        desk: Arc::new(Desk::new(config.attendance.clone(), reader, desk_keys, is_open)),
        passwords: Passwords::default(),
        clock,
        started: Instant::now(),
        retention_days: database.retention_days,
        limits: Arc::new(limits),
        uploads: upload::Memory::default(),
        oidc: config.outside.oidc.clone().map(|oidc| Arc::new(Provider::new(oidc, &public_url))),
        ask: config.outside.ask.clone(),
        public_url,
        access: Arc::new(config.access.clone()),
        behind_proxy: config.server.behind_proxy,
        demo: config.server.demo.clone(),
        dashboard: config.server.dashboard && config.server.parts.contains(&Part::Web) && routes::dashboard::is_built(),
        exports_dir: config.server.exports_dir.clone().unwrap_or(beside),
    }
}

fn warn_of_proxies(behind_proxy: bool, access: &AccessConfig) {
    if behind_proxy && access.trusted_proxies.is_empty() {
        tracing::warn!(
            "CLOUD_API_TRUSTED_PROXIES is not set: everybody counts as the proxy, so that one address can shut all \
             others out; set it to the proxy's address"
        );
    }
    if access.trusted_proxies.iter().any(Network::is_everybody) {
        tracing::warn!(
            "CLOUD_API_TRUSTED_PROXIES holds everybody: whoever connects can choose the address that counts; set it to \
             the proxy's address"
        );
    }
}

struct AbortOnDrop(actix_web::rt::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn certificate(config: &Config) -> Result<Option<Arc<Certificate>>, Failure> {
    let certificate =
        config.server.tls.as_ref().map(|files| Certificate::load(&files.certificate, &files.key)).transpose();
    certificate.map_err(|e| {
        let fix = "Give CLOUD_API_TLS_CERT and CLOUD_API_TLS_KEY two PEM files that belong together.";
        Failure::usage("bad_certificate", chain(&e), fix)
    })
}

fn serve(
    state: &State,
    config: &ServerConfig,
    listener: TcpListener,
    certificate: Option<&Arc<Certificate>>,
) -> io::Result<Server> {
    let (data, parts) = (web::Data::new(state.clone()), config.parts.clone());
    let keep_alive = if config.behind_proxy { KEEP_ALIVE_OF_PROXY } else { KEEP_ALIVE };
    let connections = Connections::new(connections::open_files(), &state.access, keep_alive);
    let server = HttpServer::new(move || {
        let cors = cors(&data.access.cors_origins);
        App::new()
            .app_data(data.clone())
            .app_data(envelope::Https(data.is_https()))
            .wrap(Condition::new(!data.access.cors_origins.is_empty(), cors))
            .wrap(from_fn(envelope::around))
            .wrap(from_fn(connections::around))
            .configure(|config| routes::configure(config, &parts))
    })
    .on_connect(move |io, data| connections.begin(io, data))
    .workers(config.workers)
    .keep_alive(keep_alive)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(SHUTDOWN_S)
    .disable_signals();
    let server = match certificate {
        Some(certificate) => server.listen_rustls_0_23(listener, certificate.server_config()),
        None => server.listen(listener),
    };
    Ok(server?.run())
}

/// Pages of these origins may use the API with a bearer token, but not with cookies.
fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([AUTHORIZATION, CONTENT_TYPE])
        .expose_headers(["x-request-id", "retry-after"])
        .max_age(600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
