//! macOS: a launch agent.

use std::path::Path;

use super::words;

pub(super) const LABEL: &str = "org.wellness-at-work.blinkd";

/// The property list. It restarts blinkd after a crash but not after an exit with a code: a restart does not fix wrong
/// settings or another blinkd, and must not undo `blinkctl quit`.
pub(super) fn plist(program: &Path, home: &Path) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
    <key>Label</key>
    <string>{LABEL}</string>
    <key>ProgramArguments</key>
    <array>
        <string>{}</string>
        <string>run</string>
    </array>
    <key>RunAtLoad</key>
    <true/>
    <key>KeepAlive</key>
    <dict>
        <key>Crashed</key>
        <true/>
    </dict>
    <key>ProcessType</key>
    <string>Background</string>
    <key>LimitLoadToSessionType</key>
    <string>Aqua</string>
    <key>WorkingDirectory</key>
    <string>{}</string>
</dict>
</plist>
"#,
        escaped(program),
        escaped(home)
    )
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
