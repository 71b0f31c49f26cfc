//! Tests of the native side on real images: the synthetic face always, the test footage where `WAW_TEST_DATA` has it.
#![cfg(feature = "native")]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on says so by panicking")]

mod accuracy;
mod beginnings;
mod colour;
mod drawn;
mod files;
mod finding;
mod footage;
mod owner;
mod predictor;
mod sources;
mod stills;
mod variants;
