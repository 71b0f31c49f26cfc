//! Gentle reminders, as desktop notifications.
//!
//! - [`rules`]: when one is due, a pure function of what `status` says
//! - [`baseline`]: the person's own usual rate, from their history
//! - [`probe`]: when none may be shown: full screen, do not disturb, a call, quiet hours
//! - [`notice`]: how one is shown, and what the person answers

pub(crate) mod baseline;
pub(crate) mod notice;
pub(crate) mod probe;
pub(crate) mod rules;
mod screen;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use blink_proto::{
    ipc::Event,
    status::{State, Status},
};
use jiff::{Timestamp, civil::Time};
use tokio::sync::{
    broadcast::{Receiver, error::RecvError},
    mpsc,
};

use self::{
    notice::{Action, Notice, Notifier},
    probe::CallProbe,
    rules::{Kind, Rules},
};

/// How long `Snooze` puts a reminder off.
const SNOOZE: Duration = Duration::from_secs(10 * 60);
/// The baseline is read again so often.
const BASELINE_EVERY: Duration = Duration::from_secs(3600);

/// Which reminders, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Whether a low rate is a reason.
    pub low_rate: bool,
    /// Over how long it must be low.
    pub low_rate_after: Duration,
    /// Below how many per cent of the person's own baseline it is low.
    pub low_rate_percent: u32,
    /// Between two reminders of a low rate.
    pub cool_down: Duration,
    /// Whether breaks are suggested.
    pub breaks: bool,
    /// After how long at the screen.
    pub break_after: Duration,
    /// Whether a camera that is gone is told.
    pub camera: bool,
    /// Whether it is told that the server wants a new sign-in.
    pub sign_in: bool,
    /// Whether minutes that do not reach the server are told.
    pub upload: bool,
    /// From when to when nothing is shown, local time; it may pass midnight.
    pub quiet_hours: Option<(Time, Time)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            low_rate: true,
            low_rate_after: Duration::from_secs(10 * 60),
            low_rate_percent: 60,
            cool_down: Duration::from_secs(30 * 60),
            breaks: true,
            break_after: Duration::from_secs(20 * 60),
            camera: true,
            sign_in: true,
            upload: true,
            quiet_hours: None,
        }
    }
}

/// What becomes of a reminder that is due now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReminderFate {
    Shown,
    /// It is dropped, for this reason.
    HeldBack(&'static str),
    /// None comes due: each is switched off.
    Off,
}

impl ReminderFate {
    /// How it stands with `settings` while the daemon is as `status` says.
    pub(crate) async fn ask(settings: &Settings, status: &Status) -> Self {
        let wanted = [settings.low_rate, settings.breaks, settings.camera, settings.sign_in, settings.upload];
        if !wanted.contains(&true) {
            return Self::Off;
        }
        CallProbe::standard().forbids(status, settings.quiet_hours).await.map_or(Self::Shown, Self::HeldBack)
    }
}

/// A button of a notification that the person pressed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pressed {
    pub action: Action,
    /// What it was about; `None` for the greeting.
    pub about: Option<Kind>,
    /// What the daemon said when it was shown.
    pub status: Box<Status>,
}

/// Watches the daemon by its `events` and reminds, until it is gone. `settings` tells what holds now, and `pressed` hears
/// what the person answers.
pub(crate) async fn follow(
    mut events: Receiver<Event>,
    notifier: Arc<dyn Notifier>,
    settings: impl Fn() -> Settings + Send,
    history: PathBuf,
    pressed: mpsc::UnboundedSender<Pressed>,
) {
    let probe = CallProbe::standard();
    let mut rules = Rules::new(settings());
    let began = Instant::now();
    let mut usual = None;
    let mut read: Option<Instant> = None;
    let (answer, mut answers) = mpsc::channel(4);
    let mut greeted = false;
    loop {
        let status = tokio::select! {
            event = events.recv() => match event {
                Ok(Event::Status(status)) => status,
                Ok(_) | Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            },
            Some(answer) = answers.recv() => {
                if let Pressed { action: Action::Snooze, about: Some(kind), .. } = answer {
                    rules.snooze(kind, began.elapsed(), SNOOZE);
                }
                // With nobody listening any more the daemon is stopping.
                let _ = pressed.send(answer);
                continue;
            }
        };
        if status.state == State::NoConsent && !greeted {
            greeted = true;
            tokio::spawn(show(greeting(), None, status.clone(), Arc::clone(&notifier), answer.clone()));
        }
        if read.is_none_or(|at| at.elapsed() >= BASELINE_EVERY) {
            read = Some(Instant::now());
            let folder = history.clone();
            usual = tokio::task::spawn_blocking(move || baseline::usual_rate(&folder)).await.unwrap_or_default();
        }
        let now = began.elapsed();
        let wanted = settings();
        let quiet_hours = wanted.quiet_hours;
        rules.change(wanted);
        let Some(kind) = rules.look(now, Timestamp::now(), &status, usual) else { continue };
        rules.done(kind, now);
        if let Some(why) = probe.forbids(&status, quiet_hours).await {
            tracing::info!(?kind, why, "a reminder was not shown");
            continue;
        }
        tracing::info!(?kind, "a reminder is shown");
        let notice = notice_of(kind, &status);
        tokio::spawn(show(notice, Some(kind), status, Arc::clone(&notifier), answer.clone()));
    }
}

async fn show(
    notice: Notice,
    about: Option<Kind>,
    status: Box<Status>,
    notifier: Arc<dyn Notifier>,
    answer: mpsc::Sender<Pressed>,
) {
    if let Some(action) = notifier.notify(notice).await {
        // With nobody listening any more the daemon is stopping.
        let _ = answer.send(Pressed { action, about, status }).await;
    }
}

/// The first run: the camera is off until the person has read the text and agreed.
fn greeting() -> Notice {
    Notice {
        title: "blinkd is here, and the camera is off".to_owned(),
        text: "It can count your blinks without ever storing a picture. Set it up to read what it does and decide; \
               `blinkctl setup` does the same."
            .to_owned(),
        actions: vec![Action::SetUp, Action::NotNow],
        stays: None,
    }
}

/// The words of a reminder. They say what was counted, and never what it means for anybody's health.
#[must_use]
pub(crate) fn notice_of(kind: Kind, status: &Status) -> Notice {
    let snooze = vec![Action::Snooze, Action::NotNow, Action::Open];
    let fix = |problem: &Option<blink_proto::Problem>, or: &str| {
        problem.as_ref().map_or_else(|| or.to_owned(), ToString::to_string)
    };
    let (title, text, actions) = match kind {
        Kind::LowRate => {
            let rate = status.rate_per_minute.map(|rate| format!(" ({rate:.0} a minute)")).unwrap_or_default();
            ("Time to blink", format!("You have been blinking less than you usually do{rate}."), snooze)
        }
        Kind::Break => {
            let text = "Look at something 6 metres (20 feet) away for 20 seconds.".to_owned();
            ("A short break for your eyes", text, snooze)
        }
        Kind::Camera => {
            ("Blinks are not being counted", fix(&status.last_error, "There is no camera."), vec![Action::NotNow])
        }
        Kind::SignIn => {
            let text = "The server asks you to sign in again. Until then your minutes wait on this machine.".to_owned();
            ("Sign in again", text, vec![Action::Open, Action::NotNow])
        }
        Kind::Upload => {
            let waiting = status.queue.pending;
            let text = format!("{waiting} minutes wait for the server. {}", fix(&status.queue.last_error, ""));
            ("Your minutes do not reach the server", text.trim_end().to_owned(), vec![Action::NotNow])
        }
    };
    Notice { title: title.to_owned(), text, actions, stays: None }
}

#[cfg(test)]
mod tests;
