//! What the screen knows: the last half minute of measurements, blinks, the status, and how the connection is.

use std::collections::VecDeque;

use blink_proto::{
    ipc::{Event, LivePoint},
    status::Status,
};
use jiff::{SignedDuration, Timestamp};

/// How much of the past is shown.
pub(super) const WINDOW: SignedDuration = SignedDuration::from_secs(30);
/// Frames further apart than this are not joined by a line: nobody knows what was between them.
pub(super) const GAP: SignedDuration = SignedDuration::from_millis(400);
const NOTICE: SignedDuration = SignedDuration::from_secs(6);
/// Points kept at most: a source at 240 frames a second, and no more of one that floods.
const MOST: usize = 8_000;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Blink {
    /// When the eyes were open again.
    pub(super) at: Timestamp,
    /// Width at half depth, milliseconds.
    pub(super) duration_ms: f64,
}

/// All that is shown.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) status: Option<Status>,
    pub(super) points: VecDeque<LivePoint>,
    pub(super) blinks: VecDeque<Blink>,
    /// Why the daemon is not there; none while it is.
    pub(super) gone: Option<String>,
    notice: Option<(String, Timestamp)>,
}

impl Model {
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Status(status) => self.status = Some(*status),
            Event::Live(point) => {
                // A clock that was set back begins a new picture: a line does not run to the left.
                if self.points.back().is_some_and(|last| point.at < last.at) {
                    self.points.clear();
                    self.blinks.clear();
                }
                self.points.push_back(point);
                if self.points.len() > MOST {
                    self.points.pop_front();
                }
            }
            Event::Blink { at, duration_ms } => self.blinks.push_back(Blink { at, duration_ms }),
            Event::Unknown => {}
        }
    }

    /// The daemon is gone.
    pub(super) fn lost(&mut self, why: String) {
        self.gone = Some(why);
        self.status = None;
    }

    /// It is there again.
    pub(super) fn back(&mut self) {
        self.gone = None;
    }

    /// What the person should know for a moment; none takes it away.
    pub(super) fn notice(&mut self, text: Option<String>, now: Timestamp) {
        self.notice = text.map(|text| (text, now));
    }

    pub(super) fn noticed(&self) -> Option<&str> {
        self.notice.as_ref().map(|(text, _)| text.as_str())
    }

    /// Drops what is too old to be shown at `now`.
    pub(super) fn forget(&mut self, now: Timestamp) {
        let edge = self.edge(now).saturating_sub(WINDOW).unwrap_or(Timestamp::MIN);
        while self.points.front().is_some_and(|point| point.at < edge) {
            self.points.pop_front();
        }
        while self.blinks.front().is_some_and(|blink| blink.at < edge) {
            self.blinks.pop_front();
        }
        if self.notice.as_ref().is_some_and(|(_, since)| now.duration_since(*since).abs() > NOTICE) {
            self.notice = None;
        }
    }

    /// The instant at the right edge: now, or the last measurement where that claims to be later.
    pub(super) fn edge(&self, now: Timestamp) -> Timestamp {
        self.points.back().map_or(now, |last| last.at.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(ms: i64) -> Event {
        let at = Timestamp::from_millisecond(1_772_000_000_000 + ms).unwrap();
        Event::Live(LivePoint { at, ear: Some(0.3), baseline: None, sight: None })
    }

    #[test]
    fn half_a_minute_is_kept() {
        let mut model = Model::default();
        for second in 0..100 {
            model.take(point(second * 1_000));
        }
        let last = model.points.back().unwrap().at;
        model.take(Event::Blink { at: last - SignedDuration::from_secs(31), duration_ms: 150.0 });
        model.take(Event::Blink { at: last, duration_ms: 150.0 });
        model.forget(last);
        assert_eq!((model.points.len(), model.blinks.len()), (31, 1));
        model.forget(last + SignedDuration::from_mins(5));
        assert_eq!((model.points.len(), model.blinks.len()), (0, 0));
    }

    #[test]
    fn a_clock_set_back_begins_anew_and_a_flood_is_bounded() {
        let mut model = Model::default();
        model.take(point(5_000));
        model.take(point(1_000));
        assert_eq!(model.points.len(), 1);
        for n in 0..20_000 {
            model.take(point(2_000 + n / 100));
        }
        assert_eq!(model.points.len(), MOST);
    }

    #[test]
    fn a_notice_goes_away_by_itself() {
        let now = Timestamp::UNIX_EPOCH;
        let mut model = Model::default();
        model.notice(Some("x".into()), now);
        model.forget(now + SignedDuration::from_secs(5));
        assert_eq!(model.noticed(), Some("x"));
        model.forget(now + SignedDuration::from_secs(7));
        assert_eq!(model.noticed(), None);
    }
}
