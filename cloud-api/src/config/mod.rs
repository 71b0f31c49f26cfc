//! The settings: one struct per concern, with its variables listed in the header of its file.
//!
//! - [`server`]: the listening address, TLS, and the parts to answer
//! - [`access`]: registration, rate limits, proxies
//! - [`database`]: the database, the ledger, and retention
//! - [`archive`]: the archive of raw batches and logs
//! - [`attendance`]: the attendance desk
//! - [`calendar`]: its workdays, holidays and hours
//! - [`demo`]: a demonstration
//! - [`outside`]: an OpenID provider, a model
//! - [`target`]: the address of the database
//! - [`mod@env_file`]: the file `.env`
//!
//! Flags win over the environment, the environment over `.env`.

pub mod access;
pub mod archive;
pub mod attendance;
pub mod calendar;
pub(crate) mod database;
pub mod demo;
pub mod env_file;
pub(crate) mod outside;
mod postgres_url;
pub(crate) mod server;
pub(crate) mod target;

pub use access::{AccessArgs, AccessConfig};
pub use archive::{ArchiveArgs, ArchiveConfig};
pub use attendance::{AttendanceArgs, AttendanceConfig};
pub use calendar::CalendarArgs;
pub use database::{DatabaseArgs, DatabaseConfig};
pub use demo::DemoArgs;
pub use outside::{AskConfig, OidcConfig, OutsideArgs, OutsideConfig, check_private};
pub use server::{Part, ServeArgs, ServerConfig};
pub use target::Target;

use std::sync::Arc;

use tempfile::TempDir;

use crate::failure::Failure;

/// All settings of `serve`.
#[derive(Clone, Debug)]
pub struct Config {
    pub server: ServerConfig,
    pub access: AccessConfig,
    pub database: DatabaseConfig,
    /// `None` when nothing is archived.
    pub archive: Option<ArchiveConfig>,
    pub attendance: AttendanceConfig,
    pub outside: OutsideConfig,
    /// The temporary folder of a demonstration, which holds all it keeps; it goes with its last holder.
    pub demo_folder: Option<Arc<TempDir>>,
    /// A `tracing` filter.
    pub log: String,
}

impl Config {
    /// A demonstration gets a folder of its own here, so that none can open a configured database.
    pub fn from_args(args: &ServeArgs) -> Result<Self, Failure> {
        if !args.demo.demo {
            return Self::resolve(args);
        }
        let folder = demo::folder()?;
        let config = Self::resolve(&args.clone().for_demo(folder.path()))?;
        Ok(Self { demo_folder: Some(Arc::new(folder)), ..config })
    }

    fn resolve(args: &ServeArgs) -> Result<Self, Failure> {
        let server = ServerConfig::from_args(args)?;
        let database = DatabaseConfig { migrate: !args.no_migrate, ..args.database.resolve()? };
        let bare_keys = database.target.sqlite_path().is_none() && database.master_key_file.is_none();
        if bare_keys && !server.listen.ip().is_loopback() {
            return Err(Failure::usage(
                "no_master_key",
                "On PostgreSQL the signing keys need a master key beyond loopback",
                "Make one with: openssl rand -base64 32 > FILE; then set CLOUD_API_MASTER_KEY_FILE=FILE.",
            ));
        }
        let access = args.access.resolve(server.listen.ip().is_loopback())?;
        let archive = args.archive.resolve(&database)?;
        let attendance = args.attendance.resolve()?;
        let outside = args.outside.resolve()?;
        Ok(Self { server, access, database, archive, attendance, outside, demo_folder: None, log: args.log.clone() })
    }
}
