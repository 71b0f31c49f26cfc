//! A profile of blinkd on disk, as blinkd and blinkctl both know it.
//!
//! - [`paths`]: where its files are
//! - [`contents`]: which files are its own, and so which an erasure removes
//! - [`files`]: small JSON files, read and replaced whole
//! - [`account`], [`consent`], [`device`], [`pause`]: what these files say. They stand outside the store, so that damage
//!   to it can neither open the camera nor sign anybody in or out
//! - [`day_files`]: the local history, as everybody reads it
//! - [`lock`]: the daemon that has the profile now

pub mod account;
pub mod consent;
pub mod contents;
pub mod day_files;
pub mod device;
pub mod files;
pub mod lock;
pub mod paths;
pub mod pause;

pub use account::{AccountFile, FirstAccount, Owner, SignedInAccount};
pub use consent::Consent;
pub use device::Device;
pub use files::FileError;
pub use paths::{LockHolder, Paths};
pub use pause::Pause;
