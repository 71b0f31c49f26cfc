//! `blinkd config`: reads and changes the settings file.

use std::{env, path::Path};

use serde_json::{Value, json};

use blink_proto::problem::code;

use crate::{
    config::{self, Config, KEYS, Key, Kind, Origin},
    exit::Failure,
    stderr, stdout,
};

/// What `blinkd config` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    blinkd config show\n  \
    blinkd config get camera.source\n  \
    blinkd config set history.retention_days 365\n\n\
    A running blinkd takes a change at once when it is made with `blinkctl config set`.")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
    /// Print one JSON object
    #[arg(long, global = true)]
    pub json: bool,
}

/// What can be done with the settings.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Show where the settings file is
    #[command(after_help = "Example:\n  blinkd config path")]
    Path,
    /// Show every setting, its value and where that comes from
    #[command(after_help = "Example:\n  blinkd config show")]
    Show,
    /// Show one setting
    #[command(after_help = "Example:\n  blinkd config get upload.server")]
    Get {
        /// Its name, such as camera.source
        key: String,
    },
    /// Change one setting in the file; its comments and order stay
    #[command(after_help = "Example:\n  blinkd config set camera.source camera:1")]
    Set {
        /// Its name, such as camera.source
        key: String,
        /// The new value
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
}

/// Runs the command. A wrong file, key or value ends with exit code 2.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let file = super::profile()?.config_file();
    match &args.action {
        Action::Path => {
            let path = file.display().to_string();
            print(args.json, &json!({ "path": path }), &path)
        }
        Action::Show => show(&file, args.json),
        Action::Get { key } => {
            let key = find(key)?;
            let config = Config::read(&file, false, env::vars_os())?;
            let text = (key.get)(&config);
            print(args.json, &json!({ "key": key.path(), "value": typed(key, &text) }), &text)
        }
        Action::Set { key, value } => {
            let key = find(key)?;
            let text = config::set(&file, key, value)?;
            if env::var_os(key.variable()).is_some() && !args.json {
                stderr::say(&format!("blinkd: {} overrides it in this environment.", key.variable()));
            }
            let shown = format!("{} = {}", key.path(), typed(key, &text));
            print(args.json, &json!({ "key": key.path(), "value": typed(key, &text) }), &shown)
        }
    }
}

fn show(file: &Path, json: bool) -> Result<(), Failure> {
    let config = Config::read(file, false, env::vars_os())?;
    let origins = config::origins(file)?;
    let rows: Vec<(&Key, Value, Origin)> =
        KEYS.iter().zip(origins).map(|(key, origin)| (key, typed(key, &(key.get)(&config)), origin)).collect();
    let keys: Vec<Value> = rows
        .iter()
        .map(|(key, value, origin)| json!({ "key": key.path(), "value": value, "source": origin.as_str() }))
        .collect();
    let lines: Vec<String> = rows.iter().map(|(key, value, _)| format!("{} = {value}", key.path())).collect();
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
    let mut page = format!("# {}", file.display());
    for (line, (.., origin)) in lines.iter().zip(&rows) {
        page.push_str(&format!("\n{line:<width$}  # {}", origin.as_str()));
    }
    print(json, &json!({ "path": file.display().to_string(), "keys": keys }), &page)
}

fn print(json: bool, value: &Value, text: &str) -> Result<(), Failure> {
    stdout::result(json, value, || text.to_owned())
}

/// A value in the key's JSON type.
fn typed(key: &Key, text: &str) -> Value {
    match key.kind {
        Kind::Text => Value::from(text),
        Kind::Integer => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
        Kind::Boolean => text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
    }
}

fn find(path: &str) -> Result<&'static Key, Failure> {
    KEYS.iter().find(|key| key.path() == path).ok_or_else(|| {
        let all = KEYS.iter().map(Key::path);
        let nearest = all.min_by_key(|known| distance(known, path)).unwrap_or_default();
        let far = distance(&nearest, path) > nearest.len().max(path.len()) / 2;
        let fix = if far {
            "`blinkd config show` lists them all.".to_owned()
        } else {
            format!("Did you mean `{nearest}`? `blinkd config show` lists them all.")
        };
        Failure::usage(code::CONFIG_UNKNOWN_KEY, format!("The setting `{path}` is not known."), fix)
    })
}

/// The Levenshtein distance: how many characters must be inserted, removed or replaced.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("camera.sorce", "`camera.source`?")]
    #[case("upload.cafile", "`upload.ca_file`?")]
    #[case("retention_days", "`history.retention_days`?")]
    #[case("nonsense", "lists them all")]
    #[case("", "lists them all")]
    fn a_misspelt_key_is_told_its_neighbour(#[case] key: &str, #[case] says: &str) {
        let failure = find(key).unwrap_err();
        assert_eq!(failure.problem.code, "config_unknown_key");
        assert!(failure.problem.fix.contains(says), "{}", failure.problem.fix);
    }

    #[rstest]
    #[case("", "", 0)]
    #[case("abc", "abc", 0)]
    #[case("kitten", "sitting", 3)]
    #[case("", "abc", 3)]
    fn distances(#[case] a: &str, #[case] b: &str, #[case] want: usize) {
        assert_eq!((distance(a, b), distance(b, a)), (want, want));
    }
}
