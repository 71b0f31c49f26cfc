//! blinkd without a desktop.

use std::{process::Command, time::Duration};

use crate::{Profile, Program, until};

/// How long the daemon may take to answer on its socket.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running daemon. Dropping it kills it.
#[derive(Debug)]
pub struct Daemon {
    program: Program,
}

impl Daemon {
    /// Starts `blinkd run --headless --source SOURCE` in `profile` and waits until it answers.
    #[must_use]
    pub fn start(profile: &Profile, source: &str) -> Self {
        Self::start_with(profile, &["--source", source])
    }

    /// Starts `blinkd run --headless` with more flags.
    #[must_use]
    pub fn start_with(profile: &Profile, flags: &[&str]) -> Self {
        Self::start_on(profile, |command| {
            command.args(["run", "--headless"]).args(flags);
        })
    }

    /// Starts blinkd with the arguments and environment that `prepare` sets.
    #[must_use]
    pub fn start_on(profile: &Profile, prepare: impl FnOnce(&mut Command)) -> Self {
        let mut command = profile.command("blinkd");
        prepare(&mut command);
        let mut program = Program::start(&mut command, profile.path());
        until("the daemon to answer", START_LIMIT, || {
            let ended = program.ended();
            assert!(ended.is_none(), "the daemon ended with {ended:?}:\n{}", program.stderr());
            (profile.ctl(&["status", "--json"]).code == Some(0)).then_some(())
        });
        Self { program }
    }

    /// The process, to stop or kill it.
    pub fn program(&mut self) -> &mut Program {
        &mut self.program
    }
}
