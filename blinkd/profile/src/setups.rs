//! What measured since when: camera, detector, glasses. Figures of different ones are not compared, and no minute says
//! it. A line is added when something changes; the file goes with the minutes.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Paths;

/// What measures from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupLine {
    /// The moment.
    pub from: Timestamp,
    /// The camera's name, or the source as it is configured.
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
    let text = serde_json::to_string(line).map_err(io::Error::other)?;
    let mut file = OpenOptions::new().create(true).append(true).open(paths.setups_file())?;
    // A line that a crash cut off must not spoil this one.
    writeln!(file, "\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(from: &str, camera: &str) -> SetupLine {
        SetupLine { from: from.parse().unwrap(), camera: camera.to_owned(), detector: "1".to_owned(), glasses: None }
    }

    #[test]
    fn only_changes_are_noted_and_a_torn_line_harms_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::under(folder.path());
        fs::create_dir_all(&paths.data).unwrap();
        assert_eq!(read(&paths).unwrap(), []);
        let (one, other) = (line("2026-03-01T09:00:00Z", "one"), line("2026-03-02T09:00:00Z", "other"));
        note(&paths, &one).unwrap();
        note(&paths, &line("2026-03-01T10:00:00Z", "one")).unwrap();
        OpenOptions::new().append(true).open(paths.setups_file()).unwrap().write_all(b"{\"from\":\"20").unwrap();
        note(&paths, &other).unwrap();
        assert_eq!(read(&paths).unwrap(), [one, other]);
    }
}
