//! Keeps the daemon's CPU use under a limit by lowering the frame rate, and raises the rate again when it can.
//!
//! It is pure. It lowers after two measurements over the limit, so that a start or an upload does not count, and raises
//! after four well under it, only as far as the measurements allow.

/// The frame rate is never lowered below this: blinks of 50 ms and the minimum of 14.5 fps need it.
pub(crate) const LOWEST_FPS: f64 = 15.0;
/// How many measurements over the limit lower the rate, and how many well under it raise it.
const OVER: u32 = 2;
const UNDER: u32 = 4;
/// It aims at this share of the limit, and raises only below the second share.
const AIM: f64 = 0.95;
const WELL_UNDER: f64 = 0.8;
/// The largest factor of one raise.
const STEP: f64 = 1.25;

/// Decides the frame rate from the last measurements.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Governor {
    pace: Option<f64>,
    over: u32,
    under: u32,
}

impl Governor {
    /// Takes a measurement: the use of one core in per cent at `fps` frames per second. Returns the most frames per
    /// second to process, or `None` for all. A `limit` of 0 means none.
    pub(crate) fn advise(&mut self, limit: f64, cpu_percent: f64, fps: f64) -> Option<f64> {
        if limit <= 0.0 {
            *self = Self::default();
        } else if fps <= 0.0 {
            // No frames are processed, so the frame rate is not the cause of the CPU use.
            (self.over, self.under) = (0, 0);
        } else if cpu_percent > limit {
            (self.over, self.under) = (self.over + 1, 0);
            if self.over >= OVER {
                self.over = 0;
                let lower = (fps * AIM * limit / cpu_percent).max(LOWEST_FPS);
                if lower < fps {
                    self.set(Some(lower));
                }
            }
        } else {
            self.over = 0;
            self.under = if cpu_percent < WELL_UNDER * limit { self.under + 1 } else { 0 };
            if let (Some(pace), true) = (self.pace, self.under >= UNDER) {
                self.under = 0;
                let higher = pace * (AIM * limit / cpu_percent.max(0.1)).min(STEP);
                // A source that gives fewer frames than allowed needs no limit any more.
                self.set((fps > 0.9 * pace).then_some(higher));
            }
        }
        self.pace
    }

    fn set(&mut self, pace: Option<f64>) {
        tracing::info!(?pace, "frames per second by what it costs");
        self.pace = pace;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    /// A model of a machine: CPU use in per cent when idle, and for each frame per second.
    struct Machine {
        idle: f64,
        frame: f64,
        source_fps: f64,
    }

    impl Machine {
        /// The frame rates over `n` measurements.
        fn live(&self, governor: &mut Governor, limit: f64, n: usize) -> Vec<f64> {
            let mut fps = self.source_fps;
            let step = |_| {
                let pace = governor.advise(limit, self.cost(fps), fps);
                fps = pace.map_or(self.source_fps, |pace| pace.min(self.source_fps));
                fps
            };
            (0..n).map(step).collect()
        }

        fn cost(&self, fps: f64) -> f64 {
            self.idle + self.frame * fps
        }
    }

    #[rstest]
    #[case::cheap(1.0, 0.1, 30.0, 30.0..=30.0)]
    #[case::somewhat_dear(1.0, 1.0, 30.0, 20.0..=24.0)]
    #[case::a_fast_camera(1.0, 0.5, 60.0, 40.0..=48.0)]
    #[case::much_too_dear(5.0, 5.0, 30.0, 15.0..=15.0)]
    #[case::a_slow_camera(5.0, 5.0, 12.0, 12.0..=12.0)]
    #[case::dear_with_nothing_to_see(50.0, 0.1, 30.0, 15.0..=15.0)]
    fn it_settles_under_the_limit_or_at_the_lowest_rate(
        #[case] idle: f64,
        #[case] frame: f64,
        #[case] source_fps: f64,
        #[case] settles: std::ops::RangeInclusive<f64>,
    ) {
        let rates = Machine { idle, frame, source_fps }.live(&mut Governor::default(), 25.0, 200);
        let last = rates[199];
        assert!(settles.contains(&last), "{last}");
        assert!(rates[100..].iter().all(|fps| *fps == last), "it does not swing: {:?}", &rates[100..]);
    }

    #[test]
    fn one_dear_moment_changes_nothing() {
        let mut governor = Governor::default();
        for _ in 0..10 {
            assert_eq!(governor.advise(25.0, 90.0, 30.0), None);
            assert_eq!(governor.advise(25.0, 5.0, 30.0), None);
        }
    }

    #[test]
    fn when_the_load_is_over_all_frames_are_looked_at_again() {
        let mut governor = Governor::default();
        let mut machine = Machine { idle: 20.0, frame: 2.0, source_fps: 30.0 };
        assert_eq!(machine.live(&mut governor, 25.0, 20)[19], 15.0);
        machine = Machine { idle: 1.0, frame: 0.1, source_fps: 30.0 };
        let rates = machine.live(&mut governor, 25.0, 60);
        assert_eq!(rates[59], 30.0);
        assert_eq!(governor.pace, None, "and nothing holds a faster camera back");
    }

    #[test]
    fn a_limit_that_is_lifted_is_gone_at_once() {
        let mut governor = Governor::default();
        for _ in 0..4 {
            governor.advise(5.0, 50.0, 30.0);
        }
        assert_eq!(governor.pace, Some(LOWEST_FPS));
        assert_eq!(governor.advise(0.0, 50.0, 15.0), None);
    }

    proptest! {
        #[test]
        fn whatever_is_measured_it_never_asks_for_less_than_the_lowest_rate(
            measured in proptest::collection::vec((0.0f64..2_000.0, 0.0f64..200.0), 1..200), limit in 0.0f64..100.0,
        ) {
            let mut governor = Governor::default();
            for (cpu_percent, fps) in measured {
                let pace = governor.advise(limit, cpu_percent, fps);
                prop_assert!(pace.is_none_or(|pace| pace.is_finite() && pace >= LOWEST_FPS));
            }
        }
    }
}
