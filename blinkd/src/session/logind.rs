//! logind: the session's lock, and sleep, which is delayed until the source is closed.

use std::{collections::HashMap, env, time::Duration};

use futures_util::{
    StreamExt as _,
    stream::{BoxStream, select_all},
};
use tokio::time::timeout;
use zbus::{
    Connection, Proxy,
    zvariant::{OwnedFd, OwnedObjectPath, OwnedValue},
};

use super::{SessionDeps, object, signal};
use crate::keeper::LockedBy;

const LOGIND: &str = "org.freedesktop.login1";
const PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSION: &str = "org.freedesktop.login1.Session";
/// How often a missing session is looked for; with a session, how often its lock is checked.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const CHECK_EVERY: Duration = Duration::from_secs(30);

pub(super) enum LogindEvent {
    /// logind started or stopped, or a session came or went.
    Changed,
    /// Sleep begins (`true`) or is over.
    Sleep(bool),
}

/// The events of logind's manager.
pub(super) async fn news(bus: &Connection) -> zbus::Result<BoxStream<'static, LogindEvent>> {
    let manager = object(bus, LOGIND, PATH, MANAGER).await?;
    let sleep = signal::<bool>(&manager, "PrepareForSleep").await?.map(LogindEvent::Sleep).boxed();
    let came = signal::<(String, OwnedObjectPath)>(&manager, "SessionNew").await?.map(|_| LogindEvent::Changed).boxed();
    let went =
        signal::<(String, OwnedObjectPath)>(&manager, "SessionRemoved").await?.map(|_| LogindEvent::Changed).boxed();
    let owner = manager.receive_owner_changed().await?.map(|_| LogindEvent::Changed).boxed();
    Ok(select_all([sleep, came, went, owner]).boxed())
}

/// What the person's session reports.
enum Lock {
    /// The session was told to lock.
    Asked,
    /// The session was told to unlock.
    Unlocked,
    /// `LockedHint` changed to this value; `None` where it must be queried.
    Hint(Option<bool>),
}

pub(super) async fn follow(
    bus: &Connection,
    news: BoxStream<'static, LogindEvent>,
    deps: &SessionDeps,
) -> zbus::Result<()> {
    let manager = object(bus, LOGIND, PATH, MANAGER).await?;
    let delay = inhibit(&manager).await;
    if let Ok(asleep) = manager.get_property::<bool>("PreparingForSleep").await {
        if asleep { deps.about_to_sleep().await } else { deps.awake() }
    }
    let mut following = Following { deps, manager, news, delay, hint: None };
    loop {
        let session = match find(bus, &following.manager).await {
            Some(path) => Some(object(bus, LOGIND, path, SESSION).await?),
            None => None,
        };
        let locks = match &session {
            Some(session) => locks(bus, session).await?,
            None => futures_util::stream::pending().boxed(),
        };
        tracing::debug!(found = session.is_some(), "the session");
        following.listen(session.as_ref(), locks).await?;
        // logind or the session has gone; its successor is looked for, but not in a hot loop.
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

struct Following<'a> {
    deps: &'a SessionDeps,
    manager: Proxy<'static>,
    news: BoxStream<'static, LogindEvent>,
    /// While it is open, sleep waits for us.
    delay: Option<OwnedFd>,
    /// The session's `LockedHint`, once it is known.
    hint: Option<bool>,
}

impl Following<'_> {
    /// Listens to one session, or to logind alone, until there may be another session. Fails when the bus is gone.
    async fn listen(
        &mut self,
        session: Option<&Proxy<'static>>,
        mut locks: BoxStream<'static, Lock>,
    ) -> zbus::Result<()> {
        loop {
            let hint = match session {
                Some(session) => session.get_property::<bool>("LockedHint").await.ok(),
                None => None,
            };
            // On a bus that is new or was away, a lock that was requested meanwhile may be over.
            if let Some(now) = hint
                && self.hint != Some(now)
            {
                self.hinted(now);
            }
            let every = if session.is_some() { CHECK_EVERY } else { LOOK_EVERY };
            let next = timeout(every, async {
                tokio::select! {
                    event = self.news.next() => Next::LogindEvent(event),
                    lock = locks.next() => Next::Lock(lock),
                }
            });
            match next.await {
                // There is no session, or it is gone or has no hint: look for another.
                Err(_) if hint.is_none() => return Ok(()),
                Err(_) => {}
                Ok(Next::LogindEvent(None) | Next::Lock(None)) => return Err(super::gone()),
                Ok(Next::LogindEvent(Some(LogindEvent::Changed))) => {
                    self.delay = match self.delay.take() {
                        Some(delay) => Some(delay),
                        None => inhibit(&self.manager).await,
                    };
                    return Ok(());
                }
                Ok(Next::LogindEvent(Some(LogindEvent::Sleep(begins)))) => self.sleeps(begins).await,
                Ok(Next::Lock(Some(Lock::Asked))) => self.deps.locked(LockedBy::Request, true),
                Ok(Next::Lock(Some(Lock::Unlocked))) => self.deps.locked(LockedBy::Request, false),
                Ok(Next::Lock(Some(Lock::Hint(Some(now))))) => self.hinted(now),
                Ok(Next::Lock(Some(Lock::Hint(None)))) => {}
            }
        }
    }

    async fn sleeps(&mut self, begins: bool) {
        if begins {
            self.deps.about_to_sleep().await;
            drop(self.delay.take());
        } else {
            self.delay = inhibit(&self.manager).await;
            self.deps.awake();
        }
    }

    /// Takes `LockedHint`. It also decides a lock that was only requested, if it says that the session is not locked.
    fn hinted(&mut self, now: bool) {
        self.hint = Some(now);
        if !now {
            self.deps.locked(LockedBy::Request, false);
        }
        self.deps.locked(LockedBy::Hint, now);
    }
}

enum Next {
    LogindEvent(Option<LogindEvent>),
    Lock(Option<Lock>),
}

async fn locks(bus: &Connection, session: &Proxy<'static>) -> zbus::Result<BoxStream<'static, Lock>> {
    type Changed = (String, HashMap<String, OwnedValue>, Vec<String>);
    let asked = session.receive_signal("Lock").await?.map(|_| Lock::Asked).boxed();
    let unlocked = session.receive_signal("Unlock").await?.map(|_| Lock::Unlocked).boxed();
    let path = session.path().to_owned();
    let properties = object(bus, LOGIND, path, "org.freedesktop.DBus.Properties").await?;
    let hint = |(interface, changed, invalidated): Changed| {
        let ours = interface == SESSION;
        let value = changed.get("LockedHint").map(|value| bool::try_from(value).ok());
        let asks = || invalidated.iter().any(|name| name == "LockedHint").then_some(None);
        value.or_else(asks).filter(|_| ours).map(Lock::Hint)
    };
    let changed = signal::<Changed>(&properties, "PropertiesChanged").await?;
    let changed = changed.filter_map(move |changed| std::future::ready(hint(changed))).boxed();
    Ok(select_all([asked, unlocked, changed]).boxed())
}

/// Takes a delay inhibitor, so that sleep waits for us. `None` where logind refuses: then the source is closed while
/// sleep begins.
async fn inhibit(manager: &Proxy<'static>) -> Option<OwnedFd> {
    let why = ("sleep", "blinkd", "Close the camera first", "delay");
    manager.call("Inhibit", &why).await.ok()
}

/// The session that the person sits in front of. blinkd usually runs outside of any, as a user's service, so the
/// session is found by user. A remote session has no screen to lock.
async fn find(bus: &Connection, manager: &Proxy<'static>) -> Option<OwnedObjectPath> {
    let uid = user();
    if let Ok(user) = manager.call::<_, _, OwnedObjectPath>("GetUser", &(uid,)).await
        && let Ok(user) = object(bus, LOGIND, user, "org.freedesktop.login1.User").await
        && let Ok((id, path)) = user.get_property::<(String, OwnedObjectPath)>("Display").await
        && !id.is_empty()
    {
        return Some(path);
    }
    type Listed = (String, u32, String, String, OwnedObjectPath);
    let sessions: Vec<Listed> = manager.call("ListSessions", &()).await.unwrap_or_default();
    let mut ours: Vec<&Listed> = sessions.iter().filter(|(_, of, ..)| *of == uid).collect();
    ours.sort_by_key(|(_, _, _, seat, _)| seat.is_empty());
    let only = || sessions.first().filter(|_| sessions.len() == 1);
    if let Some((.., path)) = ours.first().copied().or_else(only) {
        return Some(path.clone());
    }
    let by_id = async {
        let id = env::var("XDG_SESSION_ID").ok()?;
        manager.call::<_, _, OwnedObjectPath>("GetSession", &(id,)).await.ok()
    };
    if let Some(path) = by_id.await {
        return Some(path);
    }
    manager.call("GetSessionByPID", &(std::process::id(),)).await.ok()
}

#[cfg(unix)]
fn user() -> u32 {
    rustix::process::getuid().as_raw()
}

#[cfg(not(unix))]
fn user() -> u32 {
    u32::MAX
}
