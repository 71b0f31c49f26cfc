//! Reminders, shown as desktop notifications.
//!
//! - [`rules`]: when one is due, as a pure function of `status`
//! - [`baseline`]: the person's usual rate at this hour, from their history
//! - [`reminded`]: the last reminder, which a restart does not forget
//! - [`probe`]: when none may be shown: full screen, do not disturb, a call, quiet hours
//! - [`notice`]: showing one, and the person's answer
//! - [`dismissal`]: the blinks that take one away again

pub(crate) mod baseline;
pub(crate) mod dismissal;
pub(crate) mod notice;
pub(crate) mod probe;
mod reminded;
pub(crate) mod rules;
mod screen;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use blink_profile::Paths;
use blink_proto::{
    ipc::Event,
    status::{State, Status},
};
use jiff::{Zoned, civil::Time};
use tokio::sync::{
    broadcast::{Receiver, error::RecvError},
    mpsc,
};
use tokio::task::spawn_blocking;

use self::{
    dismissal::{Dismissal, INVITATION},
    notice::{Action, Notice, Notifier},
    probe::CallProbe,
    reminded::Reminded,
    rules::{Kind, Rules},
};

/// How long `Snooze` postpones a reminder.
const SNOOZE: Duration = Duration::from_secs(10 * 60);
/// How long a reminder of blinking stays for whoever does not blink it away.
const LOW_RATE_STAYS: Duration = Duration::from_secs(60);
/// At least this much time passes between two reminders of a low rate, whatever is configured.
pub(crate) const LEAST_COOL_DOWN: Duration = Duration::from_secs(3600);

/// Which reminders there are, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Whether to remind of a low blink rate.
    pub low_rate: bool,
    /// How long the rate must be low.
    pub low_rate_after: Duration,
    /// The rate is low below this percentage of the person's baseline.
    pub low_rate_percent: u32,
    /// The shortest time between two reminders of a low rate.
    pub cool_down: Duration,
    /// Whether to suggest breaks.
    pub breaks: bool,
    /// After how much time at the screen to suggest one.
    pub break_after: Duration,
    /// Whether to report a missing camera.
    pub camera: bool,
    /// Whether to report that the server requires a new sign-in.
    pub sign_in: bool,
    /// Whether to report that minutes do not reach the server.
    pub upload: bool,
    /// Nothing is shown between these local times; the span may pass midnight.
    pub quiet_hours: Option<(Time, Time)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            low_rate: true,
            low_rate_after: Duration::from_secs(10 * 60),
            low_rate_percent: 60,
            cool_down: LEAST_COOL_DOWN,
            breaks: true,
            break_after: Duration::from_secs(20 * 60),
            camera: true,
            sign_in: true,
            upload: true,
            quiet_hours: None,
        }
    }
}

/// What would happen to a reminder that is due now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReminderFate {
    Shown,
    /// It would be dropped, for this reason.
    HeldBack(&'static str),
    /// Every kind of reminder is switched off.
    Off,
}

impl ReminderFate {
    /// Finds out for `settings` and the daemon's `status`.
    pub(crate) async fn ask(settings: &Settings, status: &Status) -> Self {
        let wanted = [settings.low_rate, settings.breaks, settings.camera, settings.sign_in, settings.upload];
        if !wanted.contains(&true) {
            return Self::Off;
        }
        CallProbe::standard().forbids(status, settings.quiet_hours).await.map_or(Self::Shown, Self::HeldBack)
    }
}

/// A notification's button that the person pressed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pressed {
    pub action: Action,
    /// The kind of the reminder; `None` for the greeting.
    pub about: Option<Kind>,
    /// The status when the notification was shown.
    pub status: Box<Status>,
}

/// Follows the daemon's `events` and reminds, until the daemon stops. `settings` returns the current settings; answers
/// go to `pressed`.
pub(crate) async fn follow(
    mut events: Receiver<Event>,
    notifier: Arc<dyn Notifier>,
    settings: impl Fn() -> Settings + Send,
    paths: Paths,
    pressed: mpsc::UnboundedSender<Pressed>,
) {
    let probe = CallProbe::standard();
    let reminded = Reminded::of(&paths);
    let mut rules = Rules::new(settings(), reminded.last());
    let began = Instant::now();
    let mut usual = None;
    // The hour for which the usual rate was read.
    let mut read = None;
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
                // Without a receiver the daemon is stopping.
                let _ = pressed.send(answer);
                continue;
            }
        };
        if status.state == State::NoConsent && !greeted {
            greeted = true;
            let shown = Shown { about: None, status: status.clone(), dismissal: None };
            tokio::spawn(shown.show(greeting(), Arc::clone(&notifier), answer.clone()));
        }
        let here = Zoned::now();
        let wall = here.timestamp();
        let hour = (here.date(), here.hour());
        if read != Some(hour) {
            read = Some(hour);
            let folder = paths.history();
            usual = spawn_blocking(move || baseline::usual_rate(&folder, &here)).await.unwrap_or_default();
        }
        let now = began.elapsed();
        let wanted = settings();
        let quiet_hours = wanted.quiet_hours;
        rules.change(wanted);
        let Some(kind) = rules.look(now, wall, &status, usual) else { continue };
        rules.done(kind, now, wall);
        if kind == Kind::LowRate {
            let reminded = reminded.clone();
            // Where that fails, this process knows of the reminder all the same.
            let _ = spawn_blocking(move || reminded.note(wall)).await;
        }
        if let Some(why) = probe.forbids(&status, quiet_hours).await {
            tracing::info!(?kind, why, "a reminder was not shown");
            continue;
        }
        tracing::info!(?kind, "a reminder is shown");
        let notice = notice_of(kind, &status);
        let dismissal = (kind == Kind::LowRate).then(|| Dismissal::hearing(&events));
        let shown = Shown { about: Some(kind), status, dismissal };
        tokio::spawn(shown.show(notice, Arc::clone(&notifier), answer.clone()));
    }
}

/// A notification that is shown: what it is about, the status at that time, and the blinks that dismiss it.
struct Shown {
    about: Option<Kind>,
    status: Box<Status>,
    dismissal: Option<Dismissal>,
}

impl Shown {
    async fn show(self, notice: Notice, notifier: Arc<dyn Notifier>, answer: mpsc::Sender<Pressed>) {
        let Self { about, status, dismissal } = self;
        if let Some(action) = notifier.notify(notice, dismissal).await {
            // Without a receiver the daemon is stopping.
            let _ = answer.send(Pressed { action, about, status }).await;
        }
    }
}

/// The notification of the first run: the camera is off until the person has read the text and agreed.
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

/// The text of a reminder. It says what was counted, and never what that means for anybody's health.
#[must_use]
pub(crate) fn notice_of(kind: Kind, status: &Status) -> Notice {
    let snooze = vec![Action::Snooze, Action::NotNow, Action::Open];
    let fix = |problem: &Option<blink_proto::Problem>, or: &str| {
        problem.as_ref().map_or_else(|| or.to_owned(), ToString::to_string)
    };
    let (title, text, actions) = match kind {
        Kind::LowRate => {
            let rate = status.rate_per_minute.map(|rate| format!(" ({rate:.0} a minute)")).unwrap_or_default();
            let text = format!("You have been blinking less than you usually do{rate}.{INVITATION}");
            ("Time to blink", text, snooze)
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
    Notice { title: title.to_owned(), text, actions, stays: (kind == Kind::LowRate).then_some(LOW_RATE_STAYS) }
}

#[cfg(test)]
mod tests;
