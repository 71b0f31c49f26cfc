//! Who asks, and how they proved it.
//!
//! - [`keys`]: the signing keys, with ids; [`key_file`], [`key_rows`]: where they are kept; [`master`]: what seals them there
//! - [`tokens`]: access and refresh tokens
//! - [`password`]: argon2id, off the async threads
//! - [`oidc`]: sign-in through an OpenID provider
//! - [`web`]: the refresh token of a browser, as a cookie

pub(crate) mod key_file;
pub(crate) mod key_rows;
pub(crate) mod keys;
pub(crate) mod master;
pub(crate) mod oidc;
pub(crate) mod password;
pub(crate) mod tokens;
pub(crate) mod web;
