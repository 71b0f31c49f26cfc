//! Runs the binary in a profile of the test's own, and records its output.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use blink_profile::Paths;
use tempfile::TempDir;

/// An empty profile, removed after the test.
pub(crate) struct Profile {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Profile {
    pub(crate) fn new() -> Self {
        // Socket paths must be short, so the folder is made directly under /tmp.
        let folder = tempfile::Builder::new().prefix("ctl").tempdir_in("/tmp").unwrap();
        // Only a blinkd of the test's own is found, whatever was built beside this program.
        let variables = vec![("BLINKD_BIN", folder.path().join("bin/blinkd").to_str().unwrap().to_owned())];
        Self { folder, variables }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sets an environment variable for all later runs.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.into()));
    }

    /// Puts a shell script as a program on `PATH`; its calls are logged in `bin/NAME.log`.
    pub(crate) fn program(&mut self, name: &str, script: &str) {
        let bin = self.path("bin");
        fs::create_dir_all(&bin).unwrap();
        let log = bin.join(format!("{name}.log"));
        let text = format!("#!/bin/sh\necho \"$@\" >> '{}'\n{script}\n", log.display());
        let path = bin.join(name);
        // It is written under another name first, because a file open for writing cannot be run.
        let draft = bin.join(format!("{name}.new"));
        fs::write(&draft, text).unwrap();
        fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(&draft, path).unwrap();
        self.set("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    }

    /// The arguments of each call of a [`Self::program`], one call per line.
    pub(crate) fn calls(&self, name: &str) -> Vec<String> {
        let log = fs::read_to_string(self.path(&format!("bin/{name}.log"))).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// Writes a day file of the history.
    pub(crate) fn day(&self, day: &str, lines: &str) {
        fs::create_dir_all(self.paths().history()).unwrap();
        fs::write(self.paths().history().join(format!("{day}.ndjson")), lines).unwrap();
    }

    pub(crate) fn paths(&self) -> Paths {
        Paths::under(self.folder.path())
    }

    /// The environment variables that select this profile.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let under = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        let mut variables = vec![
            ("HOME", under("home")),
            ("XDG_CONFIG_HOME", under("config")),
            ("XDG_DATA_HOME", under("data")),
            ("XDG_STATE_HOME", under("state")),
            ("XDG_RUNTIME_DIR", under("run")),
            ("TZ", "UTC".to_owned()),
        ];
        variables.extend(self.variables.iter().cloned());
        variables
    }

    /// `text` without the profile's random path.
    pub(crate) fn redact(&self, text: &str) -> String {
        text.replace(self.folder.path().to_str().unwrap(), "[profile]")
    }

    /// Runs blinkctl with empty stdin.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    pub(crate) fn run_with(&self, args: &[&str], input: &str) -> Ran {
        let mut child = self.spawn(args);
        // The program may have ended without reading its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        self.ran(args, output)
    }

    fn ran(&self, args: &[&str], output: Output) -> Ran {
        // Paths in the profile are shown without its random folder.
        let command = self.redact(&args.join(" "));
        let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        Ran { command, exit: output.status.code(), stdout, stderr }
    }

    /// Runs blinkctl; returns its peak resident memory in kB too.
    pub(crate) fn run_measured(&self, args: &[&str]) -> (Ran, u64) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blinkctl"));
        command.args(args);
        command.env_clear().envs(self.variables()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            let text = fs::read_to_string(&status).unwrap_or_default();
            let high = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let high = high.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse().ok());
            peak = peak.max(high.unwrap_or(0));
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        let output = child.wait_with_output().unwrap();
        (self.ran(args, output), peak)
    }

    /// Starts blinkctl with pipes for stdin, stdout and stderr.
    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_blinkctl"))
            .args(args)
            .env_clear()
            .envs(self.variables())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

/// The result of a run.
pub(crate) struct Ran {
    command: String,
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The transcript without the profile's random path.
    pub(crate) fn redacted(&self, profile: &Profile) -> String {
        profile.redact(&self.transcript())
    }

    /// The whole result as text, for a snapshot.
    pub(crate) fn transcript(&self) -> String {
        let Self { command, exit, stdout, stderr } = self;
        let exit = exit.map_or("killed".to_owned(), |code| code.to_string());
        format!("$ blinkctl {command}\nexit {exit}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }

    /// Checks for a failure by SPEC 3: one line on stderr, nothing on stdout, this exit code.
    #[track_caller]
    pub(crate) fn assert_fails(&self, exit: i32) {
        assert_eq!(
            (self.exit, self.stdout.as_str(), self.stderr.lines().count()),
            (Some(exit), "", 1),
            "{}",
            self.transcript()
        );
    }
}
