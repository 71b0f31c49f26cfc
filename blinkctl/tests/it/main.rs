//! The real `blinkctl` against a daemon of the test's own making: what it sends, prints and exits with.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod fake;
mod run;
#[cfg(target_os = "linux")]
mod terminal;

mod account;
mod config;
mod consent;
mod delete;
mod device;
mod doctor;
mod export;
mod failures;
mod help;
mod import;
#[cfg(target_os = "linux")]
mod live;
mod open;
mod owner;
mod pages;
mod pause;
mod report;
#[cfg(target_os = "linux")]
mod service;
#[cfg(target_os = "linux")]
mod setup;
mod status;
mod sync;
