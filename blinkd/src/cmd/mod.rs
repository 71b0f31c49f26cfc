//! The commands, one file each, with `Args` and `run(Args) -> Result<(), Failure>`.

pub(crate) mod analyze;
pub(crate) mod bench;
pub(crate) mod cameras;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod erase;
pub(crate) mod manual;
pub(crate) mod models;
pub(crate) mod run;
pub(crate) mod synthesize;

use std::env;

use blink_profile::Paths;
use blink_proto::problem::code;

use crate::{config::Config, exit::Failure};

/// The profile that the environment variables name.
pub(crate) fn profile() -> Result<Paths, Failure> {
    let fix = "Set HOME to your home folder.";
    Paths::from_env().ok_or_else(|| Failure::usage(code::NO_HOME, "Neither HOME nor the XDG folders are set.", fix))
}

/// Whether the profile's tokens may be in a keyring.
fn uses_keyring(paths: &Paths) -> bool {
    Config::read(&paths.config_file(), false, env::vars_os()).map_or(true, |config| config.keyring)
}
