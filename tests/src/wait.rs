//! Waits for a condition with a deadline.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Time between two checks.
const STEP: Duration = Duration::from_millis(50);

/// Calls `look` until it returns something, at most for `limit`. After that it panics; `what` names the condition.
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
