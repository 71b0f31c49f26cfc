//! The clock is passed in, so that tests can set it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::Timestamp;
use uuid::Uuid;

use crate::domain::time::UtcMs;

#[derive(Clone, Debug, Default)]
pub enum Clock {
    #[default]
    System,
    /// Stands still until it is set.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    #[must_use]
    pub fn manual(at: UtcMs) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.0)))
    }

    /// Sets a manual clock; has no effect on the system's clock.
    pub fn set(&self, at: UtcMs) {
        if let Self::Manual(ms) = self {
            ms.store(at.0, Ordering::SeqCst);
        }
    }

    #[must_use]
    pub fn now(&self) -> UtcMs {
        match self {
            Self::System => Timestamp::now().into(),
            Self::Manual(ms) => UtcMs(ms.load(Ordering::SeqCst)),
        }
    }
}

/// A new UUID of version 7. With a clock before 1970, which such an id cannot hold, it is one of 1970.
#[must_use]
pub fn fresh_uuid() -> Uuid {
    uuid_of(Timestamp::now())
}

fn uuid_of(now: Timestamp) -> Uuid {
    if now < Timestamp::UNIX_EPOCH {
        return Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, 0, 0));
    }
    Uuid::now_v7()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_before_1970_makes_ids_that_differ() {
        let then: Timestamp = "1969-12-31T23:59:59Z".parse().unwrap();
        let (one, two) = (uuid_of(then), uuid_of(then));
        assert_ne!(one, two);
        assert_eq!(one.get_version_num(), 7);
    }
}
