//! `blinkctl quit`: stops the daemon and waits for its end.

use std::{
    fs::{File, TryLockError},
    path::Path,
    time::Duration,
};

use blink_proto::ipc::Request;
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::{
    client::{Client, ClientError, LOCAL_LIMIT},
    context::Context,
    exit::Failure,
};

/// How long the daemon may take to end; it promises two seconds.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// How often the lock is tried.
const LOOK_EVERY: Duration = Duration::from_millis(20);

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  blinkctl quit")]
pub(crate) struct Args {}

pub(crate) async fn run(_: &Args, context: &Context) -> Result<(), Failure> {
    let mut client = Client::connect(&context.paths).await?;
    client.call(Request::Quit, LOCAL_LIMIT).await?;
    wait(&mut client, context).await?;
    context
        .output
        .result(&json!({ "stopped": true }), |_| "blinkd has stopped. Start it again with `blinkd run`.\n".to_owned())
}

/// Waits until a daemon that is stopping has closed the connection and freed the profile.
pub(crate) async fn wait(client: &mut Client, context: &Context) -> Result<(), ClientError> {
    client.closed(STOP_LIMIT).await?;
    let freed = timeout(STOP_LIMIT, profile_free(&context.paths.lock())).await;
    freed.map_err(|_| ClientError::Silent(STOP_LIMIT))
}

/// Waits until the daemon has released its lock, its last step, so that the next one can start.
async fn profile_free(lock: &Path) {
    let Ok(file) = File::open(lock) else { return };
    // The shared lock is held for a moment only; a daemon that starts meanwhile retries for longer.
    while matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        sleep(LOOK_EVERY).await;
    }
}
