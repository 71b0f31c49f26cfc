//! Every message of the local socket.
//!
//! Both sides ignore fields they do not know, and an unknown request is answered with the code `unknown_request`, so
//! versions one apart understand each other.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    OLDEST_PROTOCOL, PROTOCOL,
    replies::{ConsentShown, DeviceCode, Imported, RemotePage, SetAside, SetAsideCount, SignedIn, SyncDone},
};
use crate::{Minute, Problem, Secret, doctor::Check, receipt::Receipt, status::Status};

/// The first frame of each side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The newest protocol the sender speaks.
    pub protocol: u32,
    /// The oldest it still understands.
    pub oldest: u32,
    /// `blinkd` or `blinkctl`.
    pub program: String,
    /// The sender's version.
    pub version: String,
}

impl Hello {
    /// The hello of this build, sent by `program`.
    #[must_use]
    pub fn of(program: &str, version: &str) -> Self {
        Self { protocol: PROTOCOL, oldest: OLDEST_PROTOCOL, program: program.to_owned(), version: version.to_owned() }
    }

    /// The newest protocol both sides speak, or `None` where they have none in common.
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
    /// Every later one.
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
    /// Something happened; only subscribers get these.
    Event(Event),
    /// The connection is about to be closed, and why.
    Refused(Problem),
}

/// A request with the id its answer will carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Chosen by the client, unique among its open calls.
    pub id: u64,
    /// What is asked.
    pub request: Request,
}

/// What a client may ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// The whole state; answered by [`Reply::Status`].
    Status,
    /// From now on this connection gets [`Event`]s.
    Subscribe {
        /// Also [`Event::Live`], one for each frame.
        #[serde(default)]
        live: bool,
    },
    /// Stop tracking until then; it survives a restart.
    Pause(PauseSpan),
    /// Go on tracking.
    Resume,
    /// The consent text and this machine's record; answered by [`Reply::Consent`].
    ConsentShow,
    /// Record consent to this version of the text, here and with the account if there is one.
    ConsentGrant {
        /// The version that was shown.
        version: String,
    },
    /// Withdraw it, here and with the account if there is one. The source is closed at once.
    ConsentWithdraw,
    /// Make an account and sign in; answered by [`Reply::SignedIn`].
    Register {
        /// The server's base URL; the configured one if absent.
        server: Option<String>,
        /// The account's address.
        email: String,
        /// Its password.
        password: Secret,
        /// The version of the consent text that was accepted. It is recorded on this machine too.
        consent_version: String,
        /// Whether the minutes that belong to nobody become this account's, where it is the profile's first.
        adopt: bool,
    },
    /// Sign in; answered by [`Reply::SignedIn`]. It is never consent for this machine.
    Login {
        /// The server's base URL; the configured one if absent.
        server: Option<String>,
        /// The account's address.
        email: String,
        /// Its password.
        password: Secret,
        /// Whether the minutes that belong to nobody become this account's, where it is the profile's first.
        adopt: bool,
    },
    /// Sign out; this account's unsent minutes are held for its return.
    Logout,
    /// Who is signed in; answered by [`Reply::SignedIn`] or the error `not_signed_in`.
    Whoami,
    /// Upload now; answered by [`Reply::Sync`] when the queue is empty, or with the reason why it is not.
    Sync,
    /// Enrol whoever sits before the camera, alone, as the one to follow among several people. It takes some seconds.
    OwnerEnroll,
    /// Forget the enrolled owner.
    OwnerForget,
    /// Hand the camera to another program; it is taken back when that one has let it go, when nobody took it, or on
    /// [`Request::Resume`].
    Yield,
    /// Begin to sign in through the browser (RFC 8628); answered by [`Reply::DeviceCode`].
    LoginDevice {
        /// The server's base URL; the configured one if absent.
        server: Option<String>,
        /// Whether the minutes that belong to nobody become this account's, where it is the profile's first.
        adopt: bool,
    },
    /// Wait until the code of the last [`Request::LoginDevice`] was approved; answered by [`Reply::SignedIn`].
    LoginDeviceWait,
    /// The minutes the server rejected; answered by [`Reply::SetAside`].
    SetAsideList,
    /// Put them back into the queue; answered by [`Reply::SetAsideCount`].
    SetAsideRetry,
    /// Give them up: they stay in the local history and are never uploaded; answered by [`Reply::SetAsideCount`].
    SetAsideDrop,
    /// Take minutes into the local history, at most [`MAX_IMPORT_MINUTES`] in a call; answered by [`Reply::Imported`].
    Import {
        /// Closed minutes, as exported.
        minutes: Vec<Minute>,
        /// Also queue those that the signed-in account may upload.
        #[serde(default)]
        upload: bool,
    },
    /// A page of the signed-in account's minutes on the server; answered by [`Reply::RemotePage`].
    RemotePage {
        /// The first instant wanted.
        from: Option<Timestamp>,
        /// The first instant not wanted any more.
        to: Option<Timestamp>,
        /// [`RemotePage::next_cursor`] of the page before.
        cursor: Option<String>,
    },
    /// Erase; answered by [`Reply::Receipt`]. After [`Erase::Everything`] the daemon stops.
    Delete {
        /// What is erased.
        what: Erase,
        /// The account's password, for what is erased on the server.
        password: Option<Secret>,
    },
    /// Look for every cause of trouble; answered by [`Reply::Doctor`].
    Doctor,
    /// Read the configuration again; answered by [`Reply::Done`], or [`Reply::RestartNeeded`].
    Reload,
    /// Stop the daemon; it stays stopped until started again.
    Quit,
    /// A request this build does not know; answered with `unknown_request`.
    #[serde(other)]
    Unknown,
}

/// The most minutes one [`Request::Import`] may carry; they fit a frame.
pub const MAX_IMPORT_MINUTES: usize = 1_000;

/// What [`Request::Delete`] erases (GDPR, article 17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Erase {
    /// All minutes on this machine, open and unsent ones too.
    Local,
    /// The account and all the server holds about it.
    Remote,
    /// Both, and configuration, tokens, enrolment and logs.
    Everything,
}

/// How long a pause lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseSpan {
    /// Until then, or until resumed if absent.
    #[serde(default)]
    pub until: Option<Timestamp>,
}

/// The answer to the call of the same id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The call's id.
    pub id: u64,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Ok(Box<Reply>),
    /// It was refused or failed.
    Error(Problem),
}

/// What a call that succeeded brings back.
#[expect(clippy::large_enum_variant, reason = "it travels in a box: see Outcome")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Reply {
    /// Nothing but success.
    Done,
    /// The whole state.
    Status(Status),
    /// The consent text and the record.
    Consent(ConsentShown),
    /// The account that is signed in.
    SignedIn(SignedIn),
    /// The queue is empty.
    Sync(SyncDone),
    /// The code to confirm in the browser.
    DeviceCode(DeviceCode),
    /// The minutes the server rejected.
    SetAside {
        /// Oldest first, at most a thousand.
        items: Vec<SetAside>,
    },
    /// How many of them were moved or given up.
    SetAsideCount(SetAsideCount),
    /// What an import did.
    Imported(Imported),
    /// Minutes on the server.
    RemotePage(RemotePage),
    /// What was erased.
    Receipt(Receipt),
    /// What was looked at, and what was found.
    Doctor {
        /// In the order in which one would look.
        checks: Vec<Check>,
    },
    /// The configuration was read, and these keys take effect at the next start.
    RestartNeeded {
        /// Their paths, such as `log.level`.
        keys: Vec<String>,
    },
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The state, about once a second and whenever it changes.
    Status(Box<Status>),
    /// One frame's measurement, for live views.
    Live(LivePoint),
    /// A blink was counted.
    Blink {
        /// When the eyes were open again.
        at: Timestamp,
        /// Width at half depth, milliseconds.
        duration_ms: f64,
    },
    /// An event this build does not know.
    #[serde(other)]
    Unknown,
}

/// One frame's measurement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LivePoint {
    /// The frame's time.
    pub at: Timestamp,
    /// Mean eye aspect ratio of the measurable eyes; null without a followed face.
    pub ear: Option<f64>,
    /// The person's open-eye baseline; null until it stands.
    pub baseline: Option<f64>,
    /// Who could be seen; absent where the sender does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sight: Option<Sight>,
}

/// Who could be seen in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// No face.
    Nobody,
    /// Several faces, and no telling which is the person.
    Several,
    /// One followed face whose eyes cannot be measured: turned away, looking down, or too small.
    Turned,
    /// One followed face with measurable eyes.
    Measurable,
    /// Something this build does not know.
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
