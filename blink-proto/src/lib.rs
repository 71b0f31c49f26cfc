//! Types shared by `blinkd`, `blinkctl`, `cloud-api` and `face-worker`.
//!
//! - [`ids`]: [`UserId`], [`DeviceId`], [`MinuteId`], which must not be mixed up
//! - [`minute`]: [`Minute`], [`MinuteStart`], [`Quality`] and the one definition of a rate
//! - [`status`]: the output of `blinkctl status --json`
//! - [`consent`]: the consent text and the local record of it
//! - [`doctor`]: the results of checks for causes of trouble
//! - [`hint`]: what the person can do so that their eyes are seen better
//! - [`receipt`]: the receipt of an erasure
//! - [`problem`]: [`Problem`], a failure that says what to do
//! - [`secret`]: [`Secret`], a string that is never printed
//! - [`text`]: text as every program prints it
//! - [`faces`]: the messages between cloud-api and its face-worker, and their framing
//! - [`ipc`]: the messages of the local socket, and their framing
//! - [`http`]: the bodies of cloud-api's HTTP API
//! - `example`: a minute and a status for tests, with the feature `testing`
//!
//! There is no I/O here beyond the frame codec.

#![warn(missing_docs)]

pub mod consent;
pub mod doctor;
#[cfg(any(test, feature = "testing"))]
pub mod example;
pub mod faces;
pub mod hint;
pub mod http;
pub mod ids;
pub mod ipc;
pub mod minute;
pub mod problem;
pub mod receipt;
pub mod secret;
pub mod status;
pub mod text;

pub use hint::Hint;
pub use ids::{DeviceId, MinuteId, UserId};
pub use minute::{Minute, MinuteStart, Quality, rate_per_minute};
pub use problem::Problem;
pub use secret::Secret;
