//! blinkd: the daemon that counts real blinks from a webcam without ever storing a picture.
//!
//! - [`cli`], [`cmd`]: the command line, a file for each command
//! - [`exit`], [`quiet`], [`stdout`], [`stderr`]: how the program ends, and that only we speak
//! - [`clip`]: a video file through the daemon's own pipeline; `models`: where its models are
//! - [`config`], [`logs`], [`lock`], [`clock`], [`cost`]: what every daemon has
//! - [`app`]: the threads, started in order and stopped in reverse; `signals`: what each signal means
//! - [`capture`]: the thread that looks
//! - [`minutes`]: what was seen, minute by minute; pure
//! - [`store`], [`profile`]: what is kept on disk
//! - [`keeper`]: the thread that owns all of that and says what the state is
//! - [`upload`]: the thread that talks to the server
//! - [`desktop`], [`nudge`]: the tray, and reminders
//! - [`session`]: lock, sleep and network, as the desktop tells them over D-Bus
//! - [`doctor`]: every cause of trouble
//! - [`daemon`], [`ipc`]: what clients may ask, and the socket they ask through

pub mod app;
pub mod capture;
pub mod cli;
mod clip;
pub mod clock;
mod cmd;
mod config;
mod cost;
pub mod daemon;
mod desktop;
mod doctor;
pub mod exit;
mod ipc;
pub mod keeper;
mod lock;
mod logs;
mod minutes;
mod models;
mod nudge;
pub mod owner;
pub mod profile;
pub mod quiet;
pub mod session;
mod signals;
pub mod stderr;
pub mod stdout;
pub mod store;
#[cfg(test)]
mod testing;
pub mod upload;
