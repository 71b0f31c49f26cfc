//! Selection of frames when the frame rate is limited.

use std::time::Duration;

/// Skips frames so that about `fps` of them remain each second. It goes by their timestamps, so that any source's rate
/// can be brought to any lower one.
#[derive(Debug, Default)]
pub(super) struct Pace {
    due: Option<Duration>,
}

impl Pace {
    /// Whether to process the frame at time `t`, where at most `fps` frames per second are wanted.
    pub(super) fn takes(&mut self, t: Duration, fps: Option<f64>) -> bool {
        let Some(fps) = fps.filter(|fps| *fps > 0.0) else {
            self.due = None;
            return true;
        };
        let period = Duration::from_secs_f64(1.0 / fps);
        let due = self.due.unwrap_or(t);
        // A frame up to a quarter period early is taken, because cameras' timestamps jitter.
        if t + period / 4 < due && due.saturating_sub(t) <= period {
            return false;
        }
        // The delay of a late frame is made up for, by one frame at most.
        let next = due + period;
        self.due = Some(if next + period < t || due.saturating_sub(t) > period { t + period } else { next });
        true
    }
}

#[cfg(test)]
mod tests {
    use blink_vision::frame_rate::FrameRate;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn taken(times: impl IntoIterator<Item = Duration>, fps: Option<f64>) -> Vec<Duration> {
        let mut pace = Pace::default();
        times.into_iter().filter(|t| pace.takes(*t, fps)).collect()
    }

    fn steady(source_fps: f64, seconds: u32) -> Vec<Duration> {
        (0..)
            .map(|n| Duration::from_secs_f64(f64::from(n) / source_fps))
            .take_while(|t| t.as_secs() < seconds.into())
            .collect()
    }

    #[rstest]
    fn every_rate_can_be_brought_to_fifteen_and_none_falls_under_the_rule(
        #[values(15.0, 16.0, 20.0, 24.0, 25.0, 29.97, 30.0, 50.0, 60.0)] source_fps: f64,
    ) {
        let taken = taken(steady(source_fps, 20), Some(15.0));
        let mean = (taken.len() - 1) as f64 / (taken[taken.len() - 1] - taken[0]).as_secs_f64();
        assert!((14.9..=15.6).contains(&mean), "{mean}");
        let mut rate = FrameRate::default();
        for t in taken {
            rate.push(t);
            // The frame rate is measured as the blink detector does it, which needs two seconds.
            assert!(t.as_secs() < 2 || rate.fps().unwrap() >= 14.5, "{:?} at {t:?}", rate.fps());
        }
    }

    #[rstest]
    #[case(30.0, None)]
    #[case(14.8, Some(15.0))]
    #[case(30.0, Some(30.0))]
    #[case(30.0, Some(45.0))]
    fn a_source_that_is_no_faster_keeps_every_frame(#[case] source_fps: f64, #[case] fps: Option<f64>) {
        assert_eq!(taken(steady(source_fps, 10), fps), steady(source_fps, 10));
    }

    #[test]
    fn after_a_gap_or_a_source_that_begins_anew_it_goes_on_at_once() {
        let mut pace = Pace::default();
        let t = Duration::from_millis;
        assert!(pace.takes(t(0), Some(15.0)) && !pace.takes(t(33), Some(15.0)));
        assert!(pace.takes(t(5_000), Some(15.0)) && !pace.takes(t(5_033), Some(15.0)));
        assert!(pace.takes(t(0), Some(15.0)) && !pace.takes(t(33), Some(15.0)));
    }

    proptest! {
        #[test]
        fn whatever_the_times_it_neither_stalls_nor_floods(
            steps in proptest::collection::vec(1u64..200, 10..400), fps in 15.0f64..60.0,
        ) {
            let mut at = 0;
            let times: Vec<_> = steps.iter().map(|step| { at += step; Duration::from_millis(at) }).collect();
            let taken = taken(times.iter().copied(), Some(fps));
            let period = Duration::from_secs_f64(1.0 / fps);
            // No frame is skipped that comes two periods after the last one taken.
            for pair in taken.windows(2) {
                let between = times.iter().find(|t| **t > pair[0] && **t >= pair[0] + 2 * period);
                prop_assert!(between.is_none_or(|t| pair[1] <= *t));
            }
            let most = (times[times.len() - 1] - times[0]).as_secs_f64() * fps + 3.0;
            prop_assert!((taken.len() as f64) <= most, "{} of {most}", taken.len());
        }
    }
}
