//! A low rate is told of once an hour at most, whatever happens.

use jiff::{SignedDuration, Zoned, tz::TimeZone};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use blink_proto::Minute;

use super::*;
use crate::{config::Config, nudge::baseline::HourlyRate};

const DAYS: i64 = 30;
/// The hours of work, with breaks at noon and in the evening.
const WORK: [(i8, i8); 3] = [(8, 12), (13, 18), (20, 22)];

/// A person whose rate differs by the hour, and who at times blinks less for a while.
struct Person {
    random: StdRng,
    /// Minutes that the present rate lasts, and its share of the usual one in per cent.
    spell: (u32, u32),
}

impl Person {
    fn blinks_in_the_next_minute(&mut self, hour: i8) -> u32 {
        if self.spell.0 == 0 {
            let low = self.random.random_range(0..4) == 0;
            self.spell = (self.random.random_range(20..180), if low { 40 } else { 100 });
        }
        self.spell.0 -= 1;
        let usual = if hour < 12 { 18 } else { 11 };
        (usual * self.spell.1 * self.random.random_range(70..130) + 5_000) / 10_000
    }
}

fn local(desk: &Desk) -> Zoned {
    desk.wall().to_zoned(TimeZone::UTC)
}

#[test]
fn a_restart_within_the_hour_brings_no_second_reminder() {
    let wanted = Settings { breaks: false, ..settings() };
    let mut desk = Desk::with(wanted.clone());
    assert_eq!(desk.pass(601, 6), [(601, Kind::LowRate)]);
    let reminded = desk.wall();
    desk.pass(1000, 6);
    desk.rules = Rules::new(wanted.clone(), Some(reminded));
    let due = desk.pass(3000, 6);
    assert!(matches!(due[..], [(at, Kind::LowRate)] if (4201..=4211).contains(&at)), "{due:?}");
    let in_a_year = reminded + Duration::from_secs(365 * 86_400);
    desk.rules = Rules::new(wanted, Some(in_a_year));
    assert_eq!(desk.pass(650, 6).len(), 1, "a clock that was wrong silences nothing");
}

#[test]
fn whoever_snoozes_is_asked_again_within_the_hour() {
    let mut desk = Desk::with(Settings { breaks: false, ..settings() });
    assert_eq!(desk.pass(601, 6), [(601, Kind::LowRate)]);
    desk.rules.snooze(Kind::LowRate, Duration::from_secs(desk.now), Duration::from_secs(600));
    let due = desk.pass(4000, 6);
    assert!(matches!(due[..], [(at, Kind::LowRate)] if (1201..=1215).contains(&at)), "once more: {due:?}");
}

#[test]
fn a_month_has_no_two_reminders_of_blinking_within_an_hour() {
    let mut config = Config::default();
    config.take_file("config.toml".as_ref(), "[nudge]\ncool_down_minutes = 1\n").unwrap();
    let wanted = Settings { breaks: false, ..config.nudges };
    let mut desk = Desk::with(wanted.clone());
    let mut person = Person { random: StdRng::seed_from_u64(26), spell: (0, 100) };
    let mut rates: Vec<(Timestamp, HourlyRate)> = Vec::new();
    let mut reminders: Vec<Timestamp> = Vec::new();
    let mut restarts = 0;
    let last_day = desk.wall() + SignedDuration::from_hours(24 * DAYS);
    while desk.wall() < last_day {
        let here = local(&desk);
        if here.minute() == 0 {
            let known = rates.iter().filter(|(at, _)| here.timestamp().duration_since(*at).as_hours() < 14 * 24);
            let known: Vec<_> = known.map(|(_, rate)| *rate).collect();
            desk.usual = crate::nudge::baseline::usual(&known, here.hour());
        }
        if !WORK.iter().any(|(from, to)| (*from..*to).contains(&here.hour())) {
            // The machine sleeps, and the monotonic clock with it.
            desk.asleep += 60;
            continue;
        }
        if person.random.random_range(0..120) == 0 {
            restarts += 1;
            desk.rules = Rules::new(wanted.clone(), reminders.last().copied());
        }
        let number = here.timestamp().as_second() / 60;
        let blinks = person.blinks_in_the_next_minute(here.hour());
        for (at, kind) in desk.pass(60, blinks.into()) {
            assert_eq!(kind, Kind::LowRate);
            let ago = SignedDuration::from_secs((desk.now - at).cast_signed());
            reminders.push(desk.wall() - ago);
        }
        let minute = Minute { blink_count: blinks, observed_ms: 60_000, ..example::minute(number) };
        rates.extend(HourlyRate::of(&minute, &TimeZone::UTC).map(|rate| (here.timestamp(), rate)));
    }
    let soon = |pair: &[Timestamp]| pair[1].duration_since(pair[0]) < SignedDuration::from_hours(1);
    let within = reminders.windows(2).filter(|pair| soon(pair)).count();
    println!(
        "a month replayed, {} hours at the screen and {restarts} restarts: {} reminders of blinking, {within} within an \
         hour of another",
        rates.len() / 60,
        reminders.len()
    );
    assert!(reminders.len() > 20 && restarts > 20, "there was something to tell");
    assert_eq!(within, 0);
}
