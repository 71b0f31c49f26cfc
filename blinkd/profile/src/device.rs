//! This installation's id, and whether the profile was moved from another machine.

use std::fs;

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
    device_id: DeviceId,
    /// SHA-256 over a salt and the machine's id; null where the machine has none.
    machine: Option<String>,
    /// Ids that this profile had on other machines.
    #[serde(default)]
    foreign: Vec<DeviceId>,
}

/// The device id of a profile on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub id: DeviceId,
    /// Ids that the profile had on machines it was moved or copied from.
    pub foreign: Vec<DeviceId>,
}

impl Device {
    /// The profile's device id. It is made on first run, and again on a machine with another fingerprint. A damaged
    /// file gets a new id too; the minutes under the old id stay ours.
    pub fn open(paths: &Paths, machine: Option<&str>) -> Result<Self, FileError> {
        let path = paths.device_file();
        let kept: Option<DeviceFile> = match files::load(&path) {
            Err(FileError::Damaged { .. }) => None,
            other => other?,
        };
        let stays = |kept: &DeviceFile| match (&kept.machine, machine) {
            (Some(theirs), Some(ours)) => theirs == ours,
            _ => true,
        };
        let foreign = match kept {
            Some(kept) if stays(&kept) => return Ok(Self { id: kept.device_id, foreign: kept.foreign }),
            Some(kept) => kept.foreign.into_iter().chain([kept.device_id]).collect(),
            None => Vec::new(),
        };
        let (id, machine) = (DeviceId::new(), machine.map(str::to_owned));
        let file = DeviceFile { device_id: id, machine, foreign };
        files::save(&path, &file)?;
        Ok(Self { id, foreign: file.foreign })
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
    fn a_damaged_file_gets_a_new_id() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        fs::create_dir_all(&paths.data).unwrap();
        fs::write(paths.device_file(), "{").unwrap();
        let device = Device::open(&paths, Some("x")).unwrap();
        assert_eq!(Device::open(&paths, Some("x")).unwrap(), device);
    }
}
