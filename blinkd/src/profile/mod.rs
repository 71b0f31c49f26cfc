//! The profile's small files: device id, consent, pause, account, tokens. They stand outside the store, so that
//! damage to it can neither open the camera nor sign anybody in or out.

pub mod account;
pub mod consent;
pub mod device;
pub mod files;
pub mod pause;
pub mod vault;

pub use account::{AccountFile, FirstAccount, SignedInAccount, Tokens};
pub use consent::Consent;
pub use device::Device;
pub use pause::Pause;
pub use vault::{RingState, Vault};
