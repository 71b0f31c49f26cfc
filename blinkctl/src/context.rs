//! The context that every command gets.

use blink_profile::Paths;

use crate::{exit::Failure, output::Output};

#[derive(Debug)]
pub(crate) struct Context {
    /// The profile whose daemon is addressed.
    pub(crate) paths: Paths,
    pub(crate) output: Output,
}

impl Context {
    /// The profile that the environment variables name.
    pub(crate) fn from_env(output: Output) -> Result<Self, Failure> {
        let fix = "Set HOME to your home folder.";
        let paths = Paths::from_env()
            .ok_or_else(|| Failure::usage("no_home", "Neither HOME nor the XDG folders are set", fix))?;
        Ok(Self { paths, output })
    }
}
