//! A program's manual and shell completions, from the same texts as its `--help`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

/// What a program's command `man` takes.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Write a page for the program and for each of its commands into this folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// What a program's command `completions` takes.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// The page of the program itself, as roff.
#[must_use]
pub fn page(program: Command) -> String {
    let source = source(&program);
    render(program, source)
}

/// Writes a page for the program and each of its commands, such as `blinkctl-consent-grant.1`; returns their names.
pub fn write_pages(mut program: Command, dir: &Path) -> io::Result<Vec<String>> {
    fs::create_dir_all(dir)?;
    program.build();
    let source = source(&program);
    let mut files = Vec::new();
    let mut open = vec![program];
    while let Some(command) = open.pop() {
        let shown = |command: &&Command| command.get_name() != "help" && !command.is_hide_set();
        open.extend(command.get_subcommands().filter(shown).cloned());
        let name = format!("{}.1", command.get_display_name().unwrap_or_else(|| command.get_name()));
        fs::write(dir.join(&name), render(command, source.clone()))?;
        files.push(name);
    }
    files.sort();
    Ok(files)
}

/// The script that completes the program's commands in a shell.
#[must_use]
pub fn completions(shell: Shell, mut program: Command) -> String {
    let (name, mut script) = (program.get_name().to_owned(), Vec::new());
    clap_complete::generate(shell, &mut program, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The program and its version, for the foot of each page.
fn source(program: &Command) -> String {
    format!("{} {}", program.get_name(), program.get_version().unwrap_or_default())
}

fn render(command: Command, source: String) -> String {
    let man = Man::new(command).manual("Wellness at Work").source(source);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn program() -> Command {
        let keep = Command::new("keep").about("Keep it").after_help("Examples:\n  p keep --now").arg(clap::arg!(--now));
        let hidden = Command::new("secret").hide(true);
        Command::new("p").version("1.2").about("Does things").subcommands([keep, hidden])
    }

    #[test]
    fn each_command_that_is_shown_has_a_page() {
        let folder = std::env::temp_dir().join(format!("blink-manual-{}", std::process::id()));
        let files = write_pages(program(), &folder).unwrap();
        let page = fs::read_to_string(folder.join("p-keep.1"));
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(files, ["p-keep.1", "p.1"]);
        let page = page.unwrap();
        assert!(page.contains("\"p 1.2\"") && page.contains("Keep it"), "{page}");
        assert!(page.contains(".SH EXAMPLES") && page.contains(".nf\n  p keep \\-\\-now\n"), "{page}");
    }

    #[test]
    fn completions_name_the_commands_that_are_shown() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = completions(shell, program());
            assert!(script.contains("keep") && script.contains("now"), "{shell}: {script}");
        }
    }
}
