//! Conditions under which no reminder is shown: do not disturb, full screen, a call or a shared screen, quiet hours.
//!
//! They are checked only when a reminder is about to be shown. Each is reported by some desktops only
//! (docs/desktop.md), and one that is not reported does not hold a reminder back. One that is not reported in time does.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};

use blink_proto::status::{State, Status};
use blink_vision::native::{Holder, holders};
use jiff::{Zoned, civil::Time};
use serde_json::Value;
use tokio::{process::Command, sync::Mutex, time::timeout};
use zbus::{Connection, Proxy, proxy::CacheProperties};

use super::screen;

/// How long to wait for each source of information.
const TELLS_WITHIN: Duration = Duration::from_secs(3);
/// The reason where a source does not answer in time.
pub(super) const UNKNOWN: &str = "it is not known whether somebody is in a call";

/// The folders of devices and sound cards to look into.
#[derive(Clone, Debug)]
pub(crate) struct CallProbe {
    devices: PathBuf,
    sound_cards: PathBuf,
    tells_within: Duration,
    /// Held while the devices are checked, so that at most one thread hangs.
    turn: Arc<Mutex<()>>,
}

impl CallProbe {
    #[must_use]
    pub(crate) fn standard() -> Self {
        static STANDARD: LazyLock<CallProbe> =
            LazyLock::new(|| CallProbe::new("/dev".into(), "/proc/asound".into(), TELLS_WITHIN));
        STANDARD.clone()
    }

    pub(super) fn new(devices: PathBuf, sound_cards: PathBuf, tells_within: Duration) -> Self {
        Self { devices, sound_cards, tells_within, turn: Arc::default() }
    }

    /// Why nothing may be shown now; `None` when it may.
    pub(crate) async fn forbids(&self, status: &Status, quiet_hours: Option<(Time, Time)>) -> Option<&'static str> {
        if matches!(status.state, State::NoConsent | State::Paused | State::Locked | State::Yielded) {
            return Some("not tracking");
        }
        if quiet_hours.is_some_and(|hours| is_within(hours, Zoned::now().time())) {
            return Some("quiet hours");
        }
        if let Some(why) = self.devices_in_time().await {
            return Some(why);
        }
        match timeout(self.tells_within, streams_in_use()).await {
            Ok(false) => {}
            Ok(true) => return Some("a call or a shared screen"),
            Err(_) => return Some(UNKNOWN),
        }
        timeout(self.tells_within, do_not_disturb()).await.unwrap_or(Some(UNKNOWN))
    }

    /// Checks the [devices](Self::devices_in_use) on a thread of its own, because an X server or a device file system
    /// may hang. While one check hangs, no other begins.
    pub(super) async fn devices_in_time(&self) -> Option<&'static str> {
        let here = self.clone();
        let checked = timeout(self.tells_within, async move {
            let turn = Arc::clone(&here.turn).lock_owned().await;
            let check = move || {
                let _turn = turn;
                here.devices_in_use()
            };
            tokio::task::spawn_blocking(check).await
        });
        checked.await.ok().and_then(Result::ok).unwrap_or(Some(UNKNOWN))
    }

    /// Checks the X server, and the files of sound cards and cameras.
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

/// Whether any holder uses the camera. Media servers may hold an unused camera open; PipeWire tells who uses one
/// through it.
fn is_used(holders: &[Holder]) -> bool {
    const MEDIA_SERVERS: [&str; 2] = ["pipewire", "wireplumber"];
    holders.iter().any(|holder| !MEDIA_SERVERS.contains(&holder.name.as_str()))
}

/// Whether `now` is between the two times, which may pass midnight.
#[must_use]
pub(crate) fn is_within((from, to): (Time, Time), now: Time) -> bool {
    if from <= to { (from..to).contains(&now) } else { now >= from || now < to }
}

/// Whether any ALSA capture stream runs, that is `card*/pcm*c/sub*/status` says `state: RUNNING`. A sound server that
/// records for a program runs one.
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

/// Whether another program records sound or pictures through PipeWire, as in a call or for a shared screen.
async fn streams_in_use() -> bool {
    let dump = Command::new("pw-dump").kill_on_drop(true).output().await;
    let Ok(dump) = serde_json::from_slice(&dump.map(|dump| dump.stdout).unwrap_or_default()) else { return false };
    records(&dump, std::process::id())
}

/// Whether the output of `pw-dump`, a list of objects, has such a stream. A stream names its client, and the client's
/// own object has the process id.
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
            // A mixer's level meters monitor the output, which is no recording.
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
    // KDE's service, then dunst's.
    if property(&bus, notifications, "org.freedesktop.Notifications", "Inhibited").await
        || property(&bus, notifications, "org.dunstproject.cmd0", "paused").await
    {
        return Some(QUIET);
    }
    // Players, presentations and calls inhibit the idle screen while they fill it, also where windows cannot be
    // queried. The flag 8 is GNOME's for that.
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

/// A boolean property; false where no service has it. No service is started for the question.
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
