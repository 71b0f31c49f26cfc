//! The profile's files, from `blink_profile`, and the tokens, which only the daemon has.

mod tokens;
pub(crate) mod vault;

pub use blink_profile::{AccountFile, Consent, Device, FirstAccount, Pause, SignedInAccount, account, device, files};
pub use tokens::Tokens;
pub use vault::{RingState, Vault};
