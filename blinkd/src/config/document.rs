//! Texts made from the table of keys: the commented first file, and the table of `docs/configuration.md`.

use std::fmt::Write as _;

use super::KEYS;

/// The file written on first run: every key with its meaning, commented out at its default.
#[must_use]
pub(crate) fn first_file() -> String {
    let mut text = String::from(
        "# The settings of blinkd. Every line is a default: remove the # in front of a key to change it.\n\
         # The environment overrides this file, and flags override both.\n",
    );
    let mut section = "";
    for key in KEYS {
        if key.section != section {
            section = key.section;
            let _ = write!(text, "\n[{section}]\n");
        } else {
            text.push('\n');
        }
        for line in wrap(key.meaning, 96) {
            let _ = writeln!(text, "# {line}");
        }
        let _ = writeln!(text, "# {} = {}", key.name, key.default);
    }
    text
}

/// The table for `docs/configuration.md`.
#[cfg(test)]
fn table() -> String {
    let mut text = String::from("| key | type | default | environment | meaning |\n| --- | --- | --- | --- | --- |\n");
    for key in KEYS {
        let _ = writeln!(
            text,
            "| `{}` | {} | `{}` | `{}` | {} |",
            key.path(),
            key.kind.name(),
            key.default,
            key.variable(),
            key.meaning.replace('|', "\\|")
        );
    }
    text
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.len() - 1;
        if !lines[line].is_empty() && lines[line].len() + 1 + word.len() > width {
            lines.push(word.to_owned());
        } else {
            if !lines[line].is_empty() {
                lines[line].push(' ');
            }
            lines[line].push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::config::Config;

    const BEGIN: &str = "<!-- blinkd's keys begin: made from blinkd/src/config/keys.rs -->\n";
    const END: &str = "<!-- blinkd's keys end -->";

    #[test]
    fn the_document_lists_every_key() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
        let document = fs::read_to_string(&path).unwrap();
        let (before, rest) = document.split_once(BEGIN).expect("the marker before the table");
        let (listed, after) = rest.split_once(END).expect("the marker after the table");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
        } else {
            assert_eq!(listed, table(), "run the tests with UPDATE_DOCS=1 to write the table anew");
        }
    }

    #[test]
    fn the_first_file_changes_nothing_and_its_defaults_are_the_defaults() {
        let file = first_file();
        let read = |text: &str| {
            let mut config = Config::default();
            config.take_file(Path::new("config.toml"), text).unwrap();
            config
        };
        assert_eq!(read(&file), Config::default());
        let uncommented: String = file
            .lines()
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|rest| KEYS.iter().any(|k| rest.starts_with(&format!("{} = ", k.name))))
                    .unwrap_or(line)
            })
            .fold(String::new(), |text, line| text + line + "\n");
        assert_ne!(uncommented, file);
        assert_eq!(read(&uncommented), Config::default());
    }
}
