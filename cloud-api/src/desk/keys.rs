//! A key for each person of the desk, which seals their encodings and their photo. It is kept in the person's row, sealed
//! with the master key, and destroyed with the row or with the biometrics.

use blink_proto::faces::Encoding;

use crate::{
    archive,
    auth::master::{MasterKey, MasterKeyError},
    config::DatabaseConfig,
    db::{
        attendance::people::{self, Biometrics, PersonRow},
        conn::Conn,
        id::{DeskPerson, FaceEncoding, Id},
    },
    failure::{Failure, chain},
};

const KEY_BYTES: usize = 32;

pub(crate) struct DeskKeys(MasterKey);

fn photo_purpose(uid: Id<DeskPerson>) -> String {
    format!("attendance photo {}", uid.0)
}

fn encoding_purpose(id: Id<FaceEncoding>) -> String {
    format!("attendance encoding {}", id.0)
}

impl DeskKeys {
    #[cfg(test)]
    pub(crate) fn new(master: MasterKey) -> Self {
        Self(master)
    }

    /// The operator's master key; without one a file beside the SQLite database or, on PostgreSQL, beside the ledger.
    /// Fails when it is not the one that sealed the people's keys.
    pub(crate) fn open(database: &DatabaseConfig, conn: &mut Conn) -> Result<Self, Failure> {
        let keys = Self(archive::desk_master(database)?);
        let fix = "Give CLOUD_API_MASTER_KEY_FILE, or put back the .archive.key file beside the database, or the .attendance.key file beside the ledger.";
        let person = people::any_enrolled(conn).map_err(|e| {
            Failure::failed("database_failed", chain(&e), "Run `cloud-api migrate`, and check DATABASE_URL.")
        })?;
        if let Some(person) = person {
            keys.of(&person).map_err(|e| Failure::failed("bad_master_key", chain(&e), fix))?;
        }
        Ok(keys)
    }

    /// A person's key, if they have biometrics.
    fn of(&self, person: &PersonRow) -> Result<Option<MasterKey>, MasterKeyError> {
        let Some(sealed) = &person.sealed_key else { return Ok(None) };
        let key = self.0.open(&people::key_purpose(person.uid), sealed)?;
        MasterKey::from_bytes(&key).map(Some).ok_or(MasterKeyError::Sealed)
    }

    /// Seals what is kept of a face with a new key.
    pub(crate) fn seal(
        &self,
        uid: Id<DeskPerson>,
        photo: &[u8],
        encodings: &[Encoding],
    ) -> Result<Biometrics, MasterKeyError> {
        let bytes = rand::random::<[u8; KEY_BYTES]>();
        let key = MasterKey::from_bytes(&bytes).ok_or(MasterKeyError::Sealed)?;
        let sealed = encodings.iter().map(|encoding| {
            let id = Id::random();
            Ok((id, key.seal(&encoding_purpose(id), &encoding.to_bytes())?))
        });
        Ok(Biometrics {
            sealed_key: self.0.seal(&people::key_purpose(uid), &bytes)?,
            photo: key.seal(&photo_purpose(uid), photo)?,
            encodings: sealed.collect::<Result<_, MasterKeyError>>()?,
        })
    }

    pub(crate) fn open_photo(&self, person: &PersonRow, sealed: &[u8]) -> Result<Option<Vec<u8>>, MasterKeyError> {
        let Some(key) = self.of(person)? else { return Ok(None) };
        key.open(&photo_purpose(person.uid), sealed).map(Some)
    }

    /// Opens a person's encodings. Those that do not open are left out, and counted.
    pub(crate) fn open_encodings(
        &self,
        person: &PersonRow,
        sealed: &[(Id<FaceEncoding>, Vec<u8>)],
    ) -> Result<(Vec<Encoding>, usize), MasterKeyError> {
        let Some(key) = self.of(person)? else { return Ok((Vec::new(), sealed.len())) };
        let open = |(id, sealed): &(Id<FaceEncoding>, Vec<u8>)| {
            Encoding::from_bytes(&key.open(&encoding_purpose(*id), sealed).ok()?)
        };
        let encodings: Vec<Encoding> = sealed.iter().filter_map(open).collect();
        let lost = sealed.len() - encodings.len();
        Ok((encodings, lost))
    }
}

#[cfg(test)]
mod tests {
    use blink_proto::faces::ENCODING_LENGTH;
    use jiff::civil::date;

    use super::*;
    use crate::{attendance::record::Day, domain::time::UtcMs};

    fn person(uid: Id<DeskPerson>, sealed_key: Vec<u8>) -> PersonRow {
        PersonRow {
            id: "ada".to_owned(),
            uid,
            user_id: None,
            name: "Ada".to_owned(),
            enrolled_on: Day(date(2026, 3, 10)),
            registered_at: UtcMs(0),
            leaderboard: false,
            pin_hash: None,
            sealed_key: Some(sealed_key),
            changed_in: 0,
        }
    }

    #[test]
    fn only_the_persons_own_key_opens_what_it_sealed() {
        let keys = DeskKeys::new(MasterKey::from_bytes(&[1; 32]).unwrap());
        let encoding = Encoding::new(vec![0.5; ENCODING_LENGTH]).unwrap();
        let (uid, other) = (Id::random(), Id::random());
        let sealed = keys.seal(uid, b"photo", std::slice::from_ref(&encoding)).unwrap();
        let ada = person(uid, sealed.sealed_key.clone());
        assert_eq!(keys.open_photo(&ada, &sealed.photo).unwrap().unwrap(), b"photo");
        assert_eq!(keys.open_encodings(&ada, &sealed.encodings).unwrap(), (vec![encoding.clone()], 0));
        // Neither another person's key, nor this one in another row, nor another master key.
        let eve = keys.seal(other, b"photo", std::slice::from_ref(&encoding)).unwrap();
        let eve = person(other, eve.sealed_key);
        assert!(keys.open_photo(&eve, &sealed.photo).is_err());
        assert_eq!(keys.open_encodings(&eve, &sealed.encodings).unwrap(), (Vec::new(), 1));
        assert!(keys.open_photo(&person(other, sealed.sealed_key), &sealed.photo).is_err());
        let foreign = DeskKeys::new(MasterKey::from_bytes(&[2; 32]).unwrap());
        assert!(foreign.open_photo(&ada, &sealed.photo).is_err());
        // What is sealed shows nothing of the values.
        let bytes = encoding.to_bytes();
        assert!(!sealed.encodings[0].1.windows(8).any(|part| part == &bytes[..8]));
    }
}
