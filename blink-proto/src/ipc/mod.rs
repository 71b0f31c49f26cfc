//! The local socket between `blinkd` and `blinkctl`; `docs/ipc.md` is its description for people.
//!
//! A frame is a big-endian `u32` length and that many bytes of JSON, at most [`codec::MAX_FRAME_BYTES`]. The first
//! frame of each side is a [`Hello`]. Then the client sends [`Call`]s, each with an id of its choice, and the daemon
//! answers each with one [`Answer`] of the same id, in any order; a subscribed client also gets [`Event`]s.

pub mod codec;
mod message;
mod replies;

pub use codec::JsonCodec;
pub use message::{
    Answer, Call, Erase, Event, FromDaemon, Hello, LivePoint, MAX_IMPORT_MINUTES, Outcome, PauseSpan, Reply, Request,
    Sight, ToDaemon,
};
pub use replies::{
    ConsentShown, DeviceCode, ImportRejection, Imported, RemotePage, SetAside, SetAsideCount, SignedIn, SyncDone,
};

/// The protocol spoken by this build. It grows by one when a message changes in a way an older side cannot ignore.
pub const PROTOCOL: u32 = 1;

/// The oldest protocol this build still understands.
pub const OLDEST_PROTOCOL: u32 = 1;
