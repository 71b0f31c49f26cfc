//! A profile of blinkd on disk, as shared by blinkd and blinkctl.
//!
//! - [`paths`]: where its files are
//! - [`contents`]: which files are its own, and so which an erasure removes
//! - [`files`]: small JSON files, read and replaced as a whole
//! - [`account`], [`consent`], [`device`], [`pause`]: the content of these files. They are outside of the store, so
//!   that a damaged store can neither open the camera nor sign anybody in or out
//! - [`day_files`]: the local history; [`pulled`]: what the account's other machines counted
//! - [`setups`]: which camera and detector measured since when, and whether with glasses
//! - [`url`]: an address that something may be sent to
//! - [`lock`]: which daemon holds the profile now

pub mod account;
pub mod consent;
pub mod contents;
pub mod day_files;
pub mod device;
pub mod files;
pub mod lock;
pub mod paths;
pub mod pause;
pub mod pulled;
pub mod setups;
pub mod url;

pub use account::{AccountFile, FirstAccount, Owner, SignedInAccount};
pub use consent::Consent;
pub use device::Device;
pub use files::FileError;
pub use paths::{LockHolder, Paths};
pub use pause::Pause;
