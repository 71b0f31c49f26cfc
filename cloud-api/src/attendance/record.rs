//! A record: one person on one day, in the organisation's time zone.

use std::{fmt, str::FromStr};

use jiff::{civil::Date, tz::TimeZone};
use uuid::Uuid;

use crate::domain::time::UtcMs;

/// A calendar day in the organisation's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub Date);

impl Day {
    /// The day that `at` falls on.
    #[must_use]
    pub fn of(at: UtcMs, zone: &TimeZone) -> Self {
        Self(at.timestamp().to_zoned(zone.clone()).date())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Day {
    type Err = jiff::Error;

    /// Reads `2026-03-10`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Date::strptime("%Y-%m-%d", text).map(Self)
    }
}

/// A word that is stored, sent and counted by its text.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$of])* $word,)*
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$word),*];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)*
                }
            }

            /// Reads the exact text.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What a record says of its day.
    Status {
        Present = "present",
        Late = "late",
        /// Only a manager, or an import, says this of a day.
        Absent = "absent",
        /// Nobody can say: the person tried and was refused, and no manager has decided.
        Unknown = "unknown",
    }
}

impl Status {
    /// Whether the person was there.
    #[must_use]
    pub const fn is_there(self) -> bool {
        matches!(self, Self::Present | Self::Late)
    }
}

words! {
    /// How a record came about.
    Source {
        Face = "face",
        Pin = "pin",
        Qr = "qr",
        Manager = "manager",
        Import = "import",
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub id: Uuid,
    /// The person's id at the desk.
    pub person: String,
    pub day: Day,
    /// When the person was marked. It says nothing of a person who was absent.
    pub at: UtcMs,
    pub status: Status,
    /// 0 to 100; only a recognised face has one.
    pub confidence: Option<u8>,
    pub liveness_verified: bool,
    pub session_id: Option<Uuid>,
    pub source: Source,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2026-03-10T22:59:59Z", "2026-03-10")]
    #[case("2026-03-10T23:00:00Z", "2026-03-11")]
    #[case("2026-03-29T00:59:59Z", "2026-03-29")]
    #[case("2026-10-24T22:00:00Z", "2026-10-25")]
    #[case("2026-10-25T22:59:59Z", "2026-10-25")]
    #[case("2026-10-25T23:00:00Z", "2026-10-26")]
    fn a_day_begins_at_the_zones_midnight(#[case] at: &str, #[case] day: &str) {
        let zone = crate::domain::zone::find("Europe/Berlin").unwrap();
        let at: jiff::Timestamp = at.parse().unwrap();
        assert_eq!(Day::of(at.into(), &zone).to_string(), day);
    }

    #[rstest]
    #[case("2026-03-10", true)]
    #[case("2024-02-29", true)]
    #[case("2026-02-29", false)]
    #[case("2026-3-10T00:00", false)]
    #[case("", false)]
    fn days_are_read_as_they_are_written(#[case] text: &str, #[case] sound: bool) {
        assert_eq!(text.parse::<Day>().map(|day| day.to_string()).ok().as_deref(), sound.then_some(text));
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(*status));
        }
        assert_eq!(Status::parse("Present"), None);
    }
}
