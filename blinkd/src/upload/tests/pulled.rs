//! Bringing the minutes of the account's other machines.

use blink_profile::{day_files, pulled::readable};
use blink_proto::{DeviceId, MinuteStart, example, http::DeviceMinutes, ipc::Elsewhere};

use super::*;

/// Ten minutes of each of two other machines, received at `at`.
fn uploaded(stage: &Stage, from: i64, at: Timestamp) {
    let number = MinuteStart::containing(t("09:00:00")).number();
    let user_id = stage.keep(|keeper| keeper.owner()).map(|owner| owner.user_id);
    stage.server.state(|w| {
        w.as_of = at;
        for n in from..from + 10 {
            for device in [1, 2] {
                let device_id = DeviceId(uuid::Uuid::from_u128(device));
                w.elsewhere.push((at, blink_proto::Minute { user_id, device_id, ..example::minute(number + n) }));
            }
        }
    });
}

fn stage() -> Stage {
    let stage = Stage::signed_in();
    uploaded(&stage, 0, t("10:00:00"));
    stage
}

/// Pulls until everything is here; returns how many new minutes came.
fn bring(stage: &mut Stage) -> Result<u64, Problem> {
    let mut minutes = 0;
    loop {
        let page = outcome(stage.uploader.pull(None))?;
        minutes += page.machines.iter().map(|DeviceMinutes { minutes, .. }| minutes).sum::<u64>();
        if page.done {
            return Ok(minutes);
        }
    }
}

/// The number of lines in the signed-in account's day files, and of different minutes in them.
fn here(stage: &Stage) -> (usize, usize) {
    let folder = readable(&stage.place.paths()).unwrap();
    let days = day_files::days(&folder).unwrap().into_keys();
    days.fold((0, 0), |(lines, minutes), day| {
        let text = std::fs::read_to_string(day_files::path_of(&folder, day)).unwrap();
        let read = day_files::read::<blink_proto::Minute>(&folder, day, 0).unwrap();
        (lines + text.lines().count(), minutes + read.records.len())
    })
}

#[test]
fn all_come_once_and_the_next_pull_brings_what_arrived_since() {
    let mut stage = stage();
    assert_eq!(outcome(stage.uploader.elsewhere(None)), Ok(Elsewhere { minutes: 20, machines: 2 }));
    assert_eq!(bring(&mut stage), Ok(20));
    assert_eq!(here(&stage), (20, 20));
    stage.server.state(|w| w.as_of = t("10:30:00"));
    assert_eq!(bring(&mut stage), Ok(0));
    // A machine that was offline uploads minutes older than all that are here.
    uploaded(&stage, -30, t("11:00:00"));
    stage.server.state(|w| w.pages = 0);
    assert_eq!(outcome(stage.uploader.elsewhere(None)), Ok(Elsewhere { minutes: 20, machines: 2 }));
    assert_eq!(bring(&mut stage), Ok(20));
    assert_eq!((here(&stage), stage.server.state(|w| w.pages)), ((40, 40), 3), "only the new ones are fetched");
    assert_eq!(stage.on_server().0, 0, "nothing of it is sent back");
}

#[test]
fn what_came_before_the_network_went_stays_and_the_pull_goes_on_from_there() {
    let mut stage = stage();
    outcome(stage.uploader.pull(None)).unwrap();
    stage.server.state(|w| w.away = true);
    assert_eq!(bring(&mut stage).unwrap_err().code, "server_unreachable");
    assert_eq!(here(&stage), (8, 8));
    stage.server.state(|w| (w.away, w.pages) = (false, 0));
    stage.uploader = Stage::uploader(&stage.place, &stage.keeper, &stage.server);
    assert_eq!(bring(&mut stage), Ok(12));
    assert_eq!((here(&stage), stage.server.state(|w| w.pages)), ((20, 20), 2));
}

#[test]
fn a_disk_that_takes_nothing_is_told_and_the_same_page_comes_again() {
    let mut stage = stage();
    let folder = stage.place.paths().pulled();
    std::fs::write(&folder, "in the way").unwrap();
    let before = stage.status().last_error;
    let problem = bring(&mut stage).unwrap_err();
    assert!(problem.code == "store_failed" && problem.fix.contains("sync --pull"), "{problem}");
    assert_eq!(stage.status().last_error, before, "counting goes on");
    std::fs::remove_file(&folder).unwrap();
    assert_eq!(bring(&mut stage), Ok(20));
}

#[test]
fn what_cannot_be_asked_is_told() {
    let mut stage = Stage::new();
    assert_eq!(bring(&mut stage).unwrap_err().code, "not_signed_in");
    let mut stage = self::stage();
    stage.server.state(|w| w.lacks_minutes = true);
    assert_eq!(bring(&mut stage).unwrap_err().code, "server_older");
    assert_eq!(outcome(stage.uploader.elsewhere(None)).unwrap_err().code, "server_older");
    stage.server.state(|w| (w.lacks_minutes, w.sessions_dead) = (false, true));
    assert_eq!(bring(&mut stage).unwrap_err().code, "not_signed_in");
}
