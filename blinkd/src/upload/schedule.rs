//! Decides when to upload, to check health and to ask about consent. It is pure: times are monotonic, randomness is
//! passed in.

use std::time::Duration;

/// The uploads of many machines are spread over this long after each minute.
const SPREAD: Duration = Duration::from_secs(10);
/// The wait after the first failure; it doubles with each further one up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(15);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// The longest time between uploads that a server may ask for.
const LONGEST_BETWEEN: Duration = Duration::from_secs(3_600);
/// The longest wait that a server may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3_600);
/// How often the health of an unreachable server is checked.
const HEALTH_EVERY: Duration = Duration::from_secs(30);
/// How often the server is asked about consent.
const CONSENT_EVERY: Duration = Duration::from_secs(60);

/// A random number from 0 to 1.
pub(super) type Chance = f64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Upload,
    Health,
    Consent,
}

#[derive(Debug, Default)]
pub(super) struct Schedule {
    upload_at: Option<Duration>,
    health_at: Option<Duration>,
    consent_at: Option<Duration>,
    failures: u32,
    /// The time between uploads that the server asked for in its last answer.
    between: Duration,
    /// When minutes were last sent.
    sent_at: Option<Duration>,
    /// Whether the server did not answer at all; its health check then tells when it is back.
    away: bool,
}

impl Schedule {
    /// Starts for an account that signed in: asks about consent and sends what is queued.
    pub(super) fn signed_in(&mut self, now: Duration, pending: bool) {
        *self = Self { consent_at: Some(now), upload_at: pending.then_some(now), ..Self::default() };
    }

    pub(super) fn signed_out(&mut self) {
        *self = Self::default();
    }

    /// Plans an upload for a new minute. During a back-off it waits with the rest.
    pub(super) fn queued(&mut self, now: Duration, chance: Chance) {
        if self.upload_at.is_none() {
            // A longer time between uploads is spread more.
            let asked = self.between.mul_f64(0.9 + 0.2 * chance);
            let earliest = self.sent_at.map_or(Duration::ZERO, |sent_at| sent_at + asked);
            self.upload_at = Some((now + SPREAD.mul_f64(chance)).max(earliest));
        }
    }

    /// Takes the time that the server asks to be left between uploads; `None` when it does not mind.
    pub(super) fn sent(&mut self, now: Duration, between: Option<Duration>) {
        self.between = between.unwrap_or_default().min(LONGEST_BETWEEN);
        self.sent_at = Some(now);
    }

    /// Plans an upload now, because the person asked for it or the machine woke up.
    pub(super) fn at_once(&mut self, now: Duration) {
        self.upload_at = Some(now);
    }

    pub(super) fn done(&mut self) {
        self.upload_at = None;
        self.succeeded();
    }

    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.away = false;
        self.health_at = None;
    }

    /// Plans the next try after a failure. `away`: there was no answer; `retry_after`: the wait the server asks for.
    pub(super) fn failed(&mut self, now: Duration, away: bool, retry_after: Option<Duration>, chance: Chance) {
        let doubled = FIRST_WAIT.saturating_mul(1 << self.failures.min(16)).min(LONGEST_WAIT);
        self.failures = self.failures.saturating_add(1);
        let jittered = doubled.mul_f64(0.5 + 0.5 * chance);
        self.upload_at = Some(now + jittered.max(retry_after.unwrap_or_default().min(LONGEST_ASKED)));
        self.away |= away;
        if self.health_at.is_none() {
            self.health_at = Some(now + HEALTH_EVERY);
        }
    }

    /// Takes the result of a health check. Only a server that was away and is back is tried before its time: one that
    /// is healthy but fails keeps its back-off.
    pub(super) fn health(&mut self, now: Duration, healthy: bool) {
        if healthy && self.away {
            self.away = false;
            self.upload_at = Some(now);
        }
        self.away |= !healthy;
        self.health_at = Some(now + HEALTH_EVERY);
    }

    /// Checks the health of a failing server now, since it may be back.
    pub(super) fn look_now(&mut self, now: Duration) {
        if self.health_at.is_some() {
            self.health_at = Some(now);
        }
    }

    /// Plans the next question about consent, whether or not this one was answered.
    pub(super) fn consent_asked(&mut self, now: Duration) {
        self.consent_at = Some(now + CONSENT_EVERY);
    }

    /// Asks about consent, or reports it, now.
    pub(super) fn consent_now(&mut self, now: Duration) {
        if self.consent_at.is_some() {
            self.consent_at = Some(now);
        }
    }

    fn all(&self) -> impl Iterator<Item = (Duration, Due)> {
        // In the order of precedence: consent before anything is sent.
        let due = [(self.consent_at, Due::Consent), (self.health_at, Due::Health), (self.upload_at, Due::Upload)];
        due.into_iter().filter_map(|(at, due)| Some((at?, due)))
    }

    pub(super) fn due(&self, now: Duration) -> Option<Due> {
        self.all().find(|(at, _)| *at <= now).map(|(_, due)| due)
    }

    pub(super) fn next(&self) -> Option<Duration> {
        self.all().map(|(at, _)| at).min()
    }

    /// When sending is tried next: at the next upload or, while the server is away, at the next health check.
    pub(super) fn next_try(&self) -> Option<Duration> {
        let upload = self.upload_at?;
        Some(self.health_at.filter(|_| self.away).map_or(upload, |health| health.min(upload)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_new_minute_is_sent_within_ten_seconds() {
        let mut schedule = Schedule::default();
        schedule.queued(s(100), 0.5);
        schedule.queued(s(101), 0.9);
        assert_eq!((schedule.due(s(104)), schedule.due(s(105))), (None, Some(Due::Upload)));
        schedule.done();
        assert_eq!(schedule.next(), None);
    }

    #[test]
    fn a_server_is_left_the_time_between_uploads_that_it_asks_for_at_most_an_hour() {
        let mut schedule = Schedule::default();
        let mut after = |between: Option<u64>, chance: f64| {
            schedule.sent(s(1_000), between.map(s));
            schedule.done();
            schedule.queued(s(1_060), chance);
            schedule.next().unwrap().as_secs()
        };
        assert_eq!(after(Some(300), 0.5), 1_300);
        assert_eq!((after(Some(300), 0.0), after(Some(300), 1.0)), (1_270, 1_330), "machines are spread");
        assert_eq!(after(Some(u64::from(u32::MAX)), 0.5), 4_600);
        assert_eq!(after(None, 0.5), 1_065, "the last answer counts");
        let mut schedule = Schedule::default();
        schedule.sent(s(1_000), Some(s(300)));
        schedule.done();
        schedule.at_once(s(1_001));
        assert_eq!(schedule.due(s(1_001)), Some(Due::Upload), "a person who asks does not wait");
        schedule.done();
        schedule.queued(s(2_000), 0.5);
        assert_eq!(schedule.next(), Some(s(2_005)), "after a pause the time has passed");
    }

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour_and_the_server_may_ask_for_more() {
        let mut schedule = Schedule::default();
        let mut waits = Vec::new();
        for _ in 0..9 {
            schedule.failed(s(0), false, None, 1.0);
            waits.push(schedule.upload_at.unwrap().as_secs());
        }
        assert_eq!(waits, [15, 30, 60, 120, 240, 480, 900, 900, 900]);
        schedule.succeeded();
        schedule.failed(s(0), false, Some(s(100)), 0.0);
        assert_eq!(schedule.upload_at, Some(s(100)));
        schedule.queued(s(1), 0.0);
        assert_eq!(schedule.upload_at, Some(s(100)), "a new minute does not cut a back-off short");
    }

    #[test]
    fn a_server_that_comes_back_is_tried_at_once_and_a_failing_healthy_one_is_not() {
        let mut schedule = Schedule::default();
        for _ in 0..9 {
            schedule.failed(s(0), true, None, 1.0);
        }
        assert_eq!(schedule.next_try(), Some(s(30)));
        assert_eq!(schedule.due(s(30)), Some(Due::Health));
        schedule.health(s(30), false);
        assert_eq!(schedule.next_try(), Some(s(60)));
        schedule.health(s(60), true);
        assert_eq!(schedule.due(s(60)), Some(Due::Upload));
        schedule.failed(s(60), false, None, 1.0);
        schedule.health(s(90), true);
        assert_eq!(schedule.due(s(90)), None);
    }

    #[test]
    fn when_the_network_is_there_a_server_that_was_away_is_looked_for_and_others_are_left_alone() {
        let mut schedule = Schedule::default();
        schedule.look_now(s(1));
        assert_eq!(schedule.next(), None);
        schedule.failed(s(10), true, None, 1.0);
        schedule.look_now(s(12));
        assert_eq!(schedule.due(s(12)), Some(Due::Health));
        schedule.health(s(12), true);
        assert_eq!(schedule.due(s(12)), Some(Due::Upload));
    }

    #[test]
    fn consent_is_asked_about_every_minute_while_signed_in() {
        let mut schedule = Schedule::default();
        schedule.consent_now(s(1));
        assert_eq!(schedule.due(s(1)), None);
        schedule.signed_in(s(5), true);
        assert_eq!(schedule.due(s(5)), Some(Due::Consent));
        schedule.consent_asked(s(5));
        assert_eq!(schedule.due(s(5)), Some(Due::Upload));
        schedule.done();
        assert_eq!((schedule.due(s(64)), schedule.due(s(65))), (None, Some(Due::Consent)));
        schedule.signed_out();
        assert_eq!(schedule.next(), None);
    }

    proptest! {
        #[test]
        fn whatever_fails_the_server_is_looked_for_within_forty_seconds_of_its_return(
            failures in 1usize..40, chance in 0.0f64..=1.0, back in 0u64..40,
        ) {
            let mut schedule = Schedule::default();
            let mut now = s(0);
            for _ in 0..failures {
                schedule.failed(now, true, None, chance);
                schedule.health(now, false);
                now += s(1);
            }
            // The server comes back some time later; until then each step is taken when it is due.
            let back = now + s(back);
            let mut tried = None;
            while tried.is_none() {
                now = now.max(schedule.next().unwrap());
                match schedule.due(now) {
                    Some(Due::Health) => schedule.health(now, now >= back),
                    Some(Due::Upload) if now >= back => tried = Some(now),
                    Some(Due::Upload) => schedule.failed(now, true, None, chance),
                    _ => prop_assert!(false),
                }
            }
            prop_assert!(tried.unwrap() - back <= s(40));
        }
    }
}
