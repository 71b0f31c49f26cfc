//! Invariants of the history under any change of the clock.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use blink_proto::{DeviceId, Minute};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rstest::rstest;

use crate::{
    capture::CaptureEvent,
    clock::Clock as _,
    minutes::Observation,
    store::History,
    testing::{TempProfile, t},
};

use super::*;

fn history(place: &TempProfile) -> Vec<Minute> {
    let history = History::open(&place.paths().history()).unwrap();
    let days = history.days().unwrap();
    days.into_keys().flat_map(|day| history.read(day, 0).unwrap()).map(|line| line.minute).collect()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// Checks what holds of every sealed minute.
fn check(minutes: &[Minute]) {
    let mut seen: BTreeMap<(DeviceId, Timestamp), u32> = BTreeMap::new();
    for minute in minutes {
        assert_eq!(minute.to_timestamp.duration_since(minute.from_timestamp).as_secs(), 60);
        assert!(MinuteStart::try_from(minute.from_timestamp).is_ok());
        assert!(minute.observed_ms <= 60_000);
        assert!(minute.mean_fps >= 0.0 && minute.mean_fps.is_finite());
        *seen.entry((minute.device_id, minute.from_timestamp)).or_default() += 1;
    }
    assert!(seen.values().all(|times| *times == 1), "a minute was sealed twice: {seen:?}");
}

#[test]
fn three_hours_of_sleep_in_the_middle_of_a_minute() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 25, 5);
    // The monotonic clock stands still while the machine sleeps.
    place.clock.step(hours(3));
    place.watch(&mut keeper, 70, 5);
    place.idle(&mut keeper, 60);
    let minutes = history(&place);
    check(&minutes);
    let figures: Vec<_> = minutes.iter().map(|m| (m.from_timestamp, m.blink_count, m.observed_ms)).collect();
    let want = [(t("10:00:00"), 5, 25_000), (t("13:00:00"), 7, 35_000), (t("13:01:00"), 7, 35_000)];
    assert_eq!(figures, want);
    assert_eq!(keeper.status().coverage, Some(0.613), "95 s of 155 awake; sleep is not time at the screen");
}

#[test]
fn a_blink_that_was_decided_late_is_not_lost_to_a_step_forward() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 30, 5);
    let end = place.clock.now();
    place.clock.step(hours(1));
    keeper.tick();
    place.clock.advance(Duration::from_millis(200));
    let late = Observation::Blink { end, width: Duration::from_millis(180), complete: true };
    keeper.news(CaptureEvent::Seen(vec![], vec![late]));
    place.idle(&mut keeper, 5);
    assert_eq!(history(&place)[0].blink_count, 7);
}

#[rstest]
#[case::ntp_back(-3)]
#[case::ntp_forward(3)]
#[case::minutes_back(-400)]
#[case::minutes_forward(400)]
#[case::a_day_back(-86_400)]
#[case::a_day_forward(86_400)]
#[case::to_the_epoch(-1_772_359_230)]
#[case::before_1970(-1_900_000_000)]
#[case::year_2200(5_500_000_000)]
fn a_step_makes_no_minute_wrong_and_counting_goes_on(#[case] seconds: i64) {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 90, 5);
    place.idle(&mut keeper, 40);
    place.watch(&mut keeper, 20, 5);
    place.clock.step(SignedDuration::from_secs(seconds));
    place.watch(&mut keeper, 600, 5);
    place.idle(&mut keeper, 120);
    let minutes = history(&place);
    check(&minutes);
    let blinks: u32 = minutes.iter().map(|minute| minute.blink_count).sum();
    // A minute that has not ended by the changed clock waits for its end.
    let open: u32 = keeper.counting.minutes.open_minutes().map(|minute| minute.blinks).sum();
    let lost = 22 + 120 - i64::from(blinks + open);
    // Seconds that fall into minutes already sealed repeat them and are not counted; nothing else is lost.
    let at_most = if (-600..0).contains(&seconds) { seconds.abs() / 5 + 13 } else { 0 };
    assert!((0..=at_most).contains(&lost), "{lost} of 142 lost");
}

#[test]
fn a_leap_second_is_one_second_lived_twice() {
    let place = TempProfile::new();
    place.clock.step(SignedDuration::from_secs(13 * 3600 + 59 * 60));
    assert_eq!(place.clock.now(), t("23:59:00"));
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 60, 5);
    // Unix time says 23:59:59 again.
    place.clock.step(SignedDuration::from_secs(-1));
    place.watch(&mut keeper, 61, 5);
    place.idle(&mut keeper, 5);
    let minutes = history(&place);
    check(&minutes);
    let figures: Vec<_> = minutes.iter().map(|m| (m.blink_count, m.observed_ms)).collect();
    assert_eq!(figures, [(12, 60_000), (12, 60_000)]);
}

#[test]
fn today_is_the_day_where_the_person_is() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 60, 5);
    place.idle(&mut keeper, 5);
    let travel = |zone: &str| *place.zone.lock().unwrap() = TimeZone::get(zone).unwrap();
    // It is ten in the morning in Greenwich, tomorrow on Kiritimati (UTC+14), and still night in Honolulu.
    travel("Pacific/Kiritimati");
    keeper.tick();
    assert_eq!(
        (keeper.counting.figures.date.to_string(), keeper.status().today.blink_count),
        ("2026-03-02".into(), 12)
    );
    travel("Pacific/Honolulu");
    keeper.tick();
    assert_eq!(
        (keeper.counting.figures.date.to_string(), keeper.status().today.blink_count),
        ("2026-03-01".into(), 12)
    );
    // In Honolulu (UTC-10) the day begins at 10:00 UTC, so what was counted before belongs to yesterday.
    place.idle(&mut keeper, 60);
    assert!(keeper.status().coverage.is_some_and(|coverage| (0.0..=1.0).contains(&coverage)));
    travel("Pacific/Niue");
    keeper.tick();
    assert_eq!(
        (keeper.counting.figures.date.to_string(), keeper.status().today.blink_count),
        ("2026-02-28".into(), 12)
    );
}

#[rstest]
#[case::spring("2026-03-29T00:00:00+01:00[Europe/Berlin]", 23)]
#[case::autumn("2026-10-25T00:00:00+02:00[Europe/Berlin]", 25)]
fn the_day_of_a_change_to_or_from_summer_time_is_as_long_as_it_is(#[case] midnight: &str, #[case] hours: u64) {
    let place = TempProfile::new();
    let midnight: jiff::Zoned = midnight.parse().unwrap();
    place.clock.step(midnight.timestamp().duration_since(place.clock.now()));
    *place.zone.lock().unwrap() = midnight.time_zone().clone();
    let mut keeper = place.consenting();
    for _ in 0..hours {
        place.watch(&mut keeper, 10, 5);
        place.clock.advance(Duration::from_secs(3_580));
        place.idle(&mut keeper, 10);
    }
    // The last two idle seconds belong to the next day.
    assert_eq!(keeper.counting.figures.date, midnight.date().tomorrow().unwrap());
    assert_eq!(keeper.status().today.blink_count, 0);
    assert_eq!(history(&place).len() as u64, hours);
}

#[test]
fn a_clock_that_is_wrong_for_a_moment_throws_no_history_away() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 120, 5);
    place.idle(&mut keeper, 60);
    assert_eq!(history(&place).len(), 2);
    place.clock.step(hours(24 * 365 * 100));
    place.idle(&mut keeper, 600);
    drop(keeper);
    let mut keeper = place.keeper();
    place.idle(&mut keeper, 600);
    assert_eq!(history(&place).len(), 2, "a restart does not make the clock right");
    place.clock.step(hours(-24 * 365 * 100));
    place.idle(&mut keeper, 60);
    assert_eq!(history(&place).len(), 2);
    // After 100 days it is the history that is old, not the clock that is wrong.
    place.clock.step(hours(24 * 100));
    place.idle(&mut keeper, 3_700);
    assert_eq!(history(&place).len(), 0);
}

#[test]
fn what_is_remembered_does_not_grow_with_the_days() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    for _ in 0..30 {
        place.watch(&mut keeper, 65, 5);
        place.idle(&mut keeper, 5);
        place.clock.advance(Duration::from_secs(86_400 - 70));
    }
    assert!(keeper.records.known_days.len() <= 3, "{:?}", keeper.records.known_days);
    assert_eq!(history(&place).len(), 59, "and the last is open");
}

/// A step of a random day.
#[derive(Clone, Copy, Debug)]
enum Step {
    Watch { seconds: u64 },
    Idle { seconds: u64 },
    Set { seconds: i64 },
    Travel { zone: &'static str },
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let zones = ["UTC", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Niue", "America/St_Johns"];
    let far = prop_oneof![Just(-1_900_000_000i64), Just(5_500_000_000), -90_000..90_000i64];
    let step = prop_oneof![
        6 => (1u64..100).prop_map(|seconds| Step::Watch { seconds }),
        2 => (1u64..100).prop_map(|seconds| Step::Idle { seconds }),
        2 => (-200i64..200).prop_map(|seconds| Step::Set { seconds }),
        1 => far.prop_map(|seconds| Step::Set { seconds }),
        1 => proptest::sample::select(zones.to_vec()).prop_map(|zone| Step::Travel { zone }),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 1..40)
}

fn cases() -> u32 {
    if std::env::var_os("WAW_TEST_LONG").is_some() { 400 } else { 16 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn whatever_clocks_zones_and_restarts_do_no_minute_is_wrong(steps in steps()) {
        let place = TempProfile::new();
        let mut keeper = place.consenting();
        let (mut watched, mut blinks, mut offset) = (0, 0, 0i64);
        // A clock that is far off for long enough makes days old; their deletion has a test of its own.
        let near = steps.iter().all(|step| !matches!(step, Step::Set { seconds } if seconds.abs() > 1_000_000));
        for step in steps {
            match step {
                Step::Watch { seconds } => {
                    place.watch(&mut keeper, seconds, 3);
                    watched += seconds;
                    blinks += seconds / 3;
                }
                Step::Idle { seconds } => place.idle(&mut keeper, seconds),
                // The clock stays between 1900 and 2300, about as far as people can set it wrong.
                Step::Set { seconds } if (offset + seconds).abs() < 8_000_000_000 => {
                    offset += seconds;
                    place.clock.step(SignedDuration::from_secs(seconds));
                }
                Step::Set { .. } => {}
                Step::Travel { zone } => *place.zone.lock().unwrap() = TimeZone::get(zone).unwrap(),
                Step::Restart => {
                    keeper.finish();
                    drop(keeper);
                    keeper = place.keeper();
                }
            }
            let status = keeper.status();
            prop_assert!(status.coverage.is_none_or(|coverage| (0.0..=1.0).contains(&coverage)));
            prop_assert!(status.minute.observed_ms <= 60_000);
        }
        // Once the clock has run past them, all open minutes are sealed.
        place.clock.step(SignedDuration::from_secs(if near { 10_000_000 } else { 20_000_000_000 }));
        place.idle(&mut keeper, 10);
        prop_assert_eq!(keeper.counting.minutes.open_minutes().count(), 0);
        let minutes = history(&place);
        check(&minutes);
        prop_assert!(minutes.iter().map(|m| u64::from(m.observed_ms)).sum::<u64>() <= watched * 1_000);
        prop_assert!(minutes.iter().map(|m| u64::from(m.blink_count)).sum::<u64>() <= blinks);
        let sealed = place.sealed.load(Ordering::SeqCst);
        let kept = if near { sealed == minutes.len() } else { sealed >= minutes.len() };
        prop_assert!(kept, "{} of {} sealed minutes are there", minutes.len(), sealed);
    }
}
