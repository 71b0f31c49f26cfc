//! Changes one setting in the file and leaves its comments, its order and everything else as they are.

use std::{
    env, fs,
    io::{self, Write as _},
    path::Path,
};

use blink_proto::problem::code;
use toml_edit::{DocumentMut, Item, Table, Value};

use super::{Config, Key, Kind, first_file};
use crate::{exit::Failure, upload::without_password};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File,
    Environment,
}

impl Origin {
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::File => "file",
            Self::Environment => "environment",
        }
    }
}

/// The origin of each key's value, in the order of [`super::KEYS`].
pub(crate) fn origins(file: &Path) -> Result<Vec<Origin>, Failure> {
    let document = parse(file, &text_of(file)?.unwrap_or_default())?;
    let of = |key: &Key| {
        if env::var_os(key.variable()).is_some() {
            Origin::Environment
        } else if document.get(key.section).and_then(|table| table.get(key.name)).is_some() {
            Origin::File
        } else {
            Origin::Default
        }
    };
    Ok(super::KEYS.iter().map(of).collect())
}

/// Writes `value` for `key` into `file`, completely or not at all; the file is created if need be. Returns the value in
/// its normal form. Fails when the value is not allowed, when the file was wrong before, or when it cannot be written.
pub(crate) fn set(file: &Path, key: &Key, value: &str) -> Result<String, Failure> {
    let mut wanted = Config::default();
    (key.set)(&mut wanted, value).map_err(|why| {
        let fix = format!("{} docs/configuration.md has more.", key.meaning);
        // A server's address may hold a password.
        let shown = without_password(value);
        Failure::usage(code::CONFIG_INVALID, format!("`{}` cannot be `{shown}`: {why}.", key.path()), fix)
    })?;
    // Text is kept as the person wrote it, because its normal form may be longer.
    let value = if key.kind == Kind::Text { value.to_owned() } else { (key.get)(&wanted) };
    let written = text_of(file)?.unwrap_or_else(first_file);
    let form = Form::read(&written);
    let text = form.strip(&written);
    let mut document = parse(file, &text)?;
    let text = match uncommented(&text, key, &value).filter(|_| !is_set(&document, key)) {
        Some(text) => text,
        None => {
            put(&mut document, key, &value);
            document.to_string()
        }
    };
    // An error that was in the file before is reported now, and nothing is written.
    Config::default().take_file(file, &text)?;
    write(file, &form.put_on(&text)).map_err(|error| {
        let message = format!("The configuration {} cannot be written: {error}.", file.display());
        Failure::failed(code::CONFIG_UNWRITABLE, message, "Check the folder's permissions and the disk.")
    })?;
    Ok((key.get)(&wanted))
}

/// Features of the file's encoding, which depend on the editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Form {
    byte_order_mark: bool,
    carriage_returns: bool,
}

impl Form {
    const MARK: char = '\u{feff}';

    fn read(text: &str) -> Self {
        let lines = text.matches('\n').count();
        // Of a file with both kinds of line ends, the more frequent one is kept.
        Self {
            byte_order_mark: text.starts_with(Self::MARK),
            carriage_returns: 2 * text.matches("\r\n").count() > lines,
        }
    }

    fn strip(self, text: &str) -> String {
        let text = text.strip_prefix(Self::MARK).unwrap_or(text);
        if self.carriage_returns { text.replace("\r\n", "\n") } else { text.to_owned() }
    }

    fn put_on(self, text: &str) -> String {
        let mark = if self.byte_order_mark { Self::MARK.to_string() } else { String::new() };
        mark + &if self.carriage_returns { text.replace('\n', "\r\n") } else { text.to_owned() }
    }
}

fn text_of(file: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            let message = format!("The configuration {} cannot be read: {error}.", file.display());
            Err(Failure::usage(code::CONFIG_UNREADABLE, message, "Check that you may read it, and that it is text."))
        }
    }
}

fn parse(file: &Path, text: &str) -> Result<DocumentMut, Failure> {
    // Our own reader says better what is wrong, and where.
    Config::default().take_file(file, text)?;
    text.parse().map_err(|error: toml_edit::TomlError| {
        let message = format!("{}: {}.", file.display(), error.message());
        Failure::usage(code::CONFIG_INVALID, message, "Correct it, or remove the file to have a new one written.")
    })
}

fn is_set(document: &DocumentMut, key: &Key) -> bool {
    document.get(key.section).and_then(|table| table.get(key.name)).is_some()
}

fn literal(key: &Key, value: &str) -> Value {
    match key.kind {
        Kind::Text => Value::from(value),
        Kind::Integer => value.parse::<i64>().map_or_else(|_| Value::from(value), Value::from),
        Kind::Boolean => value.parse::<bool>().map_or_else(|_| Value::from(value), Value::from),
    }
}

fn put(document: &mut DocumentMut, key: &Key, value: &str) {
    let table = document.entry(key.section).or_insert_with(|| Item::Table(Table::new()));
    let mut new = literal(key, value);
    let Some(table) = table.as_table_like_mut() else { return };
    match table.get_mut(key.name).and_then(Item::as_value_mut) {
        Some(old) => {
            // The spaces before the value and the comment behind it are kept.
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        None => drop(table.insert(key.name, Item::Value(new))),
    }
}

/// The text with the commented default of `key`, in its own table, replaced by the value; `None` where there is no such
/// line.
fn uncommented(text: &str, key: &Key, value: &str) -> Option<String> {
    let (mut inside, mut found) = (false, false);
    let mut changed = String::new();
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        if bare.starts_with('[') {
            inside = bare == format!("[{}]", key.section);
        }
        let is_it = inside
            && !found
            && bare.strip_prefix("# ").is_some_and(|rest| rest.starts_with(&format!("{} = ", key.name)));
        if is_it {
            found = true;
            changed.push_str(&format!("{} = {}\n", key.name, literal(key, value)));
        } else {
            changed.push_str(line);
        }
    }
    found.then_some(changed)
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    // A link to a settings file elsewhere is kept: its target is replaced.
    let target = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    blink_files::private_folder(blink_files::folder_of(&target))?;
    blink_files::save(&target, mode_of(&target), |new| new.write_all(text.as_bytes()))
}

/// The permission bits that the person gave their file.
fn mode_of(file: &Path) -> u32 {
    #[cfg(unix)]
    if let Ok(meta) = fs::metadata(file) {
        return std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o7777;
    }
    blink_files::PRIVATE
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{super::KEYS, *};

    fn key(path: &str) -> &'static Key {
        KEYS.iter().find(|key| key.path() == path).unwrap()
    }

    #[test]
    fn no_password_of_a_servers_address_is_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let failure = set(&file, key("upload.server"), "https://ada:Secret99@waw.example.org").unwrap_err();
        assert!(
            !failure.to_string().contains("Secret99") && failure.to_string().contains("upload.server"),
            "{failure}"
        );
    }

    fn changed(before: &str, path: &str, value: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        fs::write(&file, before).unwrap();
        set(&file, key(path), value).unwrap();
        fs::read_to_string(&file).unwrap()
    }

    #[rstest]
    #[case(
        "# mine\n[log]  # why\nlevel   =   \"info\"  # loud\n\n[history]\n",
        "log.level",
        "debug",
        "# mine\n[log]  # why\nlevel   =   \"debug\"  # loud\n\n[history]\n"
    )]
    #[case("[log]\n# level = \"info\"\n", "log.level", "debug", "[log]\nlevel = \"debug\"\n")]
    #[case(
        "[upload]\n# level = \"info\"\n[log]\n",
        "log.level",
        "debug",
        "[upload]\n# level = \"info\"\n[log]\nlevel = \"debug\"\n"
    )]
    #[case("", "history.retention_days", "007", "[history]\nretention_days = 7\n")]
    #[case("history.retention_days = 5 # mine\n", "history.retention_days", "6", "history.retention_days = 6 # mine\n")]
    #[case("history = { retention_days = 5 }\n", "history.retention_days", "6", "history = { retention_days = 6 }\n")]
    #[case(
        "\u{feff}# mine\r\n[log]\r\n# level = \"info\"\r\n",
        "log.level",
        "debug",
        "\u{feff}# mine\r\n[log]\r\nlevel = \"debug\"\r\n"
    )]
    #[case("[log]\r\nlevel = \"info\"  # a\r\n", "log.level", "debug", "[log]\r\nlevel = \"debug\"  # a\r\n")]
    #[case("[log]\r\n", "history.retention_days", "6", "[log]\r\n\r\n[history]\r\nretention_days = 6\r\n")]
    #[case("[camera]\n", "camera.yield_to_others", "false", "[camera]\nyield_to_others = false\n")]
    #[case("[upload]\n", "upload.ca_file", "/a \"b\"\\c", "[upload]\nca_file = '/a \"b\"\\c'\n")]
    fn only_that_value_changes(#[case] before: &str, #[case] path: &str, #[case] value: &str, #[case] after: &str) {
        assert_eq!(changed(before, path, value), after);
    }

    #[test]
    fn the_first_file_keeps_every_other_line() {
        let first = first_file();
        let text = changed(&first, "history.retention_days", "30");
        let different: Vec<_> = first.lines().zip(text.lines()).filter(|(a, b)| a != b).collect();
        assert_eq!(different, [("# retention_days = 90", "retention_days = 30")]);
        assert_eq!(first.lines().count(), text.lines().count());
    }

    #[test]
    fn a_wrong_value_or_file_changes_nothing_and_a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("mine.toml"), folder.path().join("config.toml"));
        fs::write(&real, "[log]\nlevel = \"loud\"\n").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(set(&link, key("history.retention_days"), "soon").unwrap_err().problem.code, "config_invalid");
        assert_eq!(set(&link, key("history.retention_days"), "5").unwrap_err().problem.code, "config_invalid");
        assert_eq!(fs::read_to_string(&real).unwrap(), "[log]\nlevel = \"loud\"\n");
        fs::write(&real, "").unwrap();
        set(&link, key("history.retention_days"), "5").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "[history]\nretention_days = 5\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no half file is left");
    }

    #[test]
    fn every_key_can_be_set_to_its_default() {
        for key in KEYS {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("deep/config.toml");
            let default = (key.get)(&Config::default());
            assert_eq!(set(&file, key, &default).unwrap(), default);
            assert_eq!(origins(&file).unwrap().iter().filter(|origin| **origin == Origin::File).count(), 1);
        }
    }
}
