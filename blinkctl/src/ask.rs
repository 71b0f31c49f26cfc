//! Questions to the person at the terminal. Nothing is asked where there is no terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use blink_proto::{Secret, consent::TRACKING_TEXT};

use crate::{
    exit::Failure,
    output::{columns, wrapped},
};

/// The longest password line read from stdin, in bytes; the server accepts 128 characters.
const MAX_PASSWORD_LINE_BYTES: u64 = 4096;

/// Whether the person can be asked: answers come from stdin, questions go to stderr.
pub(crate) fn possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

pub(crate) fn line(question: &str) -> Result<String, Failure> {
    show(question)?;
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer).map_err(|e| unreadable(&e))?;
    if read == 0 {
        return Err(Failure::failed("no_answer", "The question was not answered", "Run the command again."));
    }
    Ok(answer.trim().to_owned())
}

/// Asks for a password without showing it.
pub(crate) fn password(question: &str) -> Result<Secret, Failure> {
    // Echo is switched off before the question is shown, so that nobody types faster than that.
    #[cfg(unix)]
    let _hidden = echo::Hidden::now();
    rpassword::prompt_password(question).map(Secret::new).map_err(|e| unreadable(&e))
}

pub(crate) fn new_password() -> Result<Secret, Failure> {
    let first = password("Password (12 characters or more): ")?;
    if password("The same again: ")? != first {
        return Err(Failure::failed(
            "passwords_differ",
            "The two passwords are not the same",
            "Run the command again.",
        ));
    }
    Ok(first)
}

/// Shows the consent text and asks; anything but yes means no.
pub(crate) fn consent() -> Result<bool, Failure> {
    show(&format!("\n{TRACKING_TEXT}\n"))?;
    yes("Do you consent?")
}

/// Asks a question; anything but yes means no.
pub(crate) fn yes(question: &str) -> Result<bool, Failure> {
    let answer = line(&format!("{question} [y/N] "))?;
    Ok(["y", "yes"].contains(&answer.to_lowercase().as_str()))
}

/// Asks a question; anything but no means yes.
pub(crate) fn unless_no(question: &str) -> Result<bool, Failure> {
    let answer = line(&format!("{question} [Y/n] "))?;
    Ok(!["n", "no"].contains(&answer.to_lowercase().as_str()))
}

/// Confirms what cannot be undone, by `yes` from the command line or by the person typing `word`.
pub(crate) fn confirm(yes: bool, what: &str, word: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !possible() {
        return Err(missing_flags(&["--yes"]));
    }
    show(&format!("{what}\n"))?;
    if line(&format!("Type {word} to go on: "))? == word {
        return Ok(());
    }
    Err(Failure::failed("declined", "Nothing was changed", format!("Run it again and type {word} to go on.")))
}

/// The failure that names the flags needed where nobody can be asked.
pub(crate) fn missing_flags(flags: &[&str]) -> Failure {
    let (last, rest) = flags.split_last().map_or(("", &[][..]), |(last, rest)| (*last, rest));
    let named = if rest.is_empty() { last.to_owned() } else { format!("{} and {last}", rest.join(", ")) };
    let verb = if rest.is_empty() { "is" } else { "are" };
    let message = format!("{named} {verb} missing and there is no terminal to ask on");
    Failure::usage("missing_flag", message, format!("Give {named}."))
}

/// Reads the password from the first line of stdin, for `--password-stdin`.
pub(crate) fn password_from_stdin() -> Result<Secret, Failure> {
    read_password(io::stdin().lock())
}

fn read_password(input: impl BufRead) -> Result<Secret, Failure> {
    let fix = "Pipe it in, for example: printf '%s\\n' \"$PASSWORD\" | blinkctl .. --password-stdin";
    let mut line = String::new();
    input.take(MAX_PASSWORD_LINE_BYTES).read_line(&mut line).map_err(|error| {
        Failure::usage("bad_password_input", format!("The password on stdin could not be read: {error}"), fix)
    })?;
    let password = line.strip_suffix('\n').map_or(line.as_str(), |l| l.strip_suffix('\r').unwrap_or(l));
    if password.is_empty() {
        return Err(Failure::usage("no_password", "There is no password on stdin", fix));
    }
    Ok(Secret::new(password))
}

pub(crate) fn say(text: &str) -> Result<(), Failure> {
    show(text)
}

fn show(text: &str) -> Result<(), Failure> {
    let wrapped = columns().map(|columns| wrapped(text, columns));
    let text = wrapped.as_deref().unwrap_or(text);
    let mut stderr = io::stderr().lock();
    stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()).map_err(|e| unreadable(&e))
}

fn unreadable(error: &io::Error) -> Failure {
    let fix = "Give the answers as flags: --email, --password-stdin, --accept-consent.";
    Failure::failed("terminal", format!("The terminal could not be used: {error}"), fix)
}

#[cfg(unix)]
mod echo {
    //! Switches off the terminal's echo.

    use std::fs::File;

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

    /// The terminal without echo, until dropped.
    pub(super) struct Hidden {
        terminal: File,
        before: Termios,
    }

    impl Hidden {
        /// Switches echo off; `None` without a terminal.
        pub(super) fn now() -> Option<Self> {
            let terminal = File::open("/dev/tty").ok()?;
            let before = tcgetattr(&terminal).ok()?;
            let mut hidden = before.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            tcsetattr(&terminal, OptionalActions::Now, &hidden).ok()?;
            Some(Self { terminal, before })
        }
    }

    impl Drop for Hidden {
        fn drop(&mut self) {
            // If the terminal is gone, there is no echo to restore.
            let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("twelve letters\n", "twelve letters")]
    #[case("twelve letters\r\nmore", "twelve letters")]
    #[case("  spaces are kept  ", "  spaces are kept  ")]
    fn the_first_line_is_the_password(#[case] input: &str, #[case] password: &str) {
        assert_eq!(read_password(input.as_bytes()).unwrap().expose(), password);
    }

    #[rstest]
    #[case(b"")]
    #[case(b"\n")]
    #[case(b"\xff\xfe\n")]
    fn no_password_is_wrong_usage(#[case] input: &[u8]) {
        assert_eq!(read_password(input).unwrap_err().status as u8, 2);
    }
}
