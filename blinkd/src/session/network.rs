//! The network as reported by NetworkManager or systemd-networkd: when it comes up, the server may be reachable again.

use std::collections::HashMap;

use futures_util::{
    StreamExt as _,
    stream::{BoxStream, select_all},
};
use zbus::{Connection, zvariant::OwnedValue};

use super::{SessionDeps, object, signal};

const MANAGER: &str = "org.freedesktop.NetworkManager";
const NETWORKD: &str = "org.freedesktop.network1";
/// `NM_STATE_CONNECTED_SITE`: connected beyond the local link; only `NM_STATE_CONNECTED_GLOBAL` is higher.
const CONNECTED: u32 = 60;

/// A stream with an item for each time the network comes up.
pub(super) async fn news(bus: &Connection) -> zbus::Result<BoxStream<'static, ()>> {
    type Changed = (String, HashMap<String, OwnedValue>, Vec<String>);
    let manager = object(bus, MANAGER, "/org/freedesktop/NetworkManager", MANAGER).await?;
    let manager = signal::<u32>(&manager, "StateChanged").await?;
    let manager = manager.filter_map(|state| std::future::ready((state >= CONNECTED).then_some(()))).boxed();
    let networkd = object(bus, NETWORKD, "/org/freedesktop/network1", "org.freedesktop.DBus.Properties").await?;
    let up = |(_, changed, _): Changed| {
        let word = |name| changed.get(name).and_then(|value| <&str>::try_from(value).ok());
        let online = word("OnlineState") == Some("online");
        (online || word("OperationalState") == Some("routable")).then_some(())
    };
    let networkd = signal::<Changed>(&networkd, "PropertiesChanged").await?;
    let networkd = networkd.filter_map(move |changed| std::future::ready(up(changed))).boxed();
    Ok(select_all([manager, networkd]).boxed())
}

pub(super) async fn follow(mut news: BoxStream<'static, ()>, deps: &SessionDeps) -> zbus::Result<()> {
    while let Some(()) = news.next().await {
        deps.network_up();
    }
    Err(super::gone())
}
