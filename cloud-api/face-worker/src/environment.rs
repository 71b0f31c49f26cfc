//! What must hold before the first library is used. Some of it is read by libraries before `main`, so the program sets
//! it and starts itself anew.

use std::{
    env, fs,
    fs::File,
    io,
    os::{fd::OwnedFd, unix::process::CommandExt as _},
    path::{Path, PathBuf},
    process::Command,
};

/// The environment of the process.
const SETTINGS: [(&str, &str); 7] = [
    // A thread that exists before the lockdown would escape a part of it.
    ("OPENBLAS_NUM_THREADS", "1"),
    ("OMP_NUM_THREADS", "1"),
    // What is freed is overwritten at once, so that nothing of a picture stays in memory after its answer.
    ("GLIBC_TUNABLES", "glibc.malloc.perturb=90:glibc.malloc.tcache_count=0"),
    ("OPENCV_LOG_LEVEL", "OFF"),
    ("OPENCV_FFMPEG_LOGLEVEL", "-8"),
    ("GST_DEBUG", "0"),
    // Of FFmpeg's formats and protocols, those of the allowed files alone: a playlist opens what it lists.
    (
        "OPENCV_FFMPEG_CAPTURE_OPTIONS",
        "format_whitelist;mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi|protocol_whitelist;file",
    ),
];

/// Starts the program anew with [`SETTINGS`] where they are not set. It only returns where they are, or with the reason
/// why it could not.
#[must_use]
pub fn settle() -> Option<io::Error> {
    if SETTINGS.iter().all(|(name, value)| env::var_os(name).is_some_and(|set| set == *value)) {
        return None;
    }
    let own = match env::current_exe() {
        Ok(own) => own,
        Err(error) => return Some(error),
    };
    Some(Command::new(own).args(env::args_os().skip(1)).envs(SETTINGS).exec())
}

/// Takes standard output for the messages, and lets whatever a library prints there go nowhere.
///
/// # Errors
/// When there is no standard output.
pub fn own_output() -> io::Result<File> {
    let output: OwnedFd = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3)?;
    let nowhere = fs::OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&nowhere)?;
    Ok(File::from(output))
}

/// Takes standard input without the buffer of the standard library, which would keep the end of a picture.
///
/// # Errors
/// When there is no standard input.
pub fn own_input() -> io::Result<File> {
    Ok(File::from(rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?))
}

/// The folders in which models are looked for, in order: those of `blinkd models`.
#[must_use]
pub fn model_folders() -> Vec<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let data = set("XDG_DATA_HOME")
        .filter(|folder| folder.is_absolute())
        .or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".local/share")));
    let own = data.map(|data| data.join("blinkd/models"));
    let shared = ["/usr/share/blinkd/models", "/usr/share/dlib"].map(PathBuf::from);
    set("BLINKD_MODELS_DIR").into_iter().chain(own).chain(shared).collect()
}
