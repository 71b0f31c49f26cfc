//! Tests of the detector's promises, on computed landmarks.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::{
    eye_patch::{PATCH_HEIGHT, PATCH_WIDTH},
    geometry::{LANDMARKS, Point, Similarity},
};

const NO_PATCHES: [Patch; 2] = [[0.0; PATCH_WIDTH * PATCH_HEIGHT]; 2];

/// A generic face with lids at `closure`, an EAR of 0.32 when open, and transformed by `place`.
fn face(closure: f32, place: &Similarity) -> Landmarks {
    let mut landmarks = [Point::default(); LANDMARKS];
    for (first, centre) in [(36, -160.0), (42, 160.0)] {
        let half = 65.0;
        let lid = 0.32 * half * (1.0 - 0.55 * closure);
        let points =
            [(-half, 0.0), (-half / 3.0, -lid), (half / 3.0, -lid), (half, 0.0), (half / 3.0, lid), (-half / 3.0, lid)];
        for (i, (x, y)) in points.into_iter().enumerate() {
            landmarks[first + i] = Point::new(centre + x, y);
        }
    }
    landmarks[30] = Point::new(0.0, 170.0);
    landmarks.map(|p| place.apply(p))
}

/// What a perfect lid model says of such a face.
fn lids(landmarks: &Landmarks) -> [Lid; 2] {
    Eye::BOTH.map(|eye| {
        let closure = (1.0 - eye_aspect_ratio(&eye.points(landmarks)) / 0.32) / 0.55;
        Lid { openness: 0.85 * (1.0 - closure), openness_sd: 0.08, aperture: 0.3 * (1.0 - closure), aperture_sd: 0.05 }
    })
}

fn upright() -> Similarity {
    Similarity { a: 0.2, b: 0.0, origin: Point::new(320.0, 200.0) }
}

/// A blink whose lids are half closed at `at - width / 2` and at `at + width / 2`.
#[derive(Clone, Copy, Debug)]
struct Motion {
    at_s: f32,
    width_s: f32,
}

impl Motion {
    fn closure(&self, t_s: f32) -> f32 {
        let ramp = (0.6 * self.width_s).min(0.12);
        ((self.width_s / 2.0 - (t_s - self.at_s).abs()) / ramp + 0.5).clamp(0.0, 1.0)
    }
}

struct Run {
    blinks: Vec<Blink>,
    observed: Duration,
    /// The end of each blink, and how long after it the blink was decided.
    late: Vec<(Duration, Duration)>,
    closed: bool,
}

/// Runs `seconds` of `look`, which returns the landmarks at a time, or `None` without a face.
fn watch(fps: f32, seconds: f32, look: impl Fn(f32) -> Option<Landmarks>) -> Run {
    let mut detector = BlinkDetector::default();
    let mut run = Run { blinks: Vec::new(), observed: Duration::ZERO, late: Vec::new(), closed: false };
    for i in 0..(fps * seconds) as u64 {
        let t = Duration::from_secs_f64(i as f64 / f64::from(fps));
        let landmarks = look(t.as_secs_f32());
        let seen =
            landmarks.as_ref().map(|landmarks| EyesSeen { landmarks, lids: lids(landmarks), patches: &NO_PATCHES });
        run.closed |= detector.push(i, t, seen).eyes_closed;
        for event in detector.drain() {
            match event {
                Event::Blink(blink) => {
                    run.late.push((blink.end, t - blink.end));
                    run.blinks.push(blink);
                }
                Event::Observed { from, to, .. } => run.observed += to - from,
                Event::Wink(wink) => panic!("both eyes close: {wink:?}"),
            }
        }
    }
    run
}

fn blinking(fps: f32, seconds: f32, motions: &[Motion]) -> Run {
    watch(fps, seconds, |t| {
        let closure = motions.iter().map(|motion| motion.closure(t)).fold(0.0, f32::max);
        Some(face(closure, &upright()))
    })
}

#[rstest]
fn blinks_of_a_quarter_second_are_counted_at_any_rate(#[values(15.0, 20.0, 24.0, 30.0, 50.0, 60.0, 120.0)] fps: f32) {
    let motions = [0.9, 3.1, 5.0, 7.7, 9.0].map(|at_s| Motion { at_s, width_s: 0.25 });
    let run = blinking(fps, 11.0, &motions);
    assert_eq!(run.blinks.len(), motions.len());
    for (blink, motion) in run.blinks.iter().zip(&motions) {
        assert!((blink.width.as_secs_f32() - motion.width_s).abs() < 0.04, "{blink:?}");
        assert!(blink.complete);
    }
}

#[rstest]
fn blinks_of_eighty_milliseconds_are_counted_from_sixty_frames(#[values(60.0, 90.0, 120.0)] fps: f32) {
    let motions = [3.0, 4.0, 5.5].map(|at_s| Motion { at_s, width_s: 0.08 });
    assert_eq!(blinking(fps, 7.0, &motions).blinks.len(), motions.len());
}

#[test]
fn a_long_closure_is_no_blink_but_is_said() {
    let run = blinking(30.0, 8.0, &[Motion { at_s: 4.0, width_s: 0.9 }]);
    assert!(run.blinks.is_empty());
    assert!(run.closed);
}

#[test]
fn decisions_come_in_time() {
    let motions = [0.8, 2.5, 4.0, 6.0].map(|at_s| Motion { at_s, width_s: 0.2 });
    let run = blinking(30.0, 8.0, &motions);
    assert_eq!(run.late.len(), motions.len());
    for (end, late) in run.late {
        let most = if end < WARM_UP { WARM_UP + Duration::from_millis(34) } else { Duration::from_millis(200) };
        assert!(late <= most, "a blink that ended at {end:?} was decided {late:?} later");
    }
}

#[test]
fn too_few_frames_observe_nothing() {
    let run = blinking(14.0, 20.0, &[Motion { at_s: 5.0, width_s: 0.3 }]);
    assert!(run.blinks.is_empty());
    assert_eq!(run.observed, Duration::ZERO);
}

#[test]
fn a_blink_cut_by_the_loss_of_the_face_is_not_counted() {
    let blink = Motion { at_s: 5.0, width_s: 0.3 };
    let look = |t: f32| (!(5.0..5.6).contains(&t)).then(|| face(blink.closure(t), &upright()));
    let run = watch(30.0, 10.0, look);
    assert!(run.blinks.is_empty());
    assert!((run.observed.as_secs_f32() - 9.3).abs() < 0.15, "{:?}", run.observed);
}

#[test]
fn one_eye_under_glare_does_not_blind_the_other() {
    let blink = Motion { at_s: 5.0, width_s: 0.25 };
    let (mut detector, mut blinks) = (BlinkDetector::default(), Vec::new());
    for i in 0..240 {
        let t = i as f32 / 30.0;
        let mut landmarks = face(blink.closure(t), &upright());
        let right = lids(&landmarks)[0];
        // The left eye's landmarks jitter all the time, and its lid model sees nothing.
        let jump = 6.0 * ((t * 97.0).sin() + (t * 61.0).cos());
        for point in &mut landmarks[43..45] {
            point.y += jump;
        }
        let blind = Lid { openness: 0.5, openness_sd: 0.33, aperture: 0.2, aperture_sd: 0.125 };
        let t = Duration::from_secs_f32(t);
        detector.push(i, t, Some(EyesSeen { landmarks: &landmarks, lids: [right, blind], patches: &NO_PATCHES }));
        blinks.extend(detector.drain().filter(|event| !matches!(event, Event::Observed { .. })));
    }
    assert!(matches!(blinks[..], [Event::Blink(_)]), "{blinks:?}");
}

/// The face with only the `eye` at `closure`, the other open.
fn one_sided(eye: Eye, closure: f32) -> Landmarks {
    let (mut landmarks, open) = (face(closure, &upright()), face(0.0, &upright()));
    let other = if eye == Eye::Right { 42..48 } else { 36..42 };
    landmarks[other.clone()].copy_from_slice(&open[other]);
    landmarks
}

#[rstest]
fn a_wink_is_an_event_of_its_own_and_no_blink(#[values(Eye::Right, Eye::Left)] eye: Eye) {
    let (mut detector, motion) = (BlinkDetector::default(), Motion { at_s: 4.0, width_s: 0.25 });
    let mut events = Vec::new();
    for i in 0..180 {
        let t = Duration::from_secs_f64(i as f64 / 30.0);
        let landmarks = one_sided(eye, motion.closure(t.as_secs_f32()));
        detector.push(i, t, Some(EyesSeen { landmarks: &landmarks, lids: lids(&landmarks), patches: &NO_PATCHES }));
        events.extend(detector.drain());
    }
    let seen: Vec<_> = events.iter().filter(|event| !matches!(event, Event::Observed { .. })).collect();
    let [Event::Wink(wink)] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(wink.eye, eye);
    assert!((115..=130).contains(&wink.start_frame) && wink.end_frame < 135, "{wink:?}");
}

#[test]
fn eyes_that_cannot_be_read_are_not_observed() {
    let (mut detector, mut observed) = (BlinkDetector::default(), Duration::ZERO);
    let landmarks = face(0.0, &upright());
    for i in 0..300 {
        // A hand covers both eyes from 4 s to 7 s.
        let covered = Lid { openness: 0.5, openness_sd: 0.33, aperture: 0.2, aperture_sd: 0.125 };
        let lids = if (120..210).contains(&i) { [covered; 2] } else { lids(&landmarks) };
        let reading = detector.push(
            i,
            Duration::from_secs_f64(i as f64 / 30.0),
            Some(EyesSeen { landmarks: &landmarks, lids, patches: &NO_PATCHES }),
        );
        assert!(!reading.unreadable || (120..225).contains(&i), "{i}");
        for event in detector.drain() {
            match event {
                Event::Observed { from, to, .. } => observed += to - from,
                other => panic!("{other:?}"),
            }
        }
    }
    assert!((observed.as_secs_f32() - 6.9).abs() < 0.6, "{observed:?}");
}

#[test]
fn a_head_turned_away_is_not_observed() {
    let run = watch(30.0, 10.0, |t| {
        let mut landmarks = face(0.0, &upright());
        if t > 5.0 {
            landmarks[30].x += 60.0;
        }
        Some(landmarks)
    });
    assert!((run.observed.as_secs_f32() - 5.0).abs() < 0.5, "{:?}", run.observed);
}

#[test]
fn putting_glasses_on_is_recovered_from_within_thirty_seconds() {
    // From 10 s on every EAR is a quarter lower; there is a blink every 3 s.
    let run = watch(30.0, 60.0, |t| {
        let motion = Motion { at_s: (t / 3.0).floor() * 3.0 + 1.5, width_s: 0.2 };
        let worn = if t > 10.0 { 0.45 } else { 0.0 };
        Some(face(worn + (1.0 - worn) * motion.closure(t), &upright()))
    });
    let later = run.blinks.iter().filter(|blink| blink.start > Duration::from_secs(40)).count();
    assert!((6..=7).contains(&later), "{later}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn place_scale_and_rotation_change_no_event(
        scale in 0.08f32..1.5, turn in -0.6f32..0.6, x in -200f32..1500.0, y in -200f32..1500.0,
        first in 2.5f32..3.5, width_s in 0.1f32..0.4,
    ) {
        let motions = [Motion { at_s: first, width_s }, Motion { at_s: first + 2.0, width_s }];
        let closure = |t: f32| motions.iter().map(|motion| motion.closure(t)).fold(0.0, f32::max);
        let place = Similarity { a: scale * turn.cos(), b: scale * turn.sin(), origin: Point::new(x, y) };
        let plain = watch(30.0, 7.0, |t| Some(face(closure(t), &upright())));
        let moved = watch(30.0, 7.0, |t| Some(face(closure(t), &place)));
        let spans = |run: &Run| run.blinks.iter().map(|b| (b.start_frame, b.end_frame)).collect::<Vec<_>>();
        prop_assert_eq!(spans(&plain), spans(&moved));
        prop_assert_eq!(plain.blinks.len(), 2);
        prop_assert_eq!(plain.observed, moved.observed);
    }

    #[test]
    fn the_rate_of_frames_changes_no_count(
        slow in 15.0f32..30.0, fast in 60.0f32..120.0, gaps in proptest::collection::vec(0.9f32..2.5, 3..6), width_s in 0.25f32..0.4,
    ) {
        let motions: Vec<Motion> = gaps.iter().scan(0.5, |at, gap| {
            *at += gap;
            Some(Motion { at_s: *at, width_s })
        }).collect();
        let seconds = motions.last().map_or(0.0, |motion| motion.at_s) + 1.5;
        prop_assert_eq!(blinking(slow, seconds, &motions).blinks.len(), motions.len());
        prop_assert_eq!(blinking(fast, seconds, &motions).blinks.len(), motions.len());
    }

    #[test]
    fn short_blinks_are_counted_at_any_high_rate(fps in 60.0f32..144.0, width_s in 0.08f32..0.25) {
        let motions = [2.6, 3.7, 5.1].map(|at_s| Motion { at_s, width_s });
        prop_assert_eq!(blinking(fps, 6.5, &motions).blinks.len(), motions.len());
    }

    #[test]
    fn a_random_walk_below_the_threshold_never_blinks(steps in proptest::collection::vec(-1.0f32..1.0, 300..600)) {
        let mut level = 0.0f32;
        let levels: Vec<f32> = steps.iter().map(|step| {
            level = (level + 0.03 * step).clamp(-0.1, 0.1);
            level
        }).collect();
        let last = levels.len() - 1;
        let run = watch(30.0, levels.len() as f32 / 30.0, |t| {
            Some(face(levels[((t * 30.0).round() as usize).min(last)], &upright()))
        });
        prop_assert!(run.blinks.is_empty());
    }
}
