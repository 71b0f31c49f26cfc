//! `.env` in the working directory: settings for those who like them in a file. What is set already stays.

use crate::failure::Failure;

/// Reads `.env` if there is one. Must run before any thread is started.
///
/// Fails when the file is there and cannot be read.
pub fn load() -> Result<(), Failure> {
    match dotenvy::from_path(".env") {
        Ok(()) => Ok(()),
        Err(dotenvy::Error::Io(e)) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        // The parser's message quotes the line, which may be a secret.
        Err(dotenvy::Error::LineParse(..)) => {
            Err(Failure::usage("bad_env_file", ".env has a line that is not NAME=value", "Mend or remove that line."))
        }
        Err(_) => Err(Failure::usage("bad_env_file", ".env cannot be read", "Make it readable, or remove it.")),
    }
}
