//! `blinkctl service`: starts blinkd at each sign-in. It is installed per user, so nothing here needs root.

mod autostart;
mod launchd;
mod run_key;
mod systemd;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Serialize;

use crate::{
    blinkd,
    client::Client,
    context::Context,
    exit::Failure,
    output::{Paint, Tone, path_field, path_text},
    target::Target,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl service install --dry-run        shows what would be written
  blinkctl service install")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Start blinkd now and with every sign-in
    #[command(after_help = "Example:
  blinkctl service install

With systemd a user unit is written, without it an autostart entry of the desktop; on macOS it is a launch agent, on Windows an entry of the Run key. What is there already is replaced.")]
    Install {
        /// Show what would be written and run, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Stop starting blinkd with every sign-in
    #[command(after_help = "Example:
  blinkctl service uninstall")]
    Uninstall {
        /// Show what would be removed and run, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Show whether blinkd starts with every sign-in, and whether it runs
    #[command(after_help = "Example:
  blinkctl service status")]
    Status,
}

/// What starts programs at the sign-in on this system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Manager {
    Systemd,
    Autostart,
    Launchd,
    RunKey,
}

/// The steps of installing or uninstalling.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Plan {
    manager: Manager,
    /// The file to write or remove; `None` where the commands do everything.
    #[serde(serialize_with = "path_field")]
    file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Commands to run before the file is removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    before: Vec<Vec<String>>,
    /// Commands to run after it is written or removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    after: Vec<Vec<String>>,
}

#[derive(Serialize)]
struct ServiceStatus {
    manager: Manager,
    installed: bool,
    #[serde(serialize_with = "path_field")]
    file: Option<PathBuf>,
    running: bool,
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let home = Home::from_env()?;
    let manager = manager();
    match args.action {
        Action::Install { dry_run } => {
            let plan = manager.install(&home, &program()?, running(context).await);
            if dry_run {
                return context.output.result(&plan, |_| plan.shown("write"));
            }
            plan.write()?;
            context.output.result(&plan.done(true), |paint| {
                let head = paint.with(Tone::Good, "blinkd starts with every sign-in.");
                format!("{head} {}`blinkctl service uninstall` undoes it.\n", plan.place())
            })
        }
        Action::Uninstall { dry_run } => {
            let installed = manager.installed(&home);
            let plan = manager.uninstall(&home);
            if dry_run {
                return context.output.result(&plan, |_| plan.shown("remove"));
            }
            if installed {
                plan.remove()?;
            }
            context.output.result(&plan.done(false), |paint| match installed {
                true => format!("{}\n", paint.with(Tone::Calm, "blinkd no longer starts with every sign-in.")),
                false => "blinkd did not start with every sign-in; nothing was changed.\n".to_owned(),
            })
        }
        Action::Status => {
            let file = manager.file(&home);
            let status =
                ServiceStatus { manager, installed: manager.installed(&home), file, running: running(context).await };
            context.output.result(&status, |paint| status.text(paint))
        }
    }
}

pub(super) async fn install(context: &Context) -> Result<(), Failure> {
    let home = Home::from_env()?;
    manager().install(&home, &program()?, running(context).await).write()
}

/// The absolute path of the program, because it is started from another folder later.
fn program() -> Result<PathBuf, Failure> {
    let program = blinkd::located()?;
    let program = std::path::absolute(&program).unwrap_or(program);
    // The files of the managers are line-based text, so the path must be text without control characters.
    if program.to_str().is_some_and(|path| !path.contains(char::is_control)) {
        return Ok(program);
    }
    let message = format!("The path of blinkd cannot stand in a text: {}", program.display());
    Err(Failure::failed("program_path", message, "Move blinkd to another folder, then try again."))
}

pub(super) fn is_installed() -> bool {
    Home::from_env().is_ok_and(|home| manager().installed(&home))
}

async fn running(context: &Context) -> bool {
    !Client::connect(&context.paths).await.is_err_and(|error| error.is_absent())
}

/// The folders in which the managers look.
#[derive(Clone, Debug)]
struct Home {
    home: PathBuf,
    config: PathBuf,
}

impl Home {
    fn from_env() -> Result<Self, Failure> {
        let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = absolute("HOME")
            .or_else(|| absolute("USERPROFILE"))
            .ok_or_else(|| Failure::usage("no_home", "HOME is not set", "Set it to your home folder."))?;
        let config = absolute("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
        Ok(Self { home, config })
    }
}

fn manager() -> Manager {
    if cfg!(windows) {
        Manager::RunKey
    } else if cfg!(target_os = "macos") {
        Manager::Launchd
    } else if systemd::answers() {
        Manager::Systemd
    } else {
        Manager::Autostart
    }
}

impl Manager {
    fn file(self, home: &Home) -> Option<PathBuf> {
        match self {
            Self::Systemd => Some(home.config.join("systemd/user").join(systemd::UNIT)),
            Self::Autostart => Some(home.config.join("autostart/blinkd.desktop")),
            Self::Launchd => Some(home.home.join("Library/LaunchAgents").join(format!("{}.plist", launchd::LABEL))),
            Self::RunKey => None,
        }
    }

    fn installed(self, home: &Home) -> bool {
        match self.file(home) {
            Some(file) => file.exists() || (self == Self::Systemd && systemd::packaged()),
            None => run_key::installed(),
        }
    }

    fn install(self, home: &Home, program: &Path, running: bool) -> Plan {
        let file = self.file(home);
        let (text, after) = match self {
            Self::Systemd => (Some(systemd::unit(program)), systemd::after_install(running)),
            Self::Autostart => (Some(autostart::entry(program)), autostart::after_install(program, running)),
            Self::Launchd => {
                let after = launchd::after_install(file.as_deref().unwrap_or(Path::new("")));
                (Some(launchd::plist(program, home.home.as_path())), after)
            }
            Self::RunKey => (None, run_key::install(program)),
        };
        Plan { manager: self, file, text, before: Vec::new(), after }
    }

    fn uninstall(self, home: &Home) -> Plan {
        let file = self.file(home);
        let (before, after) = match self {
            Self::Systemd => systemd::uninstall(),
            Self::Autostart => (Vec::new(), Vec::new()),
            Self::Launchd => (launchd::before_uninstall(), Vec::new()),
            Self::RunKey => (run_key::uninstall(), Vec::new()),
        };
        Plan { manager: self, file, text: None, before, after }
    }
}

impl Plan {
    fn write(&self) -> Result<(), Failure> {
        if let (Some(file), Some(text)) = (&self.file, &self.text) {
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
            }
            Target::beside(file, true)?.put_bytes(text.as_bytes())?;
        }
        self.after.iter().try_for_each(|command| run_command(command))
    }

    fn remove(&self) -> Result<(), Failure> {
        // Stopping a unit that is not loaded fails; what matters is that its file is removed.
        let stopped = self.before.iter().try_for_each(|command| run_command(command));
        match &self.file {
            Some(file) => match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritable(file, &error)),
                _ => {}
            },
            None => stopped?,
        }
        self.after.iter().try_for_each(|command| run_command(command))
    }

    fn done(&self, installed: bool) -> serde_json::Value {
        serde_json::json!({ "manager": self.manager, "installed": installed, "file": self.file.as_deref().map(path_text) })
    }

    /// Where the file is, as the beginning of a sentence.
    fn place(&self) -> String {
        self.file.as_ref().map_or_else(String::new, |file| format!("It stands in {}; ", file.display()))
    }

    /// The steps as text, for `--dry-run`.
    fn shown(&self, verb: &str) -> String {
        let mut text = String::new();
        let commands = |commands: &[Vec<String>]| -> String {
            commands.iter().map(|command| format!("would run: {}\n", command.join(" "))).collect()
        };
        text += &commands(&self.before);
        if let Some(file) = &self.file {
            text += &format!("would {verb}: {}\n", file.display());
        }
        if let Some(content) = &self.text {
            text += &content.lines().map(|line| format!("    {line}\n")).collect::<String>();
        }
        text + &commands(&self.after)
    }
}

impl ServiceStatus {
    fn text(&self, paint: Paint) -> String {
        let starts = if self.installed {
            let file = self.file.as_ref().map_or_else(String::new, |file| format!(" ({})", file.display()));
            paint.with(Tone::Good, "blinkd starts with every sign-in") + &file
        } else {
            paint.with(Tone::Calm, "blinkd does not start with every sign-in")
                + ": `blinkctl service install` changes that"
        };
        let runs = if self.running { "It is running." } else { "It is not running." };
        format!("{starts}.\n{runs}\n")
    }
}

fn run_command(command: &[String]) -> Result<(), Failure> {
    let Some((program, args)) = command.split_first() else { return Ok(()) };
    let failed = |why: String| {
        let message = format!("`{}` failed: {why}", command.join(" "));
        Failure::failed("service_manager", message, "Try that command by itself; it may tell more.")
    };
    // An autostart entry's program is started by us, and outlives blinkctl.
    if Path::new(program).is_absolute() {
        return crate::start::detached(Path::new(program), args);
    }
    let ran =
        Command::new(program).args(args).stdin(Stdio::null()).output().map_err(|error| failed(error.to_string()))?;
    if ran.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&ran.stderr);
    let last = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(failed(last.trim().to_owned()))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{} cannot be written: {error}", path.display());
    Failure::failed("unwritable", message, "Make it writable for you, then try again.")
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> Home {
        Home { home: "/home/ada".into(), config: "/home/ada/.config".into() }
    }

    #[test]
    fn every_manager_has_its_plan() {
        let program = Path::new("/opt/Wellness at Work/bin/blinkd");
        let mut text = String::new();
        for manager in [Manager::Systemd, Manager::Autostart, Manager::Launchd, Manager::RunKey] {
            for running in [false, true] {
                text += &format!("## install with {manager:?}, running: {running}\n");
                let plan = manager.install(&home(), program, running);
                text += &(if running { Plan { text: None, ..plan } } else { plan }).shown("write");
            }
            text += &format!("## uninstall with {manager:?}\n{}\n", manager.uninstall(&home()).shown("remove"));
        }
        insta::assert_snapshot!(text);
    }
}
