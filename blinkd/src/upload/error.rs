//! Why the upload thread did not do what it was asked.

use blink_proto::Problem;
use tokio::sync::oneshot;

use crate::keeper::Gone;

/// The daemon is stopping, or there is a reason to be told.
#[derive(Debug, thiserror::Error)]
pub(super) enum UploadError {
    /// The keeper is gone: whoever asked hears that the daemon is stopping.
    #[error(transparent)]
    Stopping(#[from] Gone),
    /// As it is told to whoever asked.
    #[error(transparent)]
    Problem(#[from] Problem),
}

/// Tells whoever asked, if they still wait. A daemon that is stopping tells nobody: that the answer is dropped does.
pub(super) fn tell<T>(to: oneshot::Sender<Result<T, Problem>>, outcome: Result<T, UploadError>) -> Result<(), Gone> {
    drop(to.send(split(outcome)?));
    Ok(())
}

/// Leaves the reasons to be told, of which the caller does something else than to pass them on.
pub(super) fn split<T>(outcome: Result<T, UploadError>) -> Result<Result<T, Problem>, Gone> {
    match outcome {
        Ok(value) => Ok(Ok(value)),
        Err(UploadError::Problem(problem)) => Ok(Err(problem)),
        Err(UploadError::Stopping(gone)) => Err(gone),
    }
}
