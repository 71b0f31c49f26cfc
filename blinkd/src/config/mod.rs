//! Settings from the defaults, then the file, then the environment, then flags.
//!
//! - `keys`: the table of keys
//! - [`Settings`]: the settings of a running daemon, which can be read again
//! - `document`: the commented first file and the document's table
//!
//! An unknown key is an error that names the key, its file and its line, so that a misspelt setting does not pass
//! unnoticed.

mod document;
mod edit;
mod keys;
mod settings;

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use blink_proto::problem::code;
use blink_vision::SourceSpec;
use toml::de::{DeTable, DeValue};

pub(crate) use document::first_file;
pub(crate) use edit::{Origin, origins, set};
pub(crate) use keys::{KEYS, Key, Kind};
pub(crate) use settings::{Reloaded, Settings};

use crate::{cost::Profile, exit::Failure, nudge};

#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `camera.source`
    pub source: SourceSpec,
    /// `camera.yield_to_others`
    pub yield_to_others: bool,
    /// `camera.glasses`
    pub glasses: Option<bool>,
    /// `cost.max_cpu_percent`
    pub max_cpu_percent: u32,
    /// `cost.profile`
    pub profile: Profile,
    /// `upload.server`
    pub server: String,
    /// `upload.ca_file`
    pub ca_file: Option<PathBuf>,
    /// `account.keyring`
    pub keyring: bool,
    /// `history.retention_days`
    pub retention_days: u32,
    /// `nudge.*`
    pub nudges: nudge::Settings,
    /// `log.level`
    pub log_level: tracing::Level,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            source: SourceSpec::Camera(0),
            yield_to_others: true,
            glasses: None,
            max_cpu_percent: 25,
            profile: Profile::Auto,
            server: "http://127.0.0.1:8080".to_owned(),
            ca_file: None,
            keyring: true,
            retention_days: 90,
            nudges: nudge::Settings::default(),
            log_level: tracing::Level::INFO,
        }
    }
}

impl Config {
    /// Reads `file` and then the environment. The file must exist if the person `named` it; otherwise it is written on
    /// first run. A file or variable that cannot be read or parsed is a failure with exit code 2.
    pub fn load(
        file: &Path,
        named: bool,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Failure> {
        if !named && matches!(fs::metadata(file), Err(error) if error.kind() == io::ErrorKind::NotFound) {
            write_first(file);
        }
        Self::read(file, named, environment)
    }

    /// Like [`Self::load`], but never writes the file.
    pub fn read(
        file: &Path,
        named: bool,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Failure> {
        let mut config = Self::default();
        match fs::read(file) {
            Ok(bytes) => {
                let text = String::from_utf8(bytes).map_err(|error| {
                    let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()].split(|b| *b == b'\n').count();
                    at_line(file, line - 1, "it is not UTF-8 text")
                })?;
                config.take_file(file, &text)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && !named => {}
            Err(error) => {
                return Err(Failure::usage(
                    code::CONFIG_UNREADABLE,
                    format!("The configuration {} cannot be read: {error}.", file.display()),
                    "Check that the file is there and that you may read it.",
                ));
            }
        }
        config.take_environment(environment)?;
        Ok(config)
    }

    pub(crate) fn take_file(&mut self, file: &Path, text: &str) -> Result<(), Failure> {
        let line_of =
            |offset: usize| 1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|b| **b == b'\n').count();
        let root = DeTable::parse(text)
            .map_err(|error| at_line(file, error.span().map_or(1, |span| line_of(span.start)), error.message()))?;
        for (section, table) in root.get_ref() {
            let line = line_of(section.span().start);
            let name: &str = section.get_ref();
            if !KEYS.iter().any(|key| key.section == name) {
                return Err(unknown(file, line, name));
            }
            let DeValue::Table(table) = table.get_ref() else {
                return Err(at_line(file, line, &format!("`{name}` must be a table: write [{name}]")));
            };
            for (name_in, value) in table {
                let line = line_of(name_in.span().start);
                let path = format!("{name}.{}", name_in.get_ref());
                let Some(key) = KEYS.iter().find(|key| key.path() == path) else {
                    return Err(unknown(file, line, &path));
                };
                let text = match (value.get_ref(), key.kind) {
                    (DeValue::String(text), Kind::Text) => text.to_string(),
                    (DeValue::Integer(number), Kind::Integer) => number.to_string(),
                    (DeValue::Boolean(value), Kind::Boolean) => value.to_string(),
                    (_, kind) => return Err(at_line(file, line, &format!("`{path}` must be of type {}", kind.name()))),
                };
                (key.set)(self, &text).map_err(|why| at_line(file, line, &format!("`{path}`: {why}")))?;
            }
        }
        Ok(())
    }

    fn take_environment(&mut self, variables: impl Iterator<Item = (OsString, OsString)>) -> Result<(), Failure> {
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| name.starts_with("BLINKD_") && name.contains("__")) else {
                continue;
            };
            let wrong = |why: &str| {
                let fix = "Correct or unset it; docs/configuration.md lists them all.";
                Failure::usage(code::CONFIG_INVALID, format!("The environment variable {name}: {why}."), fix)
            };
            let key =
                KEYS.iter().find(|key| key.variable() == name).ok_or_else(|| wrong("no setting has that name"))?;
            let value = value.to_str().ok_or_else(|| wrong("it is not UTF-8 text"))?;
            (key.set)(self, value).map_err(|why| wrong(&why))?;
        }
        Ok(())
    }
}

fn write_first(file: &Path) {
    let write = || {
        blink_files::private_folder(file.parent().unwrap_or(Path::new(".")))?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        io::Write::write_all(&mut options.open(file)?, first_file().as_bytes())
    };
    // When the file cannot be written, the defaults still hold.
    let _: io::Result<()> = write();
}

fn at_line(file: &Path, line: usize, why: &str) -> Failure {
    Failure::usage(
        code::CONFIG_INVALID,
        format!("{}, line {line}: {why}.", file.display()),
        "Correct that line, or remove the file to have a new one written.",
    )
}

fn unknown(file: &Path, line: usize, key: &str) -> Failure {
    Failure::usage(
        code::CONFIG_UNKNOWN_KEY,
        format!("{}, line {line}: the key `{key}` is not known.", file.display()),
        "Correct or remove it; docs/configuration.md lists them all.",
    )
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use blink_proto::example;

    use super::*;
    use crate::exit::ExitStatus;

    fn env(pairs: &[(&str, &str)]) -> impl Iterator<Item = (OsString, OsString)> {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        pairs.into_iter()
    }

    #[test]
    fn the_environment_overrides_the_file_and_the_file_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(
            &file,
            "[upload]\nca_file = \"/etc/a.pem\"\nserver = \"https://a.example\"\n[history]\nretention_days = 7\n",
        )
        .unwrap();
        let variables = [("BLINKD_UPLOAD__CA_FILE", "/etc/b.pem"), ("BLINKD_MODELS_DIR", "/x"), ("HOME", "/y")];
        let config = Config::load(&file, true, env(&variables)).unwrap();
        assert_eq!(config.ca_file, Some("/etc/b.pem".into()));
        assert_eq!(config.server, "https://a.example");
        assert_eq!((config.retention_days, config.log_level), (7, tracing::Level::INFO));
    }

    /// Any text is settings, or a mistake with its line.
    #[test]
    fn fuzz_settings() {
        let (file, first) = (Path::new("config.toml"), first_file());
        bolero::check!().for_each(|bytes: &[u8]| {
            for text in [bytes, &example::spliced(first.as_bytes(), bytes)] {
                let text = String::from_utf8_lossy(text);
                if let Err(failure) = Config::default().take_file(file, &text) {
                    assert!(failure.to_string().contains("config.toml"), "{failure}");
                }
            }
        });
    }

    #[test]
    fn the_first_run_writes_the_file_and_a_named_one_must_exist() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("blinkd/config.toml");
        assert_eq!(Config::load(&file, false, env(&[])).unwrap(), Config::default());
        assert_eq!(fs::read_to_string(&file).unwrap(), first_file());
        assert_eq!(Config::load(&file, false, env(&[])).unwrap(), Config::default());
        let missing = folder.path().join("mine.toml");
        assert_eq!(Config::load(&missing, true, env(&[])).unwrap_err().status, ExitStatus::Usage);
        assert_eq!(Config::load(folder.path(), false, env(&[])).unwrap_err().problem.code, "config_unreadable");
    }

    #[rstest]
    #[case("[upload]\nca_flie = \"x\"\n", "line 2: the key `upload.ca_flie` is not known")]
    #[case("\n\n[uplaod]\n", "line 3: the key `uplaod` is not known")]
    #[case("colour = 3\n", "line 1: the key `colour` is not known")]
    #[case("[upload]\nserver = 3\n", "line 2: `upload.server` must be of type string")]
    #[case("[history]\nretention_days = \"90\"\n", "line 2: `history.retention_days` must be of type integer")]
    #[case("[history]\nretention_days = 0\n", "line 2: `history.retention_days`: it must be from 1 to 3650")]
    #[case("[camera]\nyield_to_others = \"yes\"\n", "line 2: `camera.yield_to_others` must be of type boolean")]
    #[case("[cost]\nmax_cpu_percent = 101\n", "line 2: `cost.max_cpu_percent`: it must be from 0 to 100")]
    #[case("[cost]\nprofile = \"fast\"\n", "line 2: `cost.profile`: it must be auto, normal or battery")]
    #[case("[camera]\nsource = \"webcam\"\n", "line 2: `camera.source`: `webcam` is not a source")]
    #[case("[log]\n\nlevel = \"loud\"\n", "line 3: `log.level`")]
    #[case("[upload]\nserver = \"a\n", "line 2: ")]
    #[case("upload = 1\n", "line 1: `upload` must be a table")]
    fn what_is_wrong_is_named_with_its_line(#[case] text: &str, #[case] says: &str) {
        let failure = Config::default().take_file(Path::new("/etc/config.toml"), text).unwrap_err();
        let line = failure.problem.to_string();
        assert!(line.contains(says) && line.starts_with("/etc/config.toml, "), "{line}");
        assert_eq!(failure.status, ExitStatus::Usage);
    }

    #[test]
    fn what_a_key_gives_it_takes_back() {
        for key in KEYS {
            let given = (key.get)(&Config::default());
            assert_eq!(given, key.default.trim_matches('"'), "{}", key.path());
            let mut config = Config::default();
            (key.set)(&mut config, &given).unwrap();
            assert_eq!(config, Config::default(), "{}", key.path());
        }
    }

    #[test]
    fn less_than_an_hour_between_reminders_of_blinking_counts_as_an_hour() {
        let mut config = Config::default();
        config.take_file(Path::new("config.toml"), "[nudge]\ncool_down_minutes = 30\n").unwrap();
        assert_eq!(config, Config::default());
        config.take_file(Path::new("config.toml"), "[nudge]\ncool_down_minutes = 90\n").unwrap();
        assert_eq!(config.nudges.cool_down.as_secs(), 90 * 60);
    }

    #[rstest]
    #[case("BLINKD_UPLOAD__CA_FLIE", "x")]
    #[case("BLINKD_HISTORY__RETENTION_DAYS", "soon")]
    #[case("BLINKD_CAMERA__YIELD_TO_OTHERS", "1")]
    fn a_wrong_variable_is_named(#[case] name: &str, #[case] value: &str) {
        let failure = Config::default().take_environment(env(&[(name, value)])).unwrap_err();
        assert!(failure.problem.message.contains(name));
    }

    #[test]
    fn bytes_that_are_not_text_are_an_error_with_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, b"[log]\nlevel = \"\xff\"\n").unwrap();
        let failure = Config::load(&file, false, env(&[])).unwrap_err();
        assert!(failure.problem.message.contains("line 2"), "{failure}");
    }
}
