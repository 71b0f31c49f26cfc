//! What `blinkctl status --json` prints: one [`Status`] object.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{MinuteStart, Problem};

/// What the daemon is doing. The order is the order of precedence: the first that holds is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody consented on this machine, or the consent was withdrawn: no source is open.
    NoConsent,
    /// The person paused tracking.
    Paused,
    /// The screen is locked or the machine is about to sleep.
    Locked,
    /// The camera was handed to another program.
    Yielded,
    /// Something else keeps tracking from working, such as a missing model; `last_error` says what.
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
    /// The word used in JSON.
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
    /// What it is doing.
    pub state: State,
    /// The configured source, as in `--source`.
    pub source: String,
    /// Blinks counted since this process started.
    pub blinks_session: u64,
    /// The local calendar day so far.
    pub today: Today,
    /// The open minute.
    pub minute: OpenMinute,
    /// Blinks per observed minute over the last five minutes; null under 10 s observed in them.
    pub rate_per_minute: Option<f64>,
    /// Observed over unpaused time today, 0 to 1; null before there was any.
    pub coverage: Option<f64>,
    /// Frames per second now; 0 while no source is open.
    pub fps: f64,
    /// Who is signed in, or null.
    pub account: Option<Account>,
    /// Whether tracking was consented to on this machine.
    pub consent: bool,
    /// What waits to be uploaded.
    pub queue: Queue,
    /// What the daemon costs.
    pub cost: Cost,
    /// What is wrong now, or null.
    pub last_error: Option<Problem>,
    /// The daemon's version.
    pub version: String,
    /// The IPC protocol version it speaks.
    pub protocol: u32,
    /// Its process id.
    pub pid: u32,
}

/// The local calendar day so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Today {
    /// Blinks counted.
    pub blink_count: u64,
    /// Milliseconds observed.
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
    /// Milliseconds observed so far.
    pub observed_ms: u32,
}

/// Who is signed in, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The account's address.
    pub email: String,
    /// The server's base URL.
    pub server: String,
}

/// What waits to be uploaded. Numbers are of closed minutes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// Sealed minutes of the signed-in account that the server has not acknowledged.
    pub pending: u64,
    /// Minutes the server rejected, kept with its reason.
    pub set_aside: u64,
    /// When an upload last succeeded.
    pub last_success: Option<Timestamp>,
    /// Why the last upload failed; null after a success.
    pub last_error: Option<Problem>,
    /// When the next attempt is due; null while nothing waits.
    pub next_retry: Option<Timestamp>,
}

/// What the daemon costs the machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// CPU time over the last seconds, in per cent of one core.
    pub cpu_percent: f64,
    /// Resident memory, bytes.
    pub rss_bytes: u64,
    /// Power of the whole machine, where it tells.
    pub power_watts: Option<f64>,
}
