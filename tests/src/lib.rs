//! The real programs together: what the end-to-end tests start, ask and stop.
//!
//! - [`program`]: where the binaries are, how one is run to its end, how one runs beside the test
//! - [`profile`]: [`Profile`], the folders of one imaginary person, and blinkctl within it
//! - [`server`]: [`Server`], cloud-api on a free port
//! - [`daemon`]: [`Daemon`], blinkd without a desktop
//! - [`desktop`]: [`Desktop`], a real one without a screen
//! - [`listener`]: [`Listener`], a client that hears every event
//! - [`clip`]: footage: synthesized with a known truth, or real where it is at hand
//! - [`wait`]: waiting for something with a deadline
//!
//! Nothing here sleeps for luck, uses a fixed port or leaves anything behind. A helper that cannot do its work panics:
//! it runs in tests alone.

pub mod clip;
pub mod daemon;
pub mod desktop;
pub mod listener;
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

/// Says that, and why, a test is skipped.
#[expect(clippy::print_stderr, reason = "the runner shows it")]
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

/// Whether the long tier runs: `make test-long`, the numbers that documents quote.
#[must_use]
pub fn long_tier() -> bool {
    std::env::var_os("WAW_TEST_LONG").is_some()
}
