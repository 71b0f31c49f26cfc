//! When to send, when to ask for health, when to ask about consent. Pure: times are monotonic, chance is passed in.

use std::time::Duration;

/// A fleet's uploads are spread over so long after each minute.
const SPREAD: Duration = Duration::from_secs(10);
/// The first wait after a failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(15);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// A server that asks for a longer wait than this is not believed.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 3_600);
/// While the server is away its health is asked for this often.
const HEALTH_EVERY: Duration = Duration::from_secs(30);
/// Consent is asked about this often.
const CONSENT_EVERY: Duration = Duration::from_secs(60);

/// A number from 0 to 1.
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
    /// The server did not answer at all, so its health says when it is back.
    away: bool,
}

impl Schedule {
    /// Somebody is signed in: what waits is sent and consent asked about.
    pub(super) fn signed_in(&mut self, now: Duration, pending: bool) {
        *self = Self { consent_at: Some(now), upload_at: pending.then_some(now), ..Self::default() };
    }

    pub(super) fn signed_out(&mut self) {
        *self = Self::default();
    }

    /// Something joined the queue. During a back-off it waits with the rest.
    pub(super) fn queued(&mut self, now: Duration, chance: Chance) {
        if self.upload_at.is_none() {
            self.upload_at = Some(now + SPREAD.mul_f64(chance));
        }
    }

    /// Everything is to be tried now: asked for, or the machine woke up.
    pub(super) fn at_once(&mut self, now: Duration) {
        self.upload_at = Some(now);
    }

    /// The queue is empty.
    pub(super) fn done(&mut self) {
        self.upload_at = None;
        self.succeeded();
    }

    /// The server answered as it should.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.away = false;
        self.health_at = None;
    }

    /// An upload failed. `away`: there was no answer. `retry_after`: what the server asks for.
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

    /// The answer to asking for health. Only a server that was away and is back is tried before its time: one that
    /// is healthy and yet fails is not hammered.
    pub(super) fn health(&mut self, now: Duration, healthy: bool) {
        if healthy && self.away {
            self.away = false;
            self.upload_at = Some(now);
        }
        self.away |= !healthy;
        self.health_at = Some(now + HEALTH_EVERY);
    }

    /// A server that failed may be back: its health is asked for at once.
    pub(super) fn look_now(&mut self, now: Duration) {
        if self.health_at.is_some() {
            self.health_at = Some(now);
        }
    }

    /// Consent was asked about, with or without an answer.
    pub(super) fn consent_asked(&mut self, now: Duration) {
        self.consent_at = Some(now + CONSENT_EVERY);
    }

    /// Consent is to be asked about or told at once.
    pub(super) fn consent_now(&mut self, now: Duration) {
        if self.consent_at.is_some() {
            self.consent_at = Some(now);
        }
    }

    fn all(&self) -> impl Iterator<Item = (Duration, Due)> {
        // Consent comes before anything is sent.
        let due = [(self.consent_at, Due::Consent), (self.health_at, Due::Health), (self.upload_at, Due::Upload)];
        due.into_iter().filter_map(|(at, due)| Some((at?, due)))
    }

    /// What is due at `now`.
    pub(super) fn due(&self, now: Duration) -> Option<Due> {
        self.all().find(|(at, _)| *at <= now).map(|(_, due)| due)
    }

    /// When something will be due.
    pub(super) fn next(&self) -> Option<Duration> {
        self.all().map(|(at, _)| at).min()
    }

    /// When sending is tried next: the next upload, or the next look whether the server is back.
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
            // It comes back some time after; what is due is done as it falls due.
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
