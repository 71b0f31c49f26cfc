//! The log of what was read through `blinkctl mcp`: which tool, with which arguments, by which program. No figure is in it.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use blink_profile::Paths;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::exit::Failure;

/// From this length on the older half is dropped, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// One call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Reading {
    pub(super) at: Timestamp,
    /// The assistant's name and version, as it says them.
    pub(super) client: String,
    pub(super) tool: String,
    pub(super) arguments: Value,
}

#[derive(Clone, Debug)]
pub(super) struct Log {
    path: PathBuf,
}

impl Log {
    pub(super) fn of(paths: &Paths) -> Self {
        Self { path: paths.mcp_log() }
    }

    /// Adds a line. What cannot be logged is not told either, so the caller gives up then.
    pub(super) fn add(&self, reading: &Reading) -> io::Result<()> {
        if self.path.metadata().is_ok_and(|meta| meta.len() >= MAX_BYTES) {
            self.shorten()?;
        }
        blink_files::append_line(&self.path, &serde_json::to_string(reading).map_err(io::Error::other)?)
    }

    fn shorten(&self) -> io::Result<()> {
        let text = fs::read(&self.path)?;
        let newer = &text[text.len() / 2..];
        let from = newer.iter().position(|byte| *byte == b'\n').map_or(newer.len(), |end| end + 1);
        blink_files::save(&self.path, blink_files::PRIVATE, |file| file.write_all(&newer[from..]))
    }

    /// All readings, oldest first. What is no line of ours is left out.
    pub(super) fn read(&self) -> Result<Vec<Reading>, Failure> {
        let text = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text.map_err(|error| unreadable(&self.path, &error))?,
        };
        Ok(text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{} cannot be read: {error}", path.display());
    Failure::failed("log_unreadable", message, "Make it readable for you, then try again.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reading(n: u32) -> Reading {
        let at = Timestamp::from_second(1_772_000_000 + i64::from(n)).unwrap();
        Reading { at, client: "assistant 1.0".to_owned(), tool: "today".to_owned(), arguments: json!({"n": n}) }
    }

    #[test]
    fn a_long_log_keeps_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log { path: folder.path().join("mcp.ndjson") };
        assert_eq!(log.read().unwrap(), []);
        log.add(&reading(0)).unwrap();
        fs::write(&log.path, [fs::read(&log.path).unwrap(), vec![b'x'; 1 << 20], b"\n".to_vec()].concat()).unwrap();
        log.add(&reading(1)).unwrap();
        log.add(&reading(2)).unwrap();
        assert_eq!(log.read().unwrap(), [reading(1), reading(2)]);
        assert!(log.path.metadata().unwrap().len() < 1_000);
    }
}
