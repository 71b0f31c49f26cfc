//! Errors of requests to the upload thread.

use blink_proto::Problem;
use tokio::sync::oneshot;

use crate::keeper::Gone;

#[derive(Debug, thiserror::Error)]
pub(super) enum UploadError {
    /// The keeper has stopped: the client is told that the daemon is stopping.
    #[error(transparent)]
    Stopping(#[from] Gone),
    /// The problem as the client sees it.
    #[error(transparent)]
    Problem(#[from] Problem),
}

/// Sends the client its outcome, if it still waits. When the daemon stops, the sender is dropped, which tells the
/// client.
pub(super) fn tell<T>(to: oneshot::Sender<Result<T, Problem>>, outcome: Result<T, UploadError>) -> Result<(), Gone> {
    drop(to.send(split(outcome)?));
    Ok(())
}

/// Separates a problem, which the caller handles, from the daemon's stopping, which it passes on.
pub(super) fn split<T>(outcome: Result<T, UploadError>) -> Result<Result<T, Problem>, Gone> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(UploadError::Problem(problem)) => Ok(Err(problem)),
        Err(UploadError::Stopping(gone)) => Err(gone),
    }
}
