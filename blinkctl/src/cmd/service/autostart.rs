//! The desktop's autostart folder, for sessions without systemd.

use std::path::Path;

/// The entry that packages install, by the Desktop Entry specification. Theirs is hidden.
const PACKAGED: &str = include_str!("../../../../packaging/linux/autostart.desktop");
const PACKAGED_EXEC: &str = "Exec=blinkd run\n";

/// The same entry for this program.
pub(super) fn entry(program: &Path) -> String {
    PACKAGED.replacen(PACKAGED_EXEC, &format!("Exec={} run\n", quoted(program)), 1)
}

/// A path as one argument of `Exec`: it is quoted, its reserved characters are escaped, and then all backslashes are
/// escaped once more, as in every string of a desktop entry.
fn quoted(program: &Path) -> String {
    let mut argument = String::new();
    for character in program.display().to_string().chars() {
        match character {
            '"' | '`' | '$' | '\\' => argument.extend(['\\', character]),
            '%' => argument += "%%",
            other => argument.push(other),
        }
    }
    format!("\"{}\"", argument.replace('\\', "\\\\"))
}

/// No manager starts the program now, so blinkctl does.
pub(super) fn after_install(program: &Path, running: bool) -> Vec<Vec<String>> {
    if running { Vec::new() } else { vec![vec![program.display().to_string(), "run".to_owned()]] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_argument_whatever_is_in_it() {
        assert_eq!(quoted(Path::new("/opt/a b/100%/$x")), r#""/opt/a b/100%%/\\$x""#);
    }
}
