//! Receives events from the daemon in a task of its own: the daemon may restart while the screen stays.

use std::time::Duration;

use blink_profile::Paths;
use blink_proto::ipc::{Event, Request};
use tokio::{sync::mpsc, task::JoinHandle, time::sleep};

use crate::{
    client::{Client, LOCAL_LIMIT},
    exit::Failure,
};

/// Time between attempts to connect again.
const AGAIN: Duration = Duration::from_millis(500);
/// Size of the channel: some seconds of events, beyond which a slow screen lags anyway.
const WAITING: usize = 256;

#[derive(Debug)]
pub(super) enum FeedEvent {
    Daemon(Box<Event>),
    /// The connection was lost, for this reason.
    Lost(String),
    /// The connection is back.
    Back,
}

pub(super) struct Feed {
    events: mpsc::Receiver<FeedEvent>,
    task: JoinHandle<()>,
}

impl Feed {
    /// Subscribes on an open connection.
    pub(super) async fn start(mut client: Client, paths: Paths) -> Result<Self, Failure> {
        subscribe(&mut client).await?;
        let (send, events) = mpsc::channel(WAITING);
        let task = tokio::spawn(async move { pump(client, &paths, &send).await });
        Ok(Self { events, task })
    }

    pub(super) async fn next(&mut self) -> FeedEvent {
        match self.events.recv().await {
            Some(event) => event,
            // The task never ends by itself; if it did, the person could still leave the screen.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn subscribe(client: &mut Client) -> Result<(), Failure> {
    client.call(Request::Subscribe { live: true }, LOCAL_LIMIT).await.map(|_| ())
}

async fn pump(mut client: Client, paths: &Paths, events: &mpsc::Sender<FeedEvent>) {
    loop {
        let lost = loop {
            match client.event().await {
                Ok(event) => {
                    if events.send(FeedEvent::Daemon(Box::new(event))).await.is_err() {
                        return;
                    }
                }
                Err(error) => break Failure::from(error),
            }
        };
        drop(client);
        if events.send(FeedEvent::Lost(lost.problem.message)).await.is_err() {
            return;
        }
        client = loop {
            sleep(AGAIN).await;
            if let Ok(mut client) = Client::connect(paths).await
                && subscribe(&mut client).await.is_ok()
            {
                break client;
            }
        };
        if events.send(FeedEvent::Back).await.is_err() {
            return;
        }
    }
}
