//! Answers clients' requests through the keeper and the upload thread.

use std::sync::Arc;

use blink_profile::Paths;
use blink_proto::{
    Problem, Secret,
    ipc::{Erase, Event, Outcome, Reply, Request},
    problem::code,
    receipt::Receipt,
    status::State,
};
use tokio::sync::{broadcast, watch};

use crate::{
    capture::CaptureControl,
    config::{Config, Reloaded, Settings},
    doctor::{self, Asked},
    keeper::{Gone, Keeper, KeeperHandle},
    logs,
    nudge::ReminderFate,
    owner::OwnerDesk,
    profile::Vault,
    session::Bus,
    upload::{Credentials, PageOf, UploadHandle, http::connector, stopping},
};

#[derive(Clone, Debug)]
pub(crate) struct DaemonDeps {
    pub(crate) keeper: KeeperHandle,
    pub(crate) upload: UploadHandle,
    pub(crate) owner: Arc<OwnerDesk>,
    pub(crate) control: Arc<CaptureControl>,
    /// `None` where the settings were passed in and cannot be read again.
    pub(crate) settings: Option<Arc<Settings>>,
    pub(crate) paths: Paths,
    pub(crate) vault: Vault,
    pub(crate) session: Bus,
    /// Whether reminders are shown, which needs a desktop.
    pub(crate) reminds: bool,
    pub(crate) events: broadcast::Sender<Event>,
    pub(crate) stop: Arc<watch::Sender<bool>>,
}

/// A cloneable handle to the whole daemon.
#[derive(Clone, Debug)]
pub struct Daemon {
    deps: Arc<DaemonDeps>,
}

impl Daemon {
    pub(crate) fn new(deps: DaemonDeps) -> Self {
        Self { deps: Arc::new(deps) }
    }

    pub fn stop(&self) {
        self.deps.stop.send_replace(true);
    }

    /// Subscribes to the events from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.deps.events.subscribe()
    }

    /// Answers `request`. [`Request::Subscribe`] and [`Request::Quit`] have effects beyond the answer, which the
    /// connection handles.
    pub async fn answer(&self, request: Request) -> Outcome {
        match self.reply(request).await {
            Ok(reply) => Outcome::Ok(Box::new(reply)),
            Err(problem) => Outcome::Error(problem),
        }
    }

    async fn reply(&self, request: Request) -> Result<Reply, Problem> {
        match request {
            Request::Status => self.ask(|keeper| Ok(Reply::Status(keeper.status()))).await,
            Request::Pause(span) => self.ask(move |keeper| keeper.pause(span).map(|()| Reply::Done)).await,
            Request::Yield => {
                self.ask(|keeper| {
                    keeper.yield_camera();
                    Ok(Reply::Done)
                })
                .await
            }
            Request::Resume => self.ask(|keeper| keeper.resume().map(|()| Reply::Done)).await,
            Request::ConsentShow => self.ask(|keeper| Ok(Reply::Consent(keeper.show_consent()))).await,
            Request::ConsentGrant { version } => {
                let granted = self.ask(move |keeper| keeper.grant(&version).map(|()| Reply::Done)).await;
                self.deps.upload.consent_changed();
                granted
            }
            Request::ConsentWithdraw => {
                let withdrawn = self.ask(|keeper| keeper.withdraw().map(|()| Reply::Done)).await;
                self.deps.upload.consent_changed();
                withdrawn
            }
            Request::Register { server, email, password, consent_version, adopt } => {
                let credentials = Credentials { server, email, password, adopt, register: Some(consent_version) };
                self.deps.upload.open(credentials).await.map(Reply::SignedIn)
            }
            Request::Login { server, email, password, adopt } => {
                let credentials = Credentials { server, email, password, adopt, register: None };
                self.deps.upload.open(credentials).await.map(Reply::SignedIn)
            }
            Request::Logout => self.deps.upload.close().await.map(|()| Reply::Done),
            Request::Whoami => self.ask(|keeper| keeper.whoami().map(Reply::SignedIn)).await,
            Request::Sync => self.deps.upload.sync().await.map(Reply::Sync),
            Request::OwnerEnroll => self.enroll().await,
            Request::OwnerForget => self.deps.owner.forget().map(|_| Reply::Done),
            Request::LoginDevice { server, adopt } => {
                self.deps.upload.device_begin(server, adopt).await.map(Reply::DeviceCode)
            }
            Request::LoginDeviceWait => self.deps.upload.device_wait().await.map(Reply::SignedIn),
            Request::SetAsideList => self.ask(|keeper| keeper.set_aside().map(|items| Reply::SetAside { items })).await,
            Request::SetAsideRetry => self.ask(|keeper| keeper.retry_set_aside().map(Reply::SetAsideCount)).await,
            Request::SetAsideDrop => self.ask(|keeper| keeper.drop_set_aside().map(Reply::SetAsideCount)).await,
            Request::Import { minutes, upload } => {
                self.ask(move |keeper| keeper.import(minutes, upload).map(Reply::Imported)).await
            }
            Request::RemotePage { from, to, cursor } => {
                self.deps.upload.page(PageOf { from, to, cursor }).await.map(Reply::RemotePage)
            }
            Request::Elsewhere { from } => self.deps.upload.elsewhere(from).await.map(Reply::Elsewhere),
            Request::Pull { from } => self.deps.upload.pull(from).await.map(Reply::Pulled),
            Request::Delete { what, password } => self.delete(what, password).await.map(Reply::Receipt),
            Request::Doctor => self.doctor().await,
            Request::Reload => self.reload().await,
            Request::Subscribe { .. } | Request::Quit => Ok(Reply::Done),
            Request::Unknown => Err(unknown_request()),
        }
    }

    /// Erases what is asked for. The server goes first: while it refuses, nothing is erased here.
    async fn delete(&self, what: Erase, password: Option<Secret>) -> Result<Receipt, Problem> {
        let known = self
            .deps
            .keeper
            .ask(|keeper| (keeper.account().is_some(), keeper.account_file().first.is_some(), keeper.clock().now()));
        let (signed_in, had_account, at) = known.await.map_err(|Gone| stopping())?;
        let remote = match what {
            Erase::Local => None,
            Erase::Everything if !signed_in => None,
            Erase::Remote | Erase::Everything => Some(self.deps.upload.erase_account(password).await?),
        };
        let mut receipt = Receipt { at, local: None, remote, left: Vec::new(), kept: Vec::new() };
        let local = match what {
            Erase::Remote => return Ok(receipt),
            Erase::Local => self.deps.keeper.ask(Keeper::erase_minutes).await,
            Erase::Everything => {
                let erased = self.deps.keeper.ask(Keeper::erase_everything).await;
                if matches!(erased, Ok(Ok(_))) {
                    // The file is erased already; this clears the memory.
                    let _ = self.deps.owner.forget();
                    let vault = self.deps.vault.clone();
                    // A keyring may have failed to remove the tokens at an earlier sign-out.
                    let forgotten = tokio::task::spawn_blocking(move || vault.forget()).await.unwrap_or(false);
                    if had_account && !forgotten {
                        let left = "The keyring cannot be asked to forget a sign-in: remove the entry `blinkd` there.";
                        receipt.left.push(left.to_owned());
                    }
                }
                erased
            }
        };
        match local.map_err(|Gone| stopping()).and_then(|erased| erased) {
            Ok(erased) => receipt.local = Some(erased),
            // The account is erased and cannot be restored, so the receipt says that and what is left.
            Err(problem) if receipt.remote.is_some() => receipt.left.push(problem.message),
            Err(problem) => return Err(problem),
        }
        Ok(receipt)
    }

    async fn doctor(&self) -> Result<Reply, Problem> {
        let asked = self.deps.keeper.ask(|keeper| {
            let clock = keeper.clock().now();
            (clock, keeper.consented(), keeper.account_file().clone(), keeper.kept_back(), keeper.status())
        });
        let (now, consented, account, kept_back, status) = asked.await.map_err(|Gone| stopping())?;
        let reminders = match (&self.deps.settings, self.deps.reminds) {
            (Some(settings), true) => Some(ReminderFate::ask(&settings.config().nudges, &status).await),
            _ => None,
        };
        let asked = Asked {
            reminders,
            paths: self.deps.paths.clone(),
            config: self.deps.settings.as_ref().map_or_else(|| Ok(Config::default()), |settings| settings.look()),
            now,
            vault: self.deps.vault.clone(),
            session: self.deps.session.clone(),
            consented,
            account,
            kept_back,
            daemon: Some(status.pid),
            elsewhere: None,
            status: Some(status),
        };
        let examined = tokio::task::spawn_blocking(move || doctor::examine(&asked)).await;
        examined.map(|checks| Reply::Doctor { checks }).map_err(|_| stopping())
    }

    /// Reads the configuration again, and applies what can take effect at once.
    async fn reload(&self) -> Result<Reply, Problem> {
        let Some(settings) = &self.deps.settings else { return Ok(Reply::Done) };
        let Reloaded { config, source, upload, restart_needed } = settings.reload()?;
        logs::set_level(config.log_level);
        if upload {
            self.deps.upload.reconfigure(config.server.clone(), connector(config.ca_file.clone()));
        }
        self.deps.keeper.ask(move |keeper| keeper.take_settings(&config)).await.map_err(|Gone| stopping())?;
        if source {
            self.deps.control.renew();
        }
        tracing::info!(?restart_needed, "the configuration was read again");
        if restart_needed.is_empty() {
            return Ok(Reply::Done);
        }
        Ok(Reply::RestartNeeded { keys: restart_needed })
    }

    /// Enrols the owner, if there is a source to see them with.
    async fn enroll(&self) -> Result<Reply, Problem> {
        let Reply::Status(status) = self.ask(|keeper| Ok(Reply::Status(keeper.status()))).await? else {
            return Err(stopping());
        };
        match status.state {
            State::Tracking | State::NoFace => Arc::clone(&self.deps.owner).enroll().await.map(|()| Reply::Done),
            state => Err(status.last_error.unwrap_or_else(|| {
                let fix = "Let it track first (`blinkctl resume`, `blinkctl consent grant`), then try again.";
                Problem::new(state.as_str(), format!("There is nobody to enrol while the state is {state}."), fix)
            })),
        }
    }

    async fn ask(
        &self,
        job: impl FnOnce(&mut Keeper) -> Result<Reply, Problem> + Send + 'static,
    ) -> Result<Reply, Problem> {
        self.deps.keeper.ask(job).await.unwrap_or_else(|Gone| Err(stopping()))
    }
}

fn unknown_request() -> Problem {
    Problem::new(
        code::UNKNOWN_REQUEST,
        "This blinkd does not know that request.",
        "Bring blinkd and blinkctl to the same version, and restart blinkd.",
    )
}
