//! The real programs together: from frames to a figure on the server, and everything that can go wrong on the way.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod analyze;
mod arrival;
mod attendance;
mod bad_input;
mod bootstrap;
mod copy;
mod demo;
mod documents;
mod erasure;
mod first_run;
mod killed;
mod mcp;
mod memory;
mod models;
mod outage;
mod owner;
mod pulled;
mod reminders;
mod restart;
mod tray;
