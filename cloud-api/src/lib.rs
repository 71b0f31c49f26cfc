//! `cloud-api` receives the minutes of an organisation and shows each person their own history.
//!
//! - [`cli`], [`config`], [`failure`]: the command line, the settings, and how a command ends
//! - [`startup`]: [`startup::Application`], built and run; it works with port 0
//! - [`http`]: what every request goes through: envelope, headers, log, bodies
//! - [`routes`]: the endpoints; [`auth`]: who asks; [`error`]: how a request is refused
//! - [`domain`]: parsing, pure; [`db`]: storage on SQLite and PostgreSQL

pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod domain;
pub mod error;
pub mod failure;
pub mod http;
pub mod logging;
pub mod routes;
pub mod startup;
