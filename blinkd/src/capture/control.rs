//! Flags shared by the keeper and the capture thread: whether a source may be open, how many frames per second to
//! process, and whether one is open.

use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::clock::Clock;

/// The longest wait between two readings of the clock, so that a clock moved by a test is noticed.
const NAP: Duration = Duration::from_millis(40);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Flags {
    open: bool,
    stop: bool,
    /// The source was replaced: the open one is closed, and capture starts again with the new one.
    renew: bool,
    /// Whether the capture thread has a source open, or is about to open one.
    in_use: bool,
}

impl Flags {
    /// Whether a source may be open. The keeper may still allow one while the thread is being stopped, so `stop` takes
    /// precedence.
    fn may_look(self) -> bool {
        self.open && !self.renew && !self.stop
    }

    /// Whether the thread is to end, or to start again with another source.
    fn ends(self) -> bool {
        self.stop || self.renew
    }
}

#[derive(Debug, Default)]
pub struct CaptureControl {
    flags: Mutex<Flags>,
    changed: Condvar,
    /// The most frames per second to process, as the bits of an `f64`; 0 means all.
    pace: AtomicU64,
}

impl CaptureControl {
    fn flags(&self) -> MutexGuard<'_, Flags> {
        self.flags.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Allows the source to be opened, or has it closed at once.
    pub fn allow(&self, open: bool) {
        let mut flags = self.flags();
        if flags.open != open {
            flags.open = open;
            self.changed.notify_all();
        }
    }

    pub fn stop(&self) {
        {
            let mut flags = self.flags();
            (flags.open, flags.stop) = (false, true);
        }
        self.changed.notify_all();
    }

    /// Has the source closed and capture started again with a new reader.
    pub fn renew(&self) {
        self.flags().renew = true;
        self.changed.notify_all();
    }

    /// Whether capture is to start again; resets the flag.
    #[must_use]
    pub fn take_renewed(&self) -> bool {
        let mut flags = self.flags();
        std::mem::take(&mut flags.renew) && !flags.stop
    }

    /// Sets the most frames per second to process; `None` means all.
    pub fn set_pace(&self, fps: Option<f64>) {
        self.pace.store(fps.unwrap_or(0.0).to_bits(), Ordering::Relaxed);
    }

    /// The limit set by [`Self::set_pace`].
    #[must_use]
    pub fn pace(&self) -> Option<f64> {
        Some(f64::from_bits(self.pace.load(Ordering::Relaxed))).filter(|fps| *fps > 0.0)
    }

    /// Notes that the capture thread opens a source, if it may; `false` where it must not.
    pub(super) fn begin_use(&self) -> bool {
        let mut flags = self.flags();
        flags.in_use = flags.may_look();
        flags.in_use
    }

    /// Notes that the capture thread has closed its source.
    pub(super) fn end_use(&self) {
        self.flags().in_use = false;
        self.changed.notify_all();
    }

    /// Waits at most `within` until no source is open; returns whether none is.
    #[must_use]
    pub fn wait_closed(&self, within: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.flags(), within, |flags| flags.in_use);
        !waited.unwrap_or_else(PoisonError::into_inner).0.in_use
    }

    #[must_use]
    pub fn is_open(&self) -> bool {
        self.flags().may_look()
    }

    /// Waits until a source may be open; `false` when the thread is to end or to start again.
    #[must_use]
    pub fn wait_open(&self) -> bool {
        let flags = self.changed.wait_while(self.flags(), |flags| !flags.may_look() && !flags.ends());
        flags.unwrap_or_else(PoisonError::into_inner).may_look()
    }

    /// Waits until the thread is to end or to start again.
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
