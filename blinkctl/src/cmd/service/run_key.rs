//! Windows: a value in the user's Run key, written by the system's `reg`.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use super::words;

const KEY: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run";
const NAME: &str = "blinkd";

pub(super) fn install(program: &Path) -> Vec<Vec<String>> {
    // Paths on Windows cannot contain quotation marks.
    let run = format!("\"{}\" run", program.display());
    vec![words(&["reg", "add", KEY, "/v", NAME, "/t", "REG_SZ", "/d", &run, "/f"])]
}

pub(super) fn uninstall() -> Vec<Vec<String>> {
    vec![words(&["reg", "delete", KEY, "/v", NAME, "/f"])]
}

pub(super) fn installed() -> bool {
    let mut command = Command::new("reg");
    command.args(["query", KEY, "/v", NAME]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
