//! A connection to the daemon: hello, calls, events. Every wait has a time-out.

use std::{io, path::Path, time::Duration};

use blink_profile::Paths;
use blink_proto::{
    Problem,
    ipc::{Answer, Call, Event, FromDaemon, Hello, JsonCodec, Outcome, Reply, Request, ToDaemon, codec::CodecError},
};
use futures_util::{SinkExt, StreamExt};
use interprocess::local_socket::{GenericFilePath, tokio::Stream, tokio::prelude::*};
use tokio::time::timeout;
use tokio_util::codec::Framed;

use crate::{exit::Failure, unreachable::Unreachable};

/// How long the daemon may take to accept the connection and say hello.
const HELLO_LIMIT: Duration = Duration::from_secs(5);
/// Time-out of an answer that needs the daemon alone.
pub(crate) const LOCAL_LIMIT: Duration = Duration::from_secs(10);
/// Time-out of an answer that needs the server.
pub(crate) const SERVER_LIMIT: Duration = Duration::from_secs(90);
/// Time-out of emptying the queue, which may hold months of minutes on a slow line.
pub(crate) const SYNC_LIMIT: Duration = Duration::from_secs(15 * 60);
/// Subscribers get an event about once a second; after this long the daemon hangs.
const EVENT_LIMIT: Duration = Duration::from_secs(15);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    #[error("blinkd has closed the connection")]
    Closed,
    #[error("the connection to blinkd failed: {0}")]
    Connection(#[source] io::Error),
    /// It sent something that is not the protocol.
    #[error("blinkd sent something this blinkctl does not understand")]
    NotTheProtocol(#[source] CodecError),
    /// The two versions have no protocol in common.
    #[error("blinkd {} speaks protocol {} and this blinkctl {} speaks {}", .theirs.version, .theirs.protocol, .ours.version, .ours.protocol)]
    Versions { theirs: Hello, ours: Hello },
    /// It closed the connection with a reason.
    #[error("{}", .0.message)]
    Refused(Problem),
    #[error("blinkd has not answered for {} s", .0.as_secs())]
    Silent(Duration),
}

impl ClientError {
    /// Whether no daemon holds this profile, so that its files may be used.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Unreachable(error) if error.is_absent())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let message = error.to_string();
        match error {
            ClientError::Unreachable(error) => error.into(),
            ClientError::Closed => Self::not_running(&message),
            ClientError::Connection(_) => Self::failed(
                "connection",
                message,
                "Check that blinkd runs as the same user and with the same XDG_RUNTIME_DIR.",
            ),
            ClientError::NotTheProtocol(_) => Self::failed(
                "protocol",
                message,
                "Install blinkd and blinkctl of the same version, then restart blinkd.",
            ),
            ClientError::Versions { theirs, ours } => {
                let fix = if theirs.protocol < ours.protocol {
                    "Restart blinkd, so that the installed version runs."
                } else {
                    "Install the blinkctl that came with this blinkd."
                };
                Self::failed("protocol", message, fix)
            }
            ClientError::Refused(problem) => problem.into(),
            ClientError::Silent(_) => Self::failed(
                "silent",
                message,
                "Try again; if it stays so, stop the process `blinkd` and start it anew.",
            ),
        }
    }
}

/// A connection after its hello.
pub(crate) struct Client {
    frames: Framed<Stream, JsonCodec<FromDaemon, ToDaemon>>,
    last_id: u64,
}

impl Client {
    /// Connects to the daemon of this profile and exchanges hellos.
    pub(crate) async fn connect(paths: &Paths) -> Result<Self, ClientError> {
        let stream = within(HELLO_LIMIT, open(&paths.socket())).await?;
        let stream = stream.map_err(|error| Unreachable::at_connecting(paths, error))?;
        let mut client = Self { frames: Framed::new(stream, JsonCodec::default()), last_id: 0 };
        let ours = Hello::of("blinkctl", env!("CARGO_PKG_VERSION"));
        let said = match client.send(ToDaemon::Hello(ours.clone())).await {
            Ok(()) | Err(ClientError::Closed) => within(HELLO_LIMIT, client.receive()).await?,
            Err(error) => Err(error),
        };
        let said = said.map_err(|error| match error {
            ClientError::Closed => Unreachable::at_hello(paths).into(),
            error => error,
        });
        match said? {
            FromDaemon::Hello(theirs) if ours.common(&theirs).is_some() => Ok(client),
            FromDaemon::Hello(theirs) => Err(ClientError::Versions { theirs, ours }),
            FromDaemon::Refused(problem) => Err(ClientError::Refused(problem)),
            FromDaemon::Answer(_) | FromDaemon::Event(_) => Err(unexpected("an answer before its hello")),
        }
    }

    /// Sends a request and waits for its answer, at most `limit`. Events that arrive meanwhile are dropped.
    pub(crate) async fn call(&mut self, request: Request, limit: Duration) -> Result<Reply, Failure> {
        self.last_id += 1;
        let id = self.last_id;
        self.send(ToDaemon::Call(Call { id, request })).await?;
        match within(limit, self.answer(id)).await?? {
            Outcome::Ok(reply) => Ok(*reply),
            Outcome::Error(problem) => Err(problem.into()),
        }
    }

    pub(crate) async fn event(&mut self) -> Result<Event, ClientError> {
        within(EVENT_LIMIT, async {
            loop {
                match self.receive().await? {
                    FromDaemon::Event(event) => return Ok(event),
                    FromDaemon::Refused(problem) => return Err(ClientError::Refused(problem)),
                    FromDaemon::Answer(_) | FromDaemon::Hello(_) => {}
                }
            }
        })
        .await?
    }

    /// Waits until the daemon closes the connection, at most `limit`.
    pub(crate) async fn closed(&mut self, limit: Duration) -> Result<(), ClientError> {
        within(limit, async { while self.receive().await.is_ok() {} }).await
    }

    async fn answer(&mut self, id: u64) -> Result<Outcome, ClientError> {
        loop {
            match self.receive().await? {
                FromDaemon::Answer(Answer { id: theirs, outcome }) if theirs == id => return Ok(outcome),
                FromDaemon::Refused(problem) => return Err(ClientError::Refused(problem)),
                FromDaemon::Answer(_) | FromDaemon::Event(_) | FromDaemon::Hello(_) => {}
            }
        }
    }

    async fn send(&mut self, message: ToDaemon) -> Result<(), ClientError> {
        within(HELLO_LIMIT, self.frames.send(message)).await?.map_err(broken)
    }

    async fn receive(&mut self) -> Result<FromDaemon, ClientError> {
        match self.frames.next().await {
            Some(Ok(message)) => Ok(message),
            Some(Err(error)) => Err(broken(error)),
            None => Err(ClientError::Closed),
        }
    }
}

/// The failure for an answer of another kind than the request has.
pub(crate) fn wrong_reply() -> Failure {
    unexpected("an answer of another kind").into()
}

fn unexpected(what: &str) -> ClientError {
    ClientError::NotTheProtocol(CodecError::Io(io::Error::new(io::ErrorKind::InvalidData, what)))
}

async fn open(socket: &Path) -> io::Result<Stream> {
    Stream::connect(socket.to_fs_name::<GenericFilePath>()?).await
}

fn broken(error: CodecError) -> ClientError {
    match error {
        CodecError::Io(error) => match error.kind() {
            io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => {
                ClientError::Closed
            }
            io::ErrorKind::InvalidData => ClientError::NotTheProtocol(CodecError::Io(error)),
            _ => ClientError::Connection(error),
        },
        error @ CodecError::Json(_) => ClientError::NotTheProtocol(error),
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, ClientError> {
    timeout(limit, work).await.map_err(|_| ClientError::Silent(limit))
}
