//! State of the counting: the open minutes, the running figures, and the condition of the source.

use std::time::Duration;

use blink_proto::DeviceId;
use jiff::{Timestamp, tz::TimeZone};

use super::figures::Figures;
use crate::{capture::Trouble, minutes::MinuteBuilder};

/// The last report of the capture thread.
#[derive(Clone, Debug)]
pub(super) enum Capture {
    Closed,
    Open,
    Trouble(Trouble),
}

#[derive(Debug)]
pub(super) struct Counting {
    pub(super) minutes: MinuteBuilder,
    pub(super) figures: Figures,
    pub(super) capture: Capture,
    /// The time up to which the open source has decided about blinks.
    pub(super) settled_to: Option<Timestamp>,
}

impl Counting {
    pub(super) fn new(device_id: DeviceId, tz: TimeZone, now: Timestamp) -> Self {
        Self {
            minutes: MinuteBuilder::new(device_id, []),
            figures: Figures::new(tz, now),
            capture: Capture::Closed,
            settled_to: None,
        }
    }

    /// Begins with no minutes, after an erasure.
    pub(super) fn forget(&mut self, device_id: DeviceId) {
        self.minutes = MinuteBuilder::new(device_id, []);
        self.figures.forget();
        self.settled_to = None;
    }

    /// Notes that no source is open any more; `capture` gives the reason. Returns whether a face was followed until
    /// then.
    pub(super) fn source_closed(&mut self, capture: Capture, mono: Duration) -> bool {
        let followed = self.figures.followed(mono);
        self.capture = capture;
        self.settled_to = None;
        self.figures.closed();
        followed
    }
}
