//! Helpers of the end-to-end tests, which start, ask and stop the real programs together.
//!
//! - [`program`]: finds the binaries, and runs them to their end or beside the test
//! - [`profile`]: [`Profile`], the folders of one imaginary person, and blinkctl within it
//! - [`server`]: [`Server`], cloud-api on a free port
//! - [`daemon`]: [`Daemon`], blinkd without a desktop
//! - [`desktop`]: [`Desktop`], a real desktop without a screen
//! - [`notifications`]: [`notifications::NotificationMonitor`], which records the notifications of a desktop
//! - [`listener`]: [`Listener`], a client that records every event
//! - [`clip`]: footage, synthesized with known blinks, or real where it is available
//! - [`wait`]: waits with a deadline
//!
//! Nothing here sleeps without waiting for a condition, uses a fixed port or leaves anything behind. Helpers panic when
//! they fail, since they run in tests only.

pub mod clip;
pub mod daemon;
pub mod desktop;
pub mod listener;
pub mod notifications;
pub mod profile;
pub mod program;
pub mod server;
pub mod wait;

pub use daemon::Daemon;
pub use desktop::Desktop;
pub use listener::Listener;
pub use profile::Profile;
pub use program::{Ended, Program, binary};
pub use server::Server;
pub use wait::until;

/// Prints that a test is skipped, and why.
#[expect(clippy::print_stderr, reason = "the runner shows it")]
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// Whether the long tier (`make test-long`) runs, which measures the numbers that documents quote.
#[must_use]
pub fn long_tier() -> bool {
    std::env::var_os("WAW_TEST_LONG").is_some()
}
