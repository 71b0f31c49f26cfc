//! Shows a notification until the person answers or dismisses it, and returns the answer.

use std::{future::Future, pin::Pin, time::Duration};

#[cfg(target_os = "linux")]
use notify_rust::NotificationResponse;
use tokio::time::timeout;

use super::dismissal::Dismissal;

/// How long the notification service may take to accept or to close one.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);
/// How long an answer is waited for.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15 * 60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Remind again in ten minutes.
    Snooze,
    NotNow,
    Open,
    SetUp,
}

impl Action {
    fn id(self) -> &'static str {
        match self {
            Self::Snooze => "snooze",
            Self::NotNow => "not-now",
            Self::Open => "open",
            Self::SetUp => "set-up",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Snooze => "Snooze 10 min",
            Self::NotNow => "Not now",
            Self::Open => "Open",
            Self::SetUp => "Set up",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub title: String,
    pub text: String,
    pub actions: Vec<Action>,
    /// How long it stays; the desktop decides where absent.
    pub stays: Option<Duration>,
}

/// Resolves to the button that was pressed, if any.
pub(crate) type Notifying<'a> = Pin<Box<dyn Future<Output = Option<Action>> + Send + 'a>>;

pub(crate) trait Notifier: Send + Sync {
    /// Shows `notice`. If it has buttons, waits for an answer, or for `dismissal`, upon which it is closed.
    fn notify(&self, notice: Notice, dismissal: Option<Dismissal>) -> Notifying<'_>;
}

#[derive(Debug)]
pub(crate) struct DesktopNotifier;

impl Notifier for DesktopNotifier {
    fn notify(&self, notice: Notice, dismissal: Option<Dismissal>) -> Notifying<'_> {
        Box::pin(show(notice, dismissal))
    }
}

#[cfg(target_os = "linux")]
async fn show(notice: Notice, dismissal: Option<Dismissal>) -> Option<Action> {
    let mut shown = notify_rust::Notification::new();
    shown.appname("blinkd").icon("blinkd").summary(&notice.title).body(&escaped(&notice.text));
    if let Some(stays) = notice.stays {
        shown.timeout(stays);
    }
    for action in &notice.actions {
        shown.action(action.id(), action.label());
    }
    let handle = match timeout(TAKEN_WITHIN, shown.show_async()).await {
        Ok(Ok(handle)) => handle,
        Ok(Err(error)) => {
            tracing::debug!(%error, "nothing shows notifications here");
            return None;
        }
        Err(_) => {
            tracing::debug!("the notification service does not answer");
            return None;
        }
    };
    if notice.actions.is_empty() {
        return None;
    }
    let shown = jiff::Timestamp::now();
    let blinked = async {
        match dismissal {
            Some(dismissal) => dismissal.blinked(shown).await,
            None => std::future::pending().await,
        }
    };
    let mut pressed = None;
    let answered = handle.wait_for_action_async(|response: &NotificationResponse| {
        if let NotificationResponse::Action(id) = response {
            pressed = notice.actions.iter().copied().find(|action| action.id() == id.as_str());
        }
    });
    tokio::select! {
        _ = timeout(ANSWERED_WITHIN, answered) => {}
        () = blinked => {
            tracing::info!("blinks dismissed a reminder");
            let _ = timeout(TAKEN_WITHIN, handle.close_async()).await;
        }
    }
    pressed
}

/// Shows the notification without an answer: other systems report answers only to bundled applications.
#[cfg(not(target_os = "linux"))]
async fn show(notice: Notice, _: Option<Dismissal>) -> Option<Action> {
    let shown = tokio::task::spawn_blocking(move || {
        notify_rust::Notification::new().appname("blinkd").summary(&notice.title).body(&notice.text).show().is_ok()
    });
    let _ = timeout(TAKEN_WITHIN, shown).await;
    None
}

/// Escapes markup, because the service may interpret the body as such.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
