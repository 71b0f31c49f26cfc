//! The actions of menu items. blinkctl can do each of them as well.

use std::{sync::Arc, time::Duration};

use blink_proto::{
    Problem,
    ipc::{Outcome, PauseSpan, Reply, Request},
    status::{State, Status},
};
use jiff::{Timestamp, Zoned};

use super::{menu::Item, open};
use crate::{
    config::Settings,
    daemon::Daemon,
    nudge::notice::{Notice, Notifier},
};

/// How long a result is shown that needs no action.
const SHORTLY: Duration = Duration::from_secs(8);

#[derive(Clone)]
pub(crate) struct Actions {
    pub daemon: Daemon,
    /// Shows the results.
    pub notifier: Arc<dyn Notifier>,
    pub config_file: std::path::PathBuf,
    /// The settings, which name the server while nobody is signed in.
    pub settings: Arc<Settings>,
}

impl Actions {
    /// Carries out `item`, which was clicked while `status` was shown.
    pub(crate) async fn click(self, item: Item, status: Option<Status>) {
        let done = match item {
            // The set-up needs a terminal: it shows the whole consent text and asks.
            Item::SetUp => open::blinkctl("setup").await,
            Item::Tracking => self.ask(toggled(status.as_ref())).await,
            Item::PauseQuarter => self.ask(pause_for(15)).await,
            Item::PauseHour => self.ask(pause_for(60)).await,
            Item::PauseUntilTomorrow => self.ask(pause_until_tomorrow()).await,
            Item::Yield => self.ask(Request::Yield).await,
            Item::Dashboard => open::address(&self.dashboard(status.as_ref())).await,
            Item::Sync => self.sync().await,
            Item::SignIn => self.sign_in().await,
            Item::SignOut => self.ask(Request::Logout).await,
            Item::Settings => open::file(&self.config_file).await,
            Item::About => self.about().await,
            Item::Quit => {
                self.daemon.stop();
                Ok(())
            }
        };
        if let Err(problem) = done {
            tracing::info!(code = problem.code, "a click in the tray was in vain");
            self.say("blinkd", &problem.to_string()).await;
        }
    }

    fn dashboard(&self, status: Option<&Status>) -> String {
        let account = status.and_then(|status| status.account.as_ref());
        account.map_or_else(|| self.settings.config().server, |account| account.server.clone())
    }

    async fn ask(&self, request: Request) -> Result<(), Problem> {
        self.reply(request).await.map(drop)
    }

    async fn reply(&self, request: Request) -> Result<Reply, Problem> {
        match self.daemon.answer(request).await {
            Outcome::Ok(reply) => Ok(*reply),
            Outcome::Error(problem) => Err(problem),
        }
    }

    async fn sync(&self) -> Result<(), Problem> {
        if let Reply::Sync(done) = self.reply(Request::Sync).await? {
            let mut text = match done.uploaded {
                0 => "Nothing waited.".to_owned(),
                1 => "One minute was uploaded.".to_owned(),
                n => format!("{n} minutes were uploaded."),
            };
            for (count, what) in [(done.set_aside, "refused by the server"), (done.held, "held for another account")] {
                if count > 0 {
                    text.push_str(&format!(" {count} {what}."));
                }
            }
            self.say("Synchronised", &text).await;
        }
        Ok(())
    }

    async fn sign_in(&self) -> Result<(), Problem> {
        if let Reply::DeviceCode(code) = self.reply(Request::LoginDevice { server: None, adopt: true }).await? {
            let page = code.verification_uri_complete.as_deref().unwrap_or(&code.verification_uri);
            let shown = format!("Confirm the code {} at {}", code.user_code, code.verification_uri);
            self.say("Sign in", &shown).await;
            // If no browser opens here, the person opens the address elsewhere.
            let _ = open::address(page).await;
            if let Reply::SignedIn(who) = self.reply(Request::LoginDeviceWait).await? {
                self.say("Signed in", &format!("This machine counts for {}.", who.email)).await;
            }
        }
        Ok(())
    }

    async fn about(&self) -> Result<(), Problem> {
        let text = format!(
            "Version {}. It counts blinks without ever storing a picture. `blinkctl --help` shows all it can do.",
            env!("CARGO_PKG_VERSION")
        );
        self.say("blinkd", &text).await;
        Ok(())
    }

    async fn say(&self, title: &str, text: &str) {
        let notice =
            Notice { title: title.to_owned(), text: text.to_owned(), actions: Vec::new(), stays: Some(SHORTLY) };
        // The notice has no buttons, so there is no answer to wait for.
        if self.notifier.notify(notice, None).await.is_none() {
            tracing::debug!("nothing shows notifications here");
        }
    }
}

/// The request of a left click and of the item `Tracking`.
#[must_use]
pub(crate) fn toggled(status: Option<&Status>) -> Request {
    match status.map(|status| status.state) {
        Some(State::Paused | State::Yielded | State::Locked) => Request::Resume,
        _ => Request::Pause(PauseSpan { until: None }),
    }
}

fn pause_for(minutes: i64) -> Request {
    let until = Timestamp::now().saturating_add(jiff::SignedDuration::from_mins(minutes)).ok();
    Request::Pause(PauseSpan { until })
}

fn pause_until_tomorrow() -> Request {
    let tomorrow = Zoned::now().tomorrow().and_then(|day| day.start_of_day());
    Request::Pause(PauseSpan { until: tomorrow.ok().map(|start| start.timestamp()) })
}
