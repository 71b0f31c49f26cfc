//! Settings of the archive: whether raw batches and logs are archived, and where.
//!
//! | variable | flag | default |
//! | --- | --- | --- |
//! | `CLOUD_API_ARCHIVE` | `--archive` | `off`; `folder`, `folder:PATH`, `s3` |
//! | `CLOUD_API_ARCHIVE_GATHER_S` | `--archive-gather-s` | 3600 |
//! | `CLOUD_API_ARCHIVE_QUEUE_MB` | `--archive-queue-mb` | 1024 |
//! | `CLOUD_API_ARCHIVE_DATA_BUCKET` | `--archive-data-bucket` | `waw-blink-data` |
//! | `CLOUD_API_ARCHIVE_LOGS_BUCKET` | `--archive-logs-bucket` | `waw-logs` |
//! | `CLOUD_API_S3_ENDPOINT` | `--s3-endpoint` | AWS's own of the region |
//! | `CLOUD_API_S3_REGION` | `--s3-region` | `us-east-1` |
//! | `CLOUD_API_S3_ACCESS_KEY_ID` | | none: the machine's own role |
//! | `CLOUD_API_S3_SECRET_ACCESS_KEY` | | none |
//! | `CLOUD_API_S3_SESSION_TOKEN` | | none |

use std::{path::PathBuf, str::FromStr};

use blink_proto::Secret;
use clap::Args;

use super::{DatabaseConfig, database, outside};
use crate::failure::Failure;

/// The flags of every command that uses the archive.
#[derive(Clone, Debug, Args)]
pub struct ArchiveArgs {
    /// Where raw batches and logs are archived, encrypted: off, folder, folder:PATH, or s3
    #[arg(long, global = true, value_name = "WHERE", env = "CLOUD_API_ARCHIVE", default_value = "off")]
    pub archive: ArchiveOption,
    /// Batches of one person are gathered this long into one object, in seconds
    #[arg(long, global = true, value_name = "S", env = "CLOUD_API_ARCHIVE_GATHER_S", default_value_t = 3_600, value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub archive_gather_s: u32,
    /// The most that waits in the database for the archive, in MB; what comes then is not archived
    #[arg(long, global = true, value_name = "MB", env = "CLOUD_API_ARCHIVE_QUEUE_MB", default_value_t = 1_024, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub archive_queue_mb: u32,
    /// Bucket, or subfolder, of raw batches
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "CLOUD_API_ARCHIVE_DATA_BUCKET",
        default_value = "waw-blink-data"
    )]
    pub archive_data_bucket: String,
    /// Bucket, or subfolder, of logs
    #[arg(long, global = true, value_name = "NAME", env = "CLOUD_API_ARCHIVE_LOGS_BUCKET", default_value = "waw-logs")]
    pub archive_logs_bucket: String,
    /// Address of an S3-compatible store [default: AWS's own of the region]
    #[arg(long, global = true, value_name = "URL", env = "CLOUD_API_S3_ENDPOINT")]
    pub s3_endpoint: Option<String>,
    /// The store's region
    #[arg(long, global = true, value_name = "NAME", env = "CLOUD_API_S3_REGION", default_value = "us-east-1")]
    pub s3_region: String,
    /// Access key id of this server at the store; without it, the machine's own role is used
    #[arg(
        long,
        global = true,
        value_name = "ID",
        env = "CLOUD_API_S3_ACCESS_KEY_ID",
        hide_env_values = true,
        hide = true
    )]
    pub s3_access_key_id: Option<String>,
    /// Secret of the access key
    #[arg(
        long,
        global = true,
        value_name = "SECRET",
        env = "CLOUD_API_S3_SECRET_ACCESS_KEY",
        hide_env_values = true,
        hide = true
    )]
    pub s3_secret_access_key: Option<String>,
    /// Session token of a temporary access key
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        env = "CLOUD_API_S3_SESSION_TOKEN",
        hide_env_values = true,
        hide = true
    )]
    pub s3_session_token: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveOption {
    Off,
    /// A local folder; `None` stands for the one beside the database.
    Folder(Option<PathBuf>),
    /// S3 or a compatible service.
    S3,
}

impl FromStr for ArchiveOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text.is_empty() || text == "off" => Ok(Self::Off),
            None if text == "folder" => Ok(Self::Folder(None)),
            None if text == "s3" => Ok(Self::S3),
            Some(("folder", path)) if !path.is_empty() => Ok(Self::Folder(Some(path.into()))),
            _ => Err("must be off, folder, folder:PATH or s3".to_owned()),
        }
    }
}

/// The checked settings of an archive that is on.
#[derive(Clone, Debug)]
pub struct ArchiveConfig {
    pub place: ArchiveLocation,
    pub gather_ms: i64,
    /// The greatest total size of queued batches; above it, batches are not archived.
    pub queue_max_bytes: i64,
    pub data_bucket: String,
    pub logs_bucket: String,
}

#[derive(Clone, Debug)]
pub enum ArchiveLocation {
    Folder(PathBuf),
    /// S3 or a compatible service.
    S3(S3Config),
}

#[derive(Clone, Debug)]
pub struct S3Config {
    /// `None` is AWS's own address of the region.
    pub endpoint: Option<String>,
    pub region: String,
    /// Access key id and secret; `None` uses the machine's own role.
    pub keys: Option<(String, Secret)>,
    pub session_token: Option<Secret>,
}

impl ArchiveArgs {
    /// Checks the settings; `None` when the archive is off.
    pub fn resolve(&self, database: &DatabaseConfig) -> Result<Option<ArchiveConfig>, Failure> {
        let place = match &self.archive {
            ArchiveOption::Off => return Ok(None),
            ArchiveOption::Folder(path) => ArchiveLocation::Folder(match path {
                Some(path) => path.clone(),
                None => beside(database)?,
            }),
            ArchiveOption::S3 => ArchiveLocation::S3(self.s3()?),
        };
        for (name, bucket) in [
            ("CLOUD_API_ARCHIVE_DATA_BUCKET", &self.archive_data_bucket),
            ("CLOUD_API_ARCHIVE_LOGS_BUCKET", &self.archive_logs_bucket),
        ] {
            let sound = bucket.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.');
            if !sound || !(3..=63).contains(&bucket.len()) || bucket.starts_with('.') || bucket.contains("..") {
                let message = format!("{name}: {bucket:?} is no bucket's name");
                let fix = "Give 3 to 63 lower-case letters, digits, points and hyphens.";
                return Err(Failure::usage("bad_bucket", message, fix));
            }
        }
        if self.archive_data_bucket == self.archive_logs_bucket {
            let message = "Raw batches and logs cannot share a bucket";
            let fix = "Give CLOUD_API_ARCHIVE_DATA_BUCKET and CLOUD_API_ARCHIVE_LOGS_BUCKET different names.";
            return Err(Failure::usage("bad_bucket", message, fix));
        }
        if database.target.sqlite_path().is_none() && database.master_key_file.is_none() {
            return Err(Failure::usage(
                "no_master_key",
                "On PostgreSQL the archive's keys need a master key",
                "Make one with: openssl rand -base64 32 > FILE; then set CLOUD_API_MASTER_KEY_FILE=FILE.",
            ));
        }
        Ok(Some(ArchiveConfig {
            place,
            gather_ms: i64::from(self.archive_gather_s) * 1_000,
            queue_max_bytes: i64::from(self.archive_queue_mb) << 20,
            data_bucket: self.archive_data_bucket.clone(),
            logs_bucket: self.archive_logs_bucket.clone(),
        }))
    }

    fn s3(&self) -> Result<S3Config, Failure> {
        let given = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
        let endpoint = given(&self.s3_endpoint).map(|url| url.trim_end_matches('/').to_owned());
        if let Some(url) = &endpoint {
            outside::safe_address("CLOUD_API_S3_ENDPOINT", url, "https://minio.example.org")?;
        }
        let keys = match (given(&self.s3_access_key_id), given(&self.s3_secret_access_key)) {
            (Some(id), Some(secret)) => Some((id, Secret::new(secret))),
            (None, None) => None,
            _ => {
                let message = "One of CLOUD_API_S3_ACCESS_KEY_ID and CLOUD_API_S3_SECRET_ACCESS_KEY is missing";
                let fix = "Set both, or neither to use the machine's own role.";
                return Err(Failure::usage("half_a_key", message, fix));
            }
        };
        let session_token = given(&self.s3_session_token).map(Secret::new);
        Ok(S3Config { endpoint, region: self.s3_region.clone(), keys, session_token })
    }
}

fn beside(database: &DatabaseConfig) -> Result<PathBuf, Failure> {
    let home = || database::default_path().map(|path| path.with_file_name("archive"));
    database.target.sqlite_path().map(|path| path.with_extension("archive")).or_else(home).ok_or_else(|| {
        let message = "Neither HOME nor XDG_DATA_HOME says where the archive goes";
        Failure::usage("no_home", message, "Set CLOUD_API_ARCHIVE=folder:PATH.")
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use rstest::rstest;

    use super::*;
    use crate::config::Target;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        archive: ArchiveArgs,
    }

    fn resolve(args: &[&str], target: &str) -> Result<Option<ArchiveConfig>, Failure> {
        let line = Line::try_parse_from([&["x"], args].concat()).unwrap();
        line.archive.resolve(&DatabaseConfig {
            target: target.parse::<Target>().unwrap(),
            connections: 1,
            master_key_file: None,
            ledger: "ledger".into(),
            retention_days: 1,
            migrate: false,
            alone: false,
        })
    }

    const SQLITE: &str = "sqlite:/srv/x.db";

    #[test]
    fn off_is_the_default_and_a_folder_is_beside_the_database() {
        assert!(resolve(&[], SQLITE).unwrap().is_none());
        let place = |text: &str| match resolve(&["--archive", text], SQLITE).unwrap().unwrap().place {
            ArchiveLocation::Folder(path) => path,
            ArchiveLocation::S3(_) => panic!("no folder"),
        };
        assert_eq!(place("folder"), PathBuf::from("/srv/x.archive"));
        assert_eq!(place("folder:/mnt/a"), PathBuf::from("/mnt/a"));
        assert!(Line::try_parse_from(["x", "--archive", "tape"]).is_err());
        assert!(Line::try_parse_from(["x", "--archive", "folder:"]).is_err());
    }

    #[rstest]
    #[case(&["--archive", "folder", "--archive-data-bucket", "Has_Capitals"], "bad_bucket")]
    #[case(&["--archive", "folder", "--archive-data-bucket", "../x"], "bad_bucket")]
    #[case(&["--archive", "folder", "--archive-data-bucket", "waw-logs"], "bad_bucket")]
    #[case(&["--archive", "s3", "--s3-endpoint", "http://minio.example.org"], "bad_address")]
    #[case(&["--archive", "s3", "--s3-access-key-id", "me"], "half_a_key")]
    fn what_cannot_be_is_said(#[case] args: &[&str], #[case] code: &str) {
        let failure = resolve(args, SQLITE).unwrap_err();
        assert_eq!((failure.problem.code.as_str(), failure.kind), (code, crate::failure::Kind::Usage));
    }

    #[test]
    fn postgres_needs_a_master_key() {
        assert_eq!(resolve(&["--archive", "folder"], "postgres://x/y").unwrap_err().problem.code, "no_master_key");
        assert!(resolve(&["--archive", "s3", "--s3-endpoint", "http://127.0.0.1:9000/"], SQLITE).unwrap().is_some());
    }
}
