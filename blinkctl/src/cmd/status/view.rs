//! The status as text, as a page or as a line.

use std::fmt::Write;

use blink_proto::{
    Hint, Problem,
    status::{Cost, Queue, State, Status},
};
use jiff::{Timestamp, Zoned};

use crate::output::{Paint, Tone, plain};

/// The whole status, with the state and the rate first.
pub(super) fn page(status: &Status, now: &Zoned, paint: Paint) -> String {
    let (tone, word, hint) = state(status.state);
    let mut page = format!("{} {}", paint.with(tone, "●"), paint.with(tone, word));
    if let Some(rate) = status.rate_per_minute {
        let _ = write!(page, "  {}", paint.with(Tone::Strong, &format!("{rate:.1} blinks/min")));
        page += &paint.with(Tone::Faint, " over the last 5 minutes");
    }
    let mut source = plain(&status.source);
    if status.fps > 0.0 {
        let _ = write!(source, ", {:.1} frames/s", status.fps);
    }
    let _ = write!(page, "\n  {}", paint.with(Tone::Faint, &source));
    match &status.last_error {
        Some(problem) => page += &alert(problem, paint),
        None if !hint.is_empty() => {
            let _ = write!(page, "\n  {hint}");
        }
        None => {}
    }
    if let Some(sentence) = advice(status) {
        let _ = write!(page, "\n  {}", paint.with(Tone::Calm, sentence));
    }
    page += "\n\n";

    let mut row = |name: &str, value: &str| {
        let _ = writeln!(page, "  {}{value}", paint.with(Tone::Faint, &format!("{name:<9}")));
    };
    let minute = &status.minute;
    row(
        "Now",
        &format!("{} in this minute, {} observed", blinks(minute.blink_count.into()), span(minute.observed_ms.into())),
    );
    row("Today", &today(status));
    row("Session", &session(status, now));
    row("Account", &account(status));
    row("Queue", &queue(&status.queue, now, paint));
    row("Cost", &cost(&status.cost));
    page
}

/// The changing parts, in one line.
pub(super) fn line(status: &Status, now: &Zoned, paint: Paint) -> String {
    let (tone, word, _) = state(status.state);
    let mut line =
        format!("{}  {}  {}", now.strftime("%H:%M:%S"), paint.with(tone, word), blinks(status.blinks_session));
    if let Some(rate) = status.rate_per_minute {
        let _ = write!(line, "  {rate:.1}/min");
    }
    if status.queue.pending > 0 {
        let _ = write!(line, "  {} to send", minutes(status.queue.pending));
    }
    if let Some(sentence) = advice(status) {
        let _ = write!(line, "  {}", paint.with(Tone::Calm, sentence));
    }
    if let Some(problem) = status.last_error.as_ref().or(status.queue.last_error.as_ref()) {
        let _ = write!(line, "  {}", paint.with(Tone::Bad, &plain(&problem.to_string())));
    }
    line
}

/// Whether the line is worth printing again: rate and cost alone vary every second.
pub(super) fn differs(before: &Status, after: &Status) -> bool {
    let news = |s: &Status| {
        let queue = &s.queue;
        let (pending, set_aside, queue_error) = (queue.pending, queue.set_aside, queue.last_error.clone());
        (s.state, s.hint, s.blinks_session, s.account.clone(), pending, set_aside, queue_error, s.last_error.clone())
    };
    news(before) != news(after)
}

/// A state's colour, its name, and what the person can do about it.
pub(in crate::cmd) fn state(state: State) -> (Tone, &'static str, &'static str) {
    match state {
        State::NoConsent => (
            Tone::Calm,
            "No consent",
            "The camera is off. `blinkctl consent grant` shows the consent text and turns tracking on.",
        ),
        State::Paused => (Tone::Calm, "Paused", "The camera is off. `blinkctl resume` goes on."),
        State::Locked => (Tone::Calm, "Screen locked", "The camera is off until you are back."),
        State::Yielded => (Tone::Calm, "Camera handed over", "Another program may use the camera."),
        State::Error => (Tone::Bad, "Problem", ""),
        State::CameraBusy => (Tone::Calm, "Camera busy", "Another program uses the camera; blinkd waits for it."),
        State::NoCamera => (Tone::Bad, "No camera", "blinkd goes on by itself as soon as there is one."),
        State::NoFace => (Tone::Calm, "No face", "Nobody can be followed in the picture; this time is not counted."),
        State::Tracking => (Tone::Good, "Tracking", ""),
    }
}

/// What the person can do so that their eyes are seen better.
pub(in crate::cmd) fn advice(status: &Status) -> Option<&'static str> {
    status.hint.and_then(Hint::sentence)
}

fn alert(problem: &Problem, paint: Paint) -> String {
    format!("\n  {}", paint.with(Tone::Bad, &format!("! {}", plain(&problem.to_string()))))
}

pub(in crate::cmd) fn today(status: &Status) -> String {
    let mut text = format!("{} in {} observed", blinks(status.today.blink_count), span(status.today.observed_ms));
    if let Some(rate) = status.today.rate_per_minute {
        let _ = write!(text, ", {rate:.1}/min");
    }
    if let Some(coverage) = status.coverage {
        let _ = write!(text, ", coverage {:.0} %", coverage * 100.0);
    }
    text
}

/// The blinks of this process of blinkd, and since when it runs.
pub(in crate::cmd) fn session(status: &Status, now: &Zoned) -> String {
    let blinks = blinks(status.blinks_session);
    match status.since {
        Some(since) => format!("{blinks}, running since {}", clock(since, now)),
        None => format!("{blinks} since blinkd started"),
    }
}

pub(in crate::cmd) fn account(status: &Status) -> String {
    status.account.as_ref().map_or_else(
        || "none; everything stays on this computer".to_owned(),
        |account| format!("{} on {}", plain(&account.email), plain(&account.server)),
    )
}

/// The queue and its last error, which is on a line of its own.
pub(in crate::cmd) fn queue(queue: &Queue, now: &Zoned, paint: Paint) -> String {
    let mut text = match queue.pending {
        0 => "nothing waits".to_owned(),
        n => format!("{} to send", minutes(n)),
    };
    if let Some(at) = queue.last_success {
        let _ = write!(text, ", last sent {}", clock(at, now));
    }
    if let Some(at) = queue.next_retry {
        let _ = write!(text, ", next try {}", clock(at, now));
    }
    if queue.set_aside > 0 {
        let _ = write!(
            text,
            ", {}",
            paint.with(Tone::Calm, &format!("{} refused by the server and set aside", queue.set_aside))
        );
    }
    if let Some(problem) = &queue.last_error {
        text += &alert(problem, paint).replace("\n  ", "\n           ");
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "megabytes for the eye")]
pub(in crate::cmd) fn cost(cost: &Cost) -> String {
    let mut text = format!("{:.1} % of one core, {:.0} MB", cost.cpu_percent, cost.rss_bytes as f64 / 1e6);
    if let Some(watts) = cost.power_watts {
        let _ = write!(text, ", whole machine {watts:.1} W");
    }
    text
}

pub(in crate::cmd) fn blinks(n: u64) -> String {
    if n == 1 { "1 blink".to_owned() } else { format!("{n} blinks") }
}

fn minutes(n: u64) -> String {
    if n == 1 { "1 minute".to_owned() } else { format!("{n} minutes") }
}

fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

/// A local time, with the date where it is not today.
fn clock(at: Timestamp, now: &Zoned) -> String {
    let at = at.to_zoned(now.time_zone().clone());
    let form = if at.date() == now.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M" };
    at.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use blink_proto::{example, status::Today};
    use rstest::rstest;

    use super::*;

    const PLAIN: Paint = Paint { colour: false };

    fn now() -> Zoned {
        "2026-03-01T11:04:40+01:00[Europe/Berlin]".parse().unwrap()
    }

    fn tracking() -> Status {
        Status {
            queue: Queue { last_success: Some("2026-03-01T10:04:07Z".parse().unwrap()), ..Queue::default() },
            cost: Cost { power_watts: Some(11.2), ..example::status(State::Tracking).cost },
            ..example::status(State::Tracking)
        }
    }

    #[test]
    fn a_page_while_tracking() {
        insta::assert_snapshot!(page(&tracking(), &now(), PLAIN));
    }

    #[test]
    fn a_page_with_a_hint() {
        let status = Status { state: State::NoFace, hint: Some(Hint::TooDark), ..tracking() };
        insta::assert_snapshot!(page(&status, &now(), PLAIN));
    }

    #[test]
    fn a_page_with_everything_wrong() {
        let status = Status {
            state: State::NoCamera,
            today: Today::default(),
            rate_per_minute: None,
            coverage: None,
            fps: 0.0,
            account: None,
            queue: Queue {
                pending: 3,
                set_aside: 1,
                last_success: Some("2026-02-27T10:04:07Z".parse().unwrap()),
                last_error: Some(Problem::new(
                    "server_unreachable",
                    "The server does not answer",
                    "It is tried again.",
                )),
                next_retry: Some("2026-03-01T10:05:00Z".parse().unwrap()),
            },
            last_error: Some(Problem::new("no_camera", "There is no camera\u{1b}[2J", "Plug one in.")),
            since: Some("2026-02-26T07:00:00Z".parse().unwrap()),
            ..tracking()
        };
        insta::assert_snapshot!(page(&status, &now(), PLAIN));
    }

    #[rstest]
    fn every_state_without_an_error_of_its_own_says_what_to_do(
        #[values(
            State::NoConsent,
            State::Paused,
            State::Locked,
            State::Yielded,
            State::CameraBusy,
            State::NoCamera,
            State::NoFace
        )]
        resting: State,
    ) {
        let (_, _, hint) = state(resting);
        assert!(hint.ends_with('.'), "{resting}");
        let status = Status { state: resting, ..tracking() };
        assert!(page(&status, &now(), PLAIN).contains(hint));
    }

    #[test]
    fn colours_change_no_word() {
        let coloured = page(&tracking(), &now(), Paint { colour: true });
        assert!(coloured.contains('\u{1b}'));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), page(&tracking(), &now(), PLAIN));
    }

    #[test]
    fn a_line_is_one_line_and_tells_news_only() {
        let status = tracking();
        assert_eq!(line(&status, &now(), PLAIN), "11:04:40  Tracking  128 blinks  17.2/min");
        let drifted = Status { rate_per_minute: Some(17.3), fps: 30.0, ..tracking() };
        assert!(!differs(&status, &drifted));
        let dark = Status { hint: Some(Hint::TooDark), ..tracking() };
        assert!(
            differs(&status, &dark)
                && line(&dark, &now(), PLAIN).ends_with("17.2/min  Too dark: turn on a light, best in front of you.")
        );
        let blinked = Status { blinks_session: 129, ..tracking() };
        assert!(differs(&status, &blinked));
    }

    #[rstest]
    #[case(Some("2026-03-01T08:14:00Z"), "128 blinks, running since 09:14:00")]
    #[case(Some("2026-02-27T08:14:00Z"), "128 blinks, running since 2026-02-27 09:14")]
    #[case::an_older_daemon(None, "128 blinks since blinkd started")]
    fn a_session_says_since_when_it_lasts(#[case] since: Option<&str>, #[case] text: &str) {
        let since = since.map(|since| since.parse().unwrap());
        assert_eq!(session(&Status { since, ..tracking() }, &now()), text);
    }

    #[rstest]
    #[case(0, "0 s")]
    #[case(59_999, "59 s")]
    #[case(60_000, "1 min")]
    #[case(3_660_000, "1 h 01 min")]
    fn spans_are_short(#[case] ms: u64, #[case] text: &str) {
        assert_eq!(span(ms), text);
    }
}
