//! Identifiers as types of their own, so that a device's id is never taken for a person's.

use std::{
    fmt,
    str::FromStr,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A version 7 UUID. A clock before 1970, as of a machine without a battery, gives ids of 1970, which are still unique.
fn new_at(now: SystemTime) -> Uuid {
    if now < UNIX_EPOCH { Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, 0, 0)) } else { Uuid::now_v7() }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new identifier. It is a version 7 UUID, so ids sort by their time of creation (RFC 9562).
            #[must_use]
            #[expect(clippy::new_without_default, reason = "a fresh random id is not a default value")]
            pub fn new() -> Self {
                Self(new_at(SystemTime::now()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(s).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

id!(
    /// A person's account on one server.
    UserId
);
id!(
    /// One installation of blinkd: made on first run, and anew when a profile is copied to another machine.
    DeviceId
);
id!(
    /// One minute record. It names the record in logs and exports; it never decides identity.
    MinuteId
);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_before_1970_makes_ids_all_the_same() {
        let before = UNIX_EPOCH - Duration::from_secs(86_400);
        let (one, other) = (new_at(before), new_at(before));
        assert!(one != other && one.get_version_num() == 7);
    }
}
