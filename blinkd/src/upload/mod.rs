//! The upload thread: everything that talks to cloud-api, one request at a time.
//!
//! - [`Server`]: cloud-api as a trait; [`http`] implements it
//! - [`Uploader`]: accounts, tokens, batches, consent; `schedule` decides when; `pull` brings other machines' minutes
//! - [`UploadHandle`]: how other threads reach it
//!
//! A minute leaves the queue only when the server has acknowledged that it is stored. When an answer is lost, the batch
//! is sent again: the server keeps one minute for each (account, device, start).

mod account;
mod device;
mod error;
mod failure;
mod handle;
pub mod http;
mod pull;
mod remote;
mod schedule;
mod send;
mod server;

use std::{
    io,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use blink_proto::{Problem, status::Queue};
use jiff::{SignedDuration, Timestamp};

pub use blink_profile::url::BaseUrl;
pub(crate) use blink_profile::url::without_password;
pub use device::{DeviceAnswer, DeviceStart};
pub use handle::{Credentials, Inbox, UploadHandle, stopping};
pub use pull::MinutesOf;
pub use remote::PageOf;
pub use server::{Connect, NetError, Server, ServerConsent};

use crate::{
    clock::{Clock, Jumps},
    keeper::{Gone, KeeperHandle},
    minutes::Owner,
    profile::{Tokens, Vault},
};
use error::{split, tell};
use handle::Ask;
use schedule::{Due, Schedule};

/// How often the clocks are compared to notice that the machine slept.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The machine slept if the wall clock gains more than this on the monotonic clock.
const SLEPT: SignedDuration = SignedDuration::from_secs(30);

pub struct UploadDeps {
    pub keeper: KeeperHandle,
    pub clock: Arc<dyn Clock>,
    pub connect: Connect,
    pub vault: Vault,
    pub server: String,
    /// Whether plain HTTP to other machines is allowed.
    pub insecure: bool,
}

struct Link {
    owner: Owner,
    server: Box<dyn Server>,
    tokens: Option<Tokens>,
}

pub struct Uploader {
    deps: UploadDeps,
    link: Option<Link>,
    schedule: Schedule,
    /// When to connect again to an account whose `ca_file` or tokens could not be read.
    resume_at: Option<Duration>,
    /// The wait after the next such failure.
    resume_after: Duration,
    device: Option<device::Pending>,
    /// The most minutes in a batch; halved when the server answers 413.
    limit: usize,
    /// Devices that the account has no room for.
    refused: Vec<send::Refused>,
    last_success: Option<Timestamp>,
    last_error: Option<Problem>,
    jumps: Jumps,
}

impl Uploader {
    /// Makes the uploader and connects to the account that is signed in.
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
            refused: Vec::new(),
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
            // An error here only means that the daemon is stopping.
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
            Ask::Elsewhere(from, to) => tell(to, self.elsewhere(from))?,
            Ask::Pull(from, to) => tell(to, self.pull(from))?,
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
                // The status already shows why it failed.
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

    /// Reports to the keeper, for `status`.
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
