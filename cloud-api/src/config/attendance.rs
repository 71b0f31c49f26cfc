//! Settings of the attendance desk: what a mark must prove, and the program that reads faces. The calendar's are in
//! [`super::calendar`].
//!
//! | variable | flag | default |
//! | --- | --- | --- |
//! | `CLOUD_API_LIVENESS` | `--liveness` | `challenge`; `blink`, `off` |
//! | `CLOUD_API_FACE_WORKER` | `--face-worker` | `face-worker` beside this program |
//! | `CLOUD_API_FACE_WORKERS` | `--face-workers` | one less than the cores, at least 1 |

use std::{path::PathBuf, sync::Arc};

use clap::Args;

use super::CalendarArgs;
use crate::{
    attendance::{calendar::Calendar, liveness::Mode},
    failure::Failure,
};

/// The flags.
#[derive(Clone, Debug, Args)]
pub struct AttendanceArgs {
    /// What a mark by face must prove: challenge, blink (for demonstrations), or off
    #[arg(long, global = true, value_name = "MODE", env = "CLOUD_API_LIVENESS", default_value = "challenge", value_parser = mode)]
    pub liveness: Mode,
    /// When people are expected
    #[command(flatten)]
    pub calendar: CalendarArgs,
    /// The program that reads faces [default: face-worker beside this program]
    #[arg(long, global = true, value_name = "FILE", env = "CLOUD_API_FACE_WORKER")]
    pub face_worker: Option<PathBuf>,
    /// How many of it run at once [default: one less than the cores, at least 1]
    #[arg(long, global = true, value_name = "N", env = "CLOUD_API_FACE_WORKERS", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub face_workers: Option<u16>,
}

fn mode(text: &str) -> Result<Mode, String> {
    Mode::parse(text).ok_or_else(|| "must be challenge, blink or off".to_owned())
}

#[derive(Clone, Debug)]
pub struct AttendanceConfig {
    pub liveness: Mode,
    pub calendar: Arc<Calendar>,
    /// `None` stands for the program beside this one.
    pub worker: Option<PathBuf>,
    pub workers: usize,
}

impl Default for AttendanceConfig {
    fn default() -> Self {
        Self { liveness: Mode::Challenge, calendar: Arc::default(), worker: None, workers: default_workers() }
    }
}

fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).saturating_sub(1).max(1)
}

impl AttendanceArgs {
    /// Fails when the calendar makes no sense.
    pub fn resolve(&self) -> Result<AttendanceConfig, Failure> {
        Ok(AttendanceConfig {
            liveness: self.liveness,
            calendar: Arc::new(self.calendar.resolve()?),
            // The program is started in another folder.
            worker: self
                .face_worker
                .clone()
                .filter(|path| !path.as_os_str().is_empty())
                .map(|path| std::path::absolute(&path).unwrap_or(path)),
            workers: self.face_workers.map_or_else(default_workers, usize::from),
        })
    }
}
