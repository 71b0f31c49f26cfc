//! `blinkctl mcp`: one's own figures for the assistant of one's choice, over the Model Context Protocol on stdio.
//!
//! - `server`: the tools
//! - `told`: what each of them tells
//! - `log`: what was read, kept on this machine

mod log;
mod server;
mod told;

use rmcp::{ServiceExt as _, transport::stdio};

use self::{log::Log, server::OwnFigures};
use crate::{
    context::Context,
    exit::Failure,
    output::{Paint, Tone, plain},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl mcp                   an assistant starts this itself: docs/mcp.md shows how three are told
  blinkctl mcp --log             what assistants have read, newest last

It only reads, and only sums: no minute, no picture, no name. Without this machine's consent every tool says so. Nothing
goes over a network from here; what the assistant does with an answer is between you and it.")]
pub(crate) struct Args {
    /// Show what was read, when and by which program
    #[arg(long)]
    log: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let log = Log::of(&context.paths);
    if args.log {
        let readings = log.read()?;
        return context.output.result(&readings, |paint| shown(&readings, paint));
    }
    let failed = |error: String| {
        let fix =
            "An assistant starts it: docs/mcp.md shows how three are told. `blinkctl mcp --log` shows what was read.";
        Failure::failed("mcp", format!("The assistant was not understood: {error}"), fix)
    };
    let server = OwnFigures::open(context.paths.clone(), log).await;
    let running = server.serve(stdio()).await.map_err(|error| failed(error.to_string()))?;
    running.waiting().await.map_err(|error| failed(error.to_string()))?;
    Ok(())
}

fn shown(readings: &[log::Reading], paint: Paint) -> String {
    if readings.is_empty() {
        return "Nothing was read.\n".to_owned();
    }
    let line = |reading: &log::Reading| {
        let at =
            paint.with(Tone::Faint, &reading.at.to_zoned(jiff::tz::TimeZone::system()).strftime("%F %T").to_string());
        let what = plain(&format!("{} {}", reading.tool, reading.arguments));
        format!("{at}  {}  {}\n", plain(&reading.client), what.trim_end_matches(" {}"))
    };
    readings.iter().map(line).collect()
}
