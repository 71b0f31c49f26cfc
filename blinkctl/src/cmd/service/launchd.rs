//! macOS: a launch agent.

use std::path::Path;

use super::words;

pub(super) const LABEL: &str = "org.wellness-at-work.blinkd";

/// The launch agent for everybody of a machine. It restarts blinkd after a crash but not after an exit with a code: a
/// restart does not fix wrong settings or another blinkd, and must not undo `blinkctl quit`.
const PACKAGED: &str = include_str!("../../../../packaging/macos/org.wellness-at-work.blinkd.plist");
const PACKAGED_PROGRAM: &str = "/Applications/Wellness at Work.app/Contents/MacOS/blinkd";
const END: &str = "</dict>\n</plist>\n";

/// The same agent for this program and this person.
pub(super) fn plist(program: &Path, home: &Path) -> String {
    let folder = format!("    <key>WorkingDirectory</key>\n    <string>{}</string>\n{END}", escaped(home));
    PACKAGED.replacen(PACKAGED_PROGRAM, &escaped(program), 1).replacen(END, &folder, 1)
}

fn escaped(path: &Path) -> String {
    path.display().to_string().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

pub(super) fn after_install(file: &Path) -> Vec<Vec<String>> {
    // `load -w` also undoes an earlier `unload -w`, and needs no user id.
    vec![words(&["launchctl", "load", "-w", &file.display().to_string()])]
}

pub(super) fn before_uninstall() -> Vec<Vec<String>> {
    vec![words(&["launchctl", "remove", LABEL])]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_packaged_agent_with_another_program_and_a_folder() {
        assert!(PACKAGED.contains(&format!("<string>{LABEL}</string>")), "{PACKAGED}");
        let own = plist(Path::new("/opt/a & b/blinkd"), Path::new("/Users/ada"));
        assert!(own.contains("<string>/opt/a &amp; b/blinkd</string>\n        <string>run</string>"), "{own}");
        let folder = "    <key>WorkingDirectory</key>\n    <string>/Users/ada</string>\n</dict>\n</plist>\n";
        assert!(own.ends_with(folder) && !own.contains("/Applications/"), "{own}");
    }
}
