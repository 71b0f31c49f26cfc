//! The settings of a running daemon, read at its start and again on request.

use std::{
    env,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use blink_proto::Problem;
use blink_vision::SourceSpec;

use super::{Config, KEYS};
use crate::{capture::device, exit::Failure, keeper::CapturePolicy};

/// Keys that take effect only at the next start.
const AT_START: [&str; 1] = ["account.keyring"];

/// The settings, and where they are read from.
#[derive(Debug)]
pub struct Settings {
    file: PathBuf,
    named: bool,
    /// `--source`, which overrides the file and the environment.
    source: Option<SourceSpec>,
    current: Mutex<Config>,
}

/// The result of reading the settings again.
#[derive(Clone, Debug, PartialEq)]
pub struct Reloaded {
    pub config: Config,
    /// Whether the source of frames changed.
    pub source: bool,
    /// Whether the server or its `ca_file` changed.
    pub upload: bool,
    /// Keys that changed but take effect only at the next start.
    pub restart_needed: Vec<String>,
}

impl Settings {
    pub fn load(file: &Path, named: bool, source: Option<SourceSpec>) -> Result<Self, Failure> {
        let current = Mutex::new(Config::load(file, named, env::vars_os())?);
        let settings = Self { file: file.to_owned(), named, source, current };
        let config = settings.flagged(settings.lock().clone());
        *settings.lock() = config;
        Ok(settings)
    }

    fn lock(&self) -> MutexGuard<'_, Config> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flagged(&self, config: Config) -> Config {
        Config { source: self.source.clone().unwrap_or_else(|| config.source.clone()), ..config }
    }

    #[must_use]
    pub fn config(&self) -> Config {
        self.lock().clone()
    }

    /// Reads the file and the environment without applying them.
    pub fn look(&self) -> Result<Config, Problem> {
        let config = Config::read(&self.file, self.named, env::vars_os()).map_err(|failure| failure.problem)?;
        Ok(self.flagged(config))
    }

    /// Reads the settings again. If that fails, the old ones stay.
    pub fn reload(&self) -> Result<Reloaded, Problem> {
        let config = Config::load(&self.file, self.named, env::vars_os()).map_err(|failure| failure.problem)?;
        let config = self.flagged(config);
        let before = std::mem::replace(&mut *self.lock(), config.clone());
        let changed = |path: &str| {
            let key = KEYS.iter().find(|key| key.path() == path);
            key.is_some_and(|key| (key.get)(&before) != (key.get)(&config))
        };
        Ok(Reloaded {
            source: before.source != config.source,
            upload: before.server != config.server || before.ca_file != config.ca_file,
            restart_needed: AT_START.iter().filter(|path| changed(path)).map(|path| (*path).to_owned()).collect(),
            config,
        })
    }
}

impl Config {
    #[must_use]
    pub fn capture_policy(&self) -> CapturePolicy {
        CapturePolicy {
            device: device::from_source(&self.source),
            yield_to_others: self.yield_to_others,
            max_cpu_percent: self.max_cpu_percent,
            profile: self.profile,
            glasses: self.glasses,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_changed_is_told_and_a_flag_goes_on_to_override() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, "[camera]\nsource = \"camera:1\"\n").unwrap();
        let settings = Settings::load(&file, true, None).unwrap();
        let flagged = Settings::load(&file, true, Some(SourceSpec::Camera(7))).unwrap();
        assert_eq!(settings.config().source, SourceSpec::Camera(1));
        let text = "[camera]\nsource = \"camera:2\"\n[history]\nretention_days = 30\n[account]\nkeyring = \"off\"\n";
        fs::write(&file, text).unwrap();
        let reloaded = settings.reload().unwrap();
        assert_eq!((reloaded.source, reloaded.upload, reloaded.config.retention_days), (true, false, 30));
        assert_eq!(reloaded.restart_needed, ["account.keyring"]);
        let again = settings.reload().unwrap();
        assert!(!again.source && again.restart_needed.is_empty());
        assert!(!flagged.reload().unwrap().source);
        assert_eq!(flagged.config().source, SourceSpec::Camera(7));
    }

    #[test]
    fn a_file_that_became_wrong_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, "[history]\nretention_days = 30\n").unwrap();
        let settings = Settings::load(&file, true, None).unwrap();
        fs::write(&file, "[history]\nretention_days = 0\n").unwrap();
        assert_eq!(settings.reload().unwrap_err().code, "config_invalid");
        assert_eq!(settings.config().retention_days, 30);
    }
}
