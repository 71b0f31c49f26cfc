//! Sources that fail again and again, frames that are not wanted, and the end.

use super::*;

#[test]
fn a_source_that_dies_after_each_first_frame_is_not_opened_in_a_hot_loop() {
    let steps = (0..1_000).flat_map(|_| [Step::Frame(0, vec![]), Step::Fails(TroubleKind::Gone)]);
    let stage = Stage::with(steps);
    stage.gate.set(true);
    for _ in 0..60 {
        stage.clock.advance(Duration::from_secs(1));
        thread::sleep(Duration::from_millis(50));
    }
    let openings = stage.script.openings.load(Ordering::SeqCst);
    // 0.5, 1, 2 and then 4 s apart.
    assert!((10..=19).contains(&openings), "{openings} openings in a minute");
}

#[test]
fn a_file_of_one_frame_that_repeats_is_not_opened_in_a_hot_loop() {
    let steps = (0..1_000).flat_map(|_| [Step::Frame(0, vec![]), Step::Fails(TroubleKind::Ended)]);
    let script = Script { steps: Mutex::new(steps.collect()), repeats: true, ..Script::default() };
    let stage = Stage::new(script);
    stage.gate.set(true);
    assert_eq!(stage.hear(), News::Opened);
    thread::sleep(Duration::from_millis(200));
    assert_eq!(stage.script.openings.load(Ordering::SeqCst), 1);
    stage.clock.advance(Duration::from_millis(500));
    for _ in 0..2 {
        stage.hear();
    }
    assert_eq!(stage.hear(), News::Opened);
}

/// Any order of locks, failures, frames, closings and openings, by a fixed sequence of arbitrary numbers.
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
                stage.gate.set(next(2) == 0);
            }
            _ => stage.clock.advance(Duration::from_millis(next(700))),
        }
    }
    // It is well from now on.
    stage.script.steps.lock().unwrap().clear();
    stage.gate.set(true);
    for _ in 0..100 {
        if stage.is_open() {
            break;
        }
        stage.clock.advance(Duration::from_secs(5));
        thread::sleep(Duration::from_millis(50));
    }
    assert!(stage.is_open());
    let openings = stage.script.openings.load(Ordering::SeqCst);
    assert!(openings <= toggles + 200, "{openings}");
    stage.gate.set(false);
    assert!(stage.gate.wait_closed(Duration::from_secs(1)) && !stage.is_open());
}

#[test]
fn fewer_frames_are_looked_at_when_fewer_are_wanted() {
    let frames = |from: u64| (0..30).map(move |n| Step::Frame(from + n * 1_000 / 30, vec![]));
    let stage = Stage::with([]);
    stage.gate.set_pace(Some(15.0));
    stage.gate.set(true);
    assert_eq!(stage.hear(), News::Opened);
    frames(0).for_each(|step| stage.add(step));
    while !stage.script.steps.lock().unwrap().is_empty() {
        thread::sleep(Duration::from_millis(1));
    }
    stage.gate.set(false);
    let mut seen = 0;
    loop {
        match stage.hear() {
            News::Seen(frames, _) => seen += frames.len(),
            News::Closed => break,
            other => panic!("{other:?}"),
        }
    }
    assert!((15..=16).contains(&seen), "{seen} of 30");
}

#[test]
fn once_stopped_it_opens_nothing_whatever_is_wanted() {
    let mut stage = Stage::with([]);
    stage.gate.set(true);
    assert_eq!(stage.hear(), News::Opened);
    stage.gate.stop();
    let thread = stage.thread.take().unwrap();
    let begun = Instant::now();
    while !thread.is_finished() {
        // As the keeper does at each of its ticks.
        stage.gate.set(false);
        stage.gate.set(true);
        assert!(begun.elapsed() < Duration::from_secs(10), "it does not end");
    }
    assert!(!stage.gate.is_open() && !stage.gate.wait_open());
    assert_eq!(stage.script.openings.load(Ordering::SeqCst), 1);
    stage.thread = Some(thread);
}
