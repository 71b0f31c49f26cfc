//! Finds the binaries, and runs them to their end or beside the test.

use std::{
    env,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::until;

/// How long a program may take to end after SIGTERM: it promises two seconds, but the machine may be busy.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// The built binary `name`, which cargo put beside the test's own.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a running test has a file");
    let folder = test.parent().and_then(Path::parent).expect("tests are in target/PROFILE/deps");
    let path = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    assert!(path.is_file(), "{} is not built; run `cargo build --workspace --bins` first", path.display());
    path
}

/// The result of a program that ran to its end.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` when a signal killed it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Runs `command` to its end with `input` on stdin.
    pub fn of(command: &mut Command, input: &str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
        // The program may have ended without reading its input.
        let _ = child.stdin.take().expect("stdin is a pipe").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("a child can be waited for");
        let text = |bytes| String::from_utf8(bytes).expect("programs print UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Checks that it succeeded; returns its standard output.
    #[track_caller]
    pub fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.stdout
    }

    /// Checks that it failed as every failure must: with this exit code, nothing on stdout, and one line on stderr that
    /// is neither a backtrace nor output of a library. Returns the line.
    #[track_caller]
    pub fn failure(self, code: i32) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{self:#?}");
        assert_one_plain_line(&self.stderr);
        self.stderr.trim_end().to_owned()
    }
}

/// Checks that `stderr` is one line of our own.
#[track_caller]
pub fn assert_one_plain_line(stderr: &str) {
    assert_eq!(stderr.lines().count(), 1, "one line was expected on stderr:\n{stderr}");
    let chatter =
        ["panicked", "backtrace", "RUST_BACKTRACE", "[ WARN", "[ERROR", "GStreamer", "ffmpeg", "OpenCV", "error(-"];
    for word in chatter {
        assert!(!stderr.contains(word), "{word:?} has no place in what a person reads:\n{stderr}");
    }
}

/// The CPU time that the process has used so far.
#[must_use]
pub fn cpu_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the program runs");
    // The second field, the name, is in parentheses; utime and stime are the 14th and the 15th (proc(5)).
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let ticks = fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number"));
    Duration::from_secs_f64(ticks.sum::<u64>() as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// A program that runs beside the test. Dropping it kills it.
#[derive(Debug)]
pub struct Program {
    child: Child,
    name: String,
    out: PathBuf,
    err: PathBuf,
}

impl Program {
    /// Starts `command`; its output goes to two files in `folder`.
    pub fn start(command: &mut Command, folder: &Path) -> Self {
        let path = PathBuf::from(command.get_program());
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let file = |suffix: &str| {
            let path = (0..).map(|n| folder.join(format!("{name}.{n}.{suffix}"))).find(|path| !path.exists());
            path.expect("there is no end of numbers")
        };
        let (out, err) = (file("out"), file("err"));
        let create = |path: &Path| File::create(path).expect("the profile is writable");
        let child = command
            .stdin(Stdio::null())
            .stdout(create(&out))
            .stderr(create(&err))
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
        Self { child, name, out, err }
    }

    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The standard output so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// The standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.err).unwrap_or_default()
    }

    /// The exit status; `None` while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be asked")
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Sends SIGTERM and waits for the end.
    pub fn stop(&mut self) -> ExitStatus {
        if let Some(status) = self.ended() {
            return status;
        }
        self.signal(Signal::TERM);
        until(&format!("the end of {}", self.name), STOP_LIMIT, || self.ended())
    }

    /// Kills it, as a crash or a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("a killed child ends");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Most programs have ended by now; a failed test must not leave the others behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
