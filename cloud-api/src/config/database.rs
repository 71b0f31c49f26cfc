//! Settings of the database: its address, the master key, the ledger, and retention.
//!
//! | variable | flag | default |
//! | --- | --- | --- |
//! | `DATABASE_URL` | `--database` | `sqlite:$XDG_DATA_HOME/cloud-api/server.db` |
//! | `CLOUD_API_DB_CONNECTIONS` | `--db-connections` | 8 |
//! | `CLOUD_API_MASTER_KEY_FILE` | `--master-key-file` | none; needed beyond loopback on PostgreSQL |
//! | `CLOUD_API_LEDGER` | `--ledger` | beside the SQLite database, else `$XDG_DATA_HOME/cloud-api/ledger.ndjson` |
//! | `CLOUD_API_RETENTION_DAYS` | `--retention-days` | 1095 |

use std::{env, path::PathBuf};

use clap::Args;

use super::Target;
use crate::failure::Failure;

/// The flags of every command that opens the database.
#[derive(Clone, Debug, Args)]
pub struct DatabaseArgs {
    /// sqlite:PATH, or postgres://USER@HOST/NAME [default: sqlite:$XDG_DATA_HOME/cloud-api/server.db]
    #[arg(long, global = true, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database: Option<String>,
    /// The most connections to the database
    #[arg(long, global = true, value_name = "N", env = "CLOUD_API_DB_CONNECTIONS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub db_connections: u32,
    /// File with the key that seals the keys kept in the database: 32 bytes in base64
    #[arg(long, global = true, value_name = "FILE", env = "CLOUD_API_MASTER_KEY_FILE")]
    pub master_key_file: Option<PathBuf>,
    /// File outside the database that remembers erasures and consents for a restore
    #[arg(long, global = true, value_name = "FILE", env = "CLOUD_API_LEDGER")]
    pub ledger: Option<PathBuf>,
    /// Minutes older than this are neither taken nor kept
    #[arg(long, global = true, value_name = "DAYS", env = "CLOUD_API_RETENTION_DAYS", default_value_t = 1_095, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub retention_days: u32,
}

#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    pub target: Target,
    pub connections: u32,
    pub master_key_file: Option<PathBuf>,
    /// The file that records erasures and consents outside the database.
    pub ledger: PathBuf,
    pub retention_days: u32,
    /// Whether `serve` applies migrations.
    pub migrate: bool,
    pub alone: bool,
}

impl DatabaseArgs {
    /// Fails when the address is not one of a database, or when neither `HOME` nor `XDG_DATA_HOME` gives the default.
    pub fn resolve(&self) -> Result<DatabaseConfig, Failure> {
        let target = match self.database.as_deref().filter(|url| !url.is_empty()) {
            Some(url) => url.parse().map_err(|e| {
                let fix = "For example DATABASE_URL=sqlite:/var/lib/cloud-api/server.db.";
                Failure::usage("bad_database_url", format!("{e}"), fix)
            })?,
            None => Target::Sqlite(default_path().ok_or_else(|| {
                let fix = "Set DATABASE_URL=sqlite:PATH.";
                Failure::usage("no_home", "Neither HOME nor XDG_DATA_HOME says where the database goes", fix)
            })?),
        };
        let Self { db_connections: connections, retention_days, .. } = *self;
        let master_key_file = self.master_key_file.clone();
        let ledger = self.ledger.clone().or_else(|| match &target {
            Target::Sqlite(path) => Some(path.with_extension("ledger.ndjson")),
            Target::Postgres(_) => default_path().map(|path| path.with_file_name("ledger.ndjson")),
        });
        let ledger = ledger.ok_or_else(|| {
            Failure::usage(
                "no_home",
                "Neither HOME nor XDG_DATA_HOME says where the ledger goes",
                "Set CLOUD_API_LEDGER=FILE.",
            )
        })?;
        Ok(DatabaseConfig { target, connections, master_key_file, ledger, retention_days, migrate: true, alone: true })
    }
}

pub(super) fn default_path() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")))?;
    Some(data.join("cloud-api/server.db"))
}
