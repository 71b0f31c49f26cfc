//! Settings of the server: the listening address, TLS, the public address, and the parts to answer.
//!
//! | variable | flag | default |
//! | --- | --- | --- |
//! | `CLOUD_API_LISTEN` | `--listen` | `127.0.0.1:8080` |
//! | `PORT` | | 8080; used where the address has no port |
//! | `CLOUD_API_TLS_CERT`, `CLOUD_API_TLS_KEY` | `--tls-cert`, `--tls-key` | none: plain HTTP |
//! | `CLOUD_API_BEHIND_PROXY` | `--behind-proxy` | false |
//! | `CLOUD_API_PUBLIC_URL` | `--public-url` | the address it listens on |
//! | `CLOUD_API_ROLES` | `--roles` | all: `auth,data,sync,attendance,web` |
//! | `CLOUD_API_DASHBOARD` | `--dashboard` | `true`; `false` shows the plain pages |
//! | `CLOUD_API_EXPORTS_DIR` | `--exports-dir` | `exports` in the data folder |
//! | `CLOUD_API_WORKERS` | `--workers` | one for each core |
//! | `CLOUD_API_LOG` | `--log` | `info` |

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

use clap::Args;

use super::{AccessArgs, ArchiveArgs, AttendanceArgs, DatabaseArgs, DemoArgs, OutsideArgs, outside::web_address};
use crate::failure::Failure;

/// A part of the server, so that replicas can share the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Health and metrics, which every process answers.
    Always,
    Auth,
    /// People's own data, teams, administration.
    Data,
    Sync,
    Attendance,
    Web,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "auth" => Self::Auth,
            "data" => Self::Data,
            "sync" => Self::Sync,
            "attendance" => Self::Attendance,
            "web" => Self::Web,
            _ => return Err("must be auth, data, sync, attendance or web".to_owned()),
        })
    }
}

/// The flags of `serve`.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Address to listen on; port 0 takes any free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", env = "CLOUD_API_LISTEN")]
    pub listen: Option<String>,
    /// Port for an address without one
    #[arg(long, value_name = "PORT", env = "PORT", default_value_t = 8080, hide = true)]
    pub port: u16,
    /// A proxy in front ends TLS: allows plain HTTP beyond loopback
    #[arg(long, env = "CLOUD_API_BEHIND_PROXY", num_args = 0..=1, default_value_t = false, default_missing_value = "true", value_parser = clap::builder::BoolishValueParser::new(), action = clap::ArgAction::Set)]
    pub behind_proxy: bool,
    /// Where people reach this server, for links and codes [default: the address it listens on]
    #[arg(long, value_name = "URL", env = "CLOUD_API_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Show the web dashboard where it is built in; false shows the plain pages
    #[arg(long, env = "CLOUD_API_DASHBOARD", num_args = 0..=1, default_value_t = true, default_missing_value = "true", value_parser = clap::builder::BoolishValueParser::new(), action = clap::ArgAction::Set)]
    pub dashboard: bool,
    /// Folder of the attendance desk's CSV files [default: exports in the data folder]
    #[arg(long, value_name = "FOLDER", env = "CLOUD_API_EXPORTS_DIR")]
    pub exports_dir: Option<PathBuf>,
    /// Threads that answer requests [default: one for each core]
    #[arg(long, value_name = "N", env = "CLOUD_API_WORKERS", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: Option<u16>,
    /// Do not apply migrations; refuse to start when some are missing
    #[arg(long)]
    pub no_migrate: bool,
    /// What is logged: error, warn, info, debug, or a tracing filter
    #[arg(long, value_name = "FILTER", env = "CLOUD_API_LOG", default_value = "info")]
    pub log: String,
    /// Which parts this process answers: auth, data, sync, attendance, web
    #[arg(
        long = "roles",
        value_name = "LIST",
        env = "CLOUD_API_ROLES",
        value_delimiter = ',',
        default_value = "auth,data,sync,attendance,web"
    )]
    pub parts: Vec<Part>,
    /// Who may register, from where, how often
    #[command(flatten)]
    pub access: AccessArgs,
    /// Certificate chain for HTTPS, PEM; taken anew when it changes
    #[arg(long, value_name = "FILE", env = "CLOUD_API_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", env = "CLOUD_API_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// The attendance desk
    #[command(flatten)]
    pub attendance: AttendanceArgs,
    /// A provider and a model
    #[command(flatten)]
    pub outside: OutsideArgs,
    /// Where raw batches and logs are archived
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// A demonstration
    #[command(flatten)]
    pub demo: DemoArgs,
    /// Where minutes are kept
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// PEM files, read anew when they change.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Port 0 takes any free port.
    pub listen: SocketAddr,
    /// `None` means plain HTTP.
    pub tls: Option<TlsFiles>,
    /// The address by which people reach this server, without a final slash.
    pub public_url: Option<String>,
    pub parts: Vec<Part>,
    /// Whether the web dashboard is shown where it is built in.
    pub dashboard: bool,
    /// The folder of the attendance desk's CSV files; `None` stands for `exports` in the data folder.
    pub exports_dir: Option<PathBuf>,
    pub workers: usize,
    /// Whether a proxy in front ends TLS.
    pub behind_proxy: bool,
    /// The recording of a demonstration; `None` when this is none.
    pub demo: Option<PathBuf>,
}

impl ServerConfig {
    /// Refuses plain HTTP beyond loopback, unless a proxy in front ends TLS.
    pub fn from_args(args: &ServeArgs) -> Result<Self, Failure> {
        let listen = match args.listen.as_deref() {
            None => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), args.port),
            Some(text) => parse_address(text, args.port).ok_or_else(|| {
                let fix = "Give an address and a port, for example --listen 127.0.0.1:8080.";
                Failure::usage(
                    "bad_listen",
                    format!("Cannot listen on {text:?}: it is no IP address with a port from 0 to 65535"),
                    fix,
                )
            })?,
        };
        let tls = args.tls_cert.clone().zip(args.tls_key.clone());
        let tls = tls.map(|(certificate, key)| TlsFiles { certificate, key });
        if !listen.ip().is_loopback() && !args.behind_proxy && tls.is_none() {
            return Err(Failure::usage(
                "plain_http_beyond_loopback",
                format!("Refusing plain HTTP on {listen}: passwords would cross the network in the clear"),
                "Listen on 127.0.0.1, give CLOUD_API_TLS_CERT and CLOUD_API_TLS_KEY, or set CLOUD_API_BEHIND_PROXY=true when a proxy ends TLS.",
            ));
        }
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let public_url = args.public_url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
        if let Some(Err(why)) = public_url.as_deref().map(web_address) {
            let message = format!("CLOUD_API_PUBLIC_URL {why}");
            return Err(Failure::usage("bad_public_url", message, "For example https://wellness.example.org."));
        }
        Ok(Self {
            listen,
            tls,
            public_url,
            dashboard: args.dashboard,
            exports_dir: args.exports_dir.clone().filter(|folder| !folder.as_os_str().is_empty()),
            workers: args.workers.map_or(cores, usize::from),
            behind_proxy: args.behind_proxy,
            demo: args.demo.demo.then(|| args.demo.demo_video.clone()),
            parts: args.parts.clone(),
        })
    }
}

fn parse_address(text: &str, default_port: u16) -> Option<SocketAddr> {
    let text = text.trim();
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    if let Ok(ip) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Some(SocketAddr::new(ip, default_port));
    }
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let port = if port.is_empty() { default_port } else { port.parse().ok()? };
    (host == "localhost").then(|| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("127.0.0.1:9", Some("127.0.0.1:9"))]
    #[case("127.0.0.1", Some("127.0.0.1:80"))]
    #[case("[::1]:9", Some("[::1]:9"))]
    #[case("[::1]", Some("[::1]:80"))]
    #[case("::1", Some("[::1]:80"))]
    #[case("localhost:9", Some("127.0.0.1:9"))]
    #[case("localhost", Some("127.0.0.1:80"))]
    #[case("example.org:9", None)]
    #[case("127.0.0.1:99999", None)]
    #[case(":9", None)]
    #[case("", None)]
    fn addresses(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(parse_address(text, 80), expected.map(|a| a.parse().unwrap()));
    }
}
