//! The attendance desk of this process: its settings, the reader of faces, the gallery in memory, and the keys that open
//! what is kept of faces.
//!
//! - [`keys`]: a key for each person, sealed with the master key
//! - [`gallery`]: the enrolled faces, in step with the database

pub(crate) mod gallery;
pub(crate) mod keys;

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::{
    attendance::{
        gallery::Gallery,
        record::{Day, Status},
    },
    config::AttendanceConfig,
    db::Db,
    domain::time::UtcMs,
    faces::{Availability, Reader},
    failure::chain,
};
use gallery::Faces;
use keys::DeskKeys;

/// The memory for pictures and recordings on their way: eight of the largest.
const UPLOAD_BYTES: usize = 8 * 22 * (1 << 20);

pub(crate) struct Desk {
    pub(crate) config: AttendanceConfig,
    pub(crate) reader: Reader,
    pub(crate) keys: Arc<DeskKeys>,
    pub(crate) faces: Faces,
    pub(crate) uploads: Arc<Semaphore>,
    /// Whether this process answers the desk's endpoints.
    pub(crate) is_open: bool,
}

impl Desk {
    pub(crate) fn new(config: AttendanceConfig, reader: Reader, keys: DeskKeys, is_open: bool) -> Self {
        let (keys, uploads) = (Arc::new(keys), Arc::new(Semaphore::new(UPLOAD_BYTES)));
        Self { config, reader, keys, faces: Faces::default(), uploads, is_open }
    }

    /// Brings the gallery in step after a committed change. A failure is only logged, because the job that follows the
    /// database makes up for it, and the change stands. A process without the desk holds no gallery.
    pub(crate) async fn catch_up(&self, db: &Db) {
        if !self.is_open {
            return;
        }
        if let Err(e) = self.faces.follow(db, &self.keys).await {
            tracing::warn!(cause = chain(&e), "the gallery of faces is behind the database; it follows");
        }
    }

    #[must_use]
    pub(crate) fn day(&self, at: UtcMs) -> Day {
        Day::of(at, &self.config.calendar.zone)
    }

    /// What a mark at this moment is.
    #[must_use]
    pub(crate) fn arrival(&self, at: UtcMs) -> Status {
        if self.config.calendar.arrival(at).late { Status::Late } else { Status::Present }
    }

    /// Whether everybody who is enrolled can be marked: faces can be read, or nobody's is enrolled.
    #[must_use]
    pub(crate) fn works(&self) -> bool {
        self.reader.availability() == Availability::Available || self.faces.with(Gallery::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::auth::master::MasterKey;

    struct Nobody;

    impl crate::faces::FaceReader for Nobody {
        fn still(
            &self,
            _: bytes::Bytes,
            _: blink_proto::faces::Purpose,
        ) -> futures_util::future::BoxFuture<'_, Result<crate::faces::Still, crate::faces::ReadError>> {
            unreachable!("nothing is read here")
        }

        fn clip(
            &self,
            _: crate::faces::Recording,
        ) -> futures_util::future::BoxFuture<'_, Result<blink_proto::faces::ClipReport, crate::faces::ReadError>>
        {
            unreachable!("nothing is read here")
        }

        fn availability(&self) -> Availability {
            Availability::Available
        }
    }

    fn desk() -> Desk {
        let zone = crate::domain::zone::find("Europe/Berlin").unwrap();
        let calendar = Arc::new(crate::attendance::calendar::Calendar { zone, ..Default::default() });
        let config = AttendanceConfig { calendar, ..AttendanceConfig::default() };
        Desk::new(config, Arc::new(Nobody), DeskKeys::new(MasterKey::from_bytes(&[1; 32]).unwrap()), true)
    }

    /// Berlin is an hour ahead of UTC until 29 March 2026, 01:00 UTC, and two hours afterwards.
    #[rstest]
    #[case("2026-03-27T08:15:00Z", Status::Present)]
    #[case("2026-03-27T08:15:01Z", Status::Late)]
    #[case("2026-03-30T07:15:00Z", Status::Present)]
    #[case("2026-03-30T07:15:01Z", Status::Late)]
    #[case("2026-03-30T21:59:59Z", Status::Late)]
    #[case("2026-03-30T22:00:00Z", Status::Present)]
    fn late_is_by_the_clock_on_the_wall(#[case] at: &str, #[case] status: Status) {
        assert_eq!(desk().arrival(at.parse::<jiff::Timestamp>().unwrap().into()), status);
    }
}
