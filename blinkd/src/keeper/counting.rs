//! What is being counted: the open minutes, the running figures, and the source they come from.

use std::time::Duration;

use blink_proto::DeviceId;
use jiff::{Timestamp, tz::TimeZone};

use super::figures::Figures;
use crate::{capture::Trouble, minutes::MinuteBuilder};

/// What the capture thread last said.
#[derive(Clone, Debug)]
pub(super) enum Capture {
    Closed,
    Open,
    Trouble(Trouble),
}

/// Counts of this process, and of the minutes that it has not sealed.
#[derive(Debug)]
pub(super) struct Counting {
    pub(super) minutes: MinuteBuilder,
    pub(super) figures: Figures,
    pub(super) capture: Capture,
    /// How far the open source has decided.
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

    /// The minutes were erased: it begins with none.
    pub(super) fn forget(&mut self, device_id: DeviceId) {
        self.minutes = MinuteBuilder::new(device_id, []);
        self.figures.forget();
        self.settled_to = None;
    }

    /// No source is open any more, for this reason. Returns whether somebody was followed until then.
    pub(super) fn source_closed(&mut self, capture: Capture, mono: Duration) -> bool {
        let followed = self.figures.followed(mono);
        self.capture = capture;
        self.settled_to = None;
        self.figures.closed();
        followed
    }
}
