//! blinkd: the daemon that counts real blinks from a webcam without ever storing a picture.
//!
//! - [`cli`], [`cmd`]: the command line, a file for each command
//! - [`exit`]: how the program ends, and how a failure is shown
//! - [`quiet`]: silences the libraries underneath, first thing in `main`

pub mod cli;
pub mod cmd;
pub mod exit;
pub mod quiet;
