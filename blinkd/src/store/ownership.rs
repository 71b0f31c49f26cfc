//! Which account a minute in the history belongs to, and whether it waits to be sent.

use blink_proto::DeviceId;

use super::{Line, Queued};
use crate::{minutes::Owner, profile::FirstAccount};

/// What decides the owner of a minute in the history.
#[derive(Clone, Copy, Debug)]
pub struct MinuteOwnership<'a> {
    /// This machine's id: minutes that another machine counted for nobody are never adopted.
    pub device_id: DeviceId,
    /// The profile's first account, which may have adopted the minutes of nobody.
    pub first: Option<&'a FirstAccount>,
    pub erased: &'a [Owner],
}

impl MinuteOwnership<'_> {
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

/// The queue entry of a line in the history.
pub(super) fn queued(line: &Line, ownership: MinuteOwnership<'_>) -> Queued {
    Queued { owner: ownership.owner(line), minute: line.minute.clone(), imported: line.import.is_some() }
}
