//! Keys of the store: one prefix byte, then big-endian parts, so that a scan is in the order of time.

use blink_proto::{DeviceId, MinuteStart};
use sha2::{Digest as _, Sha256};

use crate::minutes::Owner;

/// The one record about the store itself.
pub(super) const META: &[u8] = b"m";
/// The running figures of the day.
pub(super) const DAY: &[u8] = b"d";
/// Prefix of open minutes.
pub(super) const OPEN: &[u8] = b"o";
/// Prefix of sealed minutes that no server has acknowledged.
pub(super) const QUEUE: &[u8] = b"q";
/// Prefix of minutes a server rejected.
pub(super) const ASIDE: &[u8] = b"a";

/// An owner's part of a key; all zeros for nobody.
pub(super) type Tag = [u8; 8];

/// The tag of an owner. It is a truncated hash that only groups: the value holds the owner in full.
pub(super) fn tag(owner: Option<&Owner>) -> Tag {
    let mut tag = Tag::default();
    if let Some(owner) = owner {
        let digest = Sha256::new().chain_update(&owner.server).chain_update(owner.user_id.0).finalize();
        tag.copy_from_slice(&digest[..8]);
        tag[0] |= 1;
    }
    tag
}

/// The key of an open minute.
pub(super) fn open(from: MinuteStart, device_id: DeviceId) -> Vec<u8> {
    [OPEN, &number(from), device_id.0.as_bytes()].concat()
}

/// The key that an earlier version gave an open minute, of which there was one for each start.
pub(super) fn open_before(from: MinuteStart) -> Vec<u8> {
    [OPEN, &number(from)].concat()
}

/// The key of a sealed minute, under the prefix of the queue or of those set aside.
pub(super) fn minute(prefix: &[u8], tag: Tag, from: MinuteStart, device_id: DeviceId) -> Vec<u8> {
    [prefix, &tag, &number(from), device_id.0.as_bytes()].concat()
}

/// Whether the key is one of a minute of this device.
pub(super) fn is_of(key: &[u8], device_id: DeviceId) -> bool {
    key.ends_with(device_id.0.as_bytes())
}

/// Maps signed numbers to bytes that compare in the same order.
fn number(from: MinuteStart) -> [u8; 8] {
    (from.number() ^ i64::MIN).to_be_bytes()
}
