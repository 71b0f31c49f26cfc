//! Opening things in the person's own programs.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use blink_proto::Problem;

/// Opens a page in the browser.
///
/// # Errors
///
/// No program for it can be started.
pub(super) fn address(url: &str) -> Result<(), Problem> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    if !web {
        // The address came from a server; nothing but a page is opened for it.
        return Err(nothing_opens("that address"));
    }
    by_desktop(url.as_ref(), url)
}

/// Opens a file in the editor that the desktop has for it.
///
/// # Errors
///
/// No program for it can be started.
pub(super) fn file(path: &Path) -> Result<(), Problem> {
    by_desktop(path.as_os_str(), &path.display().to_string())
}

fn by_desktop(what: &std::ffi::OsStr, shown: &str) -> Result<(), Problem> {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    detached(Command::new(opener).arg(what)).then_some(()).ok_or_else(|| nothing_opens(shown))
}

fn nothing_opens(what: &str) -> Problem {
    Problem::new(
        "nothing_opens",
        format!("No program could be started for {what}."),
        format!("Open it yourself: {what}"),
    )
}

/// Terminals and what they want before the command, the desktop's own choice first.
const TERMINALS: &[(&str, &[&str])] = &[
    ("xdg-terminal-exec", &[]),
    ("x-terminal-emulator", &["-e"]),
    ("gnome-terminal", &["--"]),
    ("konsole", &["-e"]),
    ("xfce4-terminal", &["-x"]),
    ("kitty", &[]),
    ("alacritty", &["-e"]),
    ("foot", &[]),
    ("xterm", &["-e"]),
];

/// Runs the blinkctl beside this program, else the one on the path, in a new terminal window. The window stays until the
/// person has read how it ended.
///
/// # Errors
///
/// There is no terminal.
pub(super) fn blinkctl(command: &str) -> Result<(), Problem> {
    const SCRIPT: &str =
        r#"printf '\033]0;blinkctl %s\007' "$1"; "$0" "$@"; printf '\nPress Enter to close this window. '; read -r _"#;
    let beside = std::env::current_exe().map(|own| own.with_file_name("blinkctl")).ok().filter(|path| path.is_file());
    let program = beside.unwrap_or_else(|| "blinkctl".into());
    let started = TERMINALS.iter().any(|(name, before)| {
        detached(Command::new(name).args(*before).args(["sh", "-c", SCRIPT]).arg(&program).arg(command))
    });
    started.then_some(()).ok_or_else(|| {
        let fix = format!("Open one and run `blinkctl {command}`.");
        Problem::new("no_terminal", "No terminal could be opened.", fix)
    })
}

/// Starts a program that is none of ours any more; whether it started. It is waited for, so that nothing of it stays
/// behind when it ends.
fn detached(command: &mut Command) -> bool {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = child else { return false };
    let reaper = std::thread::Builder::new().name("blinkd-reaper".into()).spawn(move || drop(child.wait()));
    if let Err(error) = reaper {
        tracing::debug!(%error, "a child stays until blinkd ends");
    }
    true
}
