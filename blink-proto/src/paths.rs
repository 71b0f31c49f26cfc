//! Where a profile's files are: the XDG base directories, so that a whole profile moves with four variables.
//!
//! Nothing here touches the file system; the folders are made by whoever writes into them.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The folders of one profile of blinkd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// `$XDG_CONFIG_HOME/blinkd`: `config.toml`.
    pub config: PathBuf,
    /// `$XDG_DATA_HOME/blinkd`: the store, the history, consent, account, device id, models.
    pub data: PathBuf,
    /// `$XDG_STATE_HOME/blinkd`: logs.
    pub state: PathBuf,
    /// `$XDG_RUNTIME_DIR/blinkd`, else `run` in the data folder: socket and lock.
    pub runtime: PathBuf,
}

impl Paths {
    /// The profile that the environment names; `None` where neither `HOME` nor the XDG variables are set.
    #[must_use]
    pub fn from_env() -> Option<Self> {
        Self::resolve(|name| env::var_os(name).map(PathBuf::from))
    }

    /// As [`Self::from_env`] with the variables given. Relative values are ignored, as the XDG specification asks.
    pub fn resolve(var: impl Fn(&str) -> Option<PathBuf>) -> Option<Self> {
        let absolute = |name: &str| var(name).filter(|p| p.is_absolute());
        let home = absolute("HOME").or_else(|| absolute("USERPROFILE"));
        let base = |name: &str, under: &str| absolute(name).or_else(|| Some(home.as_ref()?.join(under)));
        let data = base("XDG_DATA_HOME", ".local/share")?.join("blinkd");
        Some(Self {
            config: base("XDG_CONFIG_HOME", ".config")?.join("blinkd"),
            state: base("XDG_STATE_HOME", ".local/state")?.join("blinkd"),
            runtime: absolute("XDG_RUNTIME_DIR").map_or_else(|| data.join("run"), |dir| dir.join("blinkd")),
            data,
        })
    }

    /// All under one folder, for tests and the demonstration.
    #[must_use]
    pub fn under(root: &Path) -> Self {
        Self {
            config: root.join("config/blinkd"),
            data: root.join("data/blinkd"),
            state: root.join("state/blinkd"),
            runtime: root.join("run/blinkd"),
        }
    }

    /// The configuration file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The socket that blinkctl connects to.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.runtime.join("blinkd.sock")
    }

    /// The lock that makes the daemon the only one of its profile.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.data.join("blinkd.lock")
    }

    /// The record of this machine's consent.
    #[must_use]
    pub fn consent_file(&self) -> PathBuf {
        self.data.join("consent.json")
    }

    /// The encodings of the enrolled owner.
    #[must_use]
    pub fn owner_file(&self) -> PathBuf {
        self.data.join("owner.json")
    }

    /// The folder of day files, `YYYY-MM-DD.ndjson`.
    #[must_use]
    pub fn history(&self) -> PathBuf {
        self.data.join("history")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_runtime_folder_the_socket_is_under_data() {
        let paths = Paths::resolve(|name| (name == "HOME").then(|| "/home/ada".into())).unwrap();
        assert_eq!(paths.socket(), Path::new("/home/ada/.local/share/blinkd/run/blinkd.sock"));
        assert_eq!(paths.config_file(), Path::new("/home/ada/.config/blinkd/config.toml"));
    }

    #[test]
    fn relative_variables_are_ignored() {
        let paths = Paths::resolve(|name| match name {
            "HOME" => Some("/home/ada".into()),
            _ => Some("relative".into()),
        })
        .unwrap();
        assert_eq!(paths.data, Path::new("/home/ada/.local/share/blinkd"));
    }

    #[test]
    fn no_home_is_no_profile() {
        assert_eq!(Paths::resolve(|_| None), None);
    }
}
