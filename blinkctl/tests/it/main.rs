//! The real `blinkctl` against a daemon of the test's own making: what it sends, prints and exits with.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod fake;
mod run;

mod account;
mod consent;
mod failures;
mod help;
mod owner;
mod pause;
mod status;
mod sync;
#[cfg(target_os = "linux")]
mod terminal;
