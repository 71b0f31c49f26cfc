//! Which other programs have a device open, as far as the system tells this user: `/proc` shows the open files of a
//! user's own processes. Searching all of them takes some milliseconds.

use std::{fmt, fs, path::Path};

use serde::{Serialize, Serializer};

/// A program that has a device open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// Its name; empty if it has just ended.
    pub name: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.name, self.pid)
    }
}

/// Serialized as it is displayed.
impl Serialize for Holder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The programs that have `device` open now, except for this one; empty where the system does not tell.
#[must_use]
pub fn holders(device: &Path) -> Vec<Holder> {
    // A device opened through a link such as /dev/v4l/by-id is listed under its real name.
    let device = fs::canonicalize(device).unwrap_or_else(|_| device.to_owned());
    let own = std::process::id();
    let holds = |process: &Path| {
        let mut files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        files.any(|file| fs::read_link(file.path()).is_ok_and(|target| target == device))
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut holders: Vec<Holder> = processes
        .filter_map(|process| {
            let pid = process.file_name().to_str()?.parse().ok()?;
            let path = process.path();
            let name = || fs::read_to_string(path.join("comm")).unwrap_or_default().trim().to_owned();
            (pid != own && holds(&path)).then(|| Holder { pid, name: name() })
        })
        .collect();
    holders.sort_by_key(|holder| holder.pid);
    holders
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn other_programs_are_named_and_ours_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("video0");
        fs::write(&device, "").unwrap();
        let link = folder.path().join("by-id");
        std::os::unix::fs::symlink(&device, &link).unwrap();
        let ours = fs::File::open(&device).unwrap();
        assert_eq!(holders(&device), []);
        let mut other = std::process::Command::new("sleep").arg("60").stdin(ours.try_clone().unwrap()).spawn().unwrap();
        let holder = Holder { pid: other.id(), name: "sleep".to_owned() };
        assert_eq!(holders(&link), std::slice::from_ref(&holder));
        assert_eq!(holder.to_string(), format!("sleep (process {})", other.id()));
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(holders(&device), []);
    }
}
