//! Tests of questions, colours and redrawing on a terminal, which `script` from util-linux provides.

use std::{
    io::{Read, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use blink_proto::{
    Secret,
    consent::TRACKING_VERSION,
    ipc::{Event, Reply, Request, SignedIn},
    status::Status,
};

use crate::{
    fake::{Behaviour, Fake, ada, healthy, ok, tracking},
    run::Profile,
};

/// blinkctl on a terminal of its own.
pub(crate) struct Terminal {
    script: Child,
    keys: ChildStdin,
    screen: Receiver<Vec<u8>>,
    pub(crate) seen: String,
}

impl Terminal {
    pub(crate) fn start(profile: &Profile, command: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_after(profile, "exec", command, variables)
    }

    /// Like [`Self::start`], with shell words before the program's name.
    pub(crate) fn start_after(profile: &Profile, before: &str, command: &str, variables: &[(&str, &str)]) -> Self {
        let mut script = Command::new("script")
            .args(["-qefc", &format!("{before} {} {command}", env!("CARGO_BIN_EXE_blinkctl")), "/dev/null"])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("TERM", "xterm-256color")
            .envs(profile.variables())
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let keys = script.stdin.take().unwrap();
        let mut stdout = script.stdout.take().unwrap();
        let (send, screen) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = stdout.read(&mut buffer) {
                if send.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { script, keys, screen, seen: String::new() }
    }

    pub(crate) fn expect(&mut self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.seen.contains(text) {
            match self.screen.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.seen += &String::from_utf8_lossy(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("{text:?} did not appear in:\n{}", self.seen),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended without {text:?}:\n{}", self.seen),
            }
        }
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits for the end; returns the exit code and everything that was shown.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        while let Ok(bytes) = self.screen.recv_timeout(Duration::from_secs(20)) {
            self.seen += &String::from_utf8_lossy(&bytes);
        }
        let exit = self.script.wait().unwrap().code();
        (exit, std::mem::take(&mut self.seen))
    }
}

/// A program that a failed test left running is killed with its terminal.
impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

#[test]
fn registering_shows_the_text_asks_and_hides_the_password() {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    let mut terminal = Terminal::start(&profile, "register", &[]);
    terminal.expect("Do you consent? [y/N] ");
    assert!(terminal.seen.contains("counts your blinks"), "{}", terminal.seen);
    terminal.type_in("y\n");
    terminal.expect("E-mail: ");
    terminal.type_in("ada@example.org\n");
    terminal.expect("Password (12 characters or more): ");
    terminal.type_in("correct horse battery\n");
    terminal.expect("The same again: ");
    terminal.type_in("correct horse battery\n");
    let (exit, seen) = terminal.end();
    assert_eq!(exit, Some(0), "{seen}");
    assert!(!seen.contains("correct horse"), "{seen}");
    assert!(seen.contains("\u{1b}[32mSigned in\u{1b}[0m as ada@example.org"), "{seen}");
    let expected = Request::Register {
        server: None,
        email: "ada@example.org".into(),
        password: Secret::new("correct horse battery"),
        consent_version: TRACKING_VERSION.into(),
        adopt: true,
    };
    assert_eq!(daemon.asked(), [expected]);
}

#[test]
fn anything_but_yes_is_no_and_nothing_is_sent() {
    for answer in ["\n", "n\n", "maybe\n"] {
        let profile = Profile::new();
        let daemon = Fake::start(&profile.paths(), Behaviour::default());
        let mut terminal = Terminal::start(&profile, "register --email ada@example.org", &[]);
        terminal.expect("Do you consent? [y/N] ");
        terminal.type_in(answer);
        let (exit, seen) = terminal.end();
        assert_eq!(exit, Some(1), "{seen}");
        assert!(seen.contains("You did not consent"), "{seen}");
        assert_eq!(daemon.asked(), []);
    }
}

#[test]
fn two_passwords_that_differ_are_refused() {
    let profile = Profile::new();
    let daemon = Fake::start(&profile.paths(), Behaviour::default());
    let mut terminal = Terminal::start(&profile, "register --email ada@example.org --accept-consent", &[]);
    terminal.expect("Password (12 characters or more): ");
    terminal.type_in("correct horse battery\n");
    terminal.expect("The same again: ");
    terminal.type_in("correct horse batterie\n");
    let (exit, seen) = terminal.end();
    assert_eq!(exit, Some(1), "{seen}");
    assert!(seen.contains("The two passwords are not the same"), "{seen}");
    assert_eq!(daemon.asked(), []);
}

#[test]
fn signing_in_asks_for_consent_afterwards_and_takes_no_for_an_answer() {
    let profile = Profile::new();
    let behaviour = Behaviour {
        handler: Box::new(|request| match request {
            Request::Login { .. } => ok(Reply::SignedIn(SignedIn { consent: false, ..ada() })),
            other => healthy(other),
        }),
        ..Behaviour::default()
    };
    let daemon = Fake::start(&profile.paths(), behaviour);
    let mut terminal = Terminal::start(&profile, "login --email ada@example.org", &[]);
    terminal.expect("Password: ");
    terminal.type_in("correct horse battery\n");
    terminal.expect("Do you consent? [y/N] ");
    terminal.type_in("\n");
    let (exit, seen) = terminal.end();
    assert_eq!(exit, Some(0), "{seen}");
    assert!(seen.contains("camera stays off"), "{seen}");
    assert_eq!(daemon.asked_to_sign_in().len(), 1, "only the sign-in was sent");
}

#[test]
fn no_color_is_heeded() {
    let profile = Profile::new();
    let _daemon = Fake::start(&profile.paths(), Behaviour::default());
    let (exit, coloured) = Terminal::start(&profile, "status", &[]).end();
    assert_eq!(exit, Some(0));
    assert!(coloured.contains("\u{1b}[32m●\u{1b}[0m"), "{coloured:?}");
    let (_, plain) = Terminal::start(&profile, "status", &[("NO_COLOR", "1")]).end();
    assert!(plain.contains("● Tracking") && !plain.contains('\u{1b}'), "{plain:?}");
}

#[test]
fn watching_redraws_in_place_and_gives_the_cursor_back() {
    let profile = Profile::new();
    let events = [129, 130].map(|n| Event::Status(Box::new(Status { blinks_session: n, ..tracking() }))).to_vec();
    let _daemon = Fake::start(&profile.paths(), Behaviour { events, ..Behaviour::default() });
    let (exit, seen) = Terminal::start(&profile, "status --watch", &[("NO_COLOR", "1")]).end();
    assert_eq!(exit, Some(3), "the fake daemon hangs up");
    assert_eq!(seen.matches("\u{1b}[9A\r\u{1b}[J").count(), 2, "{seen:?}");
    let (hidden, shown) = (seen.find("\u{1b}[?25l").unwrap(), seen.rfind("\u{1b}[?25h").unwrap());
    assert!(hidden < seen.find("Tracking").unwrap() && shown > seen.rfind("130 blinks").unwrap(), "{seen:?}");
}
