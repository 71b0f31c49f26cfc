//! The binary format of an archived object, and of a batch that waits for its object.
//!
//! ```text
//! offset  bytes
//!      0      4   "WAWA"
//!      4      1   version, 1
//!      5      1   content: 1 minutes, 2 log lines, 3 one batch that waits in the database
//!      6     16   the id of the key that opens it
//!     22     12   nonce, random
//!     34          AES-256-GCM: gzip of JSON lines, then the tag of 16 bytes
//! ```
//!
//! The header up to the nonce and the object's name are bound as additional data: an object that was renamed, or moved
//! to another's place, does not open.

use std::io::{Read as _, Write as _};

use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use uuid::Uuid;

use crate::db::id::{ArchiveKey, Id};

const MAGIC: [u8; 4] = *b"WAWA";
const VERSION: u8 = 1;

/// Length of the header up to the nonce, in bytes.
const HEAD: usize = 22;

pub const KEY_BYTES: usize = 32;

/// Limit of an object's decompressed size: this program never makes a larger one.
const MAX_PLAIN_BYTES: u64 = 256 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Minutes = 1,
    /// Lines of the server's log.
    Lines = 2,
    Waiting = 3,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The magic bytes are missing.
    #[error("it is no object of this archive")]
    Foreign,
    /// A later version of this program made it.
    #[error("it is of version {0}, which this program does not know")]
    Version(u8),
    /// The tag does not match: it was changed, renamed, or sealed with another key.
    #[error("it was changed, renamed, or sealed with another key")]
    Changed,
    /// It was authentic, but its content cannot be decompressed.
    #[error("what is in it is damaged")]
    Damaged,
    #[error("it cannot be sealed")]
    Seal,
}

/// A person's key, not sealed. It has no `Debug`, so that the key does not get into a log.
pub struct DataKey {
    pub id: Id<ArchiveKey>,
    key: LessSafeKey,
}

impl DataKey {
    /// `None` unless there are [`KEY_BYTES`] bytes.
    #[must_use]
    pub fn new(id: Id<ArchiveKey>, bytes: &[u8]) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM, bytes).ok().map(LessSafeKey::new)?;
        Some(Self { id, key })
    }

    /// Compresses and seals `plain` under `name`. Fails only when there is more than the cipher can take.
    pub fn seal(&self, holds: Holds, name: &str, plain: &[u8]) -> Result<Vec<u8>, CodecError> {
        let level = if holds == Holds::Waiting { Compression::fast() } else { Compression::default() };
        let mut packed = GzEncoder::new(Vec::with_capacity(plain.len() / 8), level);
        packed.write_all(plain).map_err(|_| CodecError::Seal)?;
        let mut body = packed.finish().map_err(|_| CodecError::Seal)?;
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut object = Vec::with_capacity(HEAD + NONCE_LEN + body.len() + AES_256_GCM.tag_len());
        object.extend_from_slice(&MAGIC);
        object.extend_from_slice(&[VERSION, holds as u8]);
        object.extend_from_slice(self.id.0.as_bytes());
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound(&object, name), &mut body)
            .map_err(|_| CodecError::Seal)?;
        object.extend_from_slice(&nonce);
        object.append(&mut body);
        Ok(object)
    }

    /// Opens what [`Self::seal`] sealed with the same name and content type.
    pub fn open(&self, holds: Holds, name: &str, object: &[u8]) -> Result<Vec<u8>, CodecError> {
        if key_id(object)? != self.id || object[5] != holds as u8 {
            return Err(CodecError::Changed);
        }
        let (head, rest) = object.split_at(HEAD);
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or(CodecError::Changed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CodecError::Changed)?;
        let mut body = body.to_vec();
        let packed = self.key.open_in_place(nonce, bound(head, name), &mut body).map_err(|_| CodecError::Changed)?;
        let mut plain = Vec::new();
        let read = MultiGzDecoder::new(&*packed).take(MAX_PLAIN_BYTES + 1).read_to_end(&mut plain);
        match read {
            Ok(length) if length as u64 <= MAX_PLAIN_BYTES => Ok(plain),
            _ => Err(CodecError::Damaged),
        }
    }
}

fn bound(head: &[u8], name: &str) -> Aad<Vec<u8>> {
    Aad::from([head, name.as_bytes()].concat())
}

/// The id of the key that opens an object.
pub fn key_id(object: &[u8]) -> Result<Id<ArchiveKey>, CodecError> {
    let head = object.get(..HEAD).filter(|head| head.starts_with(&MAGIC)).ok_or(CodecError::Foreign)?;
    if head[4] != VERSION {
        return Err(CodecError::Version(head[4]));
    }
    Uuid::from_slice(&head[6..HEAD]).map(Id::new).map_err(|_| CodecError::Foreign)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> DataKey {
        DataKey::new(Id::new(Uuid::from_u128(7)), &[byte; KEY_BYTES]).unwrap()
    }

    #[test]
    fn it_opens_under_its_own_name_alone_and_only_unchanged() {
        let plain = b"{\"blink_count\":17}\n".repeat(20);
        let object = key(1).seal(Holds::Minutes, "a/b", &plain).unwrap();
        assert!(!object.windows(11).any(|window| window == b"blink_count"));
        assert_eq!(key_id(&object).unwrap(), key(1).id);
        assert_eq!(key(1).open(Holds::Minutes, "a/b", &object).unwrap(), plain);
        assert_eq!(key(1).open(Holds::Minutes, "a/c", &object), Err(CodecError::Changed));
        assert_eq!(key(1).open(Holds::Lines, "a/b", &object), Err(CodecError::Changed));
        assert_eq!(key(2).open(Holds::Minutes, "a/b", &object), Err(CodecError::Changed));
        for place in 0..object.len() {
            let mut changed = object.clone();
            changed[place] ^= 1;
            assert!(key(1).open(Holds::Minutes, "a/b", &changed).is_err(), "{place}");
            assert!(key(1).open(Holds::Minutes, "a/b", &object[..place]).is_err(), "{place}");
        }
        assert_ne!(object, key(1).seal(Holds::Minutes, "a/b", &plain).unwrap());
    }

    #[test]
    fn what_is_none_of_ours_is_said_to_be() {
        assert_eq!(key_id(b""), Err(CodecError::Foreign));
        assert_eq!(key_id(&[b'x'; 100]), Err(CodecError::Foreign));
        let mut later = key(1).seal(Holds::Minutes, "a", b"x").unwrap();
        later[4] = 9;
        assert_eq!(key_id(&later), Err(CodecError::Version(9)));
        assert!(DataKey::new(Id::NIL, b"short").is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_come_back_and_none_panic(plain in prop::collection::vec(any::<u8>(), 0..2_000), name in ".{0,40}") {
            let object = key(1).seal(Holds::Waiting, &name, &plain).unwrap();
            prop_assert_eq!(key(1).open(Holds::Waiting, &name, &object).unwrap(), plain.clone());
            prop_assert!(key(1).open(Holds::Waiting, &name, &plain).is_err());
        }
    }
}
