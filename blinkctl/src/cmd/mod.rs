//! What each command does, a file per noun.

pub(crate) mod account;
pub(crate) mod consent;
pub(crate) mod owner;
pub(crate) mod pause;
pub(crate) mod quit;
pub(crate) mod status;
pub(crate) mod sync;

use blink_proto::paths::Paths;

use crate::{cli::Command, exit::Failure, output::Output};

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Context {
    /// The profile whose daemon is meant.
    pub(crate) paths: Paths,
    /// How to speak.
    pub(crate) output: Output,
}

/// Runs one command to its end.
pub(crate) fn run(command: Command, output: Output) -> Result<(), Failure> {
    let paths = Paths::from_env().ok_or_else(|| {
        Failure::usage("no_home", "Neither HOME nor the XDG folders are set", "Set HOME to your home folder.")
    })?;
    let context = Context { paths, output };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Failure::failed(
            "internal",
            format!("the program could not start: {error}"),
            "Close some programs, then try again.",
        )
    })?;
    runtime.block_on(async {
        match command {
            Command::Status(args) => status::run(&args, &context).await,
            Command::Owner(args) => owner::run(&args, &context).await,
            Command::Pause(args) => pause::run(&args, &context).await,
            Command::Resume(args) => pause::resume(&args, &context).await,
            Command::Consent(args) => consent::run(&args, &context).await,
            Command::Register(args) => account::register(args, &context).await,
            Command::Login(args) => account::login(args, &context).await,
            Command::Logout(args) => account::logout(&args, &context).await,
            Command::Whoami(args) => account::whoami(&args, &context).await,
            Command::Sync(args) => sync::run(&args, &context).await,
            Command::Quit(args) => quit::run(&args, &context).await,
        }
    })
}
