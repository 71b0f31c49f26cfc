//! The words `blinkd`, `blinkctl` and `cloud-api` share.
//!
//! - [`ids`]: [`UserId`], [`DeviceId`], [`MinuteId`], which must not be mixed up
//! - [`minute`]: [`Minute`], [`MinuteStart`], [`Quality`] and the one definition of a rate
//! - [`status`]: what `blinkctl status --json` prints
//! - [`consent`]: the consent text and the local record of it
//! - [`doctor`]: what a search for trouble finds
//! - [`receipt`]: what an erasure prints
//! - [`problem`]: [`Problem`], a failure that says what to do
//! - [`secret`]: [`Secret`], a string that is never printed
//! - [`text`]: text as every program prints it
//! - [`ipc`]: the local socket's messages and framing
//! - [`http`]: the bodies of cloud-api that its clients use
//! - `example`: a minute and a status for tests, with the feature `testing`
//!
//! There is no I/O here beyond the frame codec.

pub mod consent;
pub mod doctor;
#[cfg(any(test, feature = "testing"))]
pub mod example;
pub mod http;
pub mod ids;
pub mod ipc;
pub mod minute;
pub mod problem;
pub mod receipt;
pub mod secret;
pub mod status;
pub mod text;

pub use ids::{DeviceId, MinuteId, UserId};
pub use minute::{Minute, MinuteStart, Quality, rate_per_minute};
pub use problem::Problem;
pub use secret::Secret;
