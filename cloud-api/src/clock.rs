//! The time, passed in, so that a test can set it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use crate::domain::time::UtcMs;

/// Where the time comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands where it was put.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at` until [`Self::set`].
    #[must_use]
    pub fn manual(at: UtcMs) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.0)))
    }

    /// Puts a manual clock to `at`; the machine's clock cannot be put.
    pub fn set(&self, at: UtcMs) {
        if let Self::Manual(ms) = self {
            ms.store(at.0, Ordering::SeqCst);
        }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> UtcMs {
        match self {
            Self::System => jiff::Timestamp::now().into(),
            Self::Manual(ms) => UtcMs(ms.load(Ordering::SeqCst)),
        }
    }
}
