//! The desktop session as reported over D-Bus: screen lock, sleep, network.
//!
//! - [`follow`]: both buses, for as long as the daemon runs
//! - `logind`, `network`: on the system bus; `saver`: on the session bus
//! - [`SessionDeps`]: the receivers
//!
//! The daemon works without any of it. A missing or broken bus is retried with growing waits, logged at debug level
//! only, and the last reports still hold. Signals are accepted only from the owner of the service's name.

mod logind;
mod network;
mod saver;

use std::{future::pending, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream::BoxStream};
use tokio::time::{Instant, sleep, timeout};
use zbus::{Connection, Proxy, connection::Builder, proxy::CacheProperties, zvariant::Type};

use crate::{
    capture::CaptureControl,
    keeper::{KeeperHandle, LockedBy},
    upload::UploadHandle,
};

/// Waits between attempts to reach a bus; they double from the first to the last.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Time-out of each D-Bus call.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// How long sleep is delayed for closing the source; logind itself allows five seconds by default.
const CLOSES_WITHIN: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bus {
    /// The bus that `DBUS_SYSTEM_BUS_ADDRESS` or `DBUS_SESSION_BUS_ADDRESS` names, else the default one.
    Standard,
    /// The bus at this D-Bus address.
    At(String),
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buses {
    pub system: Bus,
    pub session: Bus,
}

impl Buses {
    /// The default buses of the machine and of the person.
    #[must_use]
    pub fn standard() -> Self {
        Self { system: Bus::Standard, session: Bus::Standard }
    }

    #[must_use]
    pub fn none() -> Self {
        Self { system: Bus::None, session: Bus::None }
    }
}

/// The receivers of reports, and the control that tells whether a source is open.
#[derive(Clone, Debug)]
pub struct SessionDeps {
    pub keeper: KeeperHandle,
    /// Checks whether the server is back when the machine is.
    pub upload: UploadHandle,
    pub control: Arc<CaptureControl>,
}

impl SessionDeps {
    fn locked(&self, by: LockedBy, locked: bool) {
        self.keeper.post(move |keeper| keeper.locked(by, locked));
    }

    /// Returns when no source is open any more, or after the time-out.
    async fn about_to_sleep(&self) {
        if self.keeper.ask(|keeper| keeper.sleeping(true)).await.is_ok() {
            let control = Arc::clone(&self.control);
            let closed = tokio::task::spawn_blocking(move || control.wait_closed(CLOSES_WITHIN)).await;
            tracing::info!(closed = closed.unwrap_or(false), "about to sleep");
        }
    }

    fn awake(&self) {
        self.keeper.post(|keeper| keeper.sleeping(false));
        self.upload.look_now();
    }

    fn network_up(&self) {
        tracing::debug!("the network is there");
        self.upload.look_now();
    }
}

pub async fn follow(buses: Buses, deps: SessionDeps) {
    let system = stay(buses.system, BusKind::System, deps.clone());
    let session = stay(buses.session, BusKind::Session, deps);
    tokio::join!(system, session);
}

#[derive(Clone, Copy, Debug)]
enum BusKind {
    System,
    Session,
}

/// Follows a bus until it is gone.
async fn watch(kind: BusKind, bus: Connection, deps: SessionDeps) -> zbus::Result<()> {
    match kind {
        BusKind::System => {
            let news = logind::news(&bus).await?;
            let network = network::news(&bus).await?;
            tokio::select! {
                ended = logind::follow(&bus, news, &deps) => ended,
                ended = network::follow(network, &deps) => ended,
            }
        }
        BusKind::Session => saver::follow(&bus, &deps).await,
    }
}

/// Connects to a bus again and again, and follows it while it is there.
async fn stay(bus: Bus, kind: BusKind, deps: SessionDeps) {
    let mut wait = FIRST_WAIT;
    loop {
        let builder = match (&bus, kind) {
            (Bus::Standard, BusKind::System) => Builder::system(),
            (Bus::Standard, BusKind::Session) => Builder::session(),
            (Bus::At(address), _) => Builder::address(address.as_str()),
            (Bus::None, _) => return pending().await,
        };
        let begun = Instant::now();
        let ended = async {
            let connection = builder?.method_timeout(ANSWERS_WITHIN).build();
            let connection = timeout(ANSWERS_WITHIN, connection).await.map_err(|_| gone())??;
            tracing::debug!("on a bus");
            watch(kind, connection, deps.clone()).await
        };
        let ended = ended.await;
        // A bus that worked for a while starts again with the first wait.
        wait = if begun.elapsed() > LONGEST_WAIT { FIRST_WAIT } else { wait };
        tracing::debug!(error = ended.err().map(|error| error.to_string()), again_in = ?wait, "no bus");
        sleep(wait).await;
        wait = (2 * wait).min(LONGEST_WAIT);
    }
}

fn gone() -> zbus::Error {
    zbus::Error::InputOutput(Arc::new(std::io::ErrorKind::NotConnected.into()))
}

/// A service's object. Its properties are not cached, but queried when they matter.
async fn object(
    bus: &Connection,
    service: &'static str,
    path: impl TryInto<zbus::zvariant::ObjectPath<'static>, Error = impl Into<zbus::Error>>,
    interface: &'static str,
) -> zbus::Result<Proxy<'static>> {
    zbus::proxy::Builder::new(bus)
        .destination(service)?
        .path(path)?
        .interface(interface)?
        .cache_properties(CacheProperties::No)
        .build()
        .await
}

/// A signal with its content; signals with content of another type are dropped.
async fn signal<T>(proxy: &Proxy<'static>, name: &'static str) -> zbus::Result<BoxStream<'static, T>>
where
    T: for<'de> serde::Deserialize<'de> + Type + Send + 'static,
{
    let signals = proxy.receive_signal(name).await?;
    Ok(signals.filter_map(async |message| message.body().deserialize::<T>().ok()).boxed())
}
