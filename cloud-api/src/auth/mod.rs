//! Authentication: passwords, tokens, sign-in through a provider, and the keys behind them.
//!
//! - [`keys`]: the signing keys; [`key_file`], [`key_rows`] store them, and [`master`] seals them in the database
//! - [`tokens`]: access and refresh tokens
//! - [`password`]: argon2id, off the async threads
//! - [`oidc`]: sign-in through an OpenID provider
//! - [`web`]: the cookie that holds a browser's refresh token

pub(crate) mod key_file;
pub(crate) mod key_rows;
pub(crate) mod keys;
pub(crate) mod master;
pub(crate) mod oidc;
pub(crate) mod password;
pub(crate) mod tokens;
pub(crate) mod web;
