//! The desktop: an icon in the tray, and reminders.
//!
//! - `icon`: the icon of each state, drawn
//! - `menu`: what menu and tooltip say
//! - `tray`: the icon and the menu in the panel
//! - `act`: what a click does
//! - `open`: the person's browser, editor and terminal
//!
//! The main thread owns the tray, since menus and icons cannot leave the thread that made them. Everything else runs on
//! the runtime, and asks the daemon as any client would.

mod act;
pub mod icon;
pub mod menu;
mod open;
#[cfg(target_os = "linux")]
mod tray;

use std::{
    path::PathBuf,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use blink_proto::{ipc::Event, status::Status};
use tokio::sync::broadcast::error::RecvError;

pub use act::{Hands, toggled};
pub use menu::Item;

use crate::{app::Running, config::Settings, nudge};

/// Between two attempts to reach the session bus.
#[cfg(target_os = "linux")]
const RETRY: Duration = Duration::from_secs(10);

/// What the desktop needs to know.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The configuration file.
    pub config_file: PathBuf,
    /// What stands in it.
    pub settings: Arc<Settings>,
    /// The local history, for the person's own baseline.
    pub history: PathBuf,
}

enum Message {
    Status(Box<Status>),
    #[cfg(target_os = "linux")]
    Menu(tray_icon::menu::MenuId),
    Click,
    Stop,
}

/// Shows the daemon on the desktop until it is to stop. Without a desktop it waits for that alone.
pub fn run(running: &Running, desk: Desk) {
    let (tell, told) = mpsc::channel();
    let bell: Arc<dyn nudge::notice::Bell> = Arc::new(nudge::notice::Desktop);
    let hands = Hands {
        daemon: running.daemon().clone(),
        bell: Arc::clone(&bell),
        config_file: desk.config_file,
        settings: Arc::clone(&desk.settings),
    };
    let settings = desk.settings;
    running.spawn(nudge::follow(hands.clone(), bell, move || settings.config().nudges, desk.history));
    running.spawn(tell_statuses(hands.clone(), tell.clone()));
    hear_clicks(&tell);
    thread::scope(|scope| {
        scope.spawn(move || {
            running.wait(true);
            // The other side is gone only when it has stopped already.
            let _ = tell.send(Message::Stop);
        });
        serve(&told, running, &hands);
    });
}

async fn tell_statuses(hands: Hands, tell: mpsc::Sender<Message>) {
    let mut events = hands.daemon.subscribe();
    loop {
        match events.recv().await {
            Ok(Event::Status(status)) => {
                if tell.send(Message::Status(status)).is_err() {
                    return;
                }
            }
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

#[cfg(target_os = "linux")]
fn hear_clicks(tell: &mpsc::Sender<Message>) {
    use tray_icon::{MouseButton, TrayIconEvent, menu::MenuEvent};

    let menu = tell.clone();
    MenuEvent::set_event_handler(Some(move |event: MenuEvent| drop(menu.send(Message::Menu(event.id)))));
    let click = tell.clone();
    TrayIconEvent::set_event_handler(Some(move |event| {
        if let TrayIconEvent::Click { button: MouseButton::Left, .. } = event {
            let _ = click.send(Message::Click);
        }
    }));
}

/// The main thread's work: the tray, where there can be one.
#[cfg(target_os = "linux")]
fn serve(told: &mpsc::Receiver<Message>, running: &Running, hands: &Hands) {
    use std::time::Instant;

    let mut shown: Option<tray::Tray> = None;
    let mut next_try = Instant::now();
    let mut said = false;
    let mut last: Option<Status> = None;
    while let Ok(message) = told.recv() {
        let item = match message {
            Message::Stop => return,
            Message::Status(status) => {
                if shown.is_none() && Instant::now() >= next_try {
                    shown = tray::Tray::new()
                        .inspect_err(|error| {
                            if !said {
                                tracing::info!(%error, "there is no tray; blinkctl does all that it would");
                            }
                        })
                        .ok();
                    said = true;
                    next_try = Instant::now() + RETRY;
                }
                if let Some(tray) = &mut shown {
                    tray.show(&status);
                }
                last = Some(*status);
                None
            }
            Message::Menu(id) => shown.as_ref().and_then(|tray| tray.item(&id)),
            Message::Click => Some(clicked(last.as_ref())),
        };
        if let Some(item) = item {
            running.spawn(hands.clone().click(item, last.clone()));
        }
    }
}

/// A left click toggles, once there is something to toggle.
fn clicked(status: Option<&Status>) -> menu::Item {
    if status.is_some_and(|status| status.consent) { menu::Item::Tracking } else { menu::Item::SetUp }
}
