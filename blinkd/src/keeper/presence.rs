//! Decides whether the person is at the screen: one face was followed within the last seconds.
//!
//! Reading counts, with the eyes on the paper, and so does a short turn away. No minute, upload or log holds any of it.

use std::time::Duration;

use blink_proto::ipc::Event;

use super::Keeper;

/// A face that was not followed for longer than this has left. A person who turns around for less has not.
pub(crate) const LEFT_AFTER: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Presence {
    /// When a face was last followed.
    followed: Option<Duration>,
    /// What subscribers were told last.
    told: bool,
}

impl Presence {
    pub(super) fn followed(&mut self, mono: Duration) {
        self.followed = Some(mono);
    }

    fn holds(&self, mono: Duration) -> bool {
        self.followed.is_some_and(|at| mono.saturating_sub(at) <= LEFT_AFTER)
    }
}

impl Keeper {
    /// Whether the person is at the screen, as far as the camera may tell. Between two windows of sampling the last
    /// window's answer stands.
    #[must_use]
    pub fn at_screen(&self) -> bool {
        let mono = self.deps.clock.mono();
        let looks = self.wanted() && self.camera_users.handover.is_none();
        looks && (self.presence.holds(mono) || self.sampling.was_tracking(mono))
    }

    /// Tells subscribers when the person came or left.
    pub(super) fn tell_presence(&mut self) {
        let at_screen = self.at_screen();
        if !at_screen {
            // Whoever was there before a lock or a sleep need not be there after it.
            self.presence.followed = None;
        }
        if at_screen != self.presence.told {
            self.presence.told = at_screen;
            let _ = self.deps.events.send(Event::AtScreen { at: self.deps.clock.now(), at_screen });
        }
    }
}

#[cfg(test)]
mod tests {
    use blink_proto::ipc::{PauseSpan, Sight};
    use rstest::rstest;

    use super::*;
    use crate::{
        capture::{CaptureEvent, Sighting},
        cost::Profile,
        keeper::CapturePolicy,
        testing::TempProfile,
    };

    /// Shows `sight` once a second for `seconds`.
    fn show(place: &TempProfile, keeper: &mut Keeper, sight: Sight, seconds: u64) {
        for _ in 0..seconds {
            place.clock.advance(Duration::from_secs(1));
            let sighting = Sighting { at: place.clock_now(), sight, ear: None, baseline: None, hint: None };
            keeper.news(CaptureEvent::Seen(vec![sighting], Vec::new()));
            keeper.tick();
        }
    }

    /// What subscribers were told of the person's presence.
    fn told(events: &mut tokio::sync::broadcast::Receiver<Event>) -> Vec<bool> {
        let heard = std::iter::from_fn(|| events.try_recv().ok());
        let presence = heard.filter_map(|event| match event {
            Event::AtScreen { at_screen, .. } => Some(at_screen),
            _ => None,
        });
        presence.collect()
    }

    #[test]
    fn a_short_turn_away_is_no_absence_and_a_long_one_is() {
        let place = TempProfile::new();
        let mut keeper = place.consenting();
        let mut events = keeper.deps.events.subscribe();
        keeper.news(CaptureEvent::Opened);
        assert!(!keeper.status().at_screen, "nobody was seen yet");
        show(&place, &mut keeper, Sight::Measurable, 5);
        assert_eq!(told(&mut events), [true]);
        for _ in 0..3 {
            show(&place, &mut keeper, Sight::Nobody, 10);
            show(&place, &mut keeper, Sight::Measurable, 1);
            assert!(told(&mut events).is_empty() && keeper.status().at_screen);
        }
        show(&place, &mut keeper, Sight::Nobody, 11);
        assert_eq!((told(&mut events), keeper.status().at_screen), (vec![false], false));
        show(&place, &mut keeper, Sight::Several, 20);
        assert!(told(&mut events).is_empty(), "nobody is known among several");
    }

    #[test]
    fn reading_counts() {
        let place = TempProfile::new();
        let mut keeper = place.consenting();
        let mut events = keeper.deps.events.subscribe();
        keeper.news(CaptureEvent::Opened);
        show(&place, &mut keeper, Sight::Measurable, 1);
        assert_eq!(told(&mut events), [true]);
        for _ in 0..120 {
            show(&place, &mut keeper, Sight::Turned, 15);
            assert!(told(&mut events).is_empty() && keeper.status().at_screen);
        }
    }

    #[rstest]
    #[case::paused(|keeper: &mut Keeper| keeper.pause(PauseSpan::default()).unwrap())]
    #[case::locked(|keeper: &mut Keeper| keeper.locked(crate::keeper::LockedBy::Hint, true))]
    #[case::about_to_sleep(|keeper: &mut Keeper| keeper.sleeping(true))]
    #[case::consent_withdrawn(|keeper: &mut Keeper| keeper.withdraw().unwrap())]
    fn nobody_is_at_a_screen_that_may_not_be_looked_at(#[case] stop: fn(&mut Keeper)) {
        let place = TempProfile::new();
        let mut keeper = place.consenting();
        let mut events = keeper.deps.events.subscribe();
        keeper.news(CaptureEvent::Opened);
        show(&place, &mut keeper, Sight::Measurable, 5);
        stop(&mut keeper);
        assert!(!keeper.status().at_screen);
        keeper.sleeping(false);
        keeper.locked(crate::keeper::LockedBy::Hint, false);
        assert!(!keeper.status().at_screen, "nobody was seen since");
        assert_eq!(told(&mut events), [true, false]);
    }

    #[test]
    fn between_the_windows_of_sampling_the_person_stays() {
        let battery = CapturePolicy { profile: Profile::Battery, ..CapturePolicy::default() };
        let place = TempProfile::new().with(battery);
        let mut keeper = place.consenting();
        let mut events = keeper.deps.events.subscribe();
        place.watch(&mut keeper, 20, 4);
        assert_eq!(told(&mut events), [true]);
        for _ in 0..5 {
            place.idle(&mut keeper, 40);
            assert!(told(&mut events).is_empty() && keeper.status().at_screen);
            place.watch(&mut keeper, 20, 4);
            assert!(told(&mut events).is_empty());
        }
    }
}
