//! Who asks, and how they proved it.
//!
//! - [`keys`]: the signing keys, with ids; [`key_file`], [`key_rows`]: where they are kept; [`master`]: what seals them there
//! - [`tokens`]: access and refresh tokens
//! - [`password`]: argon2id, off the async threads
//! - [`oidc`]: sign-in through an OpenID provider
//! - [`web`]: the refresh token of a browser, as a cookie

pub mod key_file;
pub mod key_rows;
pub mod keys;
pub mod master;
pub mod oidc;
pub mod password;
pub mod tokens;
pub mod web;
