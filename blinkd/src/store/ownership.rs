//! Whose a minute in the history is, and what of it waits to be sent.

use blink_proto::DeviceId;

use super::{Line, Queued};
use crate::{minutes::Owner, profile::FirstAccount};

/// What is needed to know whose a minute in the history is.
#[derive(Clone, Copy, Debug)]
pub struct MinuteOwnership<'a> {
    /// This machine. Nobody's minutes of another one are never adopted.
    pub device_id: DeviceId,
    /// The profile's first account, which may have adopted nobody's minutes.
    pub first: Option<&'a FirstAccount>,
    /// Accounts that are no more.
    pub erased: &'a [Owner],
}

impl MinuteOwnership<'_> {
    /// Whose the minute of `line` is.
    pub(super) fn owner(&self, line: &Line) -> Option<Owner> {
        match (line.minute.user_id, &line.server, self.first) {
            (Some(user_id), Some(server), _) => Some(Owner { server: server.clone(), user_id }),
            (None, _, Some(first)) if first.adopted && line.minute.from_timestamp < first.at => {
                Some(first.owner.clone())
            }
            _ => None,
        }
    }
}

/// What waits of a line in the history.
pub(super) fn queued(line: &Line, ownership: MinuteOwnership<'_>) -> Queued {
    Queued { owner: ownership.owner(line), minute: line.minute.clone(), imported: line.import.is_some() }
}
