//! Integration tests of cloud-api, over real HTTP to a server on a free port.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

// `make fuzz` builds these tests too, and they want what is linked into the fuzzed ones.
use bolero as _;

#[macro_use]
mod harness;

mod accounts;
mod archive;
mod archive_jobs;
mod archive_kit;
mod archive_process;
mod archive_s3;
mod attendance;
mod attendance_lists;
mod attendance_rollups;
mod backup;
mod backup_command;
mod bodies;
mod client;
mod clock;
mod commands;
mod connections;
mod device;
mod envelope;
mod export;
mod floors;
mod handover;
mod hangups;
mod health;
mod history;
mod ingest;
mod insights;
mod limits;
mod load;
mod migrate;
mod mock;
mod oidc;
mod oidc_kit;
mod oidc_providers;
mod once;
mod operation;
mod outage;
mod own_minutes;
mod partitions;
mod peers;
mod people;
mod postgres;
mod process;
mod provider;
mod restore;
mod schema;
mod schemathesis;
mod security;
mod small_bodies;
mod speed;
mod standing;
mod team;
mod tls;
mod tokens;
mod uploads;
mod web;
