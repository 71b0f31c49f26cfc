//! The commands, a file per noun.

pub(crate) mod account;
pub(crate) mod ask;
pub(crate) mod cameras;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod consent;
pub(crate) mod delete;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod hand_over;
pub(crate) mod import;
pub(crate) mod letter;
pub(crate) mod live;
pub(crate) mod man;
pub(crate) mod mcp;
pub(crate) mod open;
pub(crate) mod owner;
pub(crate) mod pause;
pub(crate) mod quit;
pub(crate) mod report;
pub(crate) mod service;
pub(crate) mod setup;
pub(crate) mod status;
pub(crate) mod sync;

use crate::{
    cli::Command,
    context::Context,
    exit::{ExitStatus, Failure},
    output::Output,
};

/// Runs one command. Some commands report what they found by an exit code of their own.
pub(crate) fn run(command: Command, output: Output) -> Result<ExitStatus, Failure> {
    let context = Context::from_env(output)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        Failure::failed(
            "internal",
            format!("the program could not start: {error}"),
            "Close some programs, then try again.",
        )
    })?;
    runtime.block_on(dispatch(command, &context))
}

async fn dispatch(command: Command, context: &Context) -> Result<ExitStatus, Failure> {
    match command {
        Command::Delete(args) => return delete::run(&args, context).await,
        Command::Doctor(args) => return doctor::run(&args, context).await,
        Command::Ask(args) => ask::run(&args, context).await,
        Command::Cameras(args) => cameras::run(&args, context).await,
        Command::Completions(args) => completions::run(&args, context),
        Command::Config(args) => config::run(&args, context).await,
        Command::Consent(args) => consent::run(&args, context).await,
        Command::Export(args) => export::run(&args, context).await,
        Command::Import(args) => import::run(&args, context).await,
        Command::Letter(args) => letter::run(&args, context),
        Command::Live(args) => live::run(&args, context).await,
        Command::Login(args) => account::login(args, context).await,
        Command::Logout(args) => account::logout(&args, context).await,
        Command::Man(args) => man::run(&args, context),
        Command::Mcp(args) => mcp::run(&args, context).await,
        Command::Open(args) => open::run(&args, context).await,
        Command::Owner(args) => owner::run(&args, context).await,
        Command::Pause(args) => pause::run(&args, context).await,
        Command::Quit(args) => quit::run(&args, context).await,
        Command::Register(args) => account::register(args, context).await,
        Command::Report(args) => report::run(&args, context),
        Command::Resume(args) => pause::resume(&args, context).await,
        Command::Service(args) => service::run(&args, context).await,
        Command::Setup(args) => setup::run(&args, context).await,
        Command::Status(args) => status::run(&args, context).await,
        Command::Sync(args) => sync::run(&args, context).await,
        Command::Toggle(args) => pause::toggle(&args, context).await,
        Command::Whoami(args) => account::whoami(&args, context).await,
        Command::Yield(args) => hand_over::run(&args, context).await,
    }
    .map(|()| ExitStatus::Done)
}
