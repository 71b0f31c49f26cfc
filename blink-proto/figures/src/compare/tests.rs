//! Tests of comparisons: what is compared, what is not, and how often the interval is right.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rand::RngExt as _;
use rstest::rstest;

use super::*;
use crate::{Piece, Setup};

/// Monday, 2 March 2026; the four weeks before it begin with 2 February.
const WEEK: &str = "2026-03-02";

fn period(first: &str, days: u32) -> Period {
    let first: Date = first.parse().unwrap();
    Period::ending(first.saturating_add(jiff::ToSpan::days(i64::from(days) - 1)), days)
}

fn week_and_before() -> (Period, Period) {
    (period(WEEK, 7), period(WEEK, 7).before(28))
}

/// A history of office hours on workdays; `rate` gives blinks a minute by day number from 2 February and hour.
fn history(rate: impl Fn(i64, i64) -> f64, setup: impl Fn(i64) -> usize, works: impl Fn(i64, i64) -> bool) -> Hours {
    let mut hours = Hours::new(TimeZone::UTC, "2026-03-09T00:00:00Z".parse().unwrap());
    let begin: Timestamp = "2026-02-02T00:00:00Z".parse().unwrap();
    for day in (0..35).filter(|day| day % 7 < 5) {
        for hour in (9..17).filter(|hour| works(day, *hour)) {
            for quarter in 0..4 {
                let at = begin + SignedDuration::from_mins(day * 1_440 + hour * 60 + quarter * 15);
                let blinks = (rate(day, hour) * 10.0).round().max(0.0) as u64;
                hours.add(Piece { at, blinks, observed_ms: 600_000, setup: setup(day) });
            }
        }
    }
    hours
}

fn setups() -> Setups {
    let mut setups = Setups::default();
    let first = Setup { machine: "a".to_owned(), camera: Some("one".to_owned()), ..Setup::default() };
    assert_eq!(setups.number(&first), 0);
    assert_eq!(setups.number(&Setup { camera: Some("two".to_owned()), ..first }), 1);
    setups
}

/// Days that differ by a little, so that an interval has a width.
fn wave(day: i64) -> f64 {
    f64::from(i32::try_from(day * 7 % 5).unwrap() - 2) * 0.1
}

#[rstest]
#[case::more(18.0, Verdict::Up)]
#[case::fewer(12.0, Verdict::Down)]
#[case::the_same(15.0, Verdict::Steady)]
fn a_change_is_told(#[case] rate: f64, #[case] verdict: Verdict) {
    let hours = history(|day, _| if day < 28 { 15.0 } else { rate } + wave(day), |_| 0, |_, _| true);
    let (later, earlier) = week_and_before();
    let compared = compare(&hours, &setups(), later, earlier);
    assert_eq!((compared.verdict, compared.why, compared.days), (verdict, None, [5, 20]));
    let change = compared.change_percent.unwrap();
    assert!((change - (rate / 15.0 - 1.0) * 100.0).abs() < 1.5, "{change}");
    let [low, high] = compared.interval_percent.unwrap();
    assert!(low <= change && change <= high);
    assert_eq!(compared, compare(&hours, &setups(), later, earlier), "the same figures give the same interval");
}

#[test]
fn other_hours_of_the_day_are_no_change() {
    // Mornings have 20, afternoons 10; the week has afternoons alone.
    let of_hour = |_: i64, hour: i64| if hour < 13 { 20.0 } else { 10.0 };
    let hours = history(of_hour, |_| 0, |day, hour| day < 28 || hour >= 13);
    let (later, earlier) = week_and_before();
    let compared = compare(&hours, &setups(), later, earlier);
    assert_eq!((compared.verdict, compared.change_percent), (Verdict::Steady, Some(0.0)));
    assert_eq!((compared.rate_per_minute, compared.before_rate_per_minute), (Some(10.0), Some(10.0)));
    assert!(hours.sum(earlier).rate().unwrap() > 14.0);
}

#[test]
fn days_that_differ_much_say_nothing() {
    let hours = history(|day, _| if day % 2 == 0 { 8.0 } else { 24.0 }, |_| 0, |_, _| true);
    let (later, earlier) = week_and_before();
    let compared = compare(&hours, &setups(), later, earlier);
    assert_eq!((compared.verdict, compared.why), (Verdict::Unknown, Some(Why::Chance)));
    assert!(compared.interval_percent.is_some_and(|[low, high]| low < 0.0 && high > 0.0));
}

#[rstest]
#[case::before(0, None, Some(Why::Changed))]
#[case::in_the_middle(14, Some(Verdict::Up), None)]
fn another_camera_is_never_compared_across(
    #[case] first_day_of_the_new: i64,
    #[case] verdict: Option<Verdict>,
    #[case] why: Option<Why>,
) {
    // The new camera sees a third more of the same blinks; the week has it alone, and truly more.
    let week = |day: i64| day >= 28;
    let setup = |day: i64| if week(day) || (first_day_of_the_new > 0 && day >= first_day_of_the_new) { 1 } else { 0 };
    let rate = |day: i64, _: i64| if week(day) { 24.0 } else if setup(day) == 1 { 20.0 } else { 15.0 } + wave(day);
    let hours = history(rate, setup, |_, _| true);
    let (later, earlier) = week_and_before();
    let compared = compare(&hours, &setups(), later, earlier);
    assert_eq!(compared.changed, [Change::Camera]);
    assert_eq!((compared.verdict, compared.why), (verdict.unwrap_or(Verdict::Unknown), why));
    if verdict.is_some() {
        assert!((compared.change_percent.unwrap() - 20.0).abs() < 1.0, "against the new camera's own days");
    }
}

#[test]
fn little_is_not_compared() {
    let (later, earlier) = week_and_before();
    let of = |works: &dyn Fn(i64, i64) -> bool| {
        compare(&history(|day, _| 15.0 + wave(day), |_| 0, works), &setups(), later, earlier).why
    };
    assert_eq!(of(&|day, _| day < 28), Some(Why::NothingObserved), "nothing in the week");
    assert_eq!(of(&|day, _| day >= 28), Some(Why::NothingObserved), "a first week");
    assert_eq!(of(&|day, hour| (day < 28) == (hour < 13)), Some(Why::TooLittle), "no hour of the day is in both");
    assert_eq!(of(&|day, _| !(30..35).contains(&day)), Some(Why::TooFewDays), "two days");
}

/// In how many of 400 made-up people, whose days differ by themselves and whose rate did not change, or rose by a fifth,
/// the interval holds the truth. It should be 95 %.
#[rstest]
#[case::unchanged(1.0)]
#[case::a_fifth_more(1.2)]
fn the_interval_is_right_as_often_as_it_says(#[case] change: f64) {
    let mut random = StdRng::seed_from_u64(1);
    let mut normal = move || (0..12).map(|_| random.random_range(0.0..1.0)).sum::<f64>() - 6.0;
    let (later, earlier) = week_and_before();
    let right = (0..400).filter(|_| {
        let of_day: Vec<f64> = (0..35).map(|_| (0.2 * normal()).exp()).collect();
        let rate = |day: i64, hour: i64| {
            let hourly = 16.0 - 0.4 * (hour - 9) as f64;
            hourly * of_day[usize::try_from(day).unwrap()] * if day < 28 { 1.0 } else { change }
        };
        let compared = compare(&history(rate, |_| 0, |_, _| true), &setups(), later, earlier);
        let [low, high] = compared.interval_percent.unwrap();
        low <= 100.0 * (change - 1.0) && 100.0 * (change - 1.0) <= high
    });
    let right = right.count();
    println!("the 95 % interval held the truth in {right} of 400");
    assert!((364..=396).contains(&right), "{right}");
}
