//! The text that a person agrees to before the camera is opened, and this machine's record of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of [`TRACKING_TEXT`]; a consent is recorded with the version that was shown.
pub const TRACKING_VERSION: &str = "1";

/// The text that a person is shown before they consent to tracking, on a machine and with an account.
pub const TRACKING_TEXT: &str = "\
Wellness at Work counts your blinks with this computer's camera.

What happens: while tracking is on, blinkd looks at camera pictures in memory, finds your eyes and counts blinks. \
No picture is ever written to disk, logged or sent anywhere.

What is kept: for each minute, the number of blinks, how long your eyes could be observed, the mean frame rate and \
three figures about your blinks (mean duration, share of incomplete ones, share of time with closed eyes). They stay \
on this computer for 90 days unless you choose otherwise.

What is sent: nothing, unless you sign in to a server. Then those minutes, with an id of this computer, go to your \
account there. You alone can read your minutes; a team sees weekly averages of five or more people only.

Your choice: consent is voluntary and can be withdrawn at any time with `blinkctl consent withdraw`; the camera is \
closed and sending stops at once. You can export or delete everything at any time.
";

/// This machine's consent, kept in `consent.json` in the data folder. Without the file, consent was never given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRecord {
    /// Whether tracking is allowed.
    pub granted: bool,
    /// The version of the text that was shown.
    pub version: String,
    /// When consent was granted or withdrawn.
    pub at: Timestamp,
}

impl ConsentRecord {
    /// A consent to the current text, granted at `at`.
    #[must_use]
    pub fn granted(at: Timestamp) -> Self {
        Self { granted: true, version: TRACKING_VERSION.to_owned(), at }
    }

    /// A withdrawal at `at`.
    #[must_use]
    pub fn withdrawn(at: Timestamp) -> Self {
        Self { granted: false, version: TRACKING_VERSION.to_owned(), at }
    }
}
