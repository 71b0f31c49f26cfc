//! Runs the sibling program `blinkd` for what needs no running daemon: settings, cameras, checks, erasure.
//!
//! blinkd links the camera libraries and owns the store; blinkctl does neither.

use std::{
    env,
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use blink_proto::Problem;
use serde::{Deserialize, de::DeserializeOwned};
use tokio::{process::Command, time::timeout};

use crate::exit::{ExitStatus, Failure};

/// Names the program, for tests and unusual installations.
const VARIABLE: &str = "BLINKD_BIN";
/// The longest run of blinkd: its checks may wait for a server, and nothing else takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// Finds `blinkd`: where the environment says, beside this program, or on `PATH`.
pub(crate) fn locate() -> Option<PathBuf> {
    let file = format!("blinkd{}", env::consts::EXE_SUFFIX);
    if let Some(named) = env::var_os(VARIABLE).filter(|named| !named.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let beside = env::current_exe().ok().and_then(|me| Some(me.parent()?.join(&file))).filter(|path| path.is_file());
    beside.or_else(|| on_path(&file))
}

pub(crate) fn on_path(file: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(file))
        .find(|path| path.is_absolute() && is_program(path))
}

fn is_program(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    path.is_file()
}

/// Like [`locate`], or the failure that says what to do.
pub(crate) fn located() -> Result<PathBuf, Failure> {
    locate().ok_or_else(|| missing("it is neither beside blinkctl nor on PATH"))
}

/// Runs `blinkd ARGS --json`; returns its standard output.
pub(crate) async fn json(args: &[impl AsRef<OsStr>]) -> Result<String, Failure> {
    let program = located()?;
    let mut command = Command::new(&program);
    // `--json` goes before `--`, because what follows that is a value, never a flag.
    let flags = args.iter().position(|arg| arg.as_ref() == "--").unwrap_or(args.len());
    command.args(&args[..flags]).arg("--json").args(&args[flags..]).stdin(Stdio::null()).kill_on_drop(true);
    let ran = timeout(LIMIT, command.output()).await.map_err(|_| {
        let message = format!("`{}` has not ended for {} s", said(args), LIMIT.as_secs());
        Failure::failed("silent", message, "Try again; `blinkctl doctor` may tell more.")
    })?;
    let ran = ran.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => missing(&format!("{} is not there", program.display())),
        _ => missing(&format!("{} cannot be run: {error}", program.display())),
    })?;
    if ran.status.success() {
        return String::from_utf8(ran.stdout).map(|text| text.trim_end().to_owned()).map_err(|_| not_ours(args));
    }
    Err(refusal(args, &ran))
}

/// Like [`json`], parsed as `T`.
pub(crate) async fn read<T: DeserializeOwned>(args: &[impl AsRef<OsStr>]) -> Result<T, Failure> {
    let text = json(args).await?;
    serde_json::from_str(&text).map_err(|_| not_ours(args))
}

/// The failure that blinkd printed. Its exit code 5 (a daemon is running) becomes 1.
fn refusal(args: &[impl AsRef<OsStr>], ran: &Output) -> Failure {
    #[derive(Deserialize)]
    struct Line {
        error: Problem,
    }
    let stderr = String::from_utf8_lossy(&ran.stderr);
    let told = stderr.lines().rev().find_map(|line| serde_json::from_str::<Line>(line).ok());
    let status = if ran.status.code() == Some(2) { ExitStatus::Usage } else { ExitStatus::Failed };
    let problem = told.map_or_else(
        || {
            let last = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            let message = format!("`{}` failed ({}): {last}", said(args), ran.status);
            Problem::new("blinkd_failed", message, "Install blinkd and blinkctl of the same version.")
        },
        |line| line.error,
    );
    Failure { problem, status }
}

fn said(args: &[impl AsRef<OsStr>]) -> String {
    let words = args.iter().map(|arg| arg.as_ref().to_string_lossy());
    std::iter::once("blinkd".into()).chain(words).collect::<Vec<_>>().join(" ")
}

fn missing(why: &str) -> Failure {
    Failure::failed(
        "blinkd_missing",
        format!("The program blinkd cannot be used: {why}"),
        format!("Install blinkd beside blinkctl, or name it in {VARIABLE}."),
    )
}

fn not_ours(args: &[impl AsRef<OsStr>]) -> Failure {
    let message = format!("`{}` printed something this blinkctl does not understand", said(args));
    Failure::failed("protocol", message, "Install blinkd and blinkctl of the same version.")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn ran(code: i32, stderr: &str) -> Output {
        let status = std::process::ExitStatus::from_raw(code << 8);
        Output { status, stdout: Vec::new(), stderr: stderr.into() }
    }

    #[test]
    fn what_it_refuses_is_told_in_its_own_words() {
        let line = r#"{"error":{"code":"unknown_key","message":"There is no key x","fix":"See config show."}}"#;
        let failure = refusal(&["config", "get", "x"], &ran(2, &format!("chatter\n{line}\n")));
        assert_eq!((failure.problem.code.as_str(), failure.status as u8), ("unknown_key", 2));
        let failure = refusal(&["erase"], &ran(5, line));
        assert_eq!(failure.status as u8, 1, "there is no exit code 5 here");
    }

    #[test]
    fn without_words_of_its_own_the_last_line_is_told() {
        let failure = refusal(&["doctor"], &ran(1, "one\ntwo\n\n"));
        assert_eq!(failure.problem.message, "`blinkd doctor` failed (exit status: 1): two");
        assert!(refusal(&["doctor"], &ran(1, "")).problem.message.ends_with("it said nothing"));
    }
}
