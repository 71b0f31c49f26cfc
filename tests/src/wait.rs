//! Waiting for something with a deadline.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Between two looks.
const STEP: Duration = Duration::from_millis(50);

/// Looks until `look` finds something, at most for `limit`.
///
/// # Panics
///
/// When it finds nothing in time; `what` says what was waited for.
pub fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {} s in vain for {what}", limit.as_secs());
        thread::sleep(STEP);
    }
}
