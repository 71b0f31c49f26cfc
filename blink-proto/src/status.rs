//! The output of `blinkctl status --json`: one [`Status`] object.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Hint, MinuteStart, Problem};

/// What the daemon is doing. The variants are in the order of precedence: the first that applies is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Consent was never given on this machine, or was withdrawn: no source is open.
    NoConsent,
    /// The person paused tracking.
    Paused,
    /// The screen is locked or the machine is about to sleep.
    Locked,
    /// The camera was handed to another program.
    Yielded,
    /// Something else prevents tracking, such as a missing model; `last_error` says what.
    Error,
    /// Another program holds the camera.
    CameraBusy,
    /// There is no source: no camera, or a file at its end.
    NoCamera,
    /// Frames come, but no single face can be followed in them.
    NoFace,
    /// Blinks are being counted.
    Tracking,
}

impl State {
    /// The state's name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoConsent => "no_consent",
            Self::Paused => "paused",
            Self::Locked => "locked",
            Self::Yielded => "yielded",
            Self::Error => "error",
            Self::CameraBusy => "camera_busy",
            Self::NoCamera => "no_camera",
            Self::NoFace => "no_face",
            Self::Tracking => "tracking",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The daemon's whole state at one instant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The state.
    pub state: State,
    /// The configured source, in the form of `--source`.
    pub source: String,
    /// Blinks counted since this process started.
    pub blinks_session: u64,
    /// The local calendar day so far.
    pub today: Today,
    /// The open minute, which contains the present.
    pub minute: OpenMinute,
    /// Blinks per observed minute over the last five minutes; null if less than 10 s of them were observed.
    pub rate_per_minute: Option<f64>,
    /// Observed over unpaused time today, 0 to 1; null before there was any.
    pub coverage: Option<f64>,
    /// Frames per second now; 0 while no source is open.
    pub fps: f64,
    /// What the person can do so that their eyes are seen better; absent where there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Hint>,
    /// Whether the person is at the screen: one face has been followed within the last seconds, whether or not its eyes
    /// could be measured. An older daemon does not say, and counts as no.
    #[serde(default)]
    pub at_screen: bool,
    /// The signed-in account, or null.
    pub account: Option<Account>,
    /// Whether tracking was consented to on this machine.
    pub consent: bool,
    /// The upload queue.
    pub queue: Queue,
    /// The daemon's use of the machine.
    pub cost: Cost,
    /// The current problem, or null.
    pub last_error: Option<Problem>,
    /// The daemon's version.
    pub version: String,
    /// The IPC protocol that it speaks.
    pub protocol: u32,
    /// Its process id.
    pub pid: u32,
    /// When it began; absent where an older daemon does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// The local calendar day so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Today {
    /// Blinks counted today.
    pub blink_count: u64,
    /// Observed time in milliseconds.
    pub observed_ms: u64,
    /// Blinks per observed minute; null under 10 s observed.
    pub rate_per_minute: Option<f64>,
}

/// The minute that is still open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenMinute {
    /// Its start.
    pub from: MinuteStart,
    /// Blinks so far.
    pub blink_count: u32,
    /// Observed time so far, in milliseconds.
    pub observed_ms: u32,
}

/// The signed-in account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The account's e-mail address.
    pub email: String,
    /// The server's base URL.
    pub server: String,
}

/// The upload queue; the numbers are of sealed minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Sealed minutes of the signed-in account that the server has not acknowledged.
    pub pending: u64,
    /// Minutes that the server rejected, kept with its reason.
    pub set_aside: u64,
    /// When an upload last succeeded; null where none has.
    pub last_success: Option<Timestamp>,
    /// Why the last upload failed; null after a success.
    pub last_error: Option<Problem>,
    /// When the next attempt is due; null while nothing is queued.
    pub next_retry: Option<Timestamp>,
}

/// The daemon's use of the machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// CPU time over the last seconds, in per cent of one core.
    pub cpu_percent: f64,
    /// Resident memory in bytes.
    pub rss_bytes: u64,
    /// Power of the whole machine in watts; null where it cannot be read.
    pub power_watts: Option<f64>,
}
