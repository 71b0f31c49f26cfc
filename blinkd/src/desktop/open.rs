//! Opens addresses, files and commands in the person's own programs.
//!
//! A daemon that runs as a hardened unit passes its restrictions on to its children: a browser would have no sandbox
//! and show no window, and would end with the unit. In that case the user's service manager starts the program, without
//! these effects; where it cannot, the program is started directly.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::Path,
    process::Stdio,
    time::Duration,
};

use blink_proto::{Problem, problem::code};
use tokio::{process::Command, time::timeout};

/// How long the service manager may take to start a program or to refuse.
const STARTED_WITHIN: Duration = Duration::from_secs(5);
/// The environment variables that a desktop program needs, besides those that begin with `XDG_` or `LC_`.
const DESKTOP_VARIABLES: &[&str] =
    &["HOME", "PATH", "LANG", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS"];

pub(super) async fn address(url: &str) -> Result<(), Problem> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    if !web {
        // The address comes from a server, so only web pages are opened.
        return Err(nothing_opens("that address"));
    }
    by_desktop(url.as_ref(), url).await
}

/// Opens a file in the desktop's editor for it.
pub(super) async fn file(path: &Path) -> Result<(), Problem> {
    by_desktop(path.as_os_str(), &path.display().to_string()).await
}

async fn by_desktop(what: &OsStr, shown: &str) -> Result<(), Problem> {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let mut command = Command::new(opener);
    command.arg(what);
    if start_one([command]).await { Ok(()) } else { Err(nothing_opens(shown)) }
}

fn nothing_opens(what: &str) -> Problem {
    Problem::new(
        code::NOTHING_OPENS,
        format!("No program could be started for {what}."),
        format!("Open it yourself: {what}"),
    )
}

/// Terminals and the arguments they need before the command, the desktop's own choice first.
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

/// Runs blinkctl in a new terminal window: the one beside this program, else the one on the path. The window stays open
/// until the person presses Enter.
pub(super) async fn blinkctl(command: &str) -> Result<(), Problem> {
    const SCRIPT: &str =
        r#"printf '\033]0;blinkctl %s\007' "$1"; "$0" "$@"; printf '\nPress Enter to close this window. '; read -r _"#;
    let beside = std::env::current_exe().map(|own| own.with_file_name("blinkctl")).ok().filter(|path| path.is_file());
    let program = beside.unwrap_or_else(|| "blinkctl".into());
    let terminals = TERMINALS.iter().map(|(name, before)| {
        let mut terminal = Command::new(name);
        terminal.args(*before).args(["sh", "-c", SCRIPT]).arg(&program).arg(command);
        terminal
    });
    if start_one(terminals).await {
        return Ok(());
    }
    let fix = format!("Open one and run `blinkctl {command}`.");
    Err(Problem::new(code::NO_TERMINAL, "No terminal could be opened.", fix))
}

/// Starts the first of `commands` that can be started; returns whether one could.
async fn start_one(commands: impl IntoIterator<Item = Command>) -> bool {
    let commands: Vec<_> = commands.into_iter().collect();
    if is_hardened() {
        for command in &commands {
            if succeeds(by_manager(command)).await {
                return true;
            }
        }
        tracing::info!("the service manager starts nothing: what is opened keeps the daemon's restrictions");
    }
    commands.into_iter().any(detached)
}

/// Whether our children inherit restrictions: every unit that filters system calls sets `no_new_privs` for its process.
#[cfg(target_os = "linux")]
fn is_hardened() -> bool {
    rustix::thread::no_new_privs().unwrap_or(false)
}

#[cfg(not(target_os = "linux"))]
fn is_hardened() -> bool {
    false
}

/// Wraps `command` as a service of the user's manager, which has none of our restrictions. When its first process ends,
/// as an opener's does at once, the programs it started go on.
fn by_manager(command: &Command) -> Command {
    let command = command.as_std();
    let mut run = Command::new("systemd-run");
    run.args(["--user", "--quiet", "--collect", "--property=Type=exec", "--property=KillMode=process"]);
    // The unit's description goes to the journal. By default it is the command line, in which an address may hold the
    // code of a sign-in.
    run.arg("--description=opened by blinkd");
    for (name, _) in env::vars_os().filter(|(name, _)| is_of_desktop(name)) {
        let mut argument = OsString::from("--setenv=");
        argument.push(name);
        run.arg(argument);
    }
    run.arg("--").arg(command.get_program()).args(command.get_args());
    run
}

fn is_of_desktop(name: &OsStr) -> bool {
    let name = name.to_str().unwrap_or_default();
    DESKTOP_VARIABLES.contains(&name) || name.starts_with("XDG_") || name.starts_with("LC_")
}

async fn succeeds(mut command: Command) -> bool {
    silent(&mut command).kill_on_drop(true);
    let ran = timeout(STARTED_WITHIN, command.status()).await;
    ran.is_ok_and(|ended| ended.is_ok_and(|status| status.success()))
}

fn silent(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

/// Starts an independent program; returns whether it started. It is waited for, so that no zombie process is left.
fn detached(mut command: Command) -> bool {
    let Ok(mut child) = silent(&mut command).spawn() else { return false };
    tokio::spawn(async move { drop(child.wait().await) });
    true
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_hardened_daemon_has_the_manager_open_things() {
        rustix::thread::set_no_new_privs(true).unwrap();
        assert!(is_hardened());
        let mut opener = Command::new("xdg-open");
        opener.arg("https://blinks.example/?a=b c");
        let run = by_manager(&opener);
        let words: Vec<_> = run.as_std().get_args().map(|word| word.to_str().unwrap()).collect();
        assert_eq!(words[..2], ["--user", "--quiet"]);
        assert_eq!(words[words.len() - 3..], ["--", "xdg-open", "https://blinks.example/?a=b c"]);
        let logged: Vec<_> = words.iter().filter(|word| word.starts_with("--description=")).collect();
        assert_eq!(logged, [&"--description=opened by blinkd"]);
        assert!(words.contains(&"--setenv=PATH") && words.contains(&"--property=KillMode=process"), "{words:?}");
    }

    #[tokio::test]
    async fn where_the_manager_cannot_things_are_opened_plainly() {
        rustix::thread::set_no_new_privs(true).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let opened = folder.path().join("opened");
        let mut opener = Command::new("touch");
        opener.arg(&opened);
        assert!(start_one([Command::new("/nowhere/at/all"), opener]).await);
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while !opened.exists() {
            assert!(std::time::Instant::now() < deadline, "nothing was opened");
            tokio::task::yield_now().await;
        }
        assert!(!start_one([Command::new("/nowhere/at/all")]).await);
    }
}
