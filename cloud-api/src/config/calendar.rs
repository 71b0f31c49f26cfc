//! Settings of the organisation's calendar: when people are expected, and from when on they are late.
//!
//! | variable | flag | default |
//! | --- | --- | --- |
//! | `CLOUD_API_TIMEZONE` | `--timezone` | `UTC`; an IANA name, of the organisation |
//! | `CLOUD_API_WORKDAYS` | `--workdays` | `mon-fri`; `none` for no day |
//! | `CLOUD_API_HOLIDAYS` | `--holidays` | none; dates, or an .ics file |
//! | `CLOUD_API_WORK_START`, `CLOUD_API_WORK_END` | `--work-start`, `--work-end` | `09:00`, `17:00` |
//! | `CLOUD_API_WORK_GRACE_MIN` | `--work-grace-min` | 15 |

use std::path::Path;

use clap::Args;
use jiff::civil::Time;

use crate::{
    attendance::{
        calendar::{Calendar, Workdays},
        holidays::Holidays,
    },
    domain::zone,
    failure::Failure,
    given_file,
};

/// The flags of every command that reckons with days.
#[derive(Clone, Debug, Args)]
pub struct CalendarArgs {
    /// Time zone of the organisation: its days, and when its work starts
    #[arg(long, global = true, value_name = "ZONE", env = "CLOUD_API_TIMEZONE", default_value = "UTC")]
    pub timezone: String,
    /// Days on which people are expected, such as mon-fri or mon,wed,sat; none for no day
    #[arg(long, global = true, value_name = "DAYS", env = "CLOUD_API_WORKDAYS", default_value = "mon-fri")]
    pub workdays: String,
    /// Days on which nobody is expected: dates, such as 2026-12-24,2026-12-25, or an .ics file
    #[arg(
        long,
        global = true,
        value_name = "LIST|FILE",
        env = "CLOUD_API_HOLIDAYS",
        default_value = "",
        hide_default_value = true
    )]
    pub holidays: String,
    /// When work starts
    #[arg(long, global = true, value_name = "HH:MM", env = "CLOUD_API_WORK_START", default_value = "09:00")]
    pub work_start: String,
    /// When work ends
    #[arg(long, global = true, value_name = "HH:MM", env = "CLOUD_API_WORK_END", default_value = "17:00")]
    pub work_end: String,
    /// Minutes after the start of work that are not late
    #[arg(long, global = true, value_name = "MIN", env = "CLOUD_API_WORK_GRACE_MIN", default_value_t = 15, value_parser = clap::value_parser!(u16).range(0..=720))]
    pub work_grace_min: u16,
}

impl CalendarArgs {
    pub fn resolve(&self) -> Result<Calendar, Failure> {
        let zone = zone::find(&self.timezone).ok_or_else(|| {
            let message = format!("CLOUD_API_TIMEZONE: {:?} is no time zone", self.timezone);
            Failure::usage("bad_timezone", message, "Give an IANA name, such as Europe/Berlin.")
        })?;
        let workdays = Workdays::parse(&self.workdays).map_err(|why| {
            let fix = "Give days such as mon-fri or mon,wed,sat, or none.";
            Failure::usage("bad_workdays", format!("CLOUD_API_WORKDAYS: {why}"), fix)
        })?;
        let starts = time("CLOUD_API_WORK_START", &self.work_start)?;
        let ends = time("CLOUD_API_WORK_END", &self.work_end)?;
        if ends <= starts {
            let fix = "Set CLOUD_API_WORK_START and CLOUD_API_WORK_END, for example 09:00 and 17:00.";
            return Err(Failure::usage("bad_work_hours", "Work must end after it starts, on the same day", fix));
        }
        let holidays = holidays(self.holidays.trim()).map_err(|why| {
            let fix = "Give dates such as 2026-12-24,2026-12-25, or a readable .ics file.";
            Failure::usage("bad_holidays", format!("CLOUD_API_HOLIDAYS: {why}"), fix)
        })?;
        Ok(Calendar { zone, workdays, holidays, starts, ends, grace_min: self.work_grace_min })
    }
}

fn time(name: &str, text: &str) -> Result<Time, Failure> {
    Time::strptime("%H:%M", text.trim()).map_err(|_| {
        let message = format!("{name}: {text:?} is no time");
        Failure::usage("bad_work_hours", message, "Give hours and minutes, such as 09:00.")
    })
}

/// A list begins with a digit, unless a file of that name is there.
fn holidays(given: &str) -> Result<Holidays, String> {
    let path = Path::new(given);
    if given.is_empty() || given.starts_with(|c: char| c.is_ascii_digit()) && !path.exists() {
        return Holidays::list(given);
    }
    let bytes = given_file::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8", path.display()))?;
    Holidays::ics(&text).map_err(|why| format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use jiff::civil::date;
    use rstest::rstest;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        calendar: CalendarArgs,
    }

    fn resolve(flags: &[&str]) -> Result<Calendar, Failure> {
        Cli::try_parse_from([&["x"], flags].concat()).unwrap().calendar.resolve()
    }

    #[test]
    fn the_defaults() {
        let calendar = resolve(&[]).unwrap();
        assert!(calendar.expects(date(2026, 3, 10)) && !calendar.expects(date(2026, 3, 14)));
        assert_eq!((calendar.starts.to_string(), calendar.grace_min), ("09:00:00".to_owned(), 15));
    }

    #[test]
    fn holidays_are_a_list_or_a_file() {
        assert!(!resolve(&["--holidays", "2026-03-10, 2026-03-11"]).unwrap().expects(date(2026, 3, 11)));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("2026.ics");
        std::fs::write(
            &path,
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260310\nEND:VEVENT\nEND:VCALENDAR\n",
        )
        .unwrap();
        let calendar = resolve(&["--holidays", path.to_str().unwrap()]).unwrap();
        assert!(!calendar.expects(date(2026, 3, 10)) && calendar.expects(date(2026, 3, 11)));
    }

    #[rstest]
    #[case("--timezone", "Mars/Olympus", "bad_timezone")]
    #[case("--workdays", "mon-", "bad_workdays")]
    #[case("--holidays", "2026-02-30", "bad_holidays")]
    #[case("--holidays", "no/such/file.ics", "bad_holidays")]
    #[case("--holidays", "/dev/zero", "bad_holidays")]
    #[case("--work-start", "25:00", "bad_work_hours")]
    #[case("--work-end", "09:00:30", "bad_work_hours")]
    #[case("--work-end", "09:00", "bad_work_hours")]
    fn what_makes_no_sense_is_refused_by_name(#[case] flag: &str, #[case] value: &str, #[case] code: &str) {
        assert_eq!(resolve(&[flag, value]).unwrap_err().problem.code, code);
    }
}
