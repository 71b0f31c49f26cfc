//! The table of all configuration keys, from which the parser, the first file and the document are made.

use std::time::Duration;

use blink_vision::SourceSpec;
use jiff::civil::Time;

use super::Config;
use crate::nudge::LEAST_COOL_DOWN;

/// The TOML type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Boolean,
}

impl Kind {
    /// The type's name in the document and in errors.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Key {
    /// The TOML table that holds the key.
    pub section: &'static str,
    pub name: &'static str,
    pub kind: Kind,
    /// The default, written as TOML.
    pub default: &'static str,
    /// The meaning, as people read it.
    pub meaning: &'static str,
    /// Parses and sets the value, or says what is allowed.
    pub set: fn(&mut Config, &str) -> Result<(), String>,
    /// The current value, as [`Self::set`] takes it.
    pub get: fn(&Config) -> String,
}

impl Key {
    /// `section.name`.
    #[must_use]
    pub(crate) fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// The environment variable that overrides it.
    #[must_use]
    pub(crate) fn variable(&self) -> String {
        format!("BLINKD_{}__{}", self.section, self.name).to_ascii_uppercase()
    }
}

/// All keys, in the order of the file.
pub(crate) const KEYS: &[Key] = &[
    Key {
        section: "camera",
        name: "source",
        kind: Kind::Text,
        default: "\"camera:0\"",
        meaning: "Where frames come from: camera[:N], file:PATH[,loop], gst:PIPELINE, an rtsp:// URL or \
                  synthetic[:KEY=VALUE,..].",
        set: |config, text| {
            config.source = text.parse::<SourceSpec>().map_err(|error| error.to_string())?;
            Ok(())
        },
        get: |config| config.source.to_string(),
    },
    Key {
        section: "camera",
        name: "yield_to_others",
        kind: Kind::Boolean,
        default: "true",
        meaning: "Hand the camera over by itself when another program waits for it, and take it back when that has let \
                  it go. It works for cameras on Linux, where the system tells who has one open.",
        set: |config, text| {
            config.yield_to_others = text.parse().map_err(|_| "it must be true or false")?;
            Ok(())
        },
        get: |config| config.yield_to_others.to_string(),
    },
    Key {
        section: "camera",
        name: "glasses",
        kind: Kind::Text,
        default: "\"unsaid\"",
        meaning: "Whether you wear glasses in front of it: yes, no or unsaid. It only marks your figures, so that weeks \
                  with and without them are not compared.",
        set: |config, text| {
            config.glasses = match text {
                "yes" => Some(true),
                "no" => Some(false),
                "unsaid" => None,
                _ => return Err("it must be yes, no or unsaid".to_owned()),
            };
            Ok(())
        },
        get: |config| config.glasses.map_or("unsaid", |glasses| if glasses { "yes" } else { "no" }).to_owned(),
    },
    Key {
        section: "cost",
        name: "max_cpu_percent",
        kind: Kind::Integer,
        default: "25",
        meaning: "Where blinkd costs more of one core than this, 1 to 100, it looks at fewer frames, but at no fewer \
                  than 15 a second; 0 for no limit.",
        set: |config, text| {
            let percent = text.parse().ok().filter(|percent| (0..=100).contains(percent));
            config.max_cpu_percent = percent.ok_or("it must be from 0 to 100")?;
            Ok(())
        },
        get: |config| config.max_cpu_percent.to_string(),
    },
    Key {
        section: "cost",
        name: "profile",
        kind: Kind::Text,
        default: "\"auto\"",
        meaning: "normal looks all the time; battery looks for 20 s of each minute and closes the camera in between, \
                  which counts against coverage; auto does that while the machine runs on its battery.",
        set: |config, text| {
            config.profile = text.parse()?;
            Ok(())
        },
        get: |config| config.profile.to_string(),
    },
    Key {
        section: "upload",
        name: "server",
        kind: Kind::Text,
        default: "\"http://127.0.0.1:8080\"",
        meaning: "The server that `blinkctl register` and `blinkctl login` use when they name none. Nothing is sent \
                  before one of them succeeds.",
        set: |config, text| {
            // Plain HTTP is let through here, because whether it is allowed depends on the flags.
            config.server = crate::upload::BaseUrl::parse(text, true).map_err(|problem| problem.message)?.to_string();
            Ok(())
        },
        get: |config| config.server.clone(),
    },
    Key {
        section: "upload",
        name: "ca_file",
        kind: Kind::Text,
        default: "\"\"",
        meaning: "A PEM file with a private certificate authority, trusted beside the system's own; empty for none.",
        set: |config, text| {
            config.ca_file = (!text.is_empty()).then(|| text.into());
            Ok(())
        },
        get: |config| config.ca_file.as_ref().map_or_else(String::new, |file| file.display().to_string()),
    },
    Key {
        section: "account",
        name: "keyring",
        kind: Kind::Text,
        default: "\"auto\"",
        meaning: "Where the sign-in is kept: auto for the desktop's keyring where there is one that works, else a file \
                  that this user alone can read; off for the file.",
        set: |config, text| {
            config.keyring = match text {
                "auto" => true,
                "off" => false,
                _ => return Err("it must be auto or off".to_owned()),
            };
            Ok(())
        },
        get: |config| if config.keyring { "auto" } else { "off" }.to_owned(),
    },
    Key {
        section: "history",
        name: "retention_days",
        kind: Kind::Integer,
        default: "90",
        meaning: "Minutes are kept on this machine for so many days, 1 to 3650.",
        set: |config, text| {
            let days = text.parse().ok().filter(|days| (1..=3650).contains(days));
            config.retention_days = days.ok_or("it must be from 1 to 3650")?;
            Ok(())
        },
        get: |config| config.retention_days.to_string(),
    },
    Key {
        section: "nudge",
        name: "low_rate",
        kind: Kind::Boolean,
        default: "true",
        meaning: "Remind of blinking where the rate is under your own baseline.",
        set: |config, text| {
            config.nudges.low_rate = text.parse().map_err(|_| "it must be true or false")?;
            Ok(())
        },
        get: |config| config.nudges.low_rate.to_string(),
    },
    Key {
        section: "nudge",
        name: "low_rate_minutes",
        kind: Kind::Integer,
        default: "10",
        meaning: "For so many minutes the rate must be low, 1 to 120.",
        set: |config, text| {
            config.nudges.low_rate_after = minutes(text, 1, 120)?;
            Ok(())
        },
        get: |config| (config.nudges.low_rate_after.as_secs() / 60).to_string(),
    },
    Key {
        section: "nudge",
        name: "low_rate_percent",
        kind: Kind::Integer,
        default: "60",
        meaning: "Below so many per cent of your own baseline the rate is low, 10 to 100.",
        set: |config, text| {
            let percent = text.parse().ok().filter(|percent| (10..=100).contains(percent));
            config.nudges.low_rate_percent = percent.ok_or("it must be from 10 to 100")?;
            Ok(())
        },
        get: |config| config.nudges.low_rate_percent.to_string(),
    },
    Key {
        section: "nudge",
        name: "cool_down_minutes",
        kind: Kind::Integer,
        default: "60",
        meaning: "So many minutes pass between two reminders of blinking, 60 to 1440; less counts as 60.",
        set: |config, text| {
            // Files of earlier versions may say less.
            config.nudges.cool_down = minutes(text, 1, 1440)?.max(LEAST_COOL_DOWN);
            Ok(())
        },
        get: |config| (config.nudges.cool_down.as_secs() / 60).to_string(),
    },
    Key {
        section: "nudge",
        name: "breaks",
        kind: Kind::Boolean,
        default: "true",
        meaning: "Suggest to look into the distance after a while at the screen (20-20-20).",
        set: |config, text| {
            config.nudges.breaks = text.parse().map_err(|_| "it must be true or false")?;
            Ok(())
        },
        get: |config| config.nudges.breaks.to_string(),
    },
    Key {
        section: "nudge",
        name: "break_minutes",
        kind: Kind::Integer,
        default: "20",
        meaning: "After so many minutes at the screen, 5 to 240.",
        set: |config, text| {
            config.nudges.break_after = minutes(text, 5, 240)?;
            Ok(())
        },
        get: |config| (config.nudges.break_after.as_secs() / 60).to_string(),
    },
    Key {
        section: "nudge",
        name: "camera",
        kind: Kind::Boolean,
        default: "true",
        meaning: "Tell when the camera has been gone for some minutes.",
        set: |config, text| {
            config.nudges.camera = text.parse().map_err(|_| "it must be true or false")?;
            Ok(())
        },
        get: |config| config.nudges.camera.to_string(),
    },
    Key {
        section: "nudge",
        name: "sign_in",
        kind: Kind::Boolean,
        default: "true",
        meaning: "Tell when the server wants a new sign-in.",
        set: |config, text| {
            config.nudges.sign_in = text.parse().map_err(|_| "it must be true or false")?;
            Ok(())
        },
        get: |config| config.nudges.sign_in.to_string(),
    },
    Key {
        section: "nudge",
        name: "upload",
        kind: Kind::Boolean,
        default: "true",
        meaning: "Tell when minutes have waited for the server for a day.",
        set: |config, text| {
            config.nudges.upload = text.parse().map_err(|_| "it must be true or false")?;
            Ok(())
        },
        get: |config| config.nudges.upload.to_string(),
    },
    Key {
        section: "nudge",
        name: "quiet_hours",
        kind: Kind::Text,
        default: "\"\"",
        meaning: "From when to when nothing is shown, local time, such as 22:00-07:00; empty for never.",
        set: |config, text| {
            config.nudges.quiet_hours = if text.is_empty() { None } else { Some(hours(text)?) };
            Ok(())
        },
        get: |config| {
            config
                .nudges
                .quiet_hours
                .map_or_else(String::new, |(from, to)| format!("{}-{}", from.strftime("%H:%M"), to.strftime("%H:%M")))
        },
    },
    Key {
        section: "log",
        name: "level",
        kind: Kind::Text,
        default: "\"info\"",
        meaning: "How much is logged: error, warn, info, debug or trace.",
        set: |config, text| {
            config.log_level = match text {
                "error" => tracing::Level::ERROR,
                "warn" => tracing::Level::WARN,
                "info" => tracing::Level::INFO,
                "debug" => tracing::Level::DEBUG,
                "trace" => tracing::Level::TRACE,
                _ => return Err("it must be error, warn, info, debug or trace".to_owned()),
            };
            Ok(())
        },
        get: |config| config.log_level.to_string().to_ascii_lowercase(),
    },
];

fn minutes(text: &str, least: u64, most: u64) -> Result<Duration, String> {
    let minutes = text.parse().ok().filter(|minutes| (least..=most).contains(minutes));
    minutes.map(|minutes| Duration::from_secs(60 * minutes)).ok_or_else(|| format!("it must be from {least} to {most}"))
}

fn hours(text: &str) -> Result<(Time, Time), String> {
    let time = |text: &str| Time::strptime("%H:%M", text.trim()).ok();
    let hours = text.split_once('-').and_then(|(from, to)| Some((time(from)?, time(to)?)));
    hours.filter(|(from, to)| from != to).ok_or_else(|| "write two times such as 22:00-07:00".to_owned())
}
