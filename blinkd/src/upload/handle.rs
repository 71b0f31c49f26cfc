//! How other threads reach the upload thread.

use std::sync::mpsc;

use blink_proto::{
    Problem, Secret,
    ipc::{DeviceCode, Elsewhere, Pulled, RemotePage, SignedIn, SyncDone},
    problem::code,
};
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{Connect, PageOf, device};

#[derive(Clone, Debug)]
pub struct Credentials {
    /// The server's base URL; the configured one if absent.
    pub server: Option<String>,
    pub email: String,
    pub password: Secret,
    /// Whether the account takes over the minutes counted while nobody was signed in.
    pub adopt: bool,
    /// Registers a new account; holds the version of the consent text that was accepted.
    pub register: Option<String>,
}

/// A request to the upload thread.
pub(super) enum Ask {
    Queued,
    Consent,
    Open(Box<Credentials>, oneshot::Sender<Result<SignedIn, Problem>>),
    Close(oneshot::Sender<Result<(), Problem>>),
    Sync(oneshot::Sender<Result<SyncDone, Problem>>),
    DeviceBegin(Option<String>, bool, oneshot::Sender<Result<DeviceCode, Problem>>),
    DeviceWait(device::Waiter),
    Page(PageOf, oneshot::Sender<Result<RemotePage, Problem>>),
    Elsewhere(Option<Timestamp>, oneshot::Sender<Result<Elsewhere, Problem>>),
    Pull(Option<Timestamp>, oneshot::Sender<Result<Pulled, Problem>>),
    Erase(Option<Secret>, oneshot::Sender<Result<serde_json::Value, Problem>>),
    /// The configured server or `ca_file` has changed.
    Reconfigure(String, Connect),
    /// The network is up or the machine awake, so the server may be reachable again.
    Look,
    Stop,
}

#[derive(Clone, Debug)]
pub struct UploadHandle {
    asks: mpsc::Sender<Ask>,
}

impl UploadHandle {
    /// A handle, and the inbox for the thread to read.
    #[must_use]
    pub fn new() -> (Self, Inbox) {
        let (asks, inbox) = mpsc::channel();
        (Self { asks }, Inbox(inbox))
    }

    fn send(&self, ask: Ask) {
        // Sending fails only when the thread has stopped with the daemon.
        let _ = self.asks.send(ask);
    }

    /// Tells the thread that a minute joined the queue.
    pub fn queued(&self) {
        self.send(Ask::Queued);
    }

    /// Tells the thread that consent was given or withdrawn here, which the server should know.
    pub fn consent_changed(&self) {
        self.send(Ask::Consent);
    }

    /// Checks now whether a server that was away is back, because the machine woke up or the network is up.
    pub fn look_now(&self) {
        self.send(Ask::Look);
    }

    /// Ends the thread after its current request.
    pub fn stop(&self) {
        self.send(Ask::Stop);
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<Result<T, Problem>>) -> Ask) -> Result<T, Problem> {
        let (tell, told) = oneshot::channel();
        self.send(ask(tell));
        told.await.unwrap_or_else(|_| Err(stopping()))
    }

    pub async fn open(&self, credentials: Credentials) -> Result<SignedIn, Problem> {
        self.ask(|tell| Ask::Open(Box::new(credentials), tell)).await
    }

    pub async fn close(&self) -> Result<(), Problem> {
        self.ask(Ask::Close).await
    }

    pub async fn sync(&self) -> Result<SyncDone, Problem> {
        self.ask(Ask::Sync).await
    }

    pub async fn device_begin(&self, server: Option<String>, adopt: bool) -> Result<DeviceCode, Problem> {
        self.ask(|tell| Ask::DeviceBegin(server, adopt, tell)).await
    }

    /// Waits until the person has approved the sign-in. Dropping the future stops the waiting.
    pub async fn device_wait(&self) -> Result<SignedIn, Problem> {
        self.ask(Ask::DeviceWait).await
    }

    pub async fn page(&self, of: PageOf) -> Result<RemotePage, Problem> {
        self.ask(|tell| Ask::Page(of, tell)).await
    }

    pub async fn elsewhere(&self, from: Option<Timestamp>) -> Result<Elsewhere, Problem> {
        self.ask(|tell| Ask::Elsewhere(from, tell)).await
    }

    pub async fn pull(&self, from: Option<Timestamp>) -> Result<Pulled, Problem> {
        self.ask(|tell| Ask::Pull(from, tell)).await
    }

    /// Erases the account on its server; returns the server's receipt. If it fails, nothing was erased, unless the
    /// answer was lost.
    pub async fn erase_account(&self, password: Option<Secret>) -> Result<serde_json::Value, Problem> {
        self.ask(|tell| Ask::Erase(password, tell)).await
    }

    pub fn reconfigure(&self, server: String, connect: Connect) {
        self.send(Ask::Reconfigure(server, connect));
    }
}

/// The receiving end of [`UploadHandle`].
#[derive(Debug)]
pub struct Inbox(pub(super) mpsc::Receiver<Ask>);

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ask")
    }
}

/// The answer to every request while the daemon is stopping.
#[must_use]
pub fn stopping() -> Problem {
    Problem::new(code::STOPPING, "The daemon is stopping.", "Start it again, then try again.")
}
