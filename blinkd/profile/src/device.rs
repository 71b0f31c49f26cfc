//! This installation's id, and whether the profile was moved from another machine.

use std::{collections::BTreeMap, fs};

use blink_proto::DeviceId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    Paths,
    files::{self, FileError},
};

/// Separates our fingerprint from those that other programs derive from the same machine id.
const SALT: &[u8] = b"blinkd device fingerprint 1\n";

#[derive(Debug, Serialize, Deserialize)]
struct DeviceFile {
    /// The id on the machine that the profile was used on last.
    device_id: DeviceId,
    /// SHA-256 over a salt and that machine's id; null where it has none.
    machine: Option<String>,
    /// The id on every machine that the profile was used on, once it was used on a second one.
    #[serde(default)]
    machines: BTreeMap<String, DeviceId>,
    /// Ids of other machines from an earlier version, which did not keep whose they were.
    #[serde(default)]
    foreign: Vec<DeviceId>,
}

impl DeviceFile {
    fn new(machine: Option<&str>) -> Self {
        let machine = machine.map(str::to_owned);
        Self { device_id: DeviceId::new(), machine, machines: BTreeMap::new(), foreign: Vec::new() }
    }

    /// Goes to the machine `here`, where the profile has the id that it had there before, or else a new one.
    fn move_to(&mut self, from: String, here: &str) {
        self.machines.insert(from, self.device_id);
        self.device_id = *self.machines.entry(here.to_owned()).or_insert_with(DeviceId::new);
        self.machine = Some(here.to_owned());
    }

    fn device(self) -> Device {
        let id = self.device_id;
        let others = self.machines.into_values().chain(self.foreign);
        Device { id, foreign: others.filter(|other| *other != id).collect() }
    }
}

/// The device id of a profile on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub id: DeviceId,
    /// Ids of other machines that the profile was used on, or was copied from.
    pub foreign: Vec<DeviceId>,
}

/// The id of this machine as the profile has it; `None` before the first start, or where the file cannot be read.
#[must_use]
pub fn id(paths: &Paths) -> Option<DeviceId> {
    files::load::<DeviceFile>(&paths.device_file()).ok().flatten().map(|file| file.device_id)
}

impl Device {
    /// Loads the profile's device id. Each machine, told by its fingerprint, has an id of its own, which it keeps when
    /// the profile returns. A damaged file gets a new id too; the minutes under the old id stay ours.
    pub fn open(paths: &Paths, machine: Option<&str>) -> Result<Self, FileError> {
        let path = paths.device_file();
        let kept: Option<DeviceFile> = match files::load(&path) {
            Err(FileError::Damaged { .. }) => None,
            other => other?,
        };
        let file = match kept {
            None => DeviceFile::new(machine),
            Some(mut kept) => match (kept.machine.clone(), machine) {
                (Some(last), Some(here)) if last != here => {
                    kept.move_to(last, here);
                    kept
                }
                _ => return Ok(kept.device()),
            },
        };
        files::save(&path, &file)?;
        Ok(file.device())
    }
}

/// This machine's fingerprint; `None` where it has no id.
#[must_use]
pub fn fingerprint() -> Option<String> {
    ["/etc/machine-id", "/var/lib/dbus/machine-id"].iter().find_map(|path| {
        let id = fs::read_to_string(path).ok()?;
        let id = id.trim();
        (id.len() >= 16).then(|| fingerprint_of(id))
    })
}

fn fingerprint_of(machine_id: &str) -> String {
    let digest = Sha256::new().chain_update(SALT).chain_update(machine_id).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_stays_on_its_machine() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let (here, there) = (fingerprint_of("aaaa"), fingerprint_of("bbbb"));
        let first = Device::open(&paths, Some(&here)).unwrap();
        assert!(first.foreign.is_empty());
        assert_eq!(Device::open(&paths, Some(&here)).unwrap(), first);
        assert_eq!(Device::open(&paths, None).unwrap(), first);
        let copy = Device::open(&paths, Some(&there)).unwrap();
        assert_eq!(copy.foreign, [first.id]);
        assert_ne!(copy.id, first.id);
        assert_eq!(Device::open(&paths, Some(&there)).unwrap(), copy);
        let text = fs::read_to_string(paths.device_file()).unwrap();
        assert!(!text.contains("bbbb"), "the machine's id itself is not kept");
    }

    #[test]
    fn a_machine_that_the_profile_returns_to_has_its_id_again() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let open = |machine| Device::open(&paths, Some(machine)).unwrap();
        let (a, b) = (open("a"), open("b"));
        for _ in 0..3 {
            assert_eq!(open("a"), Device { id: a.id, foreign: vec![b.id] });
            assert_eq!(open("b"), Device { id: b.id, foreign: vec![a.id] });
        }
        let c = open("c");
        assert_eq!((c.foreign, open("a").foreign), (vec![a.id, b.id], vec![b.id, c.id]));
    }

    #[test]
    fn a_file_of_an_earlier_version_is_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        let (earlier, here) = (DeviceId::new(), DeviceId::new());
        fs::create_dir_all(&paths.data).unwrap();
        let text = serde_json::json!({"device_id": here, "machine": "a", "foreign": [earlier]}).to_string();
        fs::write(paths.device_file(), text).unwrap();
        let open = |machine| Device::open(&paths, Some(machine)).unwrap();
        assert_eq!(open("a"), Device { id: here, foreign: vec![earlier] });
        assert_eq!(open("b").foreign, [here, earlier]);
        assert_eq!(open("a").id, here);
    }

    #[test]
    fn a_damaged_file_gets_a_new_id() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        fs::create_dir_all(&paths.data).unwrap();
        fs::write(paths.device_file(), "{").unwrap();
        let device = Device::open(&paths, Some("x")).unwrap();
        assert_eq!(Device::open(&paths, Some("x")).unwrap(), device);
    }
}
