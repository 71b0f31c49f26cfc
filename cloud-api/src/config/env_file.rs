//! Loads settings from the file `.env` in the working directory. Variables that are set already win.

use crate::failure::Failure;

/// Must run before any thread is started, because it changes the environment.
pub fn load() -> Result<(), Failure> {
    match dotenvy::from_path(".env") {
        Ok(()) => Ok(()),
        Err(dotenvy::Error::Io(e)) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        // The parser's message is not shown, because it quotes the line, which may hold a secret.
        Err(dotenvy::Error::LineParse(..)) => {
            Err(Failure::usage("bad_env_file", ".env has a line that is not NAME=value", "Mend or remove that line."))
        }
        Err(_) => Err(Failure::usage("bad_env_file", ".env cannot be read", "Make it readable, or remove it.")),
    }
}
