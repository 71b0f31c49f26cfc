//! Where blinkd looks for models; [`blink_vision::models`] knows which models there are.

use std::{env, path::PathBuf};

use blink_profile::Paths;
use blink_vision::models::ModelError;

use crate::exit::Failure;

/// The command that fetches a model.
pub(crate) const FETCH_COMMAND: &str = "blinkd models --fetch";
/// The environment variable whose folder comes before all others.
const VARIABLE: &str = "BLINKD_MODELS_DIR";
/// Where packages put models, for example Debian's libdlib-data.
const SHARED: [&str; 2] = ["/usr/share/blinkd/models", "/usr/share/dlib"];

/// The folders in which models are looked for, in order.
pub(crate) fn folders() -> Vec<PathBuf> {
    named().into_iter().chain(own()).chain(SHARED.map(PathBuf::from)).collect()
}

/// Where fetched models are put.
pub(crate) fn fetch_folder() -> Option<PathBuf> {
    named().or_else(own)
}

fn named() -> Option<PathBuf> {
    env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn own() -> Option<PathBuf> {
    Paths::from_env().map(|paths| paths.data.join("models"))
}

/// A model that cannot be used, as a failure.
#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
pub(crate) fn failure(error: ModelError) -> Failure {
    Failure::failed(error.code(), error.to_string(), error.fix(FETCH_COMMAND))
}
