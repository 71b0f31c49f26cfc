//! The application: built in order, run until it is told to stop. It works with port 0, so tests run many at once.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    archive::{Archive, spool::Spool},
    auth::{
        keys::Keyring,
        oidc::Provider,
        password::{self, Passwords},
    },
    clock::Clock,
    config::{ArchiveConfig, Config, DatabaseConfig, Target},
    db::{Db, migrate},
    domain::time::UtcMs,
    failure::{Failure, Kind, chain},
    http::{envelope, upload},
    jobs,
    ledger::Ledger,
    limits::Limits,
    metrics, open, routes,
    state::State,
    tls::Certificate,
};
use actix_cors::Cors;
use actix_web::{
    App, HttpServer,
    dev::Server,
    http::header::{AUTHORIZATION, CONTENT_TYPE},
    middleware::{Condition, from_fn},
    web,
};

/// How long requests that are under way may take once the server stops, in seconds.
const SHUTDOWN_S: u64 = 1;

/// After this the process ends whatever is still open.
const STOP_BOUND: Duration = Duration::from_millis(1_800);

/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may leave an answer unread, in milliseconds.
#[cfg(target_os = "linux")]
const READER_MS: u32 = 30_000;

/// A server that listens.
pub struct Application {
    server: Server,
    address: SocketAddr,
    scheme: &'static str,
    certificate: Option<Arc<Certificate>>,
    database: DatabaseConfig,
    state: State,
    spool: Option<Arc<Spool>>,
}

impl Application {
    /// Has the log archived that is written to this spool.
    #[must_use]
    pub fn with_spool(self, spool: Option<Arc<Spool>>) -> Self {
        Self { spool, ..self }
    }

    /// Listens, brings the database up to date, makes the keys. It answers once [`Self::run_until_stopped`] runs.
    ///
    /// # Errors
    /// With what is wrong, and the exit code for it.
    pub async fn build(config: Config, clock: Clock) -> Result<Self, Failure> {
        let certificate = config.server.tls.as_ref().map(|(cert, key)| Certificate::load(cert, key)).transpose();
        let certificate = certificate.map_err(|e| {
            Failure::usage(
                "bad_certificate",
                chain(&e),
                "Give CLOUD_API_TLS_CERT and CLOUD_API_TLS_KEY two PEM files that belong together.",
            )
        })?;
        let listener = listen(config.server.listen)?;
        let address = listener.local_addr().map_err(|e| cannot_listen(config.server.listen, &e))?;
        let (target, retention_days) = (config.database.target.clone(), config.database.retention_days);
        let (database, now) = (config.database.clone(), clock.now());
        let archive = config.archive.clone();
        let (db, keys, ledger, archive) = web::block(move || prepare(&database, archive.as_ref(), now))
            .await
            .map_err(|_| Failure::failed("start_failed", "Start-up was cancelled", "Start again."))??;
        metrics::start();
        let scheme = if certificate.is_some() { "https" } else { "http" };
        let public_url = config.server.public_url.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
        let behind_proxy = config.server.behind_proxy;
        if behind_proxy && config.access.trusted_proxies.is_empty() {
            tracing::warn!(
                "CLOUD_API_TRUSTED_PROXIES is not set: everybody counts as the proxy, so that one address can shut all \
                 others out; set it to the proxy's address"
            );
        }
        let beside = target.sqlite_path().unwrap_or(&config.database.ledger).with_file_name("exports");
        let exports_dir = config.server.exports_dir.clone().unwrap_or(beside);
        let keys = Arc::new(keys);
        let limits = Limits::new(config.access.rate_limit, db.clone(), keys.clone(), clock.clone());
        let state = State {
            db,
            keys,
            ledger: Arc::new(ledger),
            archive: archive.map(Arc::new),
            passwords: Passwords::default(),
            clock,
            started: Instant::now(),
            retention_days,
            limits: Arc::new(limits),
            uploads: upload::Memory::default(),
            oidc: config.outside.oidc.map(|oidc| Arc::new(Provider::new(oidc, &public_url))),
            ask: config.outside.ask,
            public_url,
            access: Arc::new(config.access),
            behind_proxy,
            exports_dir,
        };
        let (data, parts) = (web::Data::new(state.clone()), config.server.parts.clone());
        let server = HttpServer::new(move || {
            let cors = cors(&data.access.cors_origins);
            App::new()
                .app_data(data.clone())
                .app_data(envelope::Https(data.is_https()))
                .wrap(Condition::new(!data.access.cors_origins.is_empty(), cors))
                .wrap(from_fn(envelope::around))
                .configure(|config| routes::configure(config, &parts))
        })
        .workers(config.server.workers)
        .client_request_timeout(HEAD_TIMEOUT)
        .shutdown_timeout(SHUTDOWN_S)
        .disable_signals();
        let server = match &certificate {
            Some(certificate) => server.listen_rustls_0_23(listener, certificate.server_config()),
            None => server.listen(listener),
        };
        let server = server.map_err(|e| cannot_listen(address, &e))?.run();
        let kind = if matches!(target, Target::Sqlite(_)) { "sqlite" } else { "postgres" };
        tracing::info!(%address, database = kind, version = env!("CARGO_PKG_VERSION"), "listening");
        Ok(Self { server, address, scheme, certificate, database: config.database, state, spool: None })
    }

    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Where it listens, with the real port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` completes; then takes no more, finishes what is under way, and returns within two seconds.
    ///
    /// # Errors
    /// When the server ends by itself.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> Result<(), Failure> {
        let handle = self.server.handle();
        let _keys = AbortOnDrop(actix_web::rt::spawn(jobs::keys(self.state.clone(), self.database)));
        let _archive = self.state.archive.clone().map(|archive| {
            let job = jobs::archive::run(self.state.clone(), archive, self.spool);
            AbortOnDrop(actix_web::rt::spawn(job))
        });
        let _jobs = AbortOnDrop(actix_web::rt::spawn(jobs::run(self.state)));
        let _certificate =
            self.certificate.map(|certificate| AbortOnDrop(actix_web::rt::spawn(jobs::follow(certificate))));
        let mut running = std::pin::pin!(self.server);
        tokio::select! {
            ended = &mut running => {
                let why = ended.err().map_or_else(|| "it ended".to_owned(), |e| e.to_string());
                return Err(Failure::failed("server_ended", format!("The server stopped by itself: {why}"), "Start it again."));
            }
            () = stop => {}
        }
        tracing::info!("stopping");
        let stopped = async {
            handle.stop(true).await;
            let _ = running.await;
        };
        if tokio::time::timeout(STOP_BOUND, stopped).await.is_err() {
            tracing::warn!("requests were still under way; stopped nevertheless");
        }
        Ok(())
    }
}

/// Ends a task with its owner.
struct AbortOnDrop(actix_web::rt::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Pages of these origins may use the API, with a bearer token and never with cookies.
fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([AUTHORIZATION, CONTENT_TYPE])
        .expose_headers(["x-request-id", "retry-after"])
        .max_age(600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let failed = |e: io::Error| cannot_listen(address, &e);
    let listener = TcpListener::bind(address).map_err(failed)?;
    // Connections inherit it: the kernel ends those whose other side takes nothing.
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_user_timeout(&listener, READER_MS).map_err(|e| failed(e.into()))?;
    Ok(listener)
}

fn cannot_listen(address: SocketAddr, e: &io::Error) -> Failure {
    match e.kind() {
        io::ErrorKind::AddrInUse => Failure {
            problem: blink_proto::Problem::new(
                "port_in_use",
                format!("{address} is in use by another program"),
                "Stop that program, or choose another port with --listen.",
            ),
            kind: Kind::PortInUse,
        },
        io::ErrorKind::PermissionDenied => Failure::usage(
            "listen_denied",
            format!("Listening on {address} is not permitted"),
            "Choose a port above 1023 with --listen.",
        ),
        _ => Failure::usage(
            "bad_listen",
            format!("Cannot listen on {address}: {e}"),
            "Choose an address of this machine with --listen.",
        ),
    }
}

fn prepare(
    config: &DatabaseConfig,
    archive: Option<&ArchiveConfig>,
    now: UtcMs,
) -> Result<(Db, Keyring, Ledger, Option<Archive>), Failure> {
    open::prepare_folder(&config.target)?;
    let mut conn = open::connect(&config.target)?;
    if config.migrate {
        migrate::run(&mut conn, &config.target).map_err(|e| {
            Failure::failed(
                "migration_failed",
                format!("The database cannot be brought up to date: {}", chain(&e)),
                "Nothing of the failed migration was kept; check the disk, or restore a backup.",
            )
        })?;
    } else if migrate::pending(&mut conn).map_err(|e| {
        Failure::failed("database_unreadable", chain(&e), "Check DATABASE_URL, or run `cloud-api migrate`.")
    })? {
        return Err(Failure::failed(
            "migrations_missing",
            "The database is older than this program",
            "Run `cloud-api migrate`, or start without --no-migrate.",
        ));
    }
    if config.target.sqlite_path().is_none() && config.master_key_file.is_none() {
        tracing::warn!("CLOUD_API_MASTER_KEY_FILE is not set: signing keys are in the database in the clear");
    }
    let keys = open::open_keys(&mut conn, config, now, false)?;
    let archive = archive.map(|archive| Archive::open(archive, config, &mut conn)).transpose()?;
    password::warm_up();
    let ledger = open::open_ledger(&config.ledger)?;
    Ok((Db::new(&config.target, config.connections), keys, ledger, archive))
}
