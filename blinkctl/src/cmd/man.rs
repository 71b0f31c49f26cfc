//! `blinkctl man`: the manual, made from the same texts as `--help`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::CommandFactory;
use clap_mangen::Man;
use serde_json::json;

use crate::{cli::Cli, context::Context, exit::Failure, output::path_text};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl man | man -l -
  blinkctl man --dir ~/.local/share/man/man1")]
pub(crate) struct Args {
    /// Write a page for blinkctl and for each of its commands into this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    let Some(dir) = &args.dir else {
        let page = page(Cli::command());
        return context.output.result(&json!({ "page": page }), |_| page.clone());
    };
    let files = write(dir).map_err(|error| {
        let message = format!("The pages cannot be written to {}: {error}", dir.display());
        Failure::failed("unwritable", message, "Choose another folder.")
    })?;
    let json = json!({ "dir": path_text(dir), "files": files });
    context.output.result(&json, |_| format!("Wrote {} pages to {}.\n", files.len(), dir.display()))
}

/// Writes a page for every command, such as `blinkctl-consent-grant.1`; returns their names.
fn write(dir: &Path) -> io::Result<Vec<String>> {
    fs::create_dir_all(dir)?;
    let mut root = Cli::command();
    root.build();
    let mut files = Vec::new();
    let mut open = vec![root];
    while let Some(command) = open.pop() {
        open.extend(command.get_subcommands().filter(|command| command.get_name() != "help").cloned());
        let name = format!("{}.1", command.get_display_name().unwrap_or_else(|| command.get_name()));
        fs::write(dir.join(&name), page(command))?;
        files.push(name);
    }
    files.sort();
    Ok(files)
}

fn page(command: clap::Command) -> String {
    let man = Man::new(command).manual("Wellness at Work").source(concat!("blinkctl ", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    // Writing to memory does not fail.
    let _ = man.render(&mut page);
    with_examples(&String::from_utf8_lossy(&page))
}

/// Renders the section after a command's help, with the examples verbatim instead of as running text.
fn with_examples(page: &str) -> String {
    let (mut text, mut extra, mut verbatim) = (String::new(), false, false);
    for line in page.lines() {
        if line.starts_with(".SH") {
            extra = line == ".SH EXTRA";
        }
        let indented = extra && line.starts_with("  ");
        if indented != verbatim {
            text += if indented { ".nf\n" } else { ".fi\n" };
            verbatim = indented;
        }
        text += match line {
            ".SH EXTRA" => ".SH EXAMPLES",
            "" if extra => ".PP",
            line => line,
        };
        text.push('\n');
    }
    text
}
