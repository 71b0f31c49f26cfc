//! Linux: a unit of the user's systemd.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use super::words;

pub(super) const UNIT: &str = "blinkd.service";

/// Whether the user's systemd is running and answers.
pub(super) fn answers() -> bool {
    let mut command = Command::new("systemctl");
    command.args(["--user", "show", "--property=Version"]);
    let ran = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ran.is_ok_and(|status| status.success())
}

/// Whether a unit installed by a package is enabled for this user.
pub(super) fn packaged() -> bool {
    let folders = ["/etc/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"];
    folders.iter().any(|folder| Path::new(folder).join(UNIT).exists()) && {
        let mut command = Command::new("systemctl");
        command.args(["--user", "--quiet", "is-enabled", UNIT]);
        let ran = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        ran.is_ok_and(|status| status.success())
    }
}

/// The unit. Its restrictions leave what the camera, the session bus and the server need. Those that need a mount
/// namespace are left out, because a user's manager may not have one, and the unit would then not start at all.
pub(super) fn unit(program: &Path) -> String {
    format!(
        "[Unit]
Description=Counts blinks with the camera, without ever storing a picture

[Service]
Type=exec
ExecStart={}
# 2 is wrong usage or settings, 5 is another blinkd: starting again mends neither. A `blinkctl quit` is no failure.
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 5
TimeoutStopSec=10
# A browser that was opened from the tray does not end with the daemon.
KillMode=process
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
",
        exec_start(program)
    )
}

/// The command of `ExecStart`. systemd cannot start a program whose path has a quotation mark or a backslash, however
/// escaped, so a shell starts it. systemd expands variables in arguments, but not in the program's path.
fn exec_start(program: &Path) -> String {
    let path = program.display().to_string();
    let escaped = path.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
    if path.contains(['"', '\'', '\\']) {
        return format!("/bin/sh -c \"exec \\\"$$0\\\" run\" \"{}\"", escaped.replace('$', "$$"));
    }
    format!("\"{escaped}\" run")
}

/// A running daemon holds the profile, so the unit is then only started at the next sign-in.
pub(super) fn after_install(running: bool) -> Vec<Vec<String>> {
    let mut enable = words(&["systemctl", "--user", "enable", UNIT]);
    if !running {
        enable.insert(3, "--now".to_owned());
    }
    vec![words(&["systemctl", "--user", "daemon-reload"]), enable]
}

/// The commands before the unit's file is removed, and after.
pub(super) fn uninstall() -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let before = words(&["systemctl", "--user", "disable", "--now", UNIT]);
    (vec![before], vec![words(&["systemctl", "--user", "daemon-reload"])])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_and_a_shell_starts_what_systemd_would_not() {
        assert_eq!(exec_start(Path::new("/opt/a b/100%/$x/blinkd")), r#""/opt/a b/100%%/$x/blinkd" run"#);
        let by_shell = r#"/bin/sh -c "exec \"$$0\" run" "/a \"b\"/c\\d/$$x%%""#;
        assert_eq!(exec_start(Path::new(r#"/a "b"/c\d/$x%"#)), by_shell);
    }
}
