//! `blinkd models`: lists where each model was looked for and found, its hash and licence; and fetches models.

mod fetch;

use std::path::{Path, PathBuf};

use blink_vision::models::{self, Model, ModelError};
use serde::Serialize;

use crate::{
    exit::{ExitStatus, Failure},
    models::{FETCH_COMMAND, folders},
    stdout,
};

/// What `blinkd models` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  blinkd models\n  blinkd models --fetch\n  \
    blinkd models --fetch --into FOLDER    copies of all, for another machine or for Docker\n  blinkd models --json")]
pub struct Args {
    /// Get the models that are missing or damaged, and verify them
    #[arg(long)]
    pub fetch: bool,
    /// Put a verified copy of each model into this folder, for another machine
    #[arg(long, value_name = "FOLDER", requires = "fetch")]
    pub into: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Serialize)]
struct Output {
    looked_in: Vec<String>,
    models: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    file: &'static str,
    purpose: &'static str,
    licence: &'static str,
    sha256: &'static str,
    /// `ok`, `missing`, `damaged` or `unreadable`.
    state: &'static str,
    path: Option<String>,
}

/// Runs the command. A missing or damaged model is a failure after the list was printed.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let folders = folders();
    if args.fetch {
        fetch::missing(&folders, args.json)?;
    }
    let found: Vec<(Model, Result<PathBuf, ModelError>)> =
        models::ALL.iter().map(|model| (*model, model.find(&folders))).collect();
    if let Some(into) = &args.into {
        for (model, found) in &found {
            if let Ok(path) = found {
                fetch::copy(model, path, into)?;
            }
        }
    }
    let rows = found.iter().map(|(model, found)| Row::new(model, found)).collect();
    let output = Output { looked_in: folders.iter().map(|folder| shown(folder)).collect(), models: rows };
    let wrong: Vec<&ModelError> = found.iter().filter_map(|(_, found)| found.as_ref().err()).collect();
    // With --json, a failure leaves standard output empty.
    if !args.json || wrong.is_empty() {
        stdout::result(args.json, &output, || output.for_people())?;
    }
    let Some(first) = wrong.first() else { return Ok(()) };
    let more = if wrong.len() > 1 { format!(" (and {} more)", wrong.len() - 1) } else { String::new() };
    Err(Failure {
        problem: blink_proto::Problem::new(first.code(), format!("{first}{more}"), first.fix(FETCH_COMMAND)),
        status: ExitStatus::Failed,
    })
}

/// Bytes that are not UTF-8 are replaced.
fn shown(path: &Path) -> String {
    path.display().to_string()
}

impl Row {
    fn new(model: &Model, found: &Result<PathBuf, ModelError>) -> Self {
        let (state, path) = match found {
            Ok(path) => ("ok", Some(shown(path))),
            Err(ModelError::Missing { .. }) => ("missing", None),
            Err(ModelError::Damaged { path, .. }) => ("damaged", Some(shown(path))),
            Err(ModelError::Unreadable { path, .. }) => ("unreadable", Some(shown(path))),
        };
        Self { file: model.file, purpose: model.purpose, licence: model.licence, sha256: model.sha256, state, path }
    }
}

impl Output {
    fn for_people(&self) -> String {
        let mut lines = Vec::new();
        for row in &self.models {
            let place = row.path.as_ref().map(|path| format!("  {path}")).unwrap_or_default();
            lines.push(format!("{:<10}  {}{place}", row.state, row.file));
            lines.push(format!("            {}", row.purpose));
            lines.push(format!("            licence: {}", row.licence));
            lines.push(format!("            sha256 {}", row.sha256));
        }
        lines.push("Looked for, in this order, in:".to_owned());
        lines.extend(self.looked_in.iter().map(|folder| format!("  {folder}")));
        if self.models.iter().any(|row| row.state != "ok") {
            lines.push(format!("`{FETCH_COMMAND}` gets what is missing."));
        }
        lines.join("\n")
    }
}
