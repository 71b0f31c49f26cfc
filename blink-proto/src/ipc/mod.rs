//! The local socket between `blinkd` and `blinkctl`, described for people in `docs/ipc.md`.
//!
//! A frame is a big-endian `u32` length followed by that many bytes of JSON, at most [`codec::MAX_FRAME_BYTES`]. The
//! first frame of each side is a [`Hello`]. Then the client sends [`Call`]s, each with an id of its choice, and the
//! daemon answers each with one [`Answer`] of the same id, in any order; a subscribed client also gets [`Event`]s.

pub mod codec;
mod message;
mod replies;

pub use codec::JsonCodec;
pub use message::{
    Answer, Call, Erase, Event, Eye, FromDaemon, Hello, LivePoint, MAX_IMPORT_MINUTES, Outcome, PauseSpan, Reply,
    Request, Sight, ToDaemon,
};
pub use replies::{
    ConsentShown, DeviceCode, Elsewhere, ImportRejection, Imported, Pulled, RemotePage, SetAside, SetAsideCount,
    SignedIn, SyncDone,
};

/// The protocol of this build. It grows by one when a message changes in a way that an older side cannot ignore.
pub const PROTOCOL: u32 = 1;

/// The oldest protocol that this build still understands.
pub const OLDEST_PROTOCOL: u32 = 1;
