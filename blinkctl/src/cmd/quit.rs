//! `blinkctl quit`.

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

/// How long the daemon may take to end after it agreed to; it promises two seconds.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Between two looks at the lock.
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

/// Waits until a daemon that is about to stop has hung up and freed the profile.
pub(crate) async fn wait(client: &mut Client, context: &Context) -> Result<(), ClientError> {
    client.closed(STOP_LIMIT).await?;
    let freed = timeout(STOP_LIMIT, profile_free(&context.paths.lock())).await;
    freed.map_err(|_| ClientError::Silent(STOP_LIMIT))
}

/// Waits until the daemon has let go of its lock, which it does last: then the next one can start.
async fn profile_free(lock: &Path) {
    let Ok(file) = File::open(lock) else { return };
    // Shared, and for a moment: a daemon that starts right now tries again for longer than that.
    while matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        sleep(LOOK_EVERY).await;
    }
}
