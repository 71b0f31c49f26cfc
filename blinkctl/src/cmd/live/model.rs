//! The data of the screen: measurements and blinks of the last half minute, the status, and the connection.

use std::collections::VecDeque;

use blink_proto::{
    ipc::{Event, Eye, LivePoint},
    status::Status,
};
use jiff::{SignedDuration, Timestamp};

/// The time span that is shown.
pub(super) const WINDOW: SignedDuration = SignedDuration::from_secs(30);
/// Frames further apart than this are not joined by a line, because what lies between is unknown.
pub(super) const GAP: SignedDuration = SignedDuration::from_millis(400);
const NOTICE: SignedDuration = SignedDuration::from_secs(6);
/// How long a wink is shown.
const WINK: SignedDuration = SignedDuration::from_secs(2);
/// The most points kept: enough for 240 frames a second, and a bound for a source that floods.
const MOST: usize = 8_000;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Blink {
    /// When the eyes were open again.
    pub(super) at: Timestamp,
    /// Width at half depth in milliseconds.
    pub(super) duration_ms: f64,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) status: Option<Status>,
    pub(super) points: VecDeque<LivePoint>,
    pub(super) blinks: VecDeque<Blink>,
    /// Why the daemon cannot be reached; `None` while it can.
    pub(super) gone: Option<String>,
    notice: Option<(String, Timestamp)>,
    /// The last wink, while it is recent.
    wink: Option<(Eye, Timestamp)>,
}

impl Model {
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Status(status) => self.status = Some(*status),
            Event::Live(point) => {
                // After the clock was set back the trace begins anew, because a line cannot run backwards.
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
            Event::Wink { at, eye } => self.wink = Some((eye, at)),
            Event::AtScreen { .. } | Event::Unknown => {}
        }
    }

    pub(super) fn lost(&mut self, why: String) {
        self.gone = Some(why);
        self.status = None;
    }

    pub(super) fn back(&mut self) {
        self.gone = None;
    }

    /// Shows a message for a moment; `None` removes it.
    pub(super) fn notice(&mut self, text: Option<String>, now: Timestamp) {
        self.notice = text.map(|text| (text, now));
    }

    pub(super) fn noticed(&self) -> Option<&str> {
        self.notice.as_ref().map(|(text, _)| text.as_str())
    }

    pub(super) fn winked(&self) -> Option<Eye> {
        self.wink.map(|(eye, _)| eye)
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
        if self.wink.is_some_and(|(_, at)| now.duration_since(at).abs() > WINK) {
            self.wink = None;
        }
    }

    /// The time at the right edge: now, or the last measurement if that is later.
    pub(super) fn edge(&self, now: Timestamp) -> Timestamp {
        self.points.back().map_or(now, |last| last.at.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(ms: i64) -> Event {
        let at = Timestamp::from_millisecond(1_772_000_000_000 + ms).unwrap();
        Event::Live(LivePoint { at, ear: Some(0.3), baseline: None, sight: None, hint: None })
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
    fn a_wink_is_shown_for_a_moment() {
        let at = Timestamp::UNIX_EPOCH;
        let mut model = Model::default();
        model.take(Event::Wink { at, eye: Eye::Right });
        model.forget(at + SignedDuration::from_secs(1));
        assert_eq!((model.winked(), model.blinks.len()), (Some(Eye::Right), 0));
        model.forget(at + SignedDuration::from_secs(3));
        assert_eq!(model.winked(), None);
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
