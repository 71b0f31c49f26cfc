//! A client of the local socket that records every event. It is written from docs/ipc.md alone, without blinkctl's
//! code.

use std::{
    io::{self, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::Profile;

/// Time between attempts to connect.
const STEP: Duration = Duration::from_millis(20);

/// Records the events of one daemon from the moment its socket answers until the daemon is gone.
#[derive(Debug)]
pub struct Listener {
    heard: Arc<Mutex<Vec<(Instant, Value)>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Starts to connect; the daemon of `profile` need not be running yet.
    #[must_use]
    pub fn start(profile: &Profile) -> Self {
        let socket = profile.paths().socket();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let over = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (heard, over) = (Arc::clone(&heard), Arc::clone(&over));
            move || listen(&socket, &heard, &over)
        });
        Self { heard, over, thread: Some(thread) }
    }

    /// The events so far, with their time of arrival.
    #[must_use]
    pub fn heard(&self) -> Vec<(Instant, Value)> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the daemon is gone; returns all events.
    #[must_use]
    pub fn finish(mut self) -> Vec<(Instant, Value)> {
        self.end();
        self.heard()
    }

    fn end(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread is a failed read, which ends it like any other.
            let _ = thread.join();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.end();
    }
}

fn listen(socket: &PathBuf, heard: &Mutex<Vec<(Instant, Value)>>, over: &AtomicBool) {
    let mut stream = loop {
        match UnixStream::connect(socket) {
            Ok(stream) => break stream,
            Err(_) if over.load(Ordering::Relaxed) => return,
            Err(_) => thread::sleep(STEP),
        }
    };
    let hello = json!({"hello": {"protocol": 1, "oldest": 1, "program": "listener", "version": "0"}});
    let subscribe = json!({"call": {"id": 1, "request": {"type": "subscribe", "live": false}}});
    if send(&mut stream, &hello).and_then(|()| send(&mut stream, &subscribe)).is_err() {
        return;
    }
    // Events that the daemon wrote before it was killed are still read here.
    while let Ok(frame) = receive(&mut stream, over) {
        if let Some(event) = frame.get("event") {
            heard.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), event.clone()));
        }
    }
}

fn send(stream: &mut UnixStream, message: &Value) -> io::Result<()> {
    let body = message.to_string();
    let length = u32::try_from(body.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), body.as_bytes()].concat())
}

fn receive(stream: &mut UnixStream, over: &AtomicBool) -> io::Result<Value> {
    let mut length = [0; 4];
    fill(stream, &mut length, over)?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    fill(stream, &mut body, over)?;
    serde_json::from_slice(&body).map_err(io::Error::other)
}

/// Fills `buffer`. It is an error when the daemon has closed the connection, or when it is silent after the end was
/// requested.
fn fill(stream: &mut UnixStream, buffer: &mut [u8], over: &AtomicBool) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => filled += n,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                if over.load(Ordering::Relaxed) {
                    return Err(error);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
