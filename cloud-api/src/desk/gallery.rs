//! The gallery in memory, brought in step with the database: every change of biometrics takes the next number of one row,
//! and whoever sees a new number reads what changed after the last one.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock},
};

use actix_web::web;
use tokio::sync::Mutex;

use super::keys::DeskKeys;
use crate::{
    attendance::gallery::Gallery,
    db::{
        Db, DbError,
        attendance::people::{self, PersonRow, SealedEncoding},
        id::{FaceEncoding, Id},
    },
};

#[derive(Default)]
pub(crate) struct Faces {
    gallery: Arc<RwLock<Gallery>>,
    /// The number up to which the gallery holds everything; `None` before it was read. Whoever holds it brings it in step.
    seen: Mutex<Option<i64>>,
}

impl Faces {
    /// Reads with the gallery as it is.
    pub(crate) fn with<T>(&self, f: impl FnOnce(&Gallery) -> T) -> T {
        f(&self.gallery.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// As [`Self::with`], off the async threads: comparing a face with many people takes its time.
    pub(crate) async fn search<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Gallery) -> T + Send + 'static,
    ) -> Result<T, DbError> {
        let gallery = self.gallery.clone();
        let found = web::block(move || f(&gallery.read().unwrap_or_else(PoisonError::into_inner))).await;
        found.map_err(|_| DbError::Cancelled)
    }

    /// Brings the gallery in step, and returns the number up to which it is. When it was, that is one query of one row.
    pub(crate) async fn follow(&self, db: &Db, keys: &Arc<DeskKeys>) -> Result<i64, DbError> {
        let mut seen = self.seen.lock().await;
        let since = *seen;
        let read = db.read(move |conn| -> Result<_, DbError> {
            // The number is read first: what is read after it may be newer, and is then read once more.
            let version = people::version(conn)?;
            if since == Some(version) {
                return Ok((version, None));
            }
            // A restored database may have an older number than was seen.
            let since = since.filter(|since| *since < version).unwrap_or(-1);
            Ok((version, Some((people::enrolled(conn)?, people::encodings_since(conn, since)?))))
        });
        let (version, changed) = read.await?;
        let Some((enrolled, sealed)) = changed else { return Ok(version) };
        let (keys, gallery) = (keys.clone(), self.gallery.clone());
        let opened = web::block(move || open(&gallery, &keys, &enrolled, sealed)).await;
        opened.map_err(|_| DbError::Cancelled)?;
        *seen = Some(version);
        Ok(version)
    }
}

/// Opens what changed, and puts it into the gallery.
fn open(gallery: &RwLock<Gallery>, keys: &DeskKeys, enrolled: &[PersonRow], sealed: Vec<SealedEncoding>) {
    let mut of_person: HashMap<_, Vec<(Id<FaceEncoding>, Vec<u8>)>> = HashMap::new();
    for row in sealed {
        of_person.entry(row.person).or_default().push((row.id, row.sealed));
    }
    let there: HashSet<&str> = enrolled.iter().map(|person| person.id.as_str()).collect();
    let mut lost = 0;
    let mut opened = Vec::new();
    for person in enrolled {
        let Some(sealed) = of_person.get(&person.id) else { continue };
        match keys.open_encodings(person, sealed) {
            Ok((encodings, damaged)) => {
                lost += damaged;
                opened.push((person.id.as_str(), encodings));
            }
            Err(_) => {
                lost += sealed.len();
                opened.push((person.id.as_str(), Vec::new()));
            }
        }
    }
    if lost > 0 {
        tracing::error!(
            encodings = lost,
            "encodings cannot be opened with this master key: their people are not recognised"
        );
    }
    let mut gallery = gallery.write().unwrap_or_else(PoisonError::into_inner);
    let gone: Vec<String> = gallery.ids().filter(|id| !there.contains(id)).map(str::to_owned).collect();
    for id in gone {
        gallery.remove(&id);
    }
    for (id, encodings) in opened {
        gallery.put(id, encodings);
    }
}
