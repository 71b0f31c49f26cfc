//! Tests of a source that is opened during a blink, as happens often when sampling on battery.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use blink_profile::Paths;
use blink_vision::Event;
use blinkd::{
    capture::{FrameReader as _, Pacing, ReadOutcome, native::NativeReader},
    owner::OwnerDesk,
};
use jiff::Timestamp;

#[test]
fn a_window_that_begins_in_the_middle_of_a_blink_does_not_count_it() {
    let folder = tempfile::tempdir().unwrap();
    let owner = Arc::new(OwnerDesk::open(Paths::under(folder.path()).owner_file()));
    let mut observed_in_all = Duration::ZERO;
    // The first blink of the synthetic face begins 2 s after its epoch and takes 280 ms; the next comes at least 3.6 s
    // later.
    for into_the_blink_ms in [40, 80, 120, 160, 220] {
        // The epoch is chosen so that the source opens within the first blink.
        let at: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        let epoch = at - Duration::from_millis(2_000 + into_the_blink_ms);
        let source = format!("synthetic:bpm=15,epoch={epoch}");
        let mut reader = NativeReader::new(source.parse().unwrap(), Arc::clone(&owner));
        assert!(reader.ready().is_ok(), "the landmark model is installed");
        assert!(reader.open(at).is_ok());
        let (opened, mut frames, mut events) = (Instant::now(), 0, Vec::new());
        while opened.elapsed() < Duration::from_millis(2_600) {
            frames += u32::from(matches!(reader.read(&mut |_| Pacing::Process), Ok(ReadOutcome::Frame(_))));
        }
        reader.close();
        reader.decided(&mut events);
        assert!(frames > 10);
        let blinks = events.iter().filter(|event| matches!(event, Event::Blink(_))).count();
        assert_eq!(blinks, 0, "opened {into_the_blink_ms} ms into a blink");
        observed_in_all += events.iter().fold(Duration::ZERO, |sum, event| match event {
            Event::Observed { from, to, .. } => sum + (*to - *from),
            Event::Blink(_) | Event::Wink(_) => sum,
        });
    }
    assert!(observed_in_all > Duration::from_secs(5), "{observed_in_all:?}: and it did look");
}
