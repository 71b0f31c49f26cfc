//! blinkd: the daemon that counts real blinks from a webcam without ever storing a picture.
//!
//! - [`cli`], [`cmd`]: the command line, a file for each command
//! - [`exit`], [`quiet`], [`stdout`], [`stderr`]: exit codes and output; the libraries' own output is suppressed
//! - [`clip`]: runs a video file through the daemon's pipeline; `models`: where the models are
//! - [`config`], [`logs`], [`lock`], [`clock`], [`cost`]: what every daemon has
//! - [`app`]: the threads, started in order and stopped in reverse; `signals`: what each signal means
//! - [`capture`]: the capture thread
//! - [`minutes`]: observations, summed by minute; pure
//! - [`store`], [`profile`]: the files on disk
//! - [`keeper`]: the thread that owns the data and decides the state
//! - [`upload`]: the thread that talks to the server
//! - [`desktop`], [`nudge`]: the tray, and reminders
//! - [`session`]: lock, sleep and network, as reported over D-Bus
//! - [`doctor`]: checks for causes of trouble
//! - [`daemon`], [`ipc`]: the requests of clients, and the socket they use

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
pub mod resident;
pub mod session;
mod signals;
pub mod stderr;
pub mod stdout;
pub mod store;
#[cfg(test)]
mod testing;
pub mod upload;
