//! `cloud-api` receives the minutes of an organisation and shows each person their own history.
//!
//! The modules from the bottom to the top. Each may use only those below it, which a test checks:
//!
//! - [`failure`]: how a command fails; [`address`]: the client's address of a request; [`given_file`]: reads keys and others
//! - [`domain`]: parsing and arithmetic, pure; [`attendance`]: the desk's rules, pure
//! - [`clock`]: the time, passed in; [`config`]: the settings
//! - [`db`]: storage on SQLite and PostgreSQL; [`ledger`]: erasures and consents outside it; [`backup`]: also restores
//! - [`error`]: the error of a request; [`metrics`]: figures for Prometheus
//! - [`http`]: what all endpoints share: envelope, headers, log line, bodies
//! - [`auth`]: keys, tokens, passwords, providers; [`limits`]: rate and concurrency limits
//! - [`archive`]: raw batches and the log, encrypted with a key for each person
//! - [`faces`]: the program that reads faces; [`desk`]: the attendance desk of this process
//! - [`tls`]: HTTPS with a certificate that is read anew when it changes
//! - [`open`]: opens database, keys and ledger; [`logging`]: JSON lines
//! - [`state`]: what every handler may use; [`principal`]: the person of a request; [`jobs`]: background jobs
//! - [`routes`]: the endpoints; [`openapi`]: their description
//! - [`demo`]: the made-up people of a demonstration
//! - [`startup`]: builds and runs [`startup::Application`]
//! - [`cmd`], [`cli`]: the commands and their command line

// `json!` recurses for each entry of a large value, deeper than the default limit of 128.
#![recursion_limit = "256"]

mod address;
pub mod archive;
pub mod attendance;
mod auth;
pub mod backup;
pub mod cli;
pub mod clock;
mod cmd;
pub mod config;
pub mod db;
mod demo;
mod desk;
pub mod domain;
mod error;
pub mod faces;
pub mod failure;
mod given_file;
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
