//! Results on stdout, as text or as one JSON object; failures as one line on stderr.

use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process,
};

use anstyle::{AnsiColor, Style};
use blink_proto::{Problem, text};
use serde::{Serialize, Serializer};

use crate::exit::Failure;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
    paint: Paint,
}

impl Output {
    /// JSON when asked for; colours only where stdout is a terminal and `NO_COLOR` is not set.
    pub(crate) fn new(json: bool) -> Self {
        let colour = !json && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        Self { json, paint: Paint { colour } }
    }

    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    pub(crate) fn paint(self) -> Paint {
        self.paint
    }

    /// Prints a result: `json` as one line, or the text of `human`.
    pub(crate) fn result(self, json: &impl Serialize, human: impl FnOnce(Paint) -> String) -> Result<(), Failure> {
        if self.json {
            let line = text::json_line(json).map_err(|error| {
                Failure::failed("internal", format!("the result is not JSON: {error}"), "Please report it.")
            })?;
            return self.line(&line);
        }
        self.text(&human(self.paint))
    }

    pub(crate) fn line(self, text: &str) -> Result<(), Failure> {
        self.text(&format!("{text}\n"))
    }

    /// Prints `text` unchanged. A closed pipe ends the program silently: a reader such as `head` has read all it
    /// wanted.
    pub(crate) fn text(self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => process::exit(0),
            Err(error) => Err(unwritten(&error)),
        }
    }

    /// Prints a message on stderr before the result: text, or with `--json` one object.
    pub(crate) fn notice(self, json: &impl Serialize, human: impl FnOnce(Paint) -> String) {
        let text = if self.json { text::json_line(json).unwrap_or_default() + "\n" } else { human(stderr_paint()) };
        // If stderr is closed, there is nobody to tell.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Prints a failure on stderr: its line, or with `--json` the `{"error": ..}` object.
    pub(crate) fn failure(self, problem: &Problem) {
        let line = if self.json {
            problem.to_json_line()
        } else {
            stderr_paint().with(Tone::Bad, &plain(&problem.to_string()))
        };
        // If stderr is closed, there is nobody to tell.
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// The failure when stdout cannot be written, most likely because of a full disk.
pub(crate) fn unwritten(error: &io::Error) -> Failure {
    Failure::failed("output", format!("The result could not be written: {error}"), "Check where the output goes.")
}

fn stderr_paint() -> Paint {
    Paint { colour: anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never }
}

pub(crate) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Characters per line of the terminal; `None` without a terminal.
pub(crate) fn columns() -> Option<u16> {
    let (columns, _) = ratatui::crossterm::terminal::size().ok()?;
    (columns > 0).then_some(columns)
}

/// `text` with lines that exceed `columns` wrapped between words.
pub(crate) fn wrapped(text: &str, columns: u16) -> String {
    let width = |word: &str| anstream::adapter::strip_str(word).to_string().chars().count();
    let columns = usize::from(columns);
    let mut wrapped = String::with_capacity(text.len() + 16);
    for line in text.split_inclusive('\n') {
        let mut taken = 0;
        for word in line.split_inclusive(' ') {
            let needed = width(word.trim_end());
            if taken > 0 && taken + needed > columns {
                wrapped.truncate(wrapped.trim_end_matches(' ').len());
                wrapped.push('\n');
                taken = 0;
            }
            wrapped += word;
            taken += width(word);
        }
    }
    wrapped
}

/// `text` without control characters, because outside text must not control the terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// `n` of something, such as `1 minute` and `2 minutes`.
pub(crate) fn counted(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// A path as text for JSON; bytes that are not UTF-8 are replaced.
pub(crate) fn path_text(path: &Path) -> String {
    path.display().to_string()
}

/// The same as a serde serializer for a field.
pub(crate) fn path_field<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_deref().map(path_text).serialize(serializer)
}

/// The meaning of a piece of text, which decides its colour.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tone {
    /// All is well.
    Good,
    /// Idle, or worth a look.
    Calm,
    Bad,
    /// Emphasised text.
    Strong,
    /// Secondary text.
    Faint,
}

/// Colours text, if colours are on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    /// Whether escape sequences may be written.
    pub(crate) colour: bool,
}

impl Paint {
    pub(crate) fn with(self, tone: Tone, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let style = match tone {
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Calm => AnsiColor::Yellow.on_default(),
            Tone::Bad => AnsiColor::Red.on_default(),
            Tone::Strong => Style::new().bold(),
            Tone::Faint => Style::new().dimmed(),
        };
        format!("{style}{text}{style:#}")
    }

    /// Text that is struck out; between tildes where there are no escape sequences.
    pub(crate) fn struck(self, text: &str) -> String {
        let style = Style::new().strikethrough();
        if self.colour { format!("{style}{text}{style:#}") } else { format!("~~{text}~~") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_only_added_where_it_may_be() {
        assert_eq!(Paint { colour: false }.with(Tone::Bad, "x"), "x");
        assert_eq!(Paint { colour: true }.with(Tone::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three\nfour", 9), "one two\nthree\nfour");
        assert_eq!(wrapped("  indented stays\n\nx ", 60), "  indented stays\n\nx ");
        assert_eq!(wrapped("unbreakable", 4), "unbreakable");
        assert_eq!(wrapped("\u{1b}[32mgreen\u{1b}[0m word", 10), "\u{1b}[32mgreen\u{1b}[0m word");
    }

    #[test]
    fn text_from_outside_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\r\n"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}");
    }
}
