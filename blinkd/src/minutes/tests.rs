//! Invariants of minutes under any observations and any change of the clock.

use blink_proto::{Minute, Quality};
use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn t(text: &str) -> Timestamp {
    format!("2026-03-01T{text}Z").parse().unwrap()
}

fn device() -> DeviceId {
    DeviceId(uuid::Uuid::from_u128(7))
}

fn owner(n: u128) -> Owner {
    Owner { server: "https://blinks.example".into(), user_id: blink_proto::UserId(uuid::Uuid::from_u128(n)) }
}

fn blink(end: Timestamp) -> Observation {
    Observation::Blink { end, width: Duration::from_millis(180), complete: true }
}

fn observed(from: Timestamp, to: Timestamp) -> Observation {
    Observation::Observed { from, to, closed: Duration::ZERO }
}

/// Seals the minutes that are due, as the keeper does.
fn seal(book: &mut MinuteBuilder, now: Timestamp) -> Vec<Minute> {
    let due = book.due(now, None);
    due.iter().for_each(|minute| book.sealed(minute, minute.face));
    due.iter().filter_map(OpenMinute::record).collect()
}

#[test]
fn a_stretch_is_split_at_the_minute_and_a_blink_belongs_to_its_end() {
    let mut book = MinuteBuilder::new(device(), []);
    let closed = Duration::from_millis(400);
    book.take(Observation::Observed { from: t("10:00:58"), to: t("10:01:02"), closed }, None);
    book.take(blink(t("10:00:59.999")), None);
    book.take(blink(t("10:01:00")), None);
    let sealed = seal(&mut book, t("10:05:00"));
    let figures: Vec<_> = sealed.iter().map(|m| (m.blink_count, m.observed_ms, m.perclos)).collect();
    assert_eq!(figures, [(1, 2000, Some(0.1)), (1, 2000, Some(0.1))]);
    assert!(sealed.iter().all(|m| m.to_timestamp.duration_since(m.from_timestamp).as_secs() == 60));
}

#[test]
fn a_blink_that_ends_with_the_minute_makes_a_sound_record_of_the_next() {
    let mut book = MinuteBuilder::new(device(), []);
    book.take(observed(t("10:00:10"), t("10:01:00")), None);
    book.take(blink(t("10:01:00")), None);
    let sealed = seal(&mut book, t("10:05:00"));
    let figures: Vec<_> = sealed.iter().map(|m| (m.blink_count, m.observed_ms, m.check())).collect();
    assert_eq!(figures, [(0, 50_000, Ok(())), (1, 1, Ok(()))]);
}

#[rstest]
#[case("10:00:59", None, false)]
#[case("10:01:01.999", None, false)]
#[case("10:01:02", None, true)]
#[case("10:01:02", Some("10:01:01.9"), false)]
#[case("10:01:02", Some("10:01:01.96"), true)]
#[case("10:01:03.9", Some("10:00:30"), false)]
#[case("10:01:04", Some("10:00:30"), true)]
fn a_minute_is_sealed_two_seconds_after_its_end(
    #[case] now: &str,
    #[case] settled_to: Option<&str>,
    #[case] sealed: bool,
) {
    let mut book = MinuteBuilder::new(device(), []);
    book.take(observed(t("10:00:10"), t("10:00:20")), None);
    assert_eq!(!book.due(t(now), settled_to.map(t)).is_empty(), sealed);
}

#[test]
fn late_decisions_land_in_their_minute_until_it_is_sealed() {
    let mut book = MinuteBuilder::new(device(), []);
    book.take(observed(t("10:00:10"), t("10:00:59.9")), None);
    assert!(book.due(t("10:01:01.9"), None).is_empty());
    assert_eq!(book.take(blink(t("10:00:59.8")), None).blinks, 1);
    let sealed = seal(&mut book, t("10:01:02"));
    assert_eq!(sealed[0].blink_count, 1);
    assert_eq!(book.take(blink(t("10:00:59.9")), None), Accepted { refused: 1, ..Accepted::default() });
}

#[test]
fn without_a_face_nothing_is_recorded_and_with_one_but_nothing_observed_it_is_insufficient() {
    let mut book = MinuteBuilder::new(device(), []);
    for second in 0..50 {
        book.take(Observation::Frame { at: t(&format!("10:00:{second:02}")), face: false }, None);
        book.take(Observation::Frame { at: t(&format!("10:01:{second:02}")), face: second == 3 }, None);
    }
    let sealed = seal(&mut book, t("10:05:00"));
    assert_eq!(sealed.len(), 1);
    let minute = &sealed[0];
    assert_eq!(minute.from_timestamp, t("10:01:00"));
    assert_eq!((minute.observed_ms, minute.blink_count, minute.quality), (0, 0, Quality::Insufficient));
    assert_eq!((minute.mean_blink_ms, minute.incomplete_share, minute.perclos), (None, None, None));
}

#[test]
fn thirty_frames_a_second_add_up_to_the_whole_minute() {
    let mut book = MinuteBuilder::new(device(), []);
    let frame = |n: u32| t("10:00:00") + Duration::from_secs(1) * n / 30;
    for n in 0..1_800 {
        book.take(observed(frame(n), frame(n + 1)), None);
    }
    assert_eq!(seal(&mut book, t("10:02:00"))[0].observed_ms, 60_000);
}

#[test]
fn mean_fps_is_over_the_time_frames_came() {
    let mut book = MinuteBuilder::new(device(), []);
    let mut at = t("10:00:10");
    for _ in 0..=100 {
        book.take(Observation::Frame { at, face: true }, None);
        at += Duration::from_millis(40);
    }
    book.gap();
    book.take(Observation::Frame { at: t("10:00:50"), face: true }, None);
    assert_eq!(seal(&mut book, t("10:02:00"))[0].mean_fps, 25.0);
}

#[test]
fn the_owner_is_fixed_when_the_minute_begins_but_nobodys_may_be_adopted() {
    let mut book = MinuteBuilder::new(device(), []);
    book.take(observed(t("10:00:10"), t("10:00:20")), None);
    book.take(blink(t("10:00:30")), Some(&owner(1)));
    book.take(blink(t("10:01:30")), Some(&owner(2)));
    book.adopt(&owner(3), t("10:00:40"));
    let sealed = seal(&mut book, t("10:05:00"));
    let owners: Vec<_> = sealed.iter().map(|m| m.user_id.unwrap().0.as_u128()).collect();
    assert_eq!(owners, [3, 2]);
}

#[test]
fn a_clock_set_back_into_a_sealed_minute_counts_nothing_until_it_has_caught_up() {
    let mut book = MinuteBuilder::new(device(), []);
    book.take(observed(t("10:00:10"), t("10:00:40")), None);
    seal(&mut book, t("10:01:02"));
    book.take(observed(t("10:01:02"), t("10:01:10")), None);
    assert!(book.clock_behind(t("10:00:30")));
    assert_eq!(book.take(observed(t("10:00:30"), t("10:00:31")), None), Accepted::default());
    assert_eq!(book.take(blink(t("10:00:31")), None).blinks, 0);
    assert!(!book.clock_behind(t("10:01:30")));
    assert_eq!(book.take(blink(t("10:01:30")), None).blinks, 1);
}

#[test]
fn a_minute_lived_twice_is_not_longer_than_a_minute() {
    let mut book = MinuteBuilder::new(device(), []);
    book.take(observed(t("10:00:00"), t("10:00:50")), None);
    // The clock is set back by 40 s inside the open minute.
    book.take(observed(t("10:00:10"), t("10:00:25")), None);
    assert_eq!(book.take(blink(t("10:00:26")), None).blinks, 0);
    let minute = seal(&mut book, t("10:02:00")).remove(0);
    assert_eq!(minute.observed_ms, 60_000);
}

#[test]
fn a_restart_in_the_same_minute_goes_on_with_it() {
    let mut book = MinuteBuilder::new(device(), []);
    book.take(blink(t("10:00:10")), None);
    let kept: Vec<_> = book.open_minutes().cloned().collect();
    let text = serde_json::to_string(&kept).unwrap();
    let mut book = MinuteBuilder::new(device(), serde_json::from_str::<Vec<OpenMinute>>(&text).unwrap());
    book.take(blink(t("10:00:40")), None);
    let sealed = seal(&mut book, t("10:02:00"));
    assert_eq!((sealed.len(), sealed[0].blink_count, sealed[0].id), (1, 2, kept[0].id));
}

/// A step of a random day: time passes with or without a face, or the clock jumps.
#[derive(Clone, Copy, Debug)]
enum Step {
    See { ms: u32, blink: bool },
    Away { ms: u32 },
    Jump { ms: i32 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1u32..3_000, any::<bool>()).prop_map(|(ms, blink)| Step::See { ms, blink }),
        1 => (1u32..200_000).prop_map(|ms| Step::Away { ms }),
        1 => (-200_000i32..200_000).prop_map(|ms| Step::Jump { ms }),
    ];
    proptest::collection::vec(step, 1..400)
}

proptest! {
    #[test]
    fn whatever_the_clock_does_minutes_stay_minutes(steps in steps()) {
        let mut book = MinuteBuilder::new(device(), []);
        let mut now = t("10:00:00");
        let (mut counted, mut sealed) = (0u64, Vec::new());
        for step in steps {
            match step {
                Step::See { ms, blink: ends } => {
                    let from = now;
                    now += Duration::from_millis(ms.into());
                    book.take(Observation::Frame { at: now, face: true }, None);
                    book.take(observed(from, now), None);
                    if ends {
                        counted += u64::from(book.take(blink(now), None).blinks);
                    }
                }
                Step::Away { ms } => now += Duration::from_millis(ms.into()),
                Step::Jump { ms } => now += SignedDuration::from_millis(ms.into()),
            }
            sealed.extend(seal(&mut book, now));
        }
        sealed.extend(seal(&mut book, now + Duration::from_secs(1_000_000)));
        // Every counted blink is recorded once, no minute is sealed twice, and each passes the checks of import and
        // server.
        prop_assert_eq!(sealed.iter().map(|m| u64::from(m.blink_count)).sum::<u64>(), counted);
        prop_assert_eq!(sealed.iter().find_map(|minute| minute.check().err()), None);
        let starts: BTreeSet<_> = sealed.iter().map(|m| m.from_timestamp).collect();
        prop_assert_eq!(starts.len(), sealed.len());
    }

    #[test]
    fn with_a_steady_clock_every_blink_and_millisecond_comes_out(
        stretches in proptest::collection::vec((1u32..5_000, 0u32..5_000, any::<bool>()), 1..300),
        restart_every in 1usize..50,
    ) {
        let mut book = MinuteBuilder::new(device(), []);
        let mut now = t("10:00:00");
        let (mut blinks, mut observed_ms, mut at_the_edge, mut sealed) = (0u64, 0u64, 0u64, Vec::new());
        for (n, (seen_ms, away_ms, ends)) in stretches.into_iter().enumerate() {
            let from = now;
            now += Duration::from_millis(seen_ms.into());
            book.take(observed(from, now), None);
            observed_ms += u64::from(seen_ms);
            if ends {
                book.take(blink(now), None);
                blinks += 1;
                at_the_edge += u64::from(now == MinuteStart::containing(now).start());
            }
            now += Duration::from_millis(away_ms.into());
            sealed.extend(seal(&mut book, now));
            if n % restart_every == 0 {
                let known: Vec<_> = sealed.iter().map(|m| MinuteStart::containing(m.from_timestamp)).collect();
                book = MinuteBuilder::new(device(), book.open_minutes().cloned().collect::<Vec<_>>());
                book.know_sealed(known);
            }
        }
        sealed.extend(seal(&mut book, now + Duration::from_secs(1_000)));
        prop_assert_eq!(sealed.iter().map(|m| u64::from(m.blink_count)).sum::<u64>(), blinks);
        let recorded_ms = sealed.iter().map(|m| u64::from(m.observed_ms)).sum::<u64>();
        prop_assert!((observed_ms..=observed_ms + at_the_edge).contains(&recorded_ms));
    }
}

#[test]
fn a_source_faster_than_any_camera_makes_a_minute_that_is_sound() {
    let mut minute = OpenMinute::new(MinuteStart::containing(t("10:00:00")), None, device());
    (minute.face, minute.frames, minute.framed_us) = (true, 88_200, 60_000_000);
    let record = minute.record().unwrap();
    assert_eq!((record.mean_fps, record.check()), (1_000.0, Ok(())));
}
