//! The test footage.

use std::path::{Path, PathBuf};

/// The folder of test footage; `None` if it is missing, after printing what is skipped.
pub(crate) fn folder(skipped: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("WAW_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {skipped}: there is no test footage (WAW_TEST_DATA)");
    None
}
