//! Runs the binary in a profile of the test's own and writes down what came out.

use std::{
    io::Write,
    process::{Child, Command, Stdio},
};

use blink_proto::paths::Paths;
use tempfile::TempDir;

/// An empty profile that goes away with the test.
pub(crate) struct Profile {
    folder: TempDir,
}

impl Profile {
    pub(crate) fn new() -> Self {
        // Sockets have short names: the folder is made directly under /tmp.
        Self { folder: tempfile::Builder::new().prefix("ctl").tempdir_in("/tmp").unwrap() }
    }

    pub(crate) fn paths(&self) -> Paths {
        Paths::under(self.folder.path())
    }

    /// The variables that make this profile the program's.
    pub(crate) fn variables(&self) -> [(&'static str, String); 6] {
        let under = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        [
            ("HOME", under("home")),
            ("XDG_CONFIG_HOME", under("config")),
            ("XDG_DATA_HOME", under("data")),
            ("XDG_STATE_HOME", under("state")),
            ("XDG_RUNTIME_DIR", under("run")),
            ("TZ", "UTC".to_owned()),
        ]
    }

    /// `text` without the folder's random name.
    pub(crate) fn redact(&self, text: &str) -> String {
        text.replace(self.folder.path().to_str().unwrap(), "[profile]")
    }

    /// Runs blinkctl with nothing on stdin.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// Runs blinkctl with `input` on stdin.
    pub(crate) fn run_with(&self, args: &[&str], input: &str) -> Ran {
        let mut child = self.spawn(args);
        // A program that does not read its input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ran {
            command: args.join(" "),
            exit: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Starts blinkctl with pipes.
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

/// What came of a run.
pub(crate) struct Ran {
    command: String,
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The whole of it, for a snapshot.
    pub(crate) fn transcript(&self) -> String {
        let Self { command, exit, stdout, stderr } = self;
        let exit = exit.map_or("killed".to_owned(), |code| code.to_string());
        format!("$ blinkctl {command}\nexit {exit}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }

    /// A failure as SPEC 3 has it: one line on stderr, nothing on stdout, this exit code.
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
