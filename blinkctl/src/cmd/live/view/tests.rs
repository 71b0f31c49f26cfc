//! Draws the screen in memory at common sizes.

use blink_proto::{
    Hint, Problem, example,
    ipc::{Event, LivePoint},
    status::{Queue, State, Status},
};
use jiff::SignedDuration;
use proptest::prelude::*;
use ratatui::{Terminal, backend::TestBackend};
use rstest::rstest;

use super::*;

fn now() -> Zoned {
    "2026-03-01T11:04:40+01:00[Europe/Berlin]".parse().unwrap()
}

fn status(state: State) -> Status {
    Status { queue: Queue { pending: 2, ..Queue::default() }, ..example::status(state) }
}

/// Half a minute at 30 frames a second, with a blink every 4 s and no face from 10 to 6 s ago.
fn watching() -> Model {
    let mut model = Model::default();
    model.take(Event::Status(Box::new(status(State::Tracking))));
    for frame in 0..900 {
        let ago_s = 30.0 - f64::from(frame) / 30.0;
        let at = now().timestamp() - SignedDuration::from_secs_f64(ago_s);
        let there = !(6.0..10.0).contains(&ago_s);
        let phase = (ago_s + 2.0) % 4.0;
        let closed = if phase < 0.3 { (phase / 0.3 * std::f64::consts::PI).sin() } else { 0.0 };
        let ear = there.then_some(0.31 - 0.22 * closed + 0.004 * f64::from(frame % 3));
        model.take(Event::Live(LivePoint { at, ear, baseline: there.then_some(0.31), sight: None, hint: None }));
        if there && frame % 120 == 57 {
            model.take(Event::Blink { at: at + SignedDuration::from_millis(90), duration_ms: 180.0 });
        }
    }
    model
}

fn drawn(model: &Model, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, model, &now(), true)).unwrap();
    terminal.backend().to_string()
}

#[rstest]
#[case(120, 40)]
#[case(80, 24)]
#[case(60, 16)]
#[case(40, 12)]
#[case(20, 6)]
fn while_watching(#[case] width: u16, #[case] height: u16) {
    insta::assert_snapshot!(format!("watching_{width}x{height}"), drawn(&watching(), width, height));
}

#[rstest]
#[case(80, 24)]
#[case(20, 6)]
fn with_the_daemon_gone(#[case] width: u16, #[case] height: u16) {
    let mut model = watching();
    model.lost("blinkd has closed the connection".into());
    insta::assert_snapshot!(format!("gone_{width}x{height}"), drawn(&model, width, height));
}

#[test]
fn with_a_problem() {
    let mut model = Model::default();
    let problem = Problem::new(
        "camera_busy",
        "The camera is used by zoom\u{1b}[2J",
        "blinkd waits for it; `blinkctl cameras` shows who has it.",
    );
    let status = Status { last_error: Some(problem), fps: 0.0, rate_per_minute: None, ..status(State::CameraBusy) };
    model.take(Event::Status(Box::new(status)));
    let screen = drawn(&model, 80, 24);
    assert!(!screen.contains('\u{1b}'));
    insta::assert_snapshot!("problem_80x24", screen);
}

#[test]
fn with_a_hint() {
    let mut model = watching();
    let hinted = Status { hint: Some(Hint::CameraTooFarToTheSide), ..status(State::Tracking) };
    model.take(Event::Status(Box::new(hinted)));
    insta::assert_snapshot!("hint_80x24", drawn(&model, 80, 24));
}

#[test]
fn while_paused_it_says_how_to_go_on() {
    let mut model = Model::default();
    model.take(Event::Status(Box::new(status(State::Paused))));
    insta::assert_snapshot!("paused_60x16", drawn(&model, 60, 16));
}

#[rstest]
#[case(Sight::Several, "several people")]
#[case(Sight::Turned, "eyes not measured")]
fn why_nothing_is_measured_is_said(#[case] sight: Sight, #[case] words: &str) {
    let mut model = watching();
    let at = now().timestamp();
    model.take(Event::Live(LivePoint { at, ear: None, baseline: None, sight: Some(sight), hint: None }));
    assert!(drawn(&model, 80, 24).lines().next().unwrap().contains(words));
}

#[rstest]
#[case(Eye::Left, "left wink")]
#[case(Eye::Right, "right wink")]
fn a_wink_is_said(#[case] eye: Eye, #[case] words: &str) {
    let mut model = watching();
    model.take(Event::Wink { at: now().timestamp(), eye });
    assert!(drawn(&model, 80, 24).lines().next().unwrap().contains(words));
}

#[test]
fn without_colour_nothing_is_coloured() {
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| draw(frame, &watching(), &now(), false)).unwrap();
    let coloured = terminal.backend().buffer().content.iter().filter(|cell| cell.fg != Color::Reset).count();
    assert_eq!(coloured, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_size_is_drawn(width in 1u16..140, height in 1u16..60, ear in prop::num::f64::ANY, gone in any::<bool>()) {
        let mut model = watching();
        let at = now().timestamp();
        model.take(Event::Live(LivePoint { at, ear: Some(ear), baseline: Some(ear), sight: Some(Sight::Measurable), hint: None }));
        model.take(Event::Blink { at, duration_ms: ear });
        if gone {
            model.lost("it stopped".into());
        }
        drawn(&model, width, height);
    }
}
