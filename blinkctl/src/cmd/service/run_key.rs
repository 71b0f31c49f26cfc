//! Windows: an entry of the user's Run key, by the system's own `reg`.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use super::words;

const KEY: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run";
const NAME: &str = "blinkd";

pub(super) fn install(program: &Path) -> Vec<Vec<String>> {
    // A path on Windows holds no quotation mark.
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
