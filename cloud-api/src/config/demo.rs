//! Settings of a demonstration: made-up people, and nothing that lasts.
//!
//! | variable | flag | default |
//! | --- | --- | --- |
//! | `DEMO_MODE` | `--demo` | `false` |
//! | `CLOUD_API_DEMO_VIDEO` | `--demo-video` | `demos/demo.mp4` |

use std::path::{Path, PathBuf};

use clap::Args;
use tempfile::TempDir;

use super::{ServeArgs, access::Registration, archive::ArchiveOption};
use crate::{attendance::liveness::Mode, failure::Failure};

/// The flags.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Show made-up people and their history; nothing is stored, and the configured database is not opened
    #[arg(long, env = "DEMO_MODE", num_args = 0..=1, default_value_t = false, default_missing_value = "true", value_parser = clap::builder::BoolishValueParser::new(), action = clap::ArgAction::Set)]
    pub demo: bool,
    /// The recording that visitors of a demonstration may show to the desk; its face is enrolled
    #[arg(long, value_name = "FILE", env = "CLOUD_API_DEMO_VIDEO", default_value = "demos/demo.mp4")]
    pub demo_video: PathBuf,
}

/// What a demonstration works on, until it ends.
pub(super) fn folder() -> Result<TempDir, Failure> {
    tempfile::Builder::new().prefix("cloud-api-demo.").tempdir().map_err(|e| {
        let message = format!("The demonstration has no place for its data: {e}");
        Failure::failed("demo_failed", message, "Make the temporary folder writable, or set TMPDIR.")
    })
}

impl ServeArgs {
    /// The settings with everything that is kept in `folder`, whatever was configured, and nothing sent elsewhere.
    #[must_use]
    pub(super) fn for_demo(mut self, folder: &Path) -> Self {
        self.database.database = Some(format!("sqlite:{}", folder.join("demo.db").display()));
        (self.database.ledger, self.database.master_key_file) = (None, None);
        (self.exports_dir, self.no_migrate) = (None, false);
        self.archive.archive = ArchiveOption::Off;
        self.access.registration = Registration::Closed;
        self.attendance.liveness = Mode::Blink;
        (self.outside.oidc_client_id, self.outside.ask_url, self.outside.ask_model) = (None, None, None);
        self
    }
}
