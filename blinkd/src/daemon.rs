//! What clients may ask, answered by the keeper or the upload thread.

use std::sync::Arc;

use blink_proto::{
    Problem,
    ipc::{Event, Outcome, Reply, Request},
    status::State,
};
use tokio::sync::{broadcast, watch};

use crate::{
    keeper::{Gone, Keeper, KeeperHandle},
    owner::OwnerDesk,
    upload::{Credentials, UploadHandle, stopping},
};

/// A cloneable way to the whole daemon.
#[derive(Clone, Debug)]
pub struct Daemon {
    keeper: KeeperHandle,
    upload: UploadHandle,
    owner: Arc<OwnerDesk>,
    events: broadcast::Sender<Event>,
    stop: Arc<watch::Sender<bool>>,
}

impl Daemon {
    pub(crate) fn new(
        keeper: KeeperHandle,
        upload: UploadHandle,
        owner: Arc<OwnerDesk>,
        events: broadcast::Sender<Event>,
        stop: Arc<watch::Sender<bool>>,
    ) -> Self {
        Self { keeper, upload, owner, events, stop }
    }

    /// Begins a clean stop.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Hears everything that happens from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Answers `request`. [`Request::Subscribe`] and [`Request::Quit`] need more than their answer: the connection
    /// sees to it.
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
            Request::Resume => self.ask(|keeper| keeper.resume().map(|()| Reply::Done)).await,
            Request::ConsentShow => self.ask(|keeper| Ok(Reply::Consent(keeper.show_consent()))).await,
            Request::ConsentGrant { version } => {
                let granted = self.ask(move |keeper| keeper.grant(&version).map(|()| Reply::Done)).await;
                self.upload.consent_changed();
                granted
            }
            Request::ConsentWithdraw => {
                let withdrawn = self.ask(|keeper| keeper.withdraw().map(|()| Reply::Done)).await;
                self.upload.consent_changed();
                withdrawn
            }
            Request::Register { server, email, password, consent_version, adopt } => {
                let register = Some(consent_version);
                self.upload.open(Credentials { server, email, password, adopt, register }).await.map(Reply::SignedIn)
            }
            Request::Login { server, email, password, adopt } => {
                let credentials = Credentials { server, email, password, adopt, register: None };
                self.upload.open(credentials).await.map(Reply::SignedIn)
            }
            Request::Logout => self.upload.close().await.map(|()| Reply::Done),
            Request::Whoami => self.ask(|keeper| keeper.whoami().map(Reply::SignedIn)).await,
            Request::Sync => self.upload.sync().await.map(Reply::Sync),
            Request::OwnerEnroll => self.enroll().await,
            Request::OwnerForget => self.owner.forget().map(|_| Reply::Done),
            Request::Subscribe { .. } | Request::Quit => Ok(Reply::Done),
            _ => Err(Problem::new(
                "unknown_request",
                "This blinkd does not know that request.",
                "Bring blinkd and blinkctl to the same version, and restart blinkd.",
            )),
        }
    }

    /// Enrols the owner, where there is anything to see.
    async fn enroll(&self) -> Result<Reply, Problem> {
        let Reply::Status(status) = self.ask(|keeper| Ok(Reply::Status(keeper.status()))).await? else {
            return Err(stopping());
        };
        match status.state {
            State::Tracking | State::NoFace => Arc::clone(&self.owner).enroll().await.map(|()| Reply::Done),
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
        self.keeper.ask(job).await.unwrap_or_else(|Gone| Err(stopping()))
    }
}
