//! The native side on real pictures: the synthetic face always, the test footage where `WAW_TEST_DATA` has it.
#![cfg(feature = "native")]

mod accuracy;
mod footage;
mod predictor;
mod sources;
mod stills;
