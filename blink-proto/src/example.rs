//! A minute and a status as the daemon makes them, for tests: `Minute { blink_count: 3, ..example::minute(n) }`.

use jiff::{SignedDuration, Timestamp};

use crate::{
    Minute, MinuteStart, Quality,
    status::{Account, Cost, OpenMinute, Queue, State, Status, Today},
};

/// A record of the minute `number` since 1970, in UTC: it belongs to nobody, is of good quality, and has every figure.
#[must_use]
pub fn minute(number: i64) -> Minute {
    let from = MinuteStart::from_number(number).unwrap_or(MinuteStart::containing(Timestamp::UNIX_EPOCH));
    Minute {
        id: uuid::Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 | u128::from(number.unsigned_abs())).into(),
        user_id: None,
        blink_count: 17,
        from_timestamp: from.start(),
        to_timestamp: from.end(),
        device_id: uuid::Uuid::from_u128(0x0199_0000_0000_7000_8000_00ff_0000_0001).into(),
        observed_ms: 58_321,
        mean_fps: 29.97,
        quality: Quality::Good,
        mean_blink_ms: Some(181.25),
        incomplete_share: Some(0.083),
        perclos: Some(0.021),
    }
}

/// `document` with a fuzzer's bytes put in the place of as many of its own; their first two say where.
#[must_use]
pub fn spliced(document: &[u8], bytes: &[u8]) -> Vec<u8> {
    let [high, low, put @ ..] = bytes else { return document.to_vec() };
    let from = usize::from(u16::from_be_bytes([*high, *low])) % (document.len() + 1);
    let to = (from + put.len()).min(document.len());
    [&document[..from], put, &document[to..]].concat()
}

/// The status of a signed-in person, forty seconds into the minute of 2026-03-01T10:04:00Z.
#[must_use]
pub fn status(state: State) -> Status {
    let from = MinuteStart::from_number(29_539_324).unwrap_or(MinuteStart::containing(Timestamp::UNIX_EPOCH));
    Status {
        state,
        source: "camera:0".into(),
        blinks_session: 128,
        today: Today { blink_count: 412, observed_ms: 1_512_000, rate_per_minute: Some(16.349) },
        minute: OpenMinute { from, blink_count: 9, observed_ms: 31_400 },
        rate_per_minute: Some(17.24),
        coverage: Some(0.871),
        fps: 29.93,
        hint: None,
        at_screen: state == State::Tracking,
        account: Some(Account { email: "ada@example.org".into(), server: "https://waw.example.org".into() }),
        consent: state != State::NoConsent,
        queue: Queue::default(),
        cost: Cost { cpu_percent: 8.43, rss_bytes: 143_000_000, power_watts: None },
        last_error: None,
        version: "0.1.0".into(),
        protocol: 1,
        pid: 4242,
        since: from.start().saturating_sub(SignedDuration::from_mins(110)).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_what_they_say() {
        assert_eq!(minute(29_000_000).check(), Ok(()));
        let from = status(State::Tracking).minute.from.start();
        assert_eq!(from, "2026-03-01T10:04:00Z".parse::<Timestamp>().unwrap());
    }
}
