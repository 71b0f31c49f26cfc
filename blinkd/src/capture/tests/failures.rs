//! Tests of sources that fail repeatedly, of unwanted frames, and of the end of the thread.

use super::*;

#[test]
fn a_source_that_dies_after_each_first_frame_is_not_opened_in_a_hot_loop() {
    let steps = (0..1_000).flat_map(|_| [Step::Frame(0, vec![]), Step::Fails(TroubleKind::Gone)]);
    let stage = Stage::with(steps);
    stage.control.allow(true);
    stage.expect_waits(&[500, 1_000, 2_000, 4_000, 4_000, 4_000]);
}

#[test]
fn a_file_of_one_frame_that_repeats_is_not_opened_in_a_hot_loop() {
    let steps = (0..1_000).flat_map(|_| [Step::Frame(0, vec![]), Step::Fails(TroubleKind::Ended)]);
    let script = Script { steps: Mutex::new(steps.collect()), repeats: true, ..Script::default() };
    let stage = Stage::new(script);
    stage.control.allow(true);
    stage.expect_waits(&[500, 1_000, 2_000]);
}

/// Runs locks, failures, frames, closings and openings in a fixed pseudo-random order.
#[test]
fn whatever_fails_it_ends_open_when_the_source_is_well() {
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice % below
    };
    let kinds = [TroubleKind::Busy, TroubleKind::Gone, TroubleKind::Broken];
    let stage = Stage::with([]);
    let mut toggles = 0;
    for _ in 0..200 {
        match next(6) {
            0 => stage.add(Step::Locked(kinds[next(3) as usize])),
            1 => stage.add(Step::Fails(kinds[next(3) as usize])),
            2 | 3 => stage.add(Step::Frame(next(1_000), vec![])),
            4 => {
                toggles += 1;
                stage.control.allow(next(2) == 0);
            }
            _ => stage.clock.advance(Duration::from_millis(next(700))),
        }
    }
    // From here on the source works.
    stage.script.steps.lock().unwrap().clear();
    stage.control.allow(true);
    let deadline = Instant::now() + Duration::from_secs(30);
    while !stage.is_open() {
        assert!(Instant::now() < deadline, "the source is not opened");
        stage.clock.advance(Duration::from_secs(5));
        thread::yield_now();
    }
    let openings = stage.script.openings.load(Ordering::SeqCst);
    assert!(openings <= toggles + 200, "{openings}");
    stage.control.allow(false);
    assert!(stage.control.wait_closed(Duration::from_secs(1)) && !stage.is_open());
}

#[test]
fn fewer_frames_are_looked_at_when_fewer_are_wanted() {
    let frames = |from: u64| (0..30).map(move |n| Step::Frame(from + n * 1_000 / 30, vec![]));
    let stage = Stage::with([]);
    stage.control.set_pace(Some(15.0));
    stage.control.allow(true);
    assert_eq!(stage.hear(), CaptureEvent::Opened);
    frames(0).for_each(|step| stage.add(step));
    while !stage.script.steps.lock().unwrap().is_empty() {
        thread::sleep(Duration::from_millis(1));
    }
    stage.control.allow(false);
    let mut seen = 0;
    loop {
        match stage.hear() {
            CaptureEvent::Seen(frames, _) => seen += frames.len(),
            CaptureEvent::Closed => break,
            other => panic!("{other:?}"),
        }
    }
    assert!((15..=16).contains(&seen), "{seen} of 30");
}

#[test]
fn once_stopped_it_opens_nothing_whatever_is_wanted() {
    let mut stage = Stage::with([]);
    stage.control.allow(true);
    assert_eq!(stage.hear(), CaptureEvent::Opened);
    stage.control.stop();
    let thread = stage.thread.take().unwrap();
    let begun = Instant::now();
    while !thread.is_finished() {
        // The keeper does this at each tick.
        stage.control.allow(false);
        stage.control.allow(true);
        assert!(begun.elapsed() < Duration::from_secs(10), "it does not end");
    }
    assert!(!stage.control.is_open() && !stage.control.wait_open());
    assert_eq!(stage.script.openings.load(Ordering::SeqCst), 1);
    stage.thread = Some(thread);
}
