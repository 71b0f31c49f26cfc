//! Screen savers on the session bus: those of the desktops that do not tell logind, or not only.

use futures_util::{
    StreamExt as _,
    stream::{BoxStream, select_all},
};
use zbus::{Connection, Proxy, proxy::MethodFlags};

use super::{SessionDeps, object, signal};
use crate::keeper::LockedBy;

/// Name, which is the interface too, and object. KDE has the first under two objects.
const SAVERS: [(&str, &str); 6] = [
    ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"),
    ("org.freedesktop.ScreenSaver", "/ScreenSaver"),
    ("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
    ("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"),
    ("org.mate.ScreenSaver", "/org/mate/ScreenSaver"),
    ("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"),
];

/// What the saver of that place in [`SAVERS`] says.
enum ScreenSaverEvent {
    Active(usize, bool),
    /// It started, or stopped.
    Owner(usize, bool),
}

/// Follows all of them until the bus is gone.
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

/// Asks whether it is active, without starting one that is not there. One that does not know is believed as it was.
async fn ask(saver: &Proxy<'static>, name: &'static str, deps: &SessionDeps) {
    let active = saver.call_with_flags::<_, _, bool>("GetActive", MethodFlags::NoAutoStart.into(), &()).await;
    if let Ok(Some(active)) = active {
        deps.locked(LockedBy::Saver(name), active);
    }
}
