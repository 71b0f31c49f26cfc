//! `cloud-api` receives the minutes of an organisation and shows each person their own history.
//!
//! From the bottom to the top; each uses those below it, which a test holds:
//!
//! - [`failure`]: how a command ends; [`address`]: whose address a request comes from
//! - [`domain`]: parsing and arithmetic, pure; [`clock`]: the time, passed in; [`config`]: the settings
//! - [`db`]: storage on SQLite and PostgreSQL; [`ledger`], [`backup`]: what outlives the database, and what must not
//! - [`error`]: how a request is refused; [`metrics`]: figures for Prometheus
//! - [`http`]: what every request goes through: envelope, headers, log line, bodies
//! - [`auth`]: keys, tokens, passwords, providers; [`limits`]: how often
//! - [`archive`]: raw batches and the log, encrypted with a key for each person; [`tls`]: HTTPS that follows its files
//! - [`open`]: opens database, keys and ledger; [`logging`]: JSON lines
//! - [`state`]: what every handler may use; [`principal`]: who asks; [`jobs`]: what runs beside the requests
//! - [`routes`]: the endpoints; [`openapi`]: their description
//! - [`startup`]: [`startup::Application`], built and run; it works with port 0
//! - [`cmd`], [`cli`]: the commands and their command line

// The description of the API is one large JSON value.
#![recursion_limit = "256"]

mod address;
pub mod archive;
mod auth;
pub mod backup;
pub mod cli;
pub mod clock;
mod cmd;
pub mod config;
pub mod db;
pub mod domain;
mod error;
pub mod failure;
mod http;
mod jobs;
pub mod ledger;
mod limits;
mod logging;
mod metrics;
pub mod open;
mod openapi;
mod principal;
pub mod routes;
pub mod startup;
mod state;
mod tls;
