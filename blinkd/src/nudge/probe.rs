//! When nobody is to be disturbed: do not disturb, full screen, a call or a shared screen, quiet hours.
//!
//! It is asked only when a reminder is about to be shown, so none of it costs anything otherwise. What a desktop does not
//! tell is taken as no reason: each of these is told by some desktops alone (docs/desktop.md).

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use blink_proto::status::{State, Status};
use blink_vision::native::{Holder, holders};
use jiff::{Zoned, civil::Time};
use serde_json::Value;
use tokio::{process::Command, time::timeout};
use zbus::{Connection, Proxy, proxy::CacheProperties};

use super::screen;

/// No desktop is waited for longer.
const TELLS_WITHIN: Duration = Duration::from_secs(3);

/// Knows where to ask.
#[derive(Clone, Debug)]
pub(crate) struct CallProbe {
    devices: PathBuf,
    sound_cards: PathBuf,
}

impl CallProbe {
    #[must_use]
    pub(crate) fn standard() -> Self {
        Self { devices: "/dev".into(), sound_cards: "/proc/asound".into() }
    }

    /// Asks about devices and sound cards in these folders.
    #[cfg(test)]
    pub(super) fn of_folders(devices: PathBuf, sound_cards: PathBuf) -> Self {
        Self { devices, sound_cards }
    }

    /// Why nothing may be shown now; `None` when it may.
    pub(crate) async fn forbids(&self, status: &Status, quiet_hours: Option<(Time, Time)>) -> Option<&'static str> {
        if matches!(status.state, State::NoConsent | State::Paused | State::Locked | State::Yielded) {
            return Some("not tracking");
        }
        if quiet_hours.is_some_and(|hours| is_within(hours, Zoned::now().time())) {
            return Some("quiet hours");
        }
        let here = self.clone();
        // An X server or a file system of devices that hangs holds up nobody but this thread.
        let here = timeout(TELLS_WITHIN, tokio::task::spawn_blocking(move || here.devices_in_use()));
        if let Ok(Ok(Some(why))) = here.await {
            return Some(why);
        }
        if timeout(TELLS_WITHIN, streams_in_use()).await.unwrap_or_default() {
            return Some("a call or a shared screen");
        }
        timeout(TELLS_WITHIN, do_not_disturb()).await.ok().flatten()
    }

    /// What the files of this machine tell.
    pub(super) fn devices_in_use(&self) -> Option<&'static str> {
        if screen::is_full() {
            return Some("full screen");
        }
        if microphone_runs(&self.sound_cards) {
            return Some("the microphone is in use");
        }
        let cameras = fs::read_dir(&self.devices).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut cameras = cameras.filter(|path| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("video"))
        });
        cameras.any(|camera| is_used(&holders(&camera))).then_some("another program uses the camera")
    }
}

/// A media server may have a camera open that nobody uses. Who uses one through it, PipeWire tells.
fn is_used(holders: &[Holder]) -> bool {
    const MEDIA_SERVERS: [&str; 2] = ["pipewire", "wireplumber"];
    holders.iter().any(|holder| !MEDIA_SERVERS.contains(&holder.name.as_str()))
}

/// Whether `now` is in the hours from the first to the second time, which may pass midnight.
#[must_use]
pub(crate) fn is_within((from, to): (Time, Time), now: Time) -> bool {
    if from <= to { (from..to).contains(&now) } else { now >= from || now < to }
}

/// Whether any capture stream of ALSA runs: `card*/pcm*c/sub*/status` says `state: RUNNING`. A sound server that records
/// for somebody runs one.
fn microphone_runs(sound_cards: &Path) -> bool {
    let entries = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let named = |path: &PathBuf, begin: &str, end: &str| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(begin) && name.ends_with(end))
    };
    entries(sound_cards)
        .filter(|path| named(path, "card", ""))
        .flat_map(|card| entries(&card).filter(|path| named(path, "pcm", "c")).collect::<Vec<_>>())
        .flat_map(|stream| entries(&stream).filter(|path| named(path, "sub", "")).collect::<Vec<_>>())
        .any(|sub| fs::read_to_string(sub.join("status")).is_ok_and(|text| text.contains("state: RUNNING")))
}

/// Whether another program records sound or pictures through PipeWire: a call, or a shared screen.
async fn streams_in_use() -> bool {
    let dump = Command::new("pw-dump").kill_on_drop(true).output().await;
    let Ok(dump) = serde_json::from_slice(&dump.map(|dump| dump.stdout).unwrap_or_default()) else { return false };
    records(&dump, std::process::id())
}

/// The same of what `pw-dump` printed: a list of objects. A stream names the client it belongs to, and that one's own
/// object tells its process.
pub(super) fn records(dump: &Value, own: u32) -> bool {
    let objects = || dump.as_array().into_iter().flatten();
    let process_of = |client: &Value| {
        let client = objects().find(|object| !client.is_null() && object["id"] == *client)?;
        client["info"]["props"]["application.process.id"].as_u64()
    };
    objects().any(|node| {
        let (info, props) = (&node["info"], &node["info"]["props"]);
        let class = props["media.class"].as_str().unwrap_or_default();
        matches!(class, "Stream/Input/Audio" | "Stream/Input/Video")
            && info["state"] == "running"
            // A mixer's meters listen to what is played.
            && props["stream.monitor"] != true
            && process_of(&props["client.id"]) != Some(u64::from(own))
    })
}

async fn do_not_disturb() -> Option<&'static str> {
    const QUIET: &str = "do not disturb";
    if printed("gsettings", &["get", "org.gnome.desktop.notifications", "show-banners"]).await == "false"
        || printed("xfconf-query", &["-c", "xfce4-notifyd", "-p", "/do-not-disturb"]).await == "true"
    {
        return Some(QUIET);
    }
    let bus = Connection::session().await.ok()?;
    let notifications = ("org.freedesktop.Notifications", "/org/freedesktop/Notifications");
    // KDE's service, then dunst.
    if property(&bus, notifications, "org.freedesktop.Notifications", "Inhibited").await
        || property(&bus, notifications, "org.dunstproject.cmd0", "paused").await
    {
        return Some(QUIET);
    }
    // Players, presentations and calls keep the screen from going idle while they fill it, also where windows cannot be
    // asked about; 8 is GNOME's flag for that.
    let gnome: Option<bool> =
        asked(&bus, "org.gnome.SessionManager", "/org/gnome/SessionManager", "IsInhibited", &8u32).await;
    let others = "org.freedesktop.PowerManagement.Inhibit";
    let kde: Option<bool> = asked(&bus, others, "/org/freedesktop/PowerManagement/Inhibit", "HasInhibit", &()).await;
    (gnome == Some(true) || kde == Some(true)).then_some("the screen is kept awake")
}

async fn printed(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).kill_on_drop(true).output().await;
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// A boolean property; false where nobody has it. Nobody is started to be asked.
async fn property(bus: &Connection, (name, path): (&str, &str), interface: &str, property: &str) -> bool {
    let built = zbus::proxy::Builder::<Proxy<'_>>::new(bus).cache_properties(CacheProperties::No);
    let built = built.destination(name).and_then(|b| b.path(path)).and_then(|b| b.interface(interface));
    let Ok(proxy) = async { built?.build().await }.await else { return false };
    proxy.get_property(property).await.unwrap_or(false)
}

async fn asked<B>(bus: &Connection, name: &str, path: &str, method: &str, body: &B) -> Option<bool>
where
    B: serde::Serialize + zbus::zvariant::DynamicType + Sync,
{
    let has = zbus::fdo::DBusProxy::new(bus).await.ok()?.name_has_owner(name.try_into().ok()?).await.ok()?;
    if !has {
        return None;
    }
    let reply = bus.call_method(Some(name), path, Some(name), method, body).await.ok()?;
    reply.body().deserialize().ok()
}
