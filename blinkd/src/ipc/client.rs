//! One connection: hello, then calls that are answered in any order, and events for subscribers.

use std::time::Duration;

use blink_proto::{
    Problem,
    ipc::{
        Answer, Call, Erase, Event, FromDaemon, Hello, JsonCodec, OLDEST_PROTOCOL, Outcome, PROTOCOL, Request,
        ToDaemon, codec::MAX_FRAME_BYTES,
    },
    problem::code,
};
use futures_util::{SinkExt as _, StreamExt as _};
use interprocess::local_socket::tokio::Stream;
use tokio::{
    sync::{broadcast, mpsc},
    time::timeout,
};
use tokio_util::codec::Framed;

use crate::daemon::Daemon;

/// How long a client may take to send its hello.
const GREETING: Duration = Duration::from_secs(5);
/// A client that takes no frame for this long is dropped.
const SLOW: Duration = Duration::from_secs(5);
/// The most concurrent calls of one client; further ones wait unread.
const MAX_CALLS: usize = 16;

type Frames = Framed<Stream, JsonCodec<ToDaemon, FromDaemon>>;

/// The connection has ended.
struct Over;

/// Serves one client until it disconnects, breaks the protocol, or is too slow.
pub(super) async fn serve(stream: Stream, daemon: Daemon) {
    let mut frames = Framed::new(stream, JsonCodec::default());
    if greet(&mut frames).await.is_ok() {
        // The connection ends here in any case.
        let _ = converse(&mut frames, &daemon).await;
    }
}

/// Tells a client for which there is no room that blinkd is running nevertheless.
pub(super) async fn turn_away(stream: Stream) {
    let mut frames = Framed::new(stream, JsonCodec::default());
    if greet(&mut frames).await.is_ok() {
        let fix = "Close some of the programs that ask blinkd, then try again.";
        let problem = Problem::new(code::BUSY, "blinkd runs, but too many programs are connected to it.", fix);
        let _ = refuse(&mut frames, problem).await;
    }
}

async fn send(frames: &mut Frames, message: FromDaemon) -> Result<(), Over> {
    match timeout(SLOW, frames.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Over),
        Err(_) => {
            tracing::warn!("a client that does not read was dropped");
            Err(Over)
        }
    }
}

async fn refuse(frames: &mut Frames, problem: Problem) -> Result<(), Over> {
    send(frames, FromDaemon::Refused(problem)).await?;
    Err(Over)
}

async fn greet(frames: &mut Frames) -> Result<(), Over> {
    let ours = Hello::of("blinkd", env!("CARGO_PKG_VERSION"));
    send(frames, FromDaemon::Hello(ours.clone())).await?;
    match timeout(GREETING, frames.next()).await {
        Ok(Some(Ok(ToDaemon::Hello(theirs)))) if ours.common(&theirs).is_some() => Ok(()),
        Ok(Some(Ok(ToDaemon::Hello(theirs)))) => {
            let range = |newest, oldest| {
                if newest == oldest { format!("{newest}") } else { format!("{oldest} to {newest}") }
            };
            let message = format!(
                "{} {} speaks protocol {}, and this blinkd speaks {}.",
                theirs.program,
                theirs.version,
                range(theirs.protocol, theirs.oldest),
                range(PROTOCOL, OLDEST_PROTOCOL)
            );
            let fix = "Bring blinkd and blinkctl to the same version, and restart blinkd.";
            refuse(frames, Problem::new(code::PROTOCOL, message, fix)).await
        }
        Ok(Some(_)) => refuse(frames, bad_frame("The first frame must be a hello.")).await,
        Ok(None) | Err(_) => Err(Over),
    }
}

fn bad_frame(why: &str) -> Problem {
    Problem::new(code::BAD_FRAME, why, "Use a client of this daemon's version; docs/ipc.md describes the frames.")
}

async fn converse(frames: &mut Frames, daemon: &Daemon) -> Result<(), Over> {
    let (tell, mut answers) = mpsc::channel::<(Answer, bool)>(MAX_CALLS);
    let mut under_way = 0;
    let mut subscription: Option<(broadcast::Receiver<Event>, bool)> = None;
    loop {
        tokio::select! {
            frame = frames.next(), if under_way < MAX_CALLS => match frame {
                Some(Ok(ToDaemon::Call(Call { id, request }))) => {
                    if let Request::Subscribe { live } = request {
                        subscription = Some((daemon.subscribe(), live));
                    }
                    let (tell, daemon) = (tell.clone(), daemon.clone());
                    under_way += 1;
                    tokio::spawn(async move {
                        let end = Ends::from_request(&request);
                        let outcome = if request == Request::LoginDeviceWait {
                            tokio::select! {
                                outcome = daemon.answer(request) => outcome,
                                // A client that disconnects has given up signing in.
                                () = tell.closed() => return,
                            }
                        } else {
                            daemon.answer(request).await
                        };
                        let quits = end.with(&outcome);
                        if tell.send((fitting(Answer { id, outcome }), quits)).await.is_err() && quits {
                            // The client is gone, but its request to stop holds.
                            daemon.stop();
                        }
                    });
                }
                Some(Ok(ToDaemon::Hello(_))) => return refuse(frames, bad_frame("There was a hello already.")).await,
                Some(Err(error)) => return refuse(frames, bad_frame(&format!("{error}."))).await,
                None => return Err(Over),
            },
            Some((answer, quits)) = answers.recv() => {
                under_way -= 1;
                let sent = send(frames, FromDaemon::Answer(answer)).await;
                if quits {
                    daemon.stop();
                }
                sent?;
            }
            event = next(&mut subscription) => match event {
                Ok(Event::Live(_)) if !subscription.as_ref().is_some_and(|(_, live)| *live) => {}
                Ok(event) => send(frames, FromDaemon::Event(event)).await?,
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    let fix = "Subscribe again, and read events as they come.";
                    let problem = Problem::new(code::SLOW_CLIENT, "Events were not read in time.", fix);
                    return refuse(frames, problem).await;
                }
                Err(broadcast::error::RecvError::Closed) => return Err(Over),
            }
        }
    }
}

/// Replaces an answer that exceeds a frame by an error. Only the words of a foreign server can make one so long.
fn fitting(answer: Answer) -> Answer {
    // The frame adds a few bytes around the answer.
    let fits = serde_json::to_vec(&answer).is_ok_and(|text| text.len() + 64 <= MAX_FRAME_BYTES);
    if fits {
        return answer;
    }
    let fix = "Ask for less at once, or see whether this is the right server.";
    let problem = Problem::new(code::TOO_LARGE, "The answer is too large for this connection.", fix);
    Answer { id: answer.id, outcome: Outcome::Error(problem) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    No,
    Always,
    WhenDone,
}

impl Ends {
    fn from_request(request: &Request) -> Self {
        match request {
            Request::Quit => Self::Always,
            Request::Delete { what: Erase::Everything, .. } => Self::WhenDone,
            _ => Self::No,
        }
    }

    fn with(self, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Ok(_) => self != Self::No,
            // The erasure has begun and is finished at the next start, so nothing may be written any more.
            Outcome::Error(problem) if problem.is(code::NOT_ERASED) => self != Self::No,
            Outcome::Error(_) => self == Self::Always,
        }
    }
}

async fn next(
    subscription: &mut Option<(broadcast::Receiver<Event>, bool)>,
) -> Result<Event, broadcast::error::RecvError> {
    match subscription {
        Some((events, _)) => events.recv().await,
        None => std::future::pending().await,
    }
}
