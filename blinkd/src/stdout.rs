//! Standard output, for results alone: text, or one line of JSON. A result that cannot be written is a failure.

use std::io::{self, Write as _};

use blink_proto::{problem::code, text::json_line};
use serde::Serialize;

use crate::exit::Failure;

/// Prints `value` as JSON, or the text of `for_people`.
pub fn result(json: bool, value: &impl Serialize, for_people: impl FnOnce() -> String) -> Result<(), Failure> {
    if !json {
        return text(&(for_people() + "\n"));
    }
    let line = json_line(value).map_err(|error| {
        Failure::failed(code::INTERNAL, format!("the result is not JSON: {error}"), "Please report it.")
    })?;
    text(&(line + "\n"))
}

/// Prints `text` unchanged. A closed pipe is no failure: a reader such as `head` has read all it wanted.
pub fn text(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let message = format!("the result could not be written: {error}");
            Err(Failure::failed(code::OUTPUT, message, "Check where the output goes."))
        }
        _ => Ok(()),
    }
}
