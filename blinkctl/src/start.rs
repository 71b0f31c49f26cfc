//! Starts blinkd so that it outlives blinkctl and its terminal.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::{
    blinkd,
    client::{Client, ClientError},
    context::Context,
    exit::Failure,
    unreachable::Unreachable,
};

/// How long blinkd may take to listen; on a slow disk it first reads the models.
const LIMIT: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Starts a program that outlives blinkctl.
pub(crate) fn detached(program: &Path, args: &[String]) -> Result<(), Failure> {
    spawn(program, args).map(|_| ())
}

fn spawn(program: &Path, args: &[String]) -> Result<std::process::Child, Failure> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // In a process group of its own, Ctrl-C in the terminal and its closing do not reach the program.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map_err(|error| {
        let message = format!("{} could not be started: {error}", program.display());
        Failure::failed("not_started", message, "Start it by hand with `blinkd run`.")
    })
}

/// Starts blinkd and waits until it answers.
pub(crate) async fn daemon(context: &Context) -> Result<Client, Failure> {
    let mut child = spawn(&blinkd::located()?, &["run".to_owned()])?;
    let deadline = Instant::now() + LIMIT;
    loop {
        match Client::connect(&context.paths).await {
            Ok(client) => return Ok(client),
            Err(ClientError::Unreachable(Unreachable::NotRunning | Unreachable::NotYet { .. }))
                if Instant::now() < deadline => {}
            Err(error) => return Err(error.into()),
        }
        // If another blinkd was faster, this one ends with exit code 5, and the socket is there in a moment.
        if let Ok(Some(status)) = child.try_wait()
            && status.code() != Some(5)
        {
            let message = format!("blinkd ended as soon as it was started ({status})");
            return Err(Failure::failed("not_started", message, "Run `blinkd run` by hand: it says why."));
        }
        sleep(LOOK_EVERY).await;
    }
}
