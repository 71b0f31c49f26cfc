//! Tests of the rules alone, and with a file as the device and a real program that opens it.

use std::{
    fs,
    path::Path,
    process::{Child, Command},
};

use blink_proto::{ipc::Sight, status::State};
use rstest::rstest;

use super::*;
use crate::{capture::CaptureEvent, keeper::CapturePolicy, testing::TempProfile};

/// `held` has one character per second, `#` while another program holds the device; `second` is when we take it back.
#[rstest]
#[case::nobody_came("", 120)]
#[case::taken_and_let_go("..####..", 8)]
#[case::let_go_for_an_instant("..##.###..", 10)]
#[case::taken_at_the_last_second(&[".".repeat(119), "###..".into()].concat(), 124)]
#[case::held_for_long(&["#".repeat(500), "..".into()].concat(), 502)]
fn it_is_taken_back(#[case] held: &str, #[case] second: u64) {
    let mut handover = Handover::begun_at(Duration::from_secs(7), Why::Asked);
    let mut held = held.bytes();
    let back = (1..1_000).find(|second| {
        let held = Some(held.next() == Some(b'#'));
        !handover.goes_on(Duration::from_secs(7 + second), held)
    });
    assert_eq!(back, Some(second));
}

#[test]
fn where_nobody_can_be_seen_it_is_taken_back_after_two_minutes() {
    let mut handover = Handover::begun_at(Duration::ZERO, Why::Asked);
    assert!(handover.goes_on(Duration::from_millis(119_999), None));
    assert!(!handover.goes_on(Duration::from_secs(120), None));
}

#[test]
fn a_yield_closes_until_resumed_or_two_minutes_and_ends_with_the_process() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    keeper.yield_camera();
    assert_eq!((keeper.state(), place.control.is_open()), (State::Yielded, false));
    keeper.resume().unwrap();
    assert!(place.control.is_open());
    keeper.yield_camera();
    place.idle(&mut keeper, 119);
    assert_eq!(keeper.state(), State::Yielded);
    place.idle(&mut keeper, 1);
    assert!(place.control.is_open() && keeper.state() != State::Yielded);
    keeper.yield_camera();
    drop(keeper);
    assert_ne!(place.keeper().state(), State::Yielded);
}

#[test]
fn a_pause_and_a_yield_do_not_end_each_other() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    keeper.yield_camera();
    keeper.pause(blink_proto::ipc::PauseSpan { until: Some(crate::testing::t("10:00:30")) }).unwrap();
    assert_eq!(keeper.state(), State::Paused);
    place.idle(&mut keeper, 30);
    assert_eq!((keeper.state(), place.control.is_open()), (State::Yielded, false));
    place.idle(&mut keeper, 90);
    assert!(place.control.is_open());
}

/// Another program that holds the device; killed when dropped.
struct Other(Child);

impl Other {
    fn opens(device: &Path) -> Self {
        let other = Self(Command::new("sleep").arg("300").stdin(fs::File::open(device).unwrap()).spawn().unwrap());
        let there = || holders(device).iter().any(|holder| holder.pid == other.0.id());
        for _ in 0..2_000 {
            if there() {
                return other;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("the other program did not open it");
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn camera() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let device = folder.path().join("video0");
    fs::write(&device, "").unwrap();
    (folder, device)
}

fn tracks(keeper: &Keeper) -> bool {
    keeper.state() != State::Yielded
}

fn sees(place: &TempProfile, keeper: &mut Keeper) {
    let at = crate::clock::Clock::now(&place.clock);
    let seen = crate::capture::Sighting { at, sight: Sight::Measurable, ear: None, baseline: None, hint: None };
    keeper.news(CaptureEvent::Seen(vec![seen], vec![]));
}

#[test]
fn it_is_handed_to_a_program_that_waits_and_taken_back_when_that_has_let_it_go() {
    let (_folder, device) = camera();
    let place = TempProfile::new().with(CapturePolicy { device: Some(device.clone()), ..CapturePolicy::default() });
    let bystander = Other::opens(&device);
    let mut keeper = place.consenting();
    keeper.news(CaptureEvent::Opened);
    sees(&place, &mut keeper);
    place.idle(&mut keeper, 10);
    assert!(tracks(&keeper), "one that had it open before us waits for nothing");
    drop(Other::opens(&device));
    place.idle(&mut keeper, 10);
    assert!(tracks(&keeper), "one that only looks what there is waits for nothing");
    let waiting = Other::opens(&device);
    place.idle(&mut keeper, 2);
    assert_eq!((keeper.state(), place.control.is_open()), (State::Yielded, false));
    place.idle(&mut keeper, 600);
    assert_eq!(keeper.state(), State::Yielded, "as long as it is held");
    drop(waiting);
    place.idle(&mut keeper, 2);
    assert!(place.control.is_open() && tracks(&keeper));
    drop(bystander);
}

#[test]
fn it_is_not_handed_over_by_itself_where_the_person_does_not_want_that() {
    let (_folder, device) = camera();
    let policy = CapturePolicy { device: Some(device.clone()), yield_to_others: false, ..CapturePolicy::default() };
    let place = TempProfile::new().with(policy);
    let mut keeper = place.consenting();
    keeper.news(CaptureEvent::Opened);
    sees(&place, &mut keeper);
    let _waiting = Other::opens(&device);
    place.idle(&mut keeper, 10);
    assert!(tracks(&keeper));
    keeper.yield_camera();
    assert_eq!(keeper.state(), State::Yielded, "but when they say so it is");
}
