//! The frame rate follows the CPU use, which the test's own meter reports.

use std::{sync::atomic::Ordering, time::Duration};

use blink_proto::ipc::Sight;

use crate::{
    capture::{CaptureEvent, Sighting},
    clock::Clock as _,
    keeper::{CapturePolicy, Keeper},
    testing::TempProfile,
};

/// Runs `seconds` with a camera of 30 fps, where each frame costs `frame_ms` of CPU time.
fn live(place: &TempProfile, keeper: &mut Keeper, seconds: u64, frame_ms: u64) {
    for _ in 0..seconds {
        let fps = place.control.pace().map_or(30.0, |pace| pace.min(30.0));
        let frames = fps.round() as u32;
        let from = place.clock.now();
        let sighting = |n: u32| {
            let at = from + Duration::from_secs(1) * n / frames;
            Sighting { at, sight: Sight::Measurable, ear: None, baseline: None, hint: None }
        };
        place.clock.advance(Duration::from_secs(1));
        keeper.news(CaptureEvent::Seen((0..frames).map(sighting).collect(), vec![]));
        place.cpu_ms.fetch_add(frame_ms * u64::from(frames), Ordering::SeqCst);
        keeper.tick();
    }
}

#[test]
fn what_costs_too_much_is_looked_at_less_often_but_not_below_fifteen() {
    let place = TempProfile::new().with(CapturePolicy { max_cpu_percent: 25, ..CapturePolicy::default() });
    let mut keeper = place.consenting();
    keeper.news(CaptureEvent::Opened);
    live(&place, &mut keeper, 60, 2);
    assert_eq!((place.control.pace(), keeper.status().cost.cpu_percent), (None, 6.0));
    live(&place, &mut keeper, 60, 12);
    let status = keeper.status();
    assert!((15.0..=21.0).contains(&status.fps) && status.cost.cpu_percent <= 25.0, "{status:?}");
    live(&place, &mut keeper, 60, 40);
    assert_eq!(place.control.pace(), Some(15.0), "lower it does not go, whatever it costs");
    assert!((keeper.status().fps - 15.0).abs() < 0.6);
    live(&place, &mut keeper, 180, 2);
    assert_eq!(place.control.pace(), None);
    assert!(keeper.status().fps > 29.0);
}

#[test]
fn without_a_limit_nothing_is_passed_over() {
    let place = TempProfile::new().with(CapturePolicy { max_cpu_percent: 0, ..CapturePolicy::default() });
    let mut keeper = place.consenting();
    keeper.news(CaptureEvent::Opened);
    live(&place, &mut keeper, 60, 40);
    assert_eq!(place.control.pace(), None);
}
