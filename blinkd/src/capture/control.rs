//! What the keeper lets the capture thread do: may a source be open, and how many frames may be looked at? And what the
//! thread says back: is one open?

use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::clock::Clock;

/// The longest sleep between two looks at the clock, so that a clock that tests move is noticed.
const NAP: Duration = Duration::from_millis(40);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Flags {
    open: bool,
    stop: bool,
    /// Another source is to be looked at: the one that is open is closed, and whoever looks begins anew.
    renew: bool,
    /// The capture thread has a source open, or is about to.
    in_use: bool,
}

impl Flags {
    /// The keeper may still say that a source is wanted while the thread is being ended: the end has the last word.
    fn may_look(self) -> bool {
        self.open && !self.renew && !self.stop
    }

    /// Whether the thread is to end, or to begin anew with another source.
    fn ends(self) -> bool {
        self.stop || self.renew
    }
}

/// Shared by the keeper, who decides, and the capture thread.
#[derive(Debug, Default)]
pub struct CaptureControl {
    flags: Mutex<Flags>,
    changed: Condvar,
    /// Frames per second to look at, as the bits of a double; 0 for all.
    pace: AtomicU64,
}

impl CaptureControl {
    fn flags(&self) -> MutexGuard<'_, Flags> {
        self.flags.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the source be opened, or has it closed at once.
    pub fn allow(&self, open: bool) {
        let mut flags = self.flags();
        if flags.open != open {
            flags.open = open;
            self.changed.notify_all();
        }
    }

    /// Ends the capture thread.
    pub fn stop(&self) {
        {
            let mut flags = self.flags();
            (flags.open, flags.stop) = (false, true);
        }
        self.changed.notify_all();
    }

    /// Has the source closed and looking begun anew, with new reader.
    pub fn renew(&self) {
        self.flags().renew = true;
        self.changed.notify_all();
    }

    /// Whether looking is to be begun anew; asked once by whoever does that.
    #[must_use]
    pub fn take_renewed(&self) -> bool {
        let mut flags = self.flags();
        std::mem::take(&mut flags.renew) && !flags.stop
    }

    /// The most frames per second to look at; `None` for all.
    pub fn set_pace(&self, fps: Option<f64>) {
        self.pace.store(fps.unwrap_or(0.0).to_bits(), Ordering::Relaxed);
    }

    /// What [`Self::set_pace`] said last.
    #[must_use]
    pub fn pace(&self) -> Option<f64> {
        Some(f64::from_bits(self.pace.load(Ordering::Relaxed))).filter(|fps| *fps > 0.0)
    }

    /// The capture thread begins to open a source if it may; `false` where it must not.
    pub(super) fn begin_use(&self) -> bool {
        let mut flags = self.flags();
        flags.in_use = flags.may_look();
        flags.in_use
    }

    /// The capture thread has closed its source.
    pub(super) fn end_use(&self) {
        self.flags().in_use = false;
        self.changed.notify_all();
    }

    /// Waits until no source is open, but no longer than `within`; whether none is.
    #[must_use]
    pub fn wait_closed(&self, within: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.flags(), within, |flags| flags.in_use);
        !waited.unwrap_or_else(PoisonError::into_inner).0.in_use
    }

    /// Whether a source may be open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.flags().may_look()
    }

    /// Waits until a source may be open; `false` when the thread is to end.
    #[must_use]
    pub fn wait_open(&self) -> bool {
        let flags = self.changed.wait_while(self.flags(), |flags| !flags.may_look() && !flags.ends());
        flags.unwrap_or_else(PoisonError::into_inner).may_look()
    }

    /// Waits until the thread is to end.
    pub fn wait_stop(&self) {
        drop(self.changed.wait_while(self.flags(), |flags| !flags.ends()));
    }

    /// Waits until `clock` reads `due`; `false` as soon as the source must be closed.
    #[must_use]
    pub fn wait_until(&self, clock: &dyn Clock, due: Duration) -> bool {
        let mut flags = self.flags();
        loop {
            if !flags.may_look() {
                return false;
            }
            let left = due.saturating_sub(clock.mono());
            if left.is_zero() {
                return true;
            }
            flags = self.changed.wait_timeout(flags, left.min(NAP)).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
