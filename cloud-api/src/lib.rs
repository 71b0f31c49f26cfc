//! `cloud-api` receives the minutes of an organisation and shows each person their own history.
//!
//! - [`cli`], [`admin`], [`config`], [`failure`]: the command line, the settings, and how a command ends
//! - [`tls`]: HTTPS that follows its files
//! - [`startup`]: [`startup::Application`], built and run; it works with port 0
//! - [`http`]: what every request goes through: envelope, headers, log, bodies
//! - [`limits`], [`address`], [`metrics`], [`jobs`]: how often, from where, how much, and what runs beside
//! - [`routes`]: the endpoints; [`auth`]: who asks; [`error`]: how a request is refused
//! - [`archive`]: raw batches and the log, encrypted with a key for each person
//! - [`backup`], [`ledger`]: what outlives the database, and what must not
//! - [`openapi`]: their description
//! - [`domain`]: parsing, pure; [`db`]: storage on SQLite and PostgreSQL

// The description of the API is one large JSON value.
#![recursion_limit = "256"]

pub mod address;
pub mod archive;
pub mod auth;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod cmd;
pub mod config;
pub mod db;
pub mod domain;
pub mod error;
pub mod failure;
pub mod http;
pub mod jobs;
pub mod ledger;
pub mod limits;
pub mod logging;
pub mod metrics;
pub mod open;
pub mod openapi;
pub mod principal;
pub mod routes;
pub mod startup;
pub mod state;
pub mod tls;
