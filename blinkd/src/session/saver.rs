//! Screen savers on the session bus, for desktops that do not report their lock to logind, or not only there.

use futures_util::{
    StreamExt as _,
    stream::{BoxStream, select_all},
};
use zbus::{Connection, Proxy, proxy::MethodFlags};

use super::{SessionDeps, object, signal};
use crate::keeper::LockedBy;

/// The service's name, which is also the interface, and its object. KDE has the first one under two objects.
const SAVERS: [(&str, &str); 6] = [
    ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"),
    ("org.freedesktop.ScreenSaver", "/ScreenSaver"),
    ("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
    ("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"),
    ("org.mate.ScreenSaver", "/org/mate/ScreenSaver"),
    ("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"),
];

/// A report of the saver at an index in [`SAVERS`].
enum ScreenSaverEvent {
    Active(usize, bool),
    /// The service started or stopped.
    Owner(usize, bool),
}

pub(super) async fn follow(bus: &Connection, deps: &SessionDeps) -> zbus::Result<()> {
    let mut savers = Vec::new();
    let mut news: Vec<BoxStream<'static, ScreenSaverEvent>> = Vec::new();
    for (i, (name, path)) in SAVERS.into_iter().enumerate() {
        let saver = object(bus, name, path, name).await?;
        news.push(
            signal::<bool>(&saver, "ActiveChanged")
                .await?
                .map(move |active| ScreenSaverEvent::Active(i, active))
                .boxed(),
        );
        let owner = saver.receive_owner_changed().await?;
        news.push(owner.map(move |owner| ScreenSaverEvent::Owner(i, owner.is_some())).boxed());
        savers.push(saver);
    }
    let mut news = select_all(news);
    for (saver, (name, _)) in savers.iter().zip(SAVERS) {
        ask(saver, name, deps).await;
    }
    while let Some(news) = news.next().await {
        match news {
            ScreenSaverEvent::Active(i, active) => deps.locked(LockedBy::Saver(SAVERS[i].0), active),
            ScreenSaverEvent::Owner(i, true) => ask(&savers[i], SAVERS[i].0, deps).await,
            ScreenSaverEvent::Owner(i, false) => deps.locked(LockedBy::Saver(SAVERS[i].0), false),
        }
    }
    Err(super::gone())
}

/// Asks whether the saver is active, without starting its service. If there is no answer, its last report stands.
async fn ask(saver: &Proxy<'static>, name: &'static str, deps: &SessionDeps) {
    let active = saver.call_with_flags::<_, _, bool>("GetActive", MethodFlags::NoAutoStart.into(), &()).await;
    if let Ok(Some(active)) = active {
        deps.locked(LockedBy::Saver(name), active);
    }
}
