//! Who asks, and how they proved it.
//!
//! - [`keys`]: the signing keys, with ids
//! - [`tokens`]: access and refresh tokens
//! - [`password`]: argon2id, off the async threads
//! - [`principal`]: the person of a request, by one indexed look-up

pub mod keys;
pub mod password;
pub mod principal;
pub mod tokens;
