//! The messages of the local socket.
//!
//! Both sides ignore unknown fields, and an unknown request is answered with the code `unknown_request`, so that
//! neighbouring versions understand each other.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    OLDEST_PROTOCOL, PROTOCOL,
    replies::{
        ConsentShown, DeviceCode, Elsewhere, Imported, Pulled, RemotePage, SetAside, SetAsideCount, SignedIn, SyncDone,
    },
};
use crate::{Hint, Minute, Problem, Secret, doctor::Check, receipt::Receipt, status::Status};

/// The first frame that each side sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The newest protocol that the sender speaks.
    pub protocol: u32,
    /// The oldest protocol that the sender still understands.
    pub oldest: u32,
    /// The sender's name, `blinkd` or `blinkctl`.
    pub program: String,
    /// The sender's version.
    pub version: String,
}

impl Hello {
    /// The hello of this build, sent by `program` of `version`.
    #[must_use]
    pub fn of(program: &str, version: &str) -> Self {
        Self { protocol: PROTOCOL, oldest: OLDEST_PROTOCOL, program: program.to_owned(), version: version.to_owned() }
    }

    /// The newest protocol that both sides speak; `None` where they have none in common.
    #[must_use]
    pub fn common(&self, other: &Self) -> Option<u32> {
        let newest = self.protocol.min(other.protocol);
        (newest >= self.oldest.max(other.oldest)).then_some(newest)
    }
}

/// A frame from client to daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToDaemon {
    /// The first frame.
    Hello(Hello),
    /// Every later frame.
    Call(Call),
}

/// A frame from daemon to client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromDaemon {
    /// The first frame.
    Hello(Hello),
    /// The answer to one call.
    Answer(Answer),
    /// Something happened; sent to subscribers only.
    Event(Event),
    /// The daemon is about to close the connection, for this reason.
    Refused(Problem),
}

/// A request, with the id that its answer will carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Chosen by the client, and unique among its open calls.
    pub id: u64,
    /// The request.
    pub request: Request,
}

/// The requests of a client. Where no reply is named, success is answered by [`Reply::Done`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Get the whole state; answered by [`Reply::Status`].
    Status,
    /// Send [`Event`]s on this connection from now on.
    Subscribe {
        /// Whether to send [`Event::Live`] for each frame too.
        #[serde(default)]
        live: bool,
    },
    /// Stop tracking until the given time; it survives a restart.
    Pause(PauseSpan),
    /// Resume tracking: end a pause and a yield.
    Resume,
    /// Get the consent text and this machine's record; answered by [`Reply::Consent`].
    ConsentShow,
    /// Record consent to this version of the text, here and with the account if there is one.
    ConsentGrant {
        /// The version that was shown.
        version: String,
    },
    /// Withdraw consent, here and with the account if there is one. The source is closed at once.
    ConsentWithdraw,
    /// Create an account and sign in; answered by [`Reply::SignedIn`].
    Register {
        /// The server's base URL; the configured one if absent.
        server: Option<String>,
        /// The account's e-mail address.
        email: String,
        /// The account's password.
        password: Secret,
        /// The version of the consent text that was accepted. It is recorded on this machine too.
        consent_version: String,
        /// Whether the account takes over the minutes that belong to nobody, if it is the profile's first.
        adopt: bool,
    },
    /// Sign in; answered by [`Reply::SignedIn`]. This never implies consent for this machine.
    Login {
        /// The server's base URL; the configured one if absent.
        server: Option<String>,
        /// The account's e-mail address.
        email: String,
        /// The account's password.
        password: Secret,
        /// Whether the account takes over the minutes that belong to nobody, if it is the profile's first.
        adopt: bool,
    },
    /// Sign out; this account's unsent minutes are held until it signs in again.
    Logout,
    /// Get the signed-in account; answered by [`Reply::SignedIn`] or the error `not_signed_in`.
    Whoami,
    /// Upload now; answered by [`Reply::Sync`] when the queue is empty, or by the error that prevented it.
    Sync,
    /// Enrol the one person in front of the camera, who is then followed among several people. It takes some seconds.
    OwnerEnroll,
    /// Delete the enrolment of the owner.
    OwnerForget,
    /// Hand the camera to another program. It is taken back when that program has released it, when no program took it,
    /// or on [`Request::Resume`].
    Yield,
    /// Begin a sign-in through the browser (RFC 8628); answered by [`Reply::DeviceCode`].
    LoginDevice {
        /// The server's base URL; the configured one if absent.
        server: Option<String>,
        /// Whether the account takes over the minutes that belong to nobody, if it is the profile's first.
        adopt: bool,
    },
    /// Wait until the code of the last [`Request::LoginDevice`] is approved; answered by [`Reply::SignedIn`].
    LoginDeviceWait,
    /// Get the minutes that the server rejected; answered by [`Reply::SetAside`].
    SetAsideList,
    /// Put the set-aside minutes back into the queue; answered by [`Reply::SetAsideCount`].
    SetAsideRetry,
    /// Drop the set-aside minutes: they stay in the local history and are never uploaded; answered by
    /// [`Reply::SetAsideCount`].
    SetAsideDrop,
    /// Add minutes to the local history, at most [`MAX_IMPORT_MINUTES`] in a call; answered by [`Reply::Imported`].
    Import {
        /// Sealed minutes, as exported.
        minutes: Vec<Minute>,
        /// Whether to queue those too that the signed-in account may upload.
        #[serde(default)]
        upload: bool,
    },
    /// Get a page of the signed-in account's minutes on the server; answered by [`Reply::RemotePage`].
    RemotePage {
        /// Start of the range, inclusive.
        from: Option<Timestamp>,
        /// End of the range, exclusive.
        to: Option<Timestamp>,
        /// [`RemotePage::next_cursor`] of the previous page.
        cursor: Option<String>,
    },
    /// Ask the server how many minutes of the account's other machines the next [`Request::Pull`]s would go through;
    /// answered by [`Reply::Elsewhere`].
    Elsewhere {
        /// As in [`Request::Pull`].
        #[serde(default)]
        from: Option<Timestamp>,
    },
    /// Bring one page of minutes of the account's other machines here to read, and go on from there with the next call;
    /// answered by [`Reply::Pulled`].
    Pull {
        /// Start of the range, inclusive; absent for all that the history keeps.
        #[serde(default)]
        from: Option<Timestamp>,
    },
    /// Erase data; answered by [`Reply::Receipt`]. After [`Erase::Everything`] the daemon stops.
    Delete {
        /// What to erase.
        what: Erase,
        /// The account's password, for an erasure on the server.
        password: Option<Secret>,
    },
    /// Make all checks; answered by [`Reply::Doctor`].
    Doctor,
    /// Read the configuration again; answered by [`Reply::Done`] or [`Reply::RestartNeeded`].
    Reload,
    /// Stop the daemon; it stays stopped until it is started again.
    Quit,
    /// A request that this build does not know; answered with `unknown_request`.
    #[serde(other)]
    Unknown,
}

/// The most minutes in one [`Request::Import`], so that they fit a frame.
pub const MAX_IMPORT_MINUTES: usize = 1_000;

/// What [`Request::Delete`] erases (GDPR, article 17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Erase {
    /// All minutes on this machine, including open and unsent ones.
    Local,
    /// The account and everything that the server stores about it.
    Remote,
    /// Both, and configuration, tokens, consent, enrolment and logs.
    Everything,
}

/// The length of a pause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseSpan {
    /// When the pause ends; absent for a pause until resumed.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// The answer to the call with the same id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The call's id.
    pub id: u64,
    /// Its result.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It succeeded.
    Ok(Box<Reply>),
    /// It was refused or failed.
    Error(Problem),
}

/// The result of a successful call.
#[expect(clippy::large_enum_variant, reason = "it travels in a box: see Outcome")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// Success without a value.
    Done,
    /// The whole state.
    Status(Status),
    /// The consent text and the record.
    Consent(ConsentShown),
    /// The signed-in account.
    SignedIn(SignedIn),
    /// The queue is empty.
    Sync(SyncDone),
    /// The code to confirm in the browser.
    DeviceCode(DeviceCode),
    /// The minutes that the server rejected.
    SetAside {
        /// Oldest first, at most 1,000.
        items: Vec<SetAside>,
    },
    /// How many set-aside minutes were queued again or dropped.
    SetAsideCount(SetAsideCount),
    /// The result of an import.
    Imported(Imported),
    /// A page of minutes on the server.
    RemotePage(RemotePage),
    /// What the account's other machines have on the server.
    Elsewhere(Elsewhere),
    /// What a page brought.
    Pulled(Pulled),
    /// The receipt of an erasure.
    Receipt(Receipt),
    /// The results of all checks.
    Doctor {
        /// In the order in which a person would look.
        checks: Vec<Check>,
    },
    /// The configuration was read, but these keys take effect only at the next start.
    RestartNeeded {
        /// The keys' paths, such as `log.level`.
        keys: Vec<String>,
    },
}

/// An event, sent to subscribers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The state, sent about once a second and whenever it changes.
    Status(Box<Status>),
    /// One frame's measurement, for live views.
    Live(LivePoint),
    /// A blink was counted.
    Blink {
        /// When the eyes were open again.
        at: Timestamp,
        /// Width at half depth, in milliseconds.
        duration_ms: f64,
    },
    /// One eye closed and opened while the other stayed open. It counts as no blink.
    Wink {
        /// When the eye was open again.
        at: Timestamp,
        /// The person's eye.
        eye: Eye,
    },
    /// The person came to the screen or left it. It is told to local clients alone.
    AtScreen {
        /// When that was noticed: a departure is noticed some seconds after it.
        at: Timestamp,
        /// As in [`Status`].
        at_screen: bool,
    },
    /// An event that this build does not know.
    #[serde(other)]
    Unknown,
}

/// One of a person's eyes: their own left is `left`, whatever the picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Eye {
    /// The person's left eye.
    Left,
    /// The person's right eye.
    Right,
}

/// One frame's measurement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LivePoint {
    /// The frame's wall time.
    pub at: Timestamp,
    /// Mean EAR of the measurable eyes; null without a followed face.
    pub ear: Option<f64>,
    /// The person's open-eye EAR; null until it is known.
    pub baseline: Option<f64>,
    /// Who could be seen; absent where the sender does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sight: Option<Sight>,
    /// What the person can do so that their eyes are seen better; absent where there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Hint>,
}

/// Who could be seen in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// No face.
    Nobody,
    /// Several faces, and the person is not known among them.
    Several,
    /// One followed face whose eyes cannot be measured: the head is turned, raised or lowered too far, or the eyes are too
    /// dark, too blurred or covered.
    Turned,
    /// One followed face with measurable eyes.
    Measurable,
    /// A value that this build does not know.
    #[serde(other)]
    Unknown,
}

impl Sight {
    /// Whether one face was followed, measurable or not.
    #[must_use]
    pub fn is_followed(self) -> bool {
        matches!(self, Self::Turned | Self::Measurable)
    }
}

#[cfg(test)]
mod tests;
