//! A profile of blinkd on disk, as blinkd and blinkctl both know it.
//!
//! - [`contents`]: which files are a profile's, and so which an erasure removes

pub mod contents;
