//! Checks of the desktop: bus, tray, keyring, and what holds reminders back. Blinks are counted without any of them.

use std::{sync::mpsc, thread, time::Duration};

use blink_proto::doctor::{Check, Level};
use zbus::{Connection, connection::Builder, fdo::DBusProxy, names::BusName};

use crate::{
    nudge::ReminderFate,
    profile::{RingState, Vault},
    session::Bus,
};

/// How long to wait for the bus, which normally answers at once.
const PATIENCE: Duration = Duration::from_secs(3);
/// The D-Bus name of the service that shows trays.
const TRAY: &str = "org.kde.StatusNotifierWatcher";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Desktop {
    NoBus,
    NoTray,
    Tray,
}

pub(super) fn bus_and_tray(bus: &Bus) -> Vec<Check> {
    told(ask(bus.clone()))
}

pub(super) fn told(desktop: Desktop) -> Vec<Check> {
    if desktop == Desktop::NoBus {
        let fix = "Start blinkd inside the desktop session; elsewhere nothing needs doing, blinkctl does it all.";
        let message = "There is no session bus: no tray, no notifications, no notice of a locked screen.";
        return vec![Check::found("session_bus", Level::Warning, message, fix)];
    }
    let bus = Check::ok("session_bus", "The session bus answers.");
    let tray = if desktop == Desktop::Tray {
        Check::ok("tray", "The desktop shows tray icons.")
    } else {
        let fix =
            "Turn on the desktop's tray (on GNOME the extension AppIndicator), or use blinkctl, which does it all.";
        Check::found("tray", Level::Warning, "The desktop shows no tray icons.", fix)
    };
    vec![bus, tray]
}

/// Asks on a thread of its own, so that a bus that hangs blocks nobody else.
fn ask(bus: Bus) -> Desktop {
    let (tell, told) = mpsc::sync_channel(1);
    let asking = move || {
        // The receiver may have given up.
        let _ = tell.send(zbus::block_on(look(&bus)).unwrap_or(Desktop::NoBus));
    };
    if thread::Builder::new().name("blinkd-doctor".into()).spawn(asking).is_err() {
        return Desktop::NoBus;
    }
    told.recv_timeout(2 * PATIENCE).unwrap_or(Desktop::NoBus)
}

async fn look(bus: &Bus) -> zbus::Result<Desktop> {
    let builder = match bus {
        Bus::None => return Ok(Desktop::NoBus),
        Bus::Standard => Builder::session()?,
        Bus::At(address) => Builder::address(address.as_str())?,
    };
    let connection: Connection = builder.method_timeout(PATIENCE).build().await?;
    let tray = DBusProxy::new(&connection).await?.name_has_owner(BusName::try_from(TRAY)?).await?;
    Ok(if tray { Desktop::Tray } else { Desktop::NoTray })
}

/// Says what happens to reminders. None of it is trouble: it explains why no reminder was seen.
pub(super) fn reminders(fate: ReminderFate) -> Check {
    let message = match fate {
        ReminderFate::Shown => "Reminders are shown when they come due.".to_owned(),
        ReminderFate::HeldBack(why) => format!("A reminder that came due now would not be shown: {why}."),
        ReminderFate::Off => "All reminders are switched off in the settings.".to_owned(),
    };
    Check::ok("reminders", message)
}

pub(super) fn keyring(vault: &Vault) -> Check {
    ring(&vault.probed())
}

pub(super) fn ring(state: &RingState) -> Check {
    match state {
        RingState::Works => Check::ok("keyring", "The desktop's keyring keeps the sign-in."),
        RingState::Off | RingState::Untried => {
            Check::ok("keyring", "The sign-in is kept in a file that this user alone can read, as the settings say.")
        }
        RingState::Failed(error) => {
            let message =
                format!("The keyring cannot be used ({error}): the sign-in is kept in a file of this user alone.");
            let fix = "Unlock the desktop's keyring, start blinkd again if it came before the keyring, or have the file \
                       with `blinkctl config set account.keyring off`.";
            Check::found("keyring", Level::Warning, message, fix)
        }
    }
}
