//! Loads the landmark model, and verifies it while it is read.

use std::{
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

use crate::{
    models::{Hashing, LANDMARKS_68, ModelError},
    predictor::{LoadError, Predictor},
};

/// Finds the 68-point model in `folders` and reads it. Its SHA-256 is computed in the same pass.
///
/// # Errors
/// When it is missing, unreadable, damaged or another model.
pub fn load_landmark_model(folders: &[PathBuf]) -> Result<Predictor, ModelError> {
    let path = LANDMARKS_68.locate(folders)?;
    let unreadable = |source| ModelError::Unreadable { path: path.clone(), source };
    let file = File::open(&path).map_err(unreadable)?;
    let mut reader = Hashing::new(file);
    let loaded = Predictor::load(&mut reader);
    if let Err(LoadError::Read(error)) = &loaded
        && error.kind() != io::ErrorKind::UnexpectedEof
    {
        return Err(unreadable(io::Error::new(error.kind(), error.to_string())));
    }
    // The hash of the whole file decides, even when parsing failed or stopped early.
    io::copy(&mut reader.by_ref(), &mut io::sink()).map_err(unreadable)?;
    let found = reader.finish();
    LANDMARKS_68.check(&path, found.clone())?;
    loaded.map_err(|_| ModelError::Damaged { path, expected: LANDMARKS_68.sha256, found })
}
