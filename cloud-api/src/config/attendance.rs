//! Settings of the attendance desk: what a mark must prove, working hours, and the program that reads faces.
//!
//! | variable | flag | default |
//! | --- | --- | --- |
//! | `CLOUD_API_LIVENESS` | `--liveness` | `challenge`; `blink`, `off` |
//! | `CLOUD_API_TIMEZONE` | `--timezone` | `UTC` |
//! | `CLOUD_API_WORK_START`, `CLOUD_API_WORK_END` | `--work-start`, `--work-end` | `09:00`, `17:00` |
//! | `CLOUD_API_WORK_GRACE_MIN` | `--work-grace-min` | 15 |
//! | `CLOUD_API_WORKDAYS` | `--workdays` | `mon,tue,wed,thu,fri`; `none` |
//! | `CLOUD_API_HOLIDAYS` | `--holidays` | none; days such as `2026-12-25`, or an .ics file |
//! | `CLOUD_API_FACE_WORKER` | `--face-worker` | `face-worker` beside this program |
//! | `CLOUD_API_FACE_WORKERS` | `--face-workers` | one less than the cores, at least 1 |

use std::{path::PathBuf, str::FromStr};

use clap::Args;
use jiff::{
    civil::{Time, Weekday},
    tz::TimeZone,
};

use crate::{attendance::liveness::Mode, domain::zone, failure::Failure};

/// The flags.
#[derive(Clone, Debug, Args)]
pub struct AttendanceArgs {
    /// What a mark by face must prove: challenge, blink (for demonstrations), or off
    #[arg(long, value_name = "MODE", env = "CLOUD_API_LIVENESS", default_value = "challenge", value_parser = mode)]
    pub liveness: Mode,
    /// The organisation's time zone, in which days begin and work starts
    #[arg(long, value_name = "ZONE", env = "CLOUD_API_TIMEZONE", default_value = "UTC")]
    pub timezone: String,
    /// When work starts
    #[arg(long, value_name = "HH:MM", env = "CLOUD_API_WORK_START", default_value = "09:00")]
    pub work_start: String,
    /// When work ends
    #[arg(long, value_name = "HH:MM", env = "CLOUD_API_WORK_END", default_value = "17:00")]
    pub work_end: String,
    /// Minutes after the start of work that are not late
    #[arg(long, value_name = "MIN", env = "CLOUD_API_WORK_GRACE_MIN", default_value_t = 15, value_parser = clap::value_parser!(u16).range(0..=720))]
    pub work_grace_min: u16,
    /// Days of the week on which people are expected, or none
    #[arg(long, value_name = "LIST", env = "CLOUD_API_WORKDAYS", default_value = "mon,tue,wed,thu,fri")]
    pub workdays: Workdays,
    /// Days on which nobody is expected: a list such as 2026-12-25,2026-12-26, or an .ics file
    #[arg(long, value_name = "DAYS|FILE", env = "CLOUD_API_HOLIDAYS")]
    pub holidays: Option<String>,
    /// The program that reads faces [default: face-worker beside this program]
    #[arg(long, value_name = "FILE", env = "CLOUD_API_FACE_WORKER")]
    pub face_worker: Option<PathBuf>,
    /// How many of it run at once [default: one less than the cores, at least 1]
    #[arg(long, value_name = "N", env = "CLOUD_API_FACE_WORKERS", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub face_workers: Option<u16>,
}

fn mode(text: &str) -> Result<Mode, String> {
    Mode::parse(text).ok_or_else(|| "must be challenge, blink or off".to_owned())
}

/// The days of the week on which people are expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Workdays([bool; 7]);

const NAMES: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

fn place(day: Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs())
}

impl Workdays {
    #[must_use]
    pub fn holds(self, day: Weekday) -> bool {
        self.0[place(day)]
    }
}

impl FromStr for Workdays {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut days = Self::default();
        if text.trim().eq_ignore_ascii_case("none") {
            return Ok(days);
        }
        for name in text.split(',') {
            let name = name.trim().to_ascii_lowercase();
            let known = NAMES.iter().find(|(short, _)| *short == name);
            let (_, day) = known.ok_or("must be days such as mon,tue,wed, or none where nobody is ever expected")?;
            days.0[place(*day)] = true;
        }
        Ok(days)
    }
}

#[derive(Clone, Debug)]
pub struct AttendanceConfig {
    pub liveness: Mode,
    pub zone: TimeZone,
    pub work_start: Time,
    pub work_end: Time,
    pub grace_min: u16,
    pub workdays: Workdays,
    /// Days, or the path of an .ics file.
    pub holidays: Option<String>,
    /// `None` stands for the program beside this one.
    pub worker: Option<PathBuf>,
    pub workers: usize,
}

impl Default for AttendanceConfig {
    fn default() -> Self {
        Self {
            liveness: Mode::Challenge,
            zone: TimeZone::UTC,
            work_start: jiff::civil::time(9, 0, 0, 0),
            work_end: jiff::civil::time(17, 0, 0, 0),
            grace_min: 15,
            workdays: Workdays([true, true, true, true, true, false, false]),
            holidays: None,
            worker: None,
            workers: default_workers(),
        }
    }
}

fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).saturating_sub(1).max(1)
}

impl AttendanceArgs {
    /// Fails when the zone is not known, or work does not end after its start.
    pub fn resolve(&self) -> Result<AttendanceConfig, Failure> {
        let zone = zone::find(&self.timezone).ok_or_else(|| {
            let message = format!("CLOUD_API_TIMEZONE {:?} is no time zone", self.timezone);
            Failure::usage("bad_timezone", message, "Give an IANA name, for example Europe/Berlin.")
        })?;
        let work_start = time("CLOUD_API_WORK_START", &self.work_start)?;
        let work_end = time("CLOUD_API_WORK_END", &self.work_end)?;
        if work_end <= work_start {
            let fix = "Set CLOUD_API_WORK_START and CLOUD_API_WORK_END, for example 09:00 and 17:00.";
            return Err(Failure::usage("bad_work_hours", "Work must end after it starts, on the same day", fix));
        }
        Ok(AttendanceConfig {
            liveness: self.liveness,
            zone,
            work_start,
            work_end,
            grace_min: self.work_grace_min,
            workdays: self.workdays,
            holidays: self.holidays.clone().filter(|text| !text.trim().is_empty()),
            worker: self.face_worker.clone().filter(|path| !path.as_os_str().is_empty()),
            workers: self.face_workers.map_or_else(default_workers, usize::from),
        })
    }
}

fn time(name: &str, text: &str) -> Result<Time, Failure> {
    Time::strptime("%H:%M", text.trim())
        .map_err(|_| Failure::usage("bad_time", format!("{name} {text:?} is no time"), "For example 09:00."))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("mon,tue,wed,thu,fri", Some(5))]
    #[case("Sun, Mon", Some(2))]
    #[case("mon,mon", Some(1))]
    #[case("none", Some(0))]
    #[case("", None)]
    #[case(",", None)]
    #[case("monday", None)]
    fn workdays(#[case] text: &str, #[case] days: Option<usize>) {
        let parsed = text.parse::<Workdays>();
        assert_eq!(parsed.ok().map(|days| NAMES.iter().filter(|(_, day)| days.holds(*day)).count()), days);
    }

    #[rstest]
    #[case("09:00", true)]
    #[case("23:59", true)]
    #[case("9", false)]
    #[case("24:00", false)]
    #[case("09:00:30", false)]
    fn times(#[case] text: &str, #[case] sound: bool) {
        assert_eq!(time("X", text).is_ok(), sound);
    }
}
