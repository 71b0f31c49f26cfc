//! `blinkctl status --watch`: shows the status as it changes, until Ctrl-C.

use std::io::{self, Write};

use blink_proto::{
    ipc::{Event, Request},
    status::Status,
};
use jiff::Zoned;

use super::view;
use crate::{
    client::{Client, LOCAL_LIMIT},
    exit::Failure,
    output::{self, Output},
    signal,
};

/// Shows `status` and every later one.
pub(super) async fn run(mut client: Client, status: Status, output: Output) -> Result<(), Failure> {
    client.call(Request::Subscribe { live: false }, LOCAL_LIMIT).await?;
    let mut screen = Screen::new(output);
    screen.show(status)?;
    let stop = signal::stop();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            event = client.event() => match event? {
                Event::Status(status) => screen.show(*status)?,
                Event::Live(_)
                | Event::Blink { .. }
                | Event::Wink { .. }
                | Event::AtScreen { .. }
                | Event::Unknown => {}
            },
        }
    }
}

struct Screen {
    output: Output,
    shown: Option<Status>,
    /// Number of lines of the page on the terminal; `None` where it is not redrawn in place.
    in_place: Option<usize>,
}

impl Screen {
    fn new(output: Output) -> Self {
        let in_place = (!output.is_json() && output::stdout_is_terminal()).then_some(0);
        if in_place.is_some() {
            // The cursor is hidden and wrapping is off, because a wrapped line would count as two when the page is
            // redrawn.
            control("\u{1b}[?25l\u{1b}[?7l");
        }
        Self { output, shown: None, in_place }
    }

    fn show(&mut self, status: Status) -> Result<(), Failure> {
        let before = self.shown.as_ref();
        if let Some(lines) = self.in_place {
            let page = view::page(&status, &Zoned::now(), self.output.paint());
            let up = if lines == 0 { String::new() } else { format!("\u{1b}[{lines}A") };
            self.output.text(&format!("{up}\r\u{1b}[J{page}"))?;
            self.in_place = Some(page.lines().count());
        } else if self.output.is_json() {
            if before != Some(&status) {
                self.output.result(&status, |_| String::new())?;
            }
        } else if before.is_none_or(|before| view::differs(before, &status)) {
            self.output.line(&view::line(&status, &Zoned::now(), self.output.paint()))?;
        }
        self.shown = Some(status);
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.in_place.is_some() {
            control("\u{1b}[?7h\u{1b}[?25h");
        }
    }
}

fn control(sequence: &str) {
    let mut stdout = io::stdout().lock();
    // If the terminal is gone, there is no cursor to restore.
    let _ = stdout.write_all(sequence.as_bytes()).and_then(|()| stdout.flush());
}
