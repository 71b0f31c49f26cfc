//! One running `face-worker`: found, started with an empty environment, asked, and killed when it is dropped.

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use blink_proto::faces::{
    Answer, FromWorker, Job, Outcome, PROTOCOL, Ready, Task,
    frame::{FaceCodec, FrameError},
};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::process::{self, ChildStdin, ChildStdout, Command};
use tokio_util::codec::{FramedRead, FramedWrite};

type Codec = FaceCodec<FromWorker, Job>;

/// Longest time for verifying and loading the models: 130 MB from a slow disk.
const START: Duration = Duration::from_secs(60);

/// What the program is given of the environment: where its models are looked for.
const ENVIRONMENT: [&str; 3] = ["BLINKD_MODELS_DIR", "XDG_DATA_HOME", "HOME"];

#[derive(Debug, thiserror::Error)]
pub(crate) enum ChildError {
    #[error("there is no face-worker beside cloud-api: install it, or set CLOUD_API_FACE_WORKER")]
    NotFound,
    #[error("{0} cannot be started")]
    Start(PathBuf, #[source] std::io::Error),
    /// Its own words.
    #[error("face-worker cannot work: {0}")]
    Unable(String),
    #[error("face-worker is of another version: install the one that came with this cloud-api")]
    OtherVersion,
    #[error("face-worker ended")]
    Ended,
    #[error("face-worker took longer than {} s", .0.as_secs())]
    Overdue(Duration),
    #[error("face-worker speaks nonsense")]
    Frame(#[from] FrameError),
    #[error("face-worker answered another job")]
    OtherJob,
}

/// The program: as configured, or the one beside this one.
pub(crate) fn find(configured: Option<&Path>) -> Result<PathBuf, ChildError> {
    if let Some(path) = configured {
        return Ok(path.to_owned());
    }
    let name = format!("face-worker{}", env::consts::EXE_SUFFIX);
    let beside = env::current_exe().ok().map(|own| own.with_file_name(name));
    beside.filter(|path| path.is_file()).ok_or(ChildError::NotFound)
}

pub(crate) struct Child {
    /// Killed when it is dropped.
    _process: process::Child,
    to: FramedWrite<ChildStdin, Codec>,
    from: FramedRead<ChildStdout, Codec>,
    jobs: u64,
}

impl Child {
    /// Starts the program and waits until its models are loaded.
    pub(crate) async fn start(program: &Path) -> Result<(Self, Ready), ChildError> {
        let mut command = Command::new(program);
        command.env_clear().kill_on_drop(true).current_dir("/");
        command.envs(ENVIRONMENT.iter().filter_map(|name| Some((name, env::var_os(name)?))));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().map_err(|e| ChildError::Start(program.to_owned(), e))?;
        let (stdin, stdout) = process.stdin.take().zip(process.stdout.take()).ok_or(ChildError::Ended)?;
        let to = FramedWrite::new(stdin, Codec::default());
        let from = FramedRead::new(stdout, Codec::default());
        let mut child = Self { _process: process, to, from, jobs: 0 };
        let first = tokio::time::timeout(START, child.next()).await.map_err(|_| ChildError::Overdue(START))?;
        match first?.0 {
            FromWorker::Ready(ready) if ready.protocol == PROTOCOL => Ok((child, ready)),
            FromWorker::Ready(_) => Err(ChildError::OtherVersion),
            FromWorker::Unable { message, .. } => Err(ChildError::Unable(message)),
            FromWorker::Answer(_) => Err(ChildError::OtherJob),
        }
    }

    /// Has a job done. After a failure the child must be dropped: what it would say next is of no known job.
    pub(crate) async fn ask(
        &mut self,
        task: Task,
        bytes: Bytes,
        limit: Duration,
    ) -> Result<(Outcome, Bytes), ChildError> {
        let asked = async {
            self.jobs += 1;
            let id = self.jobs;
            self.to.send((Job { id, task }, bytes)).await?;
            match self.next().await? {
                (FromWorker::Answer(answer), body) if answer.id == id => {
                    let Answer { outcome, .. } = *answer;
                    Ok((outcome, body))
                }
                _ => Err(ChildError::OtherJob),
            }
        };
        tokio::time::timeout(limit, asked).await.map_err(|_| ChildError::Overdue(limit))?
    }

    /// Returns once the program has ended, or said something unasked.
    pub(crate) async fn ended(&mut self) {
        let _ = self.next().await;
    }

    async fn next(&mut self) -> Result<(FromWorker, Bytes), ChildError> {
        Ok(self.from.next().await.ok_or(ChildError::Ended)??)
    }
}
