//! What a shell offers while a command is typed: days and weeks with minutes, settings, and the cameras of this machine.
//!
//! The script of `blinkctl completions` runs this program again with [`VARIABLE`] set and with the words so far.

use std::{collections::BTreeSet, env, ffi::OsStr, io, time::Duration};

use blink_figures::Week;
use blink_profile::{Paths, day_files, pulled};
use clap::CommandFactory;
use clap_complete::{
    ArgValueCompleter, CompletionCandidate as Candidate, Shell,
    env::{CompleteEnv, Shells},
};
use jiff::{ToSpan as _, Zoned, civil::Date, tz::TimeZone};
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    cli::Cli,
    cmd::{cameras, config},
    exit::Failure,
    output::plain,
};

const VARIABLE: &str = "BLINKCTL_COMPLETE";
/// How many days or weeks are offered before anything of one is typed.
const NEWEST: usize = 31;
/// How long a person who types waits for what blinkd knows.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers a shell that asks what may follow; false in an ordinary run.
pub(crate) fn answered() -> Result<bool, clap::Error> {
    CompleteEnv::with_factory(Cli::command)
        .var(VARIABLE)
        .try_complete(env::args_os(), env::current_dir().ok().as_deref())
}

/// The script that has a shell ask this program.
pub(crate) fn script(shell: Shell) -> io::Result<String> {
    let (mut script, program) = (Vec::new(), Cli::command());
    let name = program.get_name();
    let shells = Shells::builtins();
    let completer = shells.completer(&shell.to_string()).ok_or(io::ErrorKind::Unsupported)?;
    completer.write_registration(VARIABLE, name, name, name, &mut script)?;
    let more = match shell {
        Shell::Bash => include_str!("complete/words.bash"),
        Shell::Zsh => include_str!("complete/autoload.zsh"),
        _ => "",
    };
    Ok(String::from_utf8_lossy(&script).into_owned() + more)
}

/// Days that may have minutes, newest first.
pub(crate) fn days() -> ArgValueCompleter {
    completer(|| {
        with_minutes().into_iter().rev().map(|day| (day.to_string(), day.strftime("%A").to_string())).collect()
    })
}

/// Weeks that may have minutes, newest first, and their names against today.
pub(crate) fn weeks() -> ArgValueCompleter {
    completer(|| {
        let named = [("last", "the last whole week"), ("this", "this week so far")];
        let weeks: BTreeSet<Week> = with_minutes().into_iter().map(Week::of).collect();
        let weeks = weeks.into_iter().rev().map(|week| {
            let days = week.period();
            (week.to_string(), format!("{} to {}", days.first.strftime("%-d %b"), days.last.strftime("%-d %b %Y")))
        });
        named.map(|(name, what)| (name.to_owned(), what.to_owned())).into_iter().chain(weeks).collect()
    })
}

/// Times ahead to pause until: the full hours of today, and tomorrow.
pub(crate) fn times_ahead() -> ArgValueCompleter {
    completer(|| {
        let now = Zoned::now();
        let hours = (now.hour() + 1..24).map(|hour| (format!("{hour:02}:00"), "today".to_owned()));
        hours.chain([("tomorrow".to_owned(), now.date().saturating_add(1.day()).to_string())]).collect()
    })
}

/// The names of all settings. What they are is not shown unasked: the address of a camera may hold a password.
pub(crate) fn settings() -> ArgValueCompleter {
    completer(|| {
        let settings = asked(config::settings()).unwrap_or_default();
        settings.into_iter().map(|(name, _)| (name, String::new())).collect()
    })
}

/// Values for the setting that was named before.
pub(crate) fn values() -> ArgValueCompleter {
    completer(|| {
        // The words of the command line stand after `--`: blinkctl, config, set, and the setting.
        let words = env::args_os().skip_while(|word| word != "--").skip(1);
        let mut words = words.map(|word| word.to_string_lossy().into_owned()).filter(|word| !word.starts_with('-'));
        let setting = words.nth(3).unwrap_or_default();
        if setting == "camera.source" {
            let cameras = asked(cameras::list()).unwrap_or_default();
            return cameras
                .into_iter()
                .map(|camera| (format!("camera:{}", camera.number), plain(&camera.name)))
                .collect();
        }
        let settings = asked(config::settings()).unwrap_or_default();
        match settings.into_iter().find(|(name, _)| *name == setting) {
            Some((_, Value::Bool(_))) => ["true", "false"].map(|value| (value.to_owned(), String::new())).into(),
            Some((_, Value::String(value))) if !value.is_empty() => vec![(value, "as it is".to_owned())],
            Some((_, value @ Value::Number(_))) => vec![(value.to_string(), "as it is".to_owned())],
            _ => Vec::new(),
        }
    })
}

/// A completer of values and what they are, in their order.
fn completer(all: impl Fn() -> Vec<(String, String)> + Send + Sync + 'static) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| {
        let typed = typed.to_string_lossy();
        let matching = all().into_iter().filter(|(value, _)| value.starts_with(&*typed));
        let matching: Vec<_> = if typed.is_empty() { matching.take(NEWEST).collect() } else { matching.collect() };
        let candidates = matching.into_iter().enumerate().map(|(place, (value, what))| {
            Candidate::new(value).help((!what.is_empty()).then(|| what.into())).display_order(Some(place))
        });
        candidates.collect()
    })
}

/// The local days that the day files of this machine and of pulled minutes touch, and today. A file is of a UTC day.
fn with_minutes() -> BTreeSet<Date> {
    let mut days = BTreeSet::from([Zoned::now().date()]);
    if let Some(paths) = Paths::from_env() {
        for folder in [Some(paths.history()), pulled::readable(&paths)].into_iter().flatten() {
            for day in day_files::days(&folder).unwrap_or_default().into_keys() {
                let ends = [day.at(0, 0, 0, 0), day.at(23, 59, 0, 0)].map(|end| end.to_zoned(TimeZone::UTC));
                days.extend(ends.into_iter().flatten().map(|end| end.with_time_zone(TimeZone::system()).date()));
            }
        }
    }
    days
}

/// What blinkd answers as a program; nothing is offered where it does not answer.
fn asked<T>(question: impl Future<Output = Result<T, Failure>>) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async { timeout(PATIENCE, question).await }).ok()?.ok()
}
