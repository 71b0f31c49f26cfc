//! `face-worker`: in this order it settles its environment, keeps its standard output for itself, reads the models,
//! locks itself down, says that it is ready, and answers jobs until its standard input ends.

use std::{process::ExitCode, time::Instant};

use blink_proto::faces::{FromWorker, PROTOCOL, Ready, frame};
use face_worker::{environment, lockdown, models::Models, serve};

const USAGE: &str = "\
face-worker reads pictures and recordings for cloud-api, which starts it.

Usage: face-worker [check | --version | --help]

  check    locks itself down, tries what must then be refused, and prints what it found
";

fn main() -> ExitCode {
    let started = Instant::now();
    if let Some(failed) = environment::settle() {
        return say(&format!("face-worker: it could not start itself anew: {failed}\n"), 1);
    }
    match std::env::args().nth(1).as_deref() {
        None => work(started),
        Some("check") => check(),
        Some("--version") => say(concat!("face-worker ", env!("CARGO_PKG_VERSION"), "\n"), 0),
        Some("--help") => say(USAGE, 0),
        Some(_) => say(USAGE, 2),
    }
}

fn work(started: Instant) -> ExitCode {
    let streams = environment::own_output().and_then(|output| Ok((environment::own_input()?, output)));
    let (mut input, mut output) = match streams {
        Ok(streams) => streams,
        Err(error) => return say(&format!("face-worker: it lacks a standard stream: {error}\n"), 1),
    };
    let ready = || -> Result<_, FromWorker> {
        let models = Models::load(&environment::model_folders()).map_err(|error| unable(error.code(), &error))?;
        let lockdown = lockdown::lock().map_err(|error| unable("lockdown_failed", &error))?;
        Ok((models, lockdown))
    };
    let (mut models, lockdown) = match ready() {
        Ok(ready) => ready,
        Err(unable) => {
            let told = frame::write(&mut output, &unable, &[]);
            return ExitCode::from(if told.is_ok() { 1 } else { 2 });
        }
    };
    let load_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
    let lockdown = lockdown.into_iter().map(str::to_owned).collect();
    let ready = Ready { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned(), load_ms, lockdown };
    let done = frame::write(&mut output, &FromWorker::Ready(ready), &[])
        .and_then(|()| serve::answer_all(&mut models, &mut input, &mut output));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => say(&format!("face-worker: {error}\n"), 1),
    }
}

fn unable(code: &str, error: &dyn std::error::Error) -> FromWorker {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let message = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    FromWorker::Unable { code: code.to_owned(), message }
}

fn check() -> ExitCode {
    let parent = std::os::unix::process::parent_id();
    let in_force = match lockdown::lock() {
        Ok(in_force) => in_force,
        Err(error) => return say(&format!("face-worker: it could not lock itself down: {error}\n"), 1),
    };
    let mut text = format!("in force: {}\n", in_force.join(", "));
    let mut open = 0;
    for (what, refused) in lockdown::attempts(parent) {
        open += u8::from(!refused);
        text += &format!("{what}: {}\n", if refused { "refused" } else { "POSSIBLE" });
    }
    say(&text, u8::from(open > 0))
}

/// Prints `text` to standard output, or to standard error where something is wrong.
fn say(text: &str, code: u8) -> ExitCode {
    use std::io::Write as _;
    let printed = if code == 0 || text.starts_with("in force") {
        std::io::stdout().write_all(text.as_bytes())
    } else {
        std::io::stderr().write_all(text.as_bytes())
    };
    // Nobody may be listening; the code says it too.
    drop(printed);
    ExitCode::from(code)
}
