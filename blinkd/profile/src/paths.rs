//! The places of a profile's files: the XDG base directories, so that four variables move a whole profile.
//!
//! Nothing here touches the file system; whoever writes into a folder creates it.

use std::{
    env, fmt,
    path::{Path, PathBuf},
};

use blink_proto::UserId;

pub(crate) const SOCKET: &str = "blinkd.sock";
pub(crate) const PULL_PLACE: &str = "place.json";
const RUN: &str = "run";

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

    /// Like [`Self::from_env`], with the variables passed in. Relative values are ignored, as the XDG specification
    /// requires.
    pub fn resolve(var: impl Fn(&str) -> Option<PathBuf>) -> Option<Self> {
        let absolute = |name: &str| var(name).filter(|p| p.is_absolute());
        let home = absolute("HOME").or_else(|| absolute("USERPROFILE"));
        let base = |name: &str, under: &str| absolute(name).or_else(|| Some(home.as_ref()?.join(under)));
        let data = base("XDG_DATA_HOME", ".local/share")?.join("blinkd");
        Some(Self {
            config: base("XDG_CONFIG_HOME", ".config")?.join("blinkd"),
            state: base("XDG_STATE_HOME", ".local/state")?.join("blinkd"),
            runtime: absolute("XDG_RUNTIME_DIR").map_or_else(|| data.join(RUN), |dir| dir.join("blinkd")),
            data,
        })
    }

    /// A profile with all its folders under `root`, for tests and the demonstration.
    #[must_use]
    pub fn under(root: &Path) -> Self {
        Self {
            config: root.join("config/blinkd"),
            data: root.join("data/blinkd"),
            state: root.join("state/blinkd"),
            runtime: root.join("run/blinkd"),
        }
    }

    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.runtime.join(SOCKET)
    }

    /// The socket's folder where the system has no runtime folder.
    pub(crate) fn run_in_data(&self) -> PathBuf {
        self.data.join(RUN)
    }

    /// The lock that makes the daemon the only one of its profile.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.data.join("blinkd.lock")
    }

    #[must_use]
    pub fn account_file(&self) -> PathBuf {
        self.data.join("account.json")
    }

    /// The tokens of the signed-in account, where no keyring holds them.
    #[must_use]
    pub fn tokens_file(&self) -> PathBuf {
        self.data.join("tokens.json")
    }

    #[must_use]
    pub fn device_file(&self) -> PathBuf {
        self.data.join("device.json")
    }

    #[must_use]
    pub fn pause_file(&self) -> PathBuf {
        self.data.join("pause.json")
    }

    /// The time of the last reminder of blinking.
    #[must_use]
    pub fn reminded_file(&self) -> PathBuf {
        self.data.join("reminded.json")
    }

    /// The note that an erasure was begun.
    #[must_use]
    pub fn erasing_file(&self) -> PathBuf {
        self.data.join("erasing.json")
    }

    #[must_use]
    pub fn consent_file(&self) -> PathBuf {
        self.data.join("consent.json")
    }

    /// The encodings of the enrolled owner.
    #[must_use]
    pub fn owner_file(&self) -> PathBuf {
        self.data.join("owner.json")
    }

    /// The folder of the store: open minutes and the queue.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.data.join("store")
    }

    /// The folder of fetched models.
    #[must_use]
    pub fn models(&self) -> PathBuf {
        self.data.join("models")
    }

    /// The folder of day files, `YYYY-MM-DD.ndjson`.
    #[must_use]
    pub fn history(&self) -> PathBuf {
        self.data.join("history")
    }

    /// The folder with a [folder](Self::pulled_of) for each account that pulled minutes.
    #[must_use]
    pub fn pulled(&self) -> PathBuf {
        self.data.join("pulled")
    }

    /// The folder of an account's pulled minutes: day files, and the place at which the pull goes on.
    #[must_use]
    pub fn pulled_of(&self, user_id: UserId) -> PathBuf {
        self.pulled().join(user_id.to_string())
    }

    /// What measured since when.
    #[must_use]
    pub fn setups_file(&self) -> PathBuf {
        self.data.join("setups.ndjson")
    }

    /// What `blinkctl mcp` was asked.
    #[must_use]
    pub fn mcp_log(&self) -> PathBuf {
        self.data.join("mcp.ndjson")
    }
}

/// The content of a lock file: the process id of the daemon, and its socket.
///
/// It lets a client with another `XDG_RUNTIME_DIR`, as under cron or `su`, find the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockHolder {
    pub pid: u32,
    /// Its socket; `None` before it listens, and for a command that holds the lock without listening.
    pub socket: Option<PathBuf>,
}

impl LockHolder {
    /// Parses a lock file: the process id, then `socket=PATH`. Unknown lines are ignored; `None` where there is no
    /// process id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        let socket = lines.find_map(|line| line.strip_prefix("socket=")).map(PathBuf::from);
        Some(Self { pid, socket })
    }

    /// The fix when the daemon listens at another socket than the one that `paths` names; `None` where it is the same,
    /// or is not known.
    #[must_use]
    pub fn elsewhere(&self, paths: &Paths) -> Option<String> {
        let socket = self.socket.as_deref().filter(|socket| **socket != paths.socket())?;
        let runtime = socket.parent()?;
        if runtime == paths.data.join("run") {
            return Some("Unset XDG_RUNTIME_DIR, without which blinkd was started, and try again.".to_owned());
        }
        let dir = runtime.parent()?;
        Some(format!("Set XDG_RUNTIME_DIR={}, with which blinkd was started, and try again.", dir.display()))
    }
}

impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.pid)?;
        // A path with a line break is left out, because it would not be read back unchanged.
        match self.socket.as_deref().and_then(Path::to_str) {
            Some(socket) if !socket.contains(['\n', '\r']) => writeln!(f, "socket={socket}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_says_who_holds_it_and_where_they_listen() {
        let paths = Paths::under(Path::new("/p"));
        for socket in [None, Some(paths.socket()), Some("/a b/ü/blinkd.sock".into())] {
            let holder = LockHolder { pid: 7, socket };
            assert_eq!(LockHolder::parse(&holder.to_string()), Some(holder));
        }
        let torn = LockHolder { pid: 7, socket: Some("/a\nb".into()) };
        assert_eq!(LockHolder::parse(&torn.to_string()), Some(LockHolder { pid: 7, socket: None }));
        assert_eq!(LockHolder::parse("7"), Some(LockHolder { pid: 7, socket: None }), "as older versions wrote it");
        assert_eq!((LockHolder::parse(""), LockHolder::parse("x\nsocket=/a")), (None, None));
    }

    #[test]
    fn a_daemon_at_another_socket_is_told_from_one_at_ours() {
        let paths = Paths::under(Path::new("/p"));
        let at = |socket: PathBuf| LockHolder { pid: 7, socket: Some(socket) }.elsewhere(&paths);
        assert_eq!(at(paths.socket()), None);
        assert!(at("/run/user/7/blinkd/blinkd.sock".into()).unwrap().contains("XDG_RUNTIME_DIR=/run/user/7,"));
        assert!(at(paths.data.join("run/blinkd.sock")).unwrap().starts_with("Unset XDG_RUNTIME_DIR"));
        assert_eq!(LockHolder { pid: 7, socket: None }.elsewhere(&paths), None);
    }

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
