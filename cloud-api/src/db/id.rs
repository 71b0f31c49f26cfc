//! Ids in the database. The type of an id names the kind of its row, so that ids of two kinds cannot be swapped. In SQL
//! all are of one type, [`SqlId`].

use std::{fmt::Debug, hash::Hash, marker::PhantomData, str::FromStr};

use diesel::{deserialize::FromSqlRow, expression::AsExpression};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::types::SqlId;
use crate::clock;

/// A kind of row that has an id. [`Id`] derives what is required here.
pub trait Kind: Copy + Debug + Ord + Hash + Send + Sync + 'static {}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name;

        impl Kind for $name {}
    )*};
}
kinds!(
    User,
    Consent,
    Session,
    /// A refresh token of a session, which has no row of its own.
    RefreshToken,
    /// A person's device, which makes its own id.
    Device,
    Minute,
    Team,
    ArchiveKey,
    /// A batch in the archive's queue.
    QueuedBatch,
    /// An object of the archive; its removal has the same id.
    ArchiveObject,
    /// An erasure's receipt.
    Erasure,
    /// A person of the attendance desk, where their own id must not be.
    DeskPerson,
    /// The encoding of one picture.
    FaceEncoding,
    /// A person's record of a day.
    AttendanceRecord,
    /// The manager's change of a record.
    Correction,
    Challenge,
    /// What stands beside a record: the session in which it was marked.
    DeskSession,
);

/// The id of a row of kind `K`.
///
/// ```compile_fail
/// use cloud_api::db::id::{Id, Session, User};
/// let session: Id<Session> = Id::<User>::fresh();
/// ```
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, AsExpression, FromSqlRow,
)]
#[serde(transparent)]
#[diesel(sql_type = SqlId)]
pub struct Id<K: Kind>(pub Uuid, PhantomData<K>);

impl<K: Kind> Id<K> {
    /// No row has this id, and it sorts before every other.
    pub(crate) const NIL: Self = Self::new(Uuid::nil());

    /// Makes an id from a UUID. The caller must know that its kind is right.
    pub(crate) const fn new(id: Uuid) -> Self {
        Self(id, PhantomData)
    }

    /// A new version 7 UUID.
    #[must_use]
    pub fn fresh() -> Self {
        Self::new(clock::fresh_uuid())
    }

    /// A new version 4 UUID, which cannot be guessed and does not tell when it was made.
    #[must_use]
    pub(crate) fn random() -> Self {
        Self::new(Uuid::new_v4())
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self::new)
    }
}

macro_rules! on_the_wire {
    ($($kind:ty: $wire:ty),* $(,)?) => {$(
        impl From<$wire> for Id<$kind> {
            fn from(id: $wire) -> Self {
                Self::new(id.0)
            }
        }

        impl From<Id<$kind>> for $wire {
            fn from(id: Id<$kind>) -> Self {
                Self(id.0)
            }
        }
    )*};
}
on_the_wire!(User: blink_proto::UserId, Device: blink_proto::DeviceId, Minute: blink_proto::MinuteId);
