//! Showing a notification, and what the person answers.

use std::{future::Future, pin::Pin, time::Duration};

#[cfg(target_os = "linux")]
use notify_rust::NotificationResponse;
use tokio::time::timeout;

/// The notification service must take one within this.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);
/// Answers later than this are not waited for.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15 * 60);

/// What a person may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Again in ten minutes.
    Snooze,
    /// Not this time.
    NotNow,
    Open,
    /// Let us set it up.
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
    /// How long it stays; what the desktop thinks right where absent.
    pub stays: Option<Duration>,
}

/// What comes of showing one: the button that was pressed, if any.
pub(crate) type Notifying<'a> = Pin<Box<dyn Future<Output = Option<Action>> + Send + 'a>>;

pub(crate) trait Notifier: Send + Sync {
    /// Shows `notice` and waits for an answer where one can be given.
    fn notify(&self, notice: Notice) -> Notifying<'_>;
}

/// The desktop's notification service.
#[derive(Debug)]
pub(crate) struct DesktopNotifier;

impl Notifier for DesktopNotifier {
    fn notify(&self, notice: Notice) -> Notifying<'_> {
        Box::pin(show(notice))
    }
}

#[cfg(target_os = "linux")]
async fn show(notice: Notice) -> Option<Action> {
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
    let mut pressed = None;
    let answered = handle.wait_for_action_async(|response: &NotificationResponse| {
        if let NotificationResponse::Action(id) = response {
            pressed = notice.actions.iter().copied().find(|action| action.id() == id.as_str());
        }
    });
    let _ = timeout(ANSWERED_WITHIN, answered).await;
    pressed
}

/// Shown, but not answered: the other systems' answers need a bundle that has not been built yet.
#[cfg(not(target_os = "linux"))]
async fn show(notice: Notice) -> Option<Action> {
    let shown = tokio::task::spawn_blocking(move || {
        notify_rust::Notification::new().appname("blinkd").summary(&notice.title).body(&notice.text).show().is_ok()
    });
    let _ = timeout(TAKEN_WITHIN, shown).await;
    None
}

/// Notification bodies may be read as markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
