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

/// The unit that packages install, for the program that they install.
const PACKAGED: &str = include_str!("../../../../packaging/linux/blinkd.service");
const PACKAGED_START: &str = "ExecStart=/usr/bin/blinkd run\n";

/// The same unit for this program.
pub(super) fn unit(program: &Path) -> String {
    PACKAGED.replacen(PACKAGED_START, &format!("ExecStart={}\n", exec_start(program)), 1)
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
