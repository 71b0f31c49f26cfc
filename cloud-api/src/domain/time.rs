//! UTC times in milliseconds, which is the resolution of every stored time.

use jiff::Timestamp;

/// The length of a UTC day, in milliseconds.
pub const DAY_MS: i64 = 86_400_000;

/// The clocks of replicas differ by less than this, in milliseconds. A time further ahead is from a clock that was put
/// back since.
pub const CLOCKS_DIFFER_MS: i64 = 60_000;

/// Milliseconds since 1970-01-01 UTC; negative before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UtcMs(pub i64);

impl UtcMs {
    #[must_use]
    pub fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// A time beyond the calendar's range becomes its nearest end.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX })
    }
}

impl From<Timestamp> for UtcMs {
    fn from(t: Timestamp) -> Self {
        Self(t.as_millisecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_milliseconds() {
        let t: Timestamp = "2026-03-01T10:00:00.123Z".parse().unwrap();
        assert_eq!(UtcMs::from(t).timestamp(), t);
        assert_eq!(UtcMs(i64::MAX).timestamp(), Timestamp::MAX);
        assert_eq!(UtcMs(i64::MIN).timestamp(), Timestamp::MIN);
    }
}
