//! The upload thread: everything that talks to cloud-api, one thing at a time.
//!
//! - [`Server`]: cloud-api as a trait; [`http`] is the real one
//! - [`Uploader`]: accounts, tokens, batches, consent; `schedule` says when
//! - [`UploadHandle`]: how the other threads ask for something
//!
//! A minute leaves the queue only by a durable acknowledgement. An answer that was lost is asked for again: the server
//! keeps one minute for each (account, device, start).

mod account;
mod device;
mod error;
mod failure;
pub mod http;
mod remote;
mod schedule;
mod send;
mod server;
mod url;

use std::{
    io,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use blink_proto::{
    Problem, Secret,
    ipc::{DeviceCode, RemotePage, SignedIn, SyncDone},
    problem::code,
    status::Queue,
};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

pub use device::{DeviceAnswer, DeviceStart};
pub use remote::PageOf;
pub use server::{Connect, NetError, Server, ServerConsent};
pub use url::BaseUrl;

use crate::{
    clock::{Clock, Jumps},
    keeper::{Gone, KeeperHandle},
    minutes::Owner,
    profile::{Tokens, Vault},
};
use error::{split, tell};
use schedule::{Due, Schedule};

/// How often the clock is looked at for having slept.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The wall clock gaining so much on the monotonic one means that the machine slept.
const SLEPT: SignedDuration = SignedDuration::from_secs(30);

/// What an account is opened with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The server's base URL; the configured one if absent.
    pub server: Option<String>,
    pub email: String,
    pub password: Secret,
    /// Whether nobody's minutes become the account's.
    pub adopt: bool,
    /// To make the account: the version of the consent text that was accepted.
    pub register: Option<String>,
}

/// What the thread is asked for.
enum Ask {
    /// A minute joined the queue.
    Queued,
    /// Consent was given or withdrawn here.
    Consent,
    Open(Box<Credentials>, oneshot::Sender<Result<SignedIn, Problem>>),
    Close(oneshot::Sender<Result<(), Problem>>),
    Sync(oneshot::Sender<Result<SyncDone, Problem>>),
    DeviceBegin(Option<String>, bool, oneshot::Sender<Result<DeviceCode, Problem>>),
    DeviceWait(device::Waiter),
    Page(PageOf, oneshot::Sender<Result<RemotePage, Problem>>),
    Erase(Option<Secret>, oneshot::Sender<Result<serde_json::Value, Problem>>),
    /// Another configured server, or another `ca_file`.
    Reconfigure(String, Connect),
    /// The server may be back.
    Look,
    Stop,
}

/// A cloneable way to the upload thread.
#[derive(Clone, Debug)]
pub struct UploadHandle {
    asks: mpsc::Sender<Ask>,
}

impl UploadHandle {
    /// A handle and the inbox its thread will read.
    #[must_use]
    pub fn new() -> (Self, Inbox) {
        let (asks, inbox) = mpsc::channel();
        (Self { asks }, Inbox(inbox))
    }

    fn send(&self, ask: Ask) {
        // A thread that is gone is stopping with the daemon.
        let _ = self.asks.send(ask);
    }

    /// A minute joined the queue.
    pub fn queued(&self) {
        self.send(Ask::Queued);
    }

    /// Consent was given or withdrawn here, which the server should hear.
    pub fn consent_changed(&self) {
        self.send(Ask::Consent);
    }

    /// The machine woke up or the network is there: whether a server that was away is back is looked at now.
    pub fn look_now(&self) {
        self.send(Ask::Look);
    }

    /// Ends the thread once it has done what it is doing.
    pub fn stop(&self) {
        self.send(Ask::Stop);
    }

    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<Result<T, Problem>>) -> Ask) -> Result<T, Problem> {
        let (tell, told) = oneshot::channel();
        self.send(ask(tell));
        told.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Registers or signs in.
    pub async fn open(&self, credentials: Credentials) -> Result<SignedIn, Problem> {
        self.ask(|tell| Ask::Open(Box::new(credentials), tell)).await
    }

    pub async fn close(&self) -> Result<(), Problem> {
        self.ask(Ask::Close).await
    }

    /// Uploads until the queue is empty.
    pub async fn sync(&self) -> Result<SyncDone, Problem> {
        self.ask(Ask::Sync).await
    }

    /// Begins to sign in through the browser.
    pub async fn device_begin(&self, server: Option<String>, adopt: bool) -> Result<DeviceCode, Problem> {
        self.ask(|tell| Ask::DeviceBegin(server, adopt, tell)).await
    }

    /// Waits until that was approved. Dropping the future ends the waiting.
    ///
    /// Fails when it was refused, or the code's time is over.
    pub async fn device_wait(&self) -> Result<SignedIn, Problem> {
        self.ask(Ask::DeviceWait).await
    }

    /// The account's minutes as the server has them.
    pub async fn page(&self, of: PageOf) -> Result<RemotePage, Problem> {
        self.ask(|tell| Ask::Page(of, tell)).await
    }

    /// Erases the account on its server; returns the server's receipt.
    ///
    /// Fails when nobody is signed in, or as the server or the network says: nothing was erased then.
    pub async fn erase_account(&self, password: Option<Secret>) -> Result<serde_json::Value, Problem> {
        self.ask(|tell| Ask::Erase(password, tell)).await
    }

    pub fn reconfigure(&self, server: String, connect: Connect) {
        self.send(Ask::Reconfigure(server, connect));
    }
}

/// What [`UploadHandle`]s write to.
#[derive(Debug)]
pub struct Inbox(mpsc::Receiver<Ask>);

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ask")
    }
}

/// The daemon is stopping.
#[must_use]
pub fn stopping() -> Problem {
    Problem::new(code::STOPPING, "The daemon is stopping.", "Start it again, then try again.")
}

/// What the upload thread needs.
pub struct UploadDeps {
    pub keeper: KeeperHandle,
    pub clock: Arc<dyn Clock>,
    pub connect: Connect,
    /// Where tokens are kept.
    pub vault: Vault,
    pub server: String,
    /// Whether plain HTTP beyond this machine is allowed.
    pub insecure: bool,
}

/// The account's server, while somebody is signed in.
struct Link {
    owner: Owner,
    server: Box<dyn Server>,
    tokens: Option<Tokens>,
}

pub struct Uploader {
    deps: UploadDeps,
    link: Option<Link>,
    schedule: Schedule,
    /// When an account that could not even be tried, for want of its `ca_file` or of the keyring, is taken up again.
    resume_at: Option<Duration>,
    /// The wait after the next failure to take it up.
    resume_after: Duration,
    /// A sign-in through the browser.
    device: Option<device::Pending>,
    /// The most minutes in a batch; halved when the server finds it too much.
    limit: usize,
    last_success: Option<Timestamp>,
    last_error: Option<Problem>,
    /// To notice that the machine slept.
    jumps: Jumps,
}

impl Uploader {
    /// Takes up the account that is signed in.
    pub fn begin(deps: UploadDeps) -> Result<Self, Gone> {
        let jumps = Jumps::from_readings(deps.clock.now(), deps.clock.mono(), SLEPT);
        let mut uploader = Self {
            deps,
            link: None,
            schedule: Schedule::default(),
            resume_at: None,
            resume_after: account::RESUME_AFTER,
            device: None,
            limit: send::LARGEST_BATCH,
            last_success: None,
            last_error: None,
            jumps,
        };
        uploader.resume_account()?;
        Ok(uploader)
    }

    /// Starts the thread, which calls `at_end` when it ends, even where it panics.
    pub fn start(mut self, inbox: Inbox, at_end: impl FnOnce() + Send + 'static) -> io::Result<thread::JoinHandle<()>> {
        thread::Builder::new().name("blinkd-upload".into()).spawn(move || {
            let _at_end = scopeguard::guard(at_end, |at_end| at_end());
            // Only a daemon that is stopping ends it this way.
            let _ = self.run(&inbox);
        })
    }

    fn run(&mut self, inbox: &Inbox) -> Result<(), Gone> {
        loop {
            let now = self.deps.clock.mono();
            let next = [self.schedule.next(), self.device_due()].into_iter().flatten().min();
            let wait = next.map_or(LOOK_EVERY, |at| at.saturating_sub(now).min(LOOK_EVERY));
            match inbox.0.recv_timeout(wait) {
                Ok(Ask::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(ask) => self.answer(ask)?,
                Err(mpsc::RecvTimeoutError::Timeout) => self.step()?,
            }
            self.report()?;
        }
    }

    fn answer(&mut self, ask: Ask) -> Result<(), Gone> {
        let now = self.deps.clock.mono();
        match ask {
            Ask::Queued if self.link.is_some() => self.schedule.queued(now, chance()),
            Ask::Look => {
                self.schedule.look_now(now);
                self.step()?;
            }
            Ask::Queued | Ask::Stop => {}
            Ask::Consent => {
                self.schedule.consent_now(now);
                if self.link.is_some() {
                    self.schedule.queued(now, chance());
                }
            }
            Ask::Open(credentials, to) => tell(to, self.open(*credentials))?,
            Ask::Close(to) => tell(to, self.close())?,
            Ask::DeviceBegin(server, adopt, to) => drop(to.send(self.device_begin(server, adopt))),
            Ask::DeviceWait(waiter) => self.device_wait(waiter),
            Ask::Page(of, to) => tell(to, self.remote_page(&of))?,
            Ask::Erase(password, to) => tell(to, self.erase_account(password.as_ref()))?,
            Ask::Reconfigure(server, connect) => {
                self.deps.server = server;
                self.deps.connect = connect;
                self.reconnect()?;
            }
            Ask::Sync(to) => {
                let done = self.sync();
                self.report()?;
                tell(to, done)?;
            }
        }
        Ok(())
    }

    /// Does what is due.
    pub fn step(&mut self) -> Result<(), Gone> {
        self.notice_sleep();
        self.device_step()?;
        if self.resume_at.is_some_and(|at| at <= self.deps.clock.mono()) {
            self.resume_account()?;
        }
        while let Some(due) = self.schedule.due(self.deps.clock.mono()) {
            match due {
                Due::Consent => self.consent()?,
                Due::Health => self.health(),
                // Why it failed is in the status by then.
                Due::Upload => drop(split(self.upload())?),
            }
        }
        Ok(())
    }

    fn notice_sleep(&mut self) {
        let (now, mono) = (self.deps.clock.now(), self.deps.clock.mono());
        let jump = self.jumps.look(now, mono).jump;
        if jump.is_some_and(|jump| jump.is_positive()) && self.link.is_some() {
            self.schedule.at_once(mono);
        }
    }

    fn health(&mut self) {
        let healthy = self.link.as_ref().is_some_and(|link| link.server.health().is_ok());
        self.schedule.health(self.deps.clock.mono(), healthy);
    }

    /// Tells the keeper how it goes, for `status`.
    fn report(&self) -> Result<(), Gone> {
        let (now, mono) = (self.deps.clock.now(), self.deps.clock.mono());
        let next_retry = self.schedule.next_try().and_then(|at| now.checked_add(at.saturating_sub(mono)).ok());
        let (last_success, last_error) = (self.last_success, self.last_error.clone());
        self.deps.keeper.call(move |keeper| {
            let next_retry = next_retry.filter(|_| keeper.pending() > 0);
            keeper.upload_news(Queue { last_success, last_error, next_retry, ..Queue::default() });
        })
    }
}

fn chance() -> f64 {
    rand::random()
}

#[cfg(test)]
mod tests;
