//! What measured since when: camera, detector, glasses. Figures of different ones are not compared, and no minute says
//! it. A line is added when something changes; the file goes with the minutes.

use std::{fs, io};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Paths;

/// What measures from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupLine {
    /// The moment.
    pub from: Timestamp,
    /// The camera's name, or what [`source_name`] makes of another source.
    pub camera: String,
    /// The version of the detector.
    pub detector: String,
    /// Whether the person wears glasses; `None` where they did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glasses: Option<bool>,
}

impl SetupLine {
    fn is_like(&self, other: &Self) -> bool {
        (&self.camera, &self.detector, self.glasses) == (&other.camera, &other.detector, other.glasses)
    }
}

/// A name for a source that is no camera of this machine: its kind, and a digest that tells it from others, as its text may
/// hold a password.
#[must_use]
pub fn source_name(source: &str) -> String {
    let kind = source.split(':').next().unwrap_or_default();
    let digest = Sha256::digest(source.as_bytes());
    format!("{kind} {:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3])
}

/// The lines in the order of their moments; empty without a file. What is no line is skipped.
pub fn read(paths: &Paths) -> io::Result<Vec<SetupLine>> {
    let text = match fs::read(paths.setups_file()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let mut lines: Vec<SetupLine> =
        text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    // A clock that was set back wrote a later line with an earlier moment.
    lines.sort_by_key(|line| line.from);
    Ok(lines)
}

/// Adds `line`, unless the last one says the same.
pub fn note(paths: &Paths, line: &SetupLine) -> io::Result<()> {
    if read(paths)?.last().is_some_and(|last| last.is_like(line)) {
        return Ok(());
    }
    blink_files::append_line(&paths.setups_file(), &serde_json::to_string(line).map_err(io::Error::other)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(from: &str, camera: &str) -> SetupLine {
        SetupLine { from: from.parse().unwrap(), camera: camera.to_owned(), detector: "1".to_owned(), glasses: None }
    }

    #[test]
    fn only_changes_are_noted_and_what_is_no_line_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        fs::create_dir_all(&paths.data).unwrap();
        assert_eq!(read(&paths).unwrap(), []);
        let (one, other) = (line("2026-03-01T09:00:00Z", "one"), line("2026-03-02T09:00:00Z", "other"));
        note(&paths, &one).unwrap();
        note(&paths, &line("2026-03-01T10:00:00Z", "one")).unwrap();
        blink_files::append_line(&paths.setups_file(), "{\"from\":\"20").unwrap();
        note(&paths, &other).unwrap();
        assert_eq!(read(&paths).unwrap(), [one, other]);
    }

    #[test]
    fn a_stream_is_told_from_another_without_its_password() {
        let name = source_name("rtsp://ada:secret@camera.example/1");
        assert!(name.starts_with("rtsp ") && !name.contains("secret") && !name.contains("example"), "{name}");
        assert_ne!(name, source_name("rtsp://ada:secret@camera.example/2"));
    }
}
