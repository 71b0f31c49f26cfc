//! The desktop: a tray icon and reminders.
//!
//! - `icon`: draws the icon of each state
//! - `menu`: the texts of menu and tooltip
//! - `tray`: the icon and the menu in the panel
//! - `main_loop`: the main thread's loop, which differs by system
//! - `act`: the action of each click
//! - `open`: the person's browser, editor and terminal
//!
//! The main thread owns the tray, since menus and icons cannot leave the thread that made them. Everything else runs on
//! the runtime, and asks the daemon as a client does.

mod act;
pub(crate) mod icon;
mod main_loop;
pub(crate) mod menu;
mod open;
mod tray;

use std::{
    ops::ControlFlow,
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use blink_profile::Paths;
use blink_proto::{ipc::Event, status::Status};
use tokio::sync::{broadcast::error::RecvError, mpsc};
use tray_icon::{
    MouseButton, MouseButtonState, TrayIconEvent,
    menu::{MenuEvent, MenuId},
};

pub(crate) use act::Actions;
pub(crate) use menu::Item;

use self::main_loop::MessageSender;
use crate::{
    app::Running,
    config::Settings,
    nudge::{self, Pressed, notice::Action, rules::Kind},
};

/// Time between attempts to show the icon.
const RETRY: Duration = Duration::from_secs(10);

#[derive(Clone, Debug)]
pub(crate) struct DesktopDeps {
    pub config_file: PathBuf,
    /// The settings read from that file.
    pub settings: Arc<Settings>,
    /// The profile, whose history has the person's own baseline.
    pub paths: Paths,
}

#[derive(Debug)]
enum Message {
    Status(Box<Status>),
    Menu(MenuId),
    Click,
    Stop,
}

/// Shows the daemon on the desktop until it stops. Without a desktop it only waits for the stop.
pub(crate) fn run(running: &Running, deps: DesktopDeps) {
    let notifier: Arc<dyn nudge::notice::Notifier> = Arc::new(nudge::notice::DesktopNotifier);
    let actions = Actions {
        daemon: running.daemon().clone(),
        notifier: Arc::clone(&notifier),
        config_file: deps.config_file,
        settings: Arc::clone(&deps.settings),
    };
    let settings = deps.settings;
    let (tell_pressed, pressed) = mpsc::unbounded_channel();
    let events = running.daemon().subscribe();
    running.spawn(nudge::follow(events, notifier, move || settings.config().nudges, deps.paths, tell_pressed));
    running.spawn(perform(actions.clone(), pressed));
    let Some((tell, told)) = main_loop::new() else {
        tracing::info!("there is no desktop to show anything on; blinkctl does all that it would");
        running.wait(true);
        return;
    };
    running.spawn(tell_statuses(actions.clone(), Arc::clone(&tell)));
    hear_clicks(&tell);
    thread::scope(|scope| {
        scope.spawn(move || {
            running.wait(true);
            tell(Message::Stop);
        });
        let mut tray_loop =
            TrayLoop { running, actions, tray: None, next_try: Instant::now(), said: false, last: None };
        told.run(|message| tray_loop.take(message));
    });
}

/// Carries out the actions that the person chooses in notifications.
async fn perform(actions: Actions, mut pressed: mpsc::UnboundedReceiver<Pressed>) {
    while let Some(Pressed { action, about, status }) = pressed.recv().await {
        if let Some(item) = asked_for(action, about) {
            // A sign-in waits for the person, so it must not delay other answers.
            tokio::spawn(actions.clone().click(item, Some(*status)));
        }
    }
}

fn asked_for(action: Action, about: Option<Kind>) -> Option<Item> {
    match (action, about) {
        (Action::Open, Some(Kind::SignIn)) => Some(Item::SignIn),
        (Action::Open, _) => Some(Item::Dashboard),
        (Action::SetUp, _) => Some(Item::SetUp),
        (Action::Snooze | Action::NotNow, _) => None,
    }
}

async fn tell_statuses(actions: Actions, tell: MessageSender) {
    let mut events = actions.daemon.subscribe();
    loop {
        match events.recv().await {
            Ok(Event::Status(status)) => tell(Message::Status(status)),
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn hear_clicks(tell: &MessageSender) {
    let menu = Arc::clone(tell);
    MenuEvent::set_event_handler(Some(move |event: MenuEvent| menu(Message::Menu(event.id))));
    let click = Arc::clone(tell);
    TrayIconEvent::set_event_handler(Some(move |event| {
        // Windows and macOS report the press of the button as well as its release.
        if let TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. } = event {
            click(Message::Click);
        }
    }));
}

/// The main thread's state; `tray` is `None` while there is none.
struct TrayLoop<'a> {
    running: &'a Running,
    actions: Actions,
    tray: Option<tray::Tray>,
    next_try: Instant,
    said: bool,
    last: Option<Status>,
}

impl TrayLoop<'_> {
    fn take(&mut self, message: Message) -> ControlFlow<()> {
        let item = match message {
            Message::Stop => {
                self.tray = None;
                return ControlFlow::Break(());
            }
            Message::Status(status) => {
                self.show(&status);
                self.last = Some(*status);
                None
            }
            Message::Menu(id) => self.tray.as_ref().and_then(|tray| tray.item(&id)),
            Message::Click => Some(clicked(self.last.as_ref())),
        };
        if let Some(item) = item {
            self.running.spawn(self.actions.clone().click(item, self.last.clone()));
        }
        ControlFlow::Continue(())
    }

    fn show(&mut self, status: &Status) {
        if self.tray.is_none() && Instant::now() >= self.next_try {
            match tray::Tray::new() {
                Ok(tray) => self.tray = Some(tray),
                Err(error) if !self.said => {
                    tracing::info!(%error, "there is no tray; blinkctl does all that it would");
                    self.said = true;
                }
                Err(_) => {}
            }
            self.next_try = Instant::now() + RETRY;
        }
        if let Some(tray) = &mut self.tray {
            tray.show(status);
        }
    }
}

/// A left click pauses or resumes once consent is given, else it opens the set-up.
fn clicked(status: Option<&Status>) -> menu::Item {
    if status.is_some_and(|status| status.consent) { menu::Item::Tracking } else { menu::Item::SetUp }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Action::Open, Some(Kind::SignIn), Some(Item::SignIn))]
    #[case(Action::Open, Some(Kind::LowRate), Some(Item::Dashboard))]
    #[case(Action::SetUp, None, Some(Item::SetUp))]
    #[case(Action::Snooze, Some(Kind::Break), None)]
    #[case(Action::NotNow, None, None)]
    fn an_answer_asks_for_what_it_says(
        #[case] action: Action,
        #[case] about: Option<Kind>,
        #[case] item: Option<Item>,
    ) {
        assert_eq!(asked_for(action, about), item);
    }
}
