//! Where model files are looked for, whether they are whole, and what may be done with them.

use std::{
    env,
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
    /// Its SHA-256, in hexadecimal.
    pub sha256: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// Its licence, and what its training data allows.
    pub licence: &'static str,
}

/// The 68 landmarks that blinks are read from.
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

/// The neural face detector.
pub const DETECTOR_CNN: Model = Model {
    file: "mmod_human_face_detector.dat",
    sha256: "4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
    purpose: "finds faces that the fast detector misses, in attendance photographs",
    licence: "CC0",
};

/// All of them.
pub const ALL: [Model; 4] = [LANDMARKS_68, LANDMARKS_5, ENCODER, DETECTOR_CNN];

/// The command that gets a model.
pub const FETCH_COMMAND: &str = "blinkd models --fetch";

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It is nowhere.
    #[error("the model {file} is not in any of {}", list(.looked_in))]
    Missing {
        /// Which.
        file: &'static str,
        /// Where it was looked for.
        looked_in: Vec<PathBuf>,
    },
    /// A file of its name is there, but it is another one, or damaged.
    #[error("the model {} is damaged or another file: its SHA-256 is {found}, not {expected}", .path.display())]
    Damaged {
        /// Where.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// It cannot be read.
    #[error("the model {} cannot be read", .path.display())]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

fn list(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}

impl ModelError {
    /// `model_missing`, `model_damaged` or `model_unreadable`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "model_missing",
            Self::Damaged { .. } => "model_damaged",
            Self::Unreadable { .. } => "model_unreadable",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::Missing { .. } => format!("Run `{FETCH_COMMAND}`."),
            Self::Damaged { path, .. } => format!("Remove {} and run `{FETCH_COMMAND}`.", path.display()),
            Self::Unreadable { path, .. } => format!("Make {} readable, or run `{FETCH_COMMAND}`.", path.display()),
        }
    }
}

/// The folders in which models are looked for, in order: `BLINKD_MODELS_DIR`, `$XDG_DATA_HOME/blinkd/models`,
/// `/usr/share/blinkd/models`, `/usr/share/dlib`.
#[must_use]
pub fn folders() -> Vec<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = own_folder();
    let shared = ["/usr/share/blinkd/models", "/usr/share/dlib"].map(PathBuf::from);
    set("BLINKD_MODELS_DIR").into_iter().chain(own).chain(shared).collect()
}

/// Where fetched models are put: `BLINKD_MODELS_DIR`, else `$XDG_DATA_HOME/blinkd/models`.
#[must_use]
pub fn fetch_folder() -> Option<PathBuf> {
    env::var_os("BLINKD_MODELS_DIR").filter(|value| !value.is_empty()).map(PathBuf::from).or_else(own_folder)
}

fn own_folder() -> Option<PathBuf> {
    let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let data = data.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    data.map(|data| data.join("blinkd/models"))
}

impl Model {
    /// The first file of this model's name in `folders`, unchecked.
    ///
    /// # Errors
    /// [`ModelError::Missing`].
    pub fn locate(&self, folders: &[PathBuf]) -> Result<PathBuf, ModelError> {
        let found = folders.iter().map(|folder| folder.join(self.file)).find(|path| path.exists());
        found.ok_or_else(|| ModelError::Missing { file: self.file, looked_in: folders.to_vec() })
    }

    /// Checks that the file is this model. It reads all of it.
    ///
    /// # Errors
    /// [`ModelError::Damaged`] and [`ModelError::Unreadable`].
    pub fn verify(&self, path: &Path) -> Result<(), ModelError> {
        let unreadable = |source| ModelError::Unreadable { path: path.to_owned(), source };
        let mut file = Hashing::new(File::open(path).map_err(unreadable)?);
        io::copy(&mut file, &mut io::sink()).map_err(unreadable)?;
        self.check(path, file.finish())
    }

    /// Compares a hash that was taken while reading.
    ///
    /// # Errors
    /// [`ModelError::Damaged`].
    pub fn check(&self, path: &Path, found: String) -> Result<(), ModelError> {
        if found == self.sha256 {
            return Ok(());
        }
        Err(ModelError::Damaged { path: path.to_owned(), expected: self.sha256, found })
    }
}

/// A reader that hashes what passes through it.
pub struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Hashing<R> {
    /// Hashes what is read from `inner`.
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

/// Whether model `model` is where it should be, for `blinkd models`.
pub fn find(model: &Model, folders: &[PathBuf]) -> Result<PathBuf, ModelError> {
    let path = model.locate(folders)?;
    model.verify(&path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_model_names_the_command_that_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = find(&LANDMARKS_68, &[folder.path().to_owned()]).unwrap_err();
        assert_eq!(error.code(), "model_missing");
        assert!(error.fix().contains(FETCH_COMMAND));
    }

    #[test]
    fn another_file_under_its_name_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LANDMARKS_68.file), b"abc").unwrap();
        let error = find(&LANDMARKS_68, &[folder.path().to_owned()]).unwrap_err();
        assert!(
            error.to_string().contains("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            "{error}"
        );
        assert_eq!(error.code(), "model_damaged");
    }
}
