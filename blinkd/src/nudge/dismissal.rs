//! A notification that blinks dismiss: it goes by itself once the person has blinked a few times.

use std::future;

use blink_proto::ipc::Event;
use jiff::Timestamp;
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// So many blinks dismiss it, as [`INVITATION`] says.
const BLINKS: usize = 3;
/// Only the desktops of Linux let a notification be closed.
pub(super) const INVITATION: &str =
    if cfg!(target_os = "linux") { " Blink three times and this goes by itself." } else { "" };

/// Hears the blinks that dismiss one notification.
#[derive(Debug)]
pub(crate) struct Dismissal {
    events: Receiver<Event>,
}

impl Dismissal {
    /// Hears all events from now on. It has a subscription of its own, so that nothing else holds it up.
    pub(super) fn hearing(events: &Receiver<Event>) -> Self {
        Self { events: events.resubscribe() }
    }

    /// Ends with the last of the blinks it takes, all of which ended after `shown`; never, if the daemon stops first.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing can be closed there"))]
    pub(crate) async fn blinked(mut self, shown: Timestamp) {
        let mut seen = 0;
        while seen < BLINKS {
            match self.events.recv().await {
                Ok(Event::Blink { at, .. }) if at > shown => seen += 1,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => future::pending().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use jiff::SignedDuration;
    use tokio::sync::broadcast;

    use super::*;

    #[tokio::test]
    async fn the_third_blink_after_it_was_shown_dismisses_it() {
        let (tell, events) = broadcast::channel(64);
        let shown = Timestamp::UNIX_EPOCH;
        let mut blinked = Box::pin(Dismissal::hearing(&events).blinked(shown));
        let mut dismisses = |event: Event| {
            tell.send(event).unwrap();
            blinked.as_mut().now_or_never().is_some()
        };
        let blink = |ms| Event::Blink { at: shown + SignedDuration::from_millis(ms), duration_ms: 180.0 };
        // Some blinks ended before it was shown, and are decided after.
        for event in [blink(-150), blink(0), blink(400), blink(900)] {
            assert!(!dismisses(event));
        }
        let wink = Event::Wink { at: shown + SignedDuration::from_secs(1), eye: blink_proto::ipc::Eye::Left };
        assert!(!dismisses(wink), "a wink is no blink");
        assert!(dismisses(blink(1500)));
    }

    #[tokio::test]
    async fn a_daemon_that_stops_dismisses_nothing() {
        let (tell, events) = broadcast::channel(4);
        let blinked = Dismissal::hearing(&events).blinked(Timestamp::UNIX_EPOCH);
        drop(tell);
        assert_eq!(blinked.now_or_never(), None);
    }
}
