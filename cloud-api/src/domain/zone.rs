//! Time zones by their IANA names, from this machine's database or else from the one built into this program.
//!
//! Distributions leave out older names, such as Asia/Calcutta, which browsers still report.

use jiff::tz::{self, TimeZone, TimeZoneDatabase};

/// Names in a machine's database that are not zones, or differ from machine to machine.
const NO_ZONES: &[&str] = &["localtime", "posixrules", "factory", "local", "posix", "right"];

/// The time zone of this name, if it means the same everywhere.
#[must_use]
pub(crate) fn find(name: &str) -> Option<TimeZone> {
    let lower = name.to_ascii_lowercase();
    if name.len() > 64
        || NO_ZONES.contains(&lower.as_str())
        || lower.starts_with("posix/")
        || lower.starts_with("right/")
    {
        return None;
    }
    look_up(name, tz::db())
}

/// The time zone of a stored name. If it is no longer known, a warning is logged and UTC is used.
#[must_use]
pub(crate) fn stored(name: &str) -> TimeZone {
    look_up(name, tz::db()).unwrap_or_else(|| {
        tracing::warn!(
            timezone = name,
            "a person's time zone is not known to this machine: their days are those of UTC"
        );
        TimeZone::UTC
    })
}

/// The machine's database comes first, because it is usually newer than the built-in one.
fn look_up(name: &str, of_machine: &TimeZoneDatabase) -> Option<TimeZone> {
    of_machine.get(name).or_else(|_| TimeZoneDatabase::bundled().get(name)).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Europe/Berlin")]
    #[case("Asia/Calcutta")]
    #[case("US/Pacific")]
    #[case("Europe/Kiev")]
    #[case("UTC")]
    fn a_name_that_the_machine_lacks_is_known(#[case] name: &str) {
        let found = look_up(name, &TimeZoneDatabase::none()).unwrap();
        assert_eq!(found.iana_name(), Some(name));
        assert!(find(name).is_some());
    }

    #[rstest]
    #[case("localtime")]
    #[case("posixrules")]
    #[case("Factory")]
    #[case("factory")]
    #[case("posix/Europe/Berlin")]
    #[case("right/Europe/Berlin")]
    #[case("Mars/Olympus")]
    #[case("../../etc/passwd")]
    #[case("+01:00")]
    #[case("")]
    fn what_means_another_zone_on_another_machine_is_none(#[case] name: &str) {
        assert!(find(name).is_none());
    }

    #[test]
    fn what_was_taken_earlier_is_read_as_it_was() {
        assert_eq!(stored("Asia/Calcutta").iana_name(), Some("Asia/Calcutta"));
        assert_eq!(stored("Mars/Olympus"), TimeZone::UTC);
    }
}
