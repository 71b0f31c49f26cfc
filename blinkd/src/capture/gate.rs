//! The one word the capture thread obeys: may a source be open now?

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::clock::Clock;

/// The longest sleep between two looks at the clock, so that a clock that tests move is noticed.
const NAP: Duration = Duration::from_millis(40);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Word {
    open: bool,
    stop: bool,
}

/// Shared by the keeper, who decides, and the capture thread.
#[derive(Debug, Default)]
pub struct Gate {
    word: Mutex<Word>,
    changed: Condvar,
}

impl Gate {
    fn word(&self) -> MutexGuard<'_, Word> {
        self.word.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the source be opened, or has it closed at once.
    pub fn set(&self, open: bool) {
        let mut word = self.word();
        if word.open != open {
            word.open = open;
            self.changed.notify_all();
        }
    }

    /// Ends the capture thread.
    pub fn stop(&self) {
        *self.word() = Word { open: false, stop: true };
        self.changed.notify_all();
    }

    /// Whether a source may be open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.word().open
    }

    /// Waits until a source may be open; `false` when the thread is to end.
    #[must_use]
    pub fn wait_open(&self) -> bool {
        let word = self.changed.wait_while(self.word(), |word| !word.open && !word.stop);
        word.unwrap_or_else(PoisonError::into_inner).open
    }

    /// Waits until the thread is to end.
    pub fn wait_stop(&self) {
        drop(self.changed.wait_while(self.word(), |word| !word.stop));
    }

    /// Waits until `clock` reads `due`; `false` as soon as the source must be closed.
    #[must_use]
    pub fn wait_until(&self, clock: &dyn Clock, due: Duration) -> bool {
        let mut word = self.word();
        loop {
            if !word.open {
                return false;
            }
            let left = due.saturating_sub(clock.mono());
            if left.is_zero() {
                return true;
            }
            word = self.changed.wait_timeout(word, left.min(NAP)).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
