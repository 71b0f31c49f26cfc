//! Signing in through the browser: the device authorization grant, RFC 8628.
//!
//! The server is polled only while a client waits for the result: one that disconnects has given up. A lost network
//! does not end the sign-in; the expiry of the code does.

use std::time::Duration;

use blink_proto::{
    Problem, Secret,
    ipc::{DeviceCode, SignedIn},
    problem::code,
};
use tokio::sync::oneshot;

use super::{BaseUrl, NetError, Server, Uploader, error::split};
use crate::keeper::Gone;

/// The polling interval where the server names none, and what each `slow_down` adds to it (RFC 8628, 3.5).
const STEP: Duration = Duration::from_secs(5);
/// The longest polling interval while the server cannot be reached.
const LONGEST: Duration = Duration::from_secs(60);
/// The longest lifetime of a code, whatever the server says.
const LONGEST_LIFE: Duration = Duration::from_secs(3_600);

/// The server's device authorization response (RFC 8628, 3.2).
#[derive(Clone, Debug, serde::Deserialize)]
pub struct DeviceStart {
    pub device_code: Secret,
    /// The code that the person types.
    pub user_code: String,
    pub verification_uri: String,
    /// `verification_uri` with the code filled in.
    #[serde(default)]
    pub verification_uri_complete: Option<String>,
    /// Lifetime of the codes in seconds.
    pub expires_in: u64,
    /// Polling interval in seconds.
    #[serde(default)]
    pub interval: Option<u64>,
}

impl DeviceStart {
    /// Refuses an answer whose address or code is unsafe: the address is opened in a browser and the code is shown.
    fn sound(self) -> Result<Self, NetError> {
        let is_address = |text: &str| {
            text.len() <= 2_000
                && !text.contains(char::is_control)
                && (text.starts_with("https://") || text.starts_with("http://"))
        };
        let code = self.user_code.len() <= 64 && !self.user_code.contains(char::is_control);
        if code
            && is_address(&self.verification_uri)
            && self.verification_uri_complete.as_deref().is_none_or(is_address)
        {
            Ok(self)
        } else {
            Err(NetError::Protocol("what it gives for a sign-in is no address and code".to_owned()))
        }
    }
}

/// The server's answer to a poll (RFC 8628, 3.5).
#[derive(Clone, Debug)]
pub enum DeviceAnswer {
    Granted(Box<blink_proto::http::TokenResponse>),
    /// The person has not decided yet.
    Pending,
    /// The person has not decided yet, and we poll too often.
    SlowDown,
    Denied,
    Expired,
}

pub(super) type Waiter = oneshot::Sender<Result<SignedIn, Problem>>;

pub(super) struct Pending {
    base: BaseUrl,
    server: Box<dyn Server>,
    code: Secret,
    adopt: bool,
    interval: Duration,
    /// Added to the interval while the server cannot be reached.
    delay: Duration,
    next: Duration,
    until: Duration,
    waiters: Vec<Waiter>,
}

fn code_expired_problem() -> Problem {
    let message = "The sign-in's code is void: its time is over, or it was used.";
    Problem::new(code::DEVICE_CODE_EXPIRED, message, "Run `blinkctl login --device` again.")
}

fn code_replaced_problem() -> Problem {
    let message = "Another sign-in through the browser was begun, and this one's code is given up.";
    Problem::new(code::DEVICE_CODE_REPLACED, message, "Confirm the newer code, or run `blinkctl login --device` again.")
}

fn access_denied_problem() -> Problem {
    Problem::new(code::ACCESS_DENIED, "The sign-in was refused in the browser.", "Sign in again if that was a mistake.")
}

#[cfg(unix)]
fn machine_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn machine_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "computer".to_owned())
}

impl Uploader {
    /// Gets a code. An earlier sign-in is given up, and its waiters are told.
    pub(super) fn device_begin(&mut self, server: Option<String>, adopt: bool) -> Result<DeviceCode, Problem> {
        let url = server.unwrap_or_else(|| self.deps.server.clone());
        let base = BaseUrl::parse(&url, self.deps.insecure)?;
        let server = (self.deps.connect)(&base)?;
        let start =
            server.device_start(&machine_name()).and_then(DeviceStart::sound).map_err(|error| error.problem())?;
        let (now, mono) = (self.deps.clock.now(), self.deps.clock.mono());
        let lives = Duration::from_secs(start.expires_in).min(LONGEST_LIFE);
        let interval = start.interval.map_or(STEP, Duration::from_secs).clamp(Duration::from_secs(1), LONGEST);
        self.device_over(&Err(code_replaced_problem()));
        self.device = Some(Pending {
            base,
            server,
            code: start.device_code,
            adopt,
            interval,
            delay: Duration::ZERO,
            next: mono + interval,
            until: mono + lives,
            waiters: Vec::new(),
        });
        Ok(DeviceCode {
            user_code: start.user_code,
            verification_uri: start.verification_uri,
            verification_uri_complete: start.verification_uri_complete,
            expires_at: now.checked_add(lives).unwrap_or(now),
        })
    }

    /// Registers a client that waits for the sign-in's end.
    pub(super) fn device_wait(&mut self, waiter: Waiter) {
        match &mut self.device {
            Some(pending) => pending.waiters.push(waiter),
            None => {
                let fix = "Begin with `blinkctl login --device`.";
                let problem = Problem::new(code::NO_DEVICE_CODE, "No sign-in through the browser is under way.", fix);
                let _ = waiter.send(Err(problem));
            }
        }
    }

    /// When the server is polled next; `None` while nobody waits.
    pub(super) fn device_due(&self) -> Option<Duration> {
        self.device
            .as_ref()
            .filter(|pending| !pending.waiters.is_empty())
            .map(|pending| pending.next.min(pending.until))
    }

    /// Polls the server if that is due.
    pub(super) fn device_step(&mut self) -> Result<(), Gone> {
        let mono = self.deps.clock.mono();
        let Some(pending) = &mut self.device else { return Ok(()) };
        pending.waiters.retain(|waiter| !waiter.is_closed());
        if pending.waiters.is_empty() || mono < pending.next.min(pending.until) {
            return Ok(());
        }
        let answer =
            if mono >= pending.until { Ok(DeviceAnswer::Expired) } else { pending.server.device_token(&pending.code) };
        let (interval, mono) = (pending.interval, self.deps.clock.mono());
        pending.delay = match &answer {
            Ok(_) => Duration::ZERO,
            Err(error) => error.retry_after().unwrap_or((pending.delay * 2).max(STEP)).min(LONGEST),
        };
        pending.next = mono + interval + pending.delay;
        match answer {
            Ok(DeviceAnswer::Pending) => {}
            Ok(DeviceAnswer::SlowDown) => {
                pending.interval = (interval + STEP).min(LONGEST);
                pending.next = mono + pending.interval;
            }
            Ok(DeviceAnswer::Denied) => self.device_over(&Err(access_denied_problem())),
            Ok(DeviceAnswer::Expired) => self.device_over(&Err(code_expired_problem())),
            Ok(DeviceAnswer::Granted(tokens)) => {
                let Some(Pending { base, server, adopt, waiters, .. }) = self.device.take() else { return Ok(()) };
                let signed_in = split(self.finish_sign_in(&base, server, *tokens, adopt, false))?;
                tell(waiters, &signed_in);
            }
            Err(error) if error.is_transient() => {
                tracing::info!(code = error.problem().code, "no word on the sign-in yet");
            }
            Err(error) => self.device_over(&Err(error.problem())),
        }
        Ok(())
    }

    fn device_over(&mut self, outcome: &Result<SignedIn, Problem>) {
        if let Some(pending) = self.device.take() {
            tell(pending.waiters, outcome);
        }
    }
}

fn tell(waiters: Vec<Waiter>, outcome: &Result<SignedIn, Problem>) {
    for waiter in waiters {
        // The client may have disconnected.
        let _ = waiter.send(outcome.clone());
    }
}
