//! Tests of the real `blinkctl` against a fake daemon: requests, output and exit codes.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

// `make fuzz` builds these tests too, and they want what is linked into the fuzzed ones.
use bolero as _;

mod fake;
mod run;
#[cfg(target_os = "linux")]
mod terminal;

mod account;
mod ask;
mod config;
mod consent;
mod delete;
mod device;
mod doctor;
mod export;
mod failures;
mod help;
mod import;
mod letter;
#[cfg(target_os = "linux")]
mod live;
mod mcp;
mod open;
mod owner;
mod pages;
mod pause;
mod pull;
mod report;
#[cfg(target_os = "linux")]
mod service;
#[cfg(target_os = "linux")]
mod setup;
mod status;
mod sync;
