//! The model files: which there are, their verification, and their licences.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

/// One of dlib's models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// The file's name.
    pub file: &'static str,
    /// Its SHA-256 in hexadecimal.
    pub sha256: &'static str,
    /// What it is used for.
    pub purpose: &'static str,
    /// Its licence, and what its training data allows.
    pub licence: &'static str,
}

/// The 68 landmarks from which blinks are measured.
pub const LANDMARKS_68: Model = Model {
    file: "shape_predictor_68_face_landmarks.dat",
    sha256: "fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
    purpose: "finds 68 landmarks of a face: blinks are read from them",
    licence: "not for commercial use: its training data, iBUG 300-W, excludes it",
};

/// Five landmarks, to align a face before it is encoded.
pub const LANDMARKS_5: Model = Model {
    file: "shape_predictor_5_face_landmarks.dat",
    sha256: "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    purpose: "aligns a face before it is encoded",
    licence: "CC0",
};

/// The face encoder.
pub const ENCODER: Model = Model {
    file: "dlib_face_recognition_resnet_model_v1.dat",
    sha256: "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    purpose: "encodes a face as 128 numbers, to tell the owner and to take attendance",
    licence: "CC0",
};

/// The thorough face detector.
pub const FACE_DETECTOR: Model = Model {
    file: "mmod_human_face_detector.dat",
    sha256: "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
    purpose: "keeps following faces that are turned, tilted or lit from behind (optional)",
    licence: "CC0",
};

/// All models.
pub const ALL: [Model; 4] = [LANDMARKS_68, LANDMARKS_5, ENCODER, FACE_DETECTOR];

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No folder has a file of its name.
    #[error("the model {file} is not in any of {}", list(.looked_in))]
    Missing {
        /// The file's name.
        file: &'static str,
        /// The folders that were searched.
        looked_in: Vec<PathBuf>,
    },
    /// The file is damaged, or another one of the same name.
    #[error("the model {} is damaged or another file: its SHA-256 is {found}, not {expected}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The SHA-256 of the model, in hexadecimal.
        expected: &'static str,
        /// The SHA-256 of the file, in hexadecimal.
        found: String,
    },
    /// The file cannot be read.
    #[error("the model {} cannot be read", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

fn list(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

impl ModelError {
    /// The stable code: `model_missing`, `model_damaged` or `model_unreadable`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "model_missing",
            Self::Damaged { .. } => "model_damaged",
            Self::Unreadable { .. } => "model_unreadable",
        }
    }

    /// What to do about it, where `fetch_command` fetches models.
    #[must_use]
    pub fn fix(&self, fetch_command: &str) -> String {
        match self {
            Self::Missing { .. } => format!("Run `{fetch_command}`."),
            Self::Damaged { path, .. } => format!("Remove {} and run `{fetch_command}`.", path.display()),
            Self::Unreadable { path, .. } => format!("Make {} readable, or run `{fetch_command}`.", path.display()),
        }
    }
}

impl Model {
    /// The first file of this model's name in `folders`; its content is not checked.
    ///
    /// # Errors
    /// [`ModelError::Missing`].
    pub fn locate(&self, folders: &[PathBuf]) -> Result<PathBuf, ModelError> {
        let found = folders.iter().map(|folder| folder.join(self.file)).find(|path| path.exists());
        found.ok_or_else(|| ModelError::Missing { file: self.file, looked_in: folders.to_vec() })
    }

    /// The first file of this model's name in `folders`, read completely and verified.
    ///
    /// # Errors
    /// When it is missing, unreadable or damaged.
    pub fn find(&self, folders: &[PathBuf]) -> Result<PathBuf, ModelError> {
        let path = self.locate(folders)?;
        self.verify(&path)?;
        Ok(path)
    }

    /// Verifies that the file is this model, which reads all of it.
    ///
    /// # Errors
    /// [`ModelError::Damaged`] and [`ModelError::Unreadable`].
    pub fn verify(&self, path: &Path) -> Result<(), ModelError> {
        let unreadable = |source| ModelError::Unreadable { path: path.to_owned(), source };
        let mut file = Hashing::new(File::open(path).map_err(unreadable)?);
        io::copy(&mut file, &mut io::sink()).map_err(unreadable)?;
        self.check(path, file.finish())
    }

    /// Compares `found`, the SHA-256 of the file at `path`, with the model's.
    ///
    /// # Errors
    /// [`ModelError::Damaged`] when they differ.
    pub fn check(&self, path: &Path, found: String) -> Result<(), ModelError> {
        if found == self.sha256 {
            return Ok(());
        }
        Err(ModelError::Damaged { path: path.to_owned(), expected: self.sha256, found })
    }
}

/// A reader that computes the SHA-256 of what is read through it.
pub struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Hashing<R> {
    /// Wraps `inner`.
    pub fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new() }
    }

    /// The SHA-256 of everything read, in hexadecimal.
    #[must_use]
    pub fn finish(self) -> String {
        self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_model_names_the_command_that_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = LANDMARKS_68.find(&[folder.path().to_owned()]).unwrap_err();
        assert_eq!(error.code(), "model_missing");
        assert_eq!(error.fix("get it"), "Run `get it`.");
    }

    #[test]
    fn another_file_under_its_name_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LANDMARKS_68.file), b"abc").unwrap();
        let error = LANDMARKS_68.find(&[folder.path().to_owned()]).unwrap_err();
        assert!(
            error.to_string().contains("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            "{error}"
        );
        assert_eq!(error.code(), "model_damaged");
    }
}
