//! The texts of the menu and the tooltip, as a pure function of the state.

use blink_proto::status::{State, Status};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Item {
    /// Opens the set-up in a terminal.
    SetUp,
    /// Pauses or resumes.
    Tracking,
    PauseQuarter,
    PauseHour,
    /// Pauses until the next local day.
    PauseUntilTomorrow,
    /// Hands the camera to another program.
    Yield,
    /// Opens the server's web pages.
    Dashboard,
    Sync,
    /// Signs in through the browser.
    SignIn,
    SignOut,
    Settings,
    About,
    Quit,
}

/// One line of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Text without an action.
    Text(String),
    Item {
        item: Item,
        label: &'static str,
        enabled: bool,
        /// Whether it is checked; `None` for items without a check mark.
        checked: Option<bool>,
    },
    Separator,
}

fn item(item: Item, label: &'static str, enabled: bool) -> Line {
    Line::Item { item, label, enabled, checked: None }
}

/// The menu for `status`, from top to bottom.
#[must_use]
pub(crate) fn lines(status: &Status) -> Vec<Line> {
    let consent = status.state != State::NoConsent;
    let paused = status.state == State::Paused;
    let signed_in = status.account.is_some();
    let mut lines = vec![Line::Text(headline(status)), Line::Separator];
    if !consent {
        lines.push(item(Item::SetUp, "Set up", true));
    }
    lines.extend([
        Line::Item { item: Item::Tracking, label: "Tracking", enabled: consent, checked: Some(consent && !paused) },
        item(Item::PauseQuarter, "Pause for 15 min", consent),
        item(Item::PauseHour, "Pause for 1 hour", consent),
        item(Item::PauseUntilTomorrow, "Pause until tomorrow", consent),
        item(Item::Yield, "Yield camera", consent && !paused && status.state != State::Yielded),
        Line::Separator,
        item(Item::Dashboard, "Open dashboard", true),
        item(Item::Sync, "Sync now", signed_in),
        if signed_in { item(Item::SignOut, "Sign out", true) } else { item(Item::SignIn, "Sign in", true) },
        Line::Separator,
        item(Item::Settings, "Settings file", true),
        item(Item::About, "About", true),
        item(Item::Quit, "Quit", true),
    ]);
    lines
}

#[must_use]
pub(crate) fn headline(status: &Status) -> String {
    let today = &status.today;
    let blinks = if today.blink_count == 1 { "1 blink".to_owned() } else { format!("{} blinks", today.blink_count) };
    match today.rate_per_minute {
        Some(rate) => format!("Today: {blinks}, {rate:.1} a minute"),
        None => format!("Today: {blinks}"),
    }
}

/// The tooltip of the icon: the state, then the current count and rate.
#[must_use]
pub(crate) fn tooltip(status: &Status) -> String {
    let state = match status.state {
        State::NoConsent => "Not set up: the camera is off",
        State::Paused => "Paused",
        State::Locked => "Screen locked",
        State::Yielded => "Camera handed over",
        State::Error => "Not working",
        State::CameraBusy => "Camera in use by another program",
        State::NoCamera => "No camera",
        State::NoFace => "Nobody in view",
        State::Tracking => "Tracking",
    };
    let mut text = state.to_owned();
    if let Some(problem) = status.last_error.as_ref().filter(|_| status.state == State::Error) {
        text = format!("{text}: {}", problem.message);
    }
    let now = status.rate_per_minute.map(|rate| format!(", {rate:.1} a minute now")).unwrap_or_default();
    format!("{text}\n{}{now}", headline(status))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use blink_proto::{Problem, example::status, status::Today};

    use super::*;

    fn shown(status: &Status) -> String {
        let mut text = String::new();
        for line in lines(status) {
            let _ = match line {
                Line::Text(words) => writeln!(text, "    {words}"),
                Line::Separator => writeln!(text, "    --"),
                Line::Item { label, enabled, checked, .. } => {
                    let mark = checked.map_or("   ", |checked| if checked { "[x]" } else { "[ ]" });
                    writeln!(text, "{mark} {label}{}", if enabled { "" } else { " (grey)" })
                }
            };
        }
        format!("{text}{}", tooltip(status))
    }

    #[test]
    fn the_menu_of_somebody_who_tracks() {
        insta::assert_snapshot!(shown(&status(State::Tracking)));
    }

    #[test]
    fn the_menu_before_the_set_up() {
        let mut status = status(State::NoConsent);
        (status.account, status.today, status.rate_per_minute) = (None, Today::default(), None);
        insta::assert_snapshot!(shown(&status));
    }

    #[test]
    fn the_menu_of_somebody_who_paused() {
        insta::assert_snapshot!(shown(&status(State::Paused)));
    }

    #[test]
    fn the_tooltip_says_what_is_wrong() {
        let mut status = status(State::Error);
        status.last_error = Some(Problem::new("model_missing", "The landmark model is missing.", "Fetch it."));
        assert!(tooltip(&status).starts_with("Not working: The landmark model is missing.\n"));
        status.today.blink_count = 1;
        status.today.rate_per_minute = None;
        assert_eq!(headline(&status), "Today: 1 blink");
    }
}
