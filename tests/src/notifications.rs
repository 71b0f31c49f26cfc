//! Records what the notification service of a desktop is asked and tells, as a monitor of the session bus sees it.

use std::time::Duration;

use crate::{Desktop, Program};

const INTERFACE: &str = "interface='org.freedesktop.Notifications'";

/// A notification, with its times since 1970.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Notification {
    /// When the service was asked to show it.
    pub asked: Duration,
    /// When the service told that it is gone, and why: 1 expired, 2 by the person, 3 on request of the program.
    pub closed: Option<(Duration, u32)>,
}

/// A running monitor. Dropping it ends it.
#[derive(Debug)]
pub struct NotificationMonitor(Program);

impl NotificationMonitor {
    #[must_use]
    pub fn start(desktop: &Desktop) -> Self {
        Self(desktop.part("dbus-monitor", &["--session", INTERFACE]))
    }

    /// The notifications with this title so far.
    #[must_use]
    pub fn titled(&self, title: &str) -> Vec<Notification> {
        let mut found: Vec<(String, Notification)> = Vec::new();
        for message in messages(&self.0.stdout()) {
            match message.member {
                "Notify" if message.arguments.contains(&format!("string \"{title}\"")) => {
                    let asked = Notification { asked: message.at, closed: None };
                    found.push((message.sender.to_owned(), asked));
                }
                "NotificationClosed" => {
                    // Each notification is asked for over a connection of its own, which alone is told of its end.
                    let theirs = found.iter_mut().find(|(asked_by, _)| asked_by == message.destination);
                    if let (Some((_, one)), Some(reason)) = (theirs, message.reason()) {
                        one.closed = Some((message.at, reason));
                    }
                }
                _ => {}
            }
        }
        found.into_iter().map(|(_, one)| one).collect()
    }
}

/// A message, as dbus-monitor prints it: a line that is not indented, and its arguments.
struct Message<'a> {
    at: Duration,
    sender: &'a str,
    destination: &'a str,
    member: &'a str,
    arguments: String,
}

impl Message<'_> {
    /// The second argument of `NotificationClosed`; `None` before it is written.
    fn reason(&self) -> Option<u32> {
        self.arguments.split("uint32 ").nth(2)?.split_whitespace().next()?.parse().ok()
    }
}

fn messages(text: &str) -> Vec<Message<'_>> {
    let mut found: Vec<Message<'_>> = Vec::new();
    for line in text.lines() {
        if line.starts_with(' ') {
            if let Some(message) = found.last_mut() {
                message.arguments.push_str(line);
                message.arguments.push('\n');
            }
            continue;
        }
        let word = |name: &str| line.split([' ', ';']).find_map(|word| word.strip_prefix(name));
        if let (Some(at), Some(member)) = (word("time=").and_then(|at| at.parse().ok()), word("member=")) {
            let (sender, destination) = (word("sender=").unwrap_or(""), word("destination=").unwrap_or(""));
            let at = Duration::from_secs_f64(at);
            found.push(Message { at, sender, destination, member, arguments: String::new() });
        }
    }
    found
}
