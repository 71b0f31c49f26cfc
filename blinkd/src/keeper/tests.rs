//! Tests of the keeper over days, restarts, other accounts and broken disks, with a clock that the tests move.

mod camera;
mod cost;
mod machines;

use std::{fs, sync::atomic::Ordering, time::Duration};

use blink_proto::{
    consent::{ConsentRecord, TRACKING_VERSION},
    http::{Rejected, SyncResponse},
    ipc::{Eye, PauseSpan},
    status::State,
};
use jiff::SignedDuration;

use super::*;
use crate::{
    capture::{Trouble, TroubleKind},
    store::Line,
    testing::{TempProfile, account, t},
};

fn history(place: &TempProfile) -> Vec<Line> {
    let history = History::open(&place.paths().history()).unwrap();
    let days = history.days().unwrap();
    days.into_keys().flat_map(|day| history.read(day, 0).unwrap()).collect()
}

#[test]
fn a_wink_is_told_to_subscribers_and_counts_in_nothing() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    let mut events = keeper.deps.events.subscribe();
    let end = place.clock_now();
    let wink = Observation::Wink { end, eye: Eye::Left };
    keeper.news(CaptureEvent::Seen(Vec::new(), vec![wink]));
    let heard = std::iter::from_fn(|| events.try_recv().ok()).find(|event| !matches!(event, Event::Status(_)));
    assert_eq!(heard, Some(Event::Wink { at: end, eye: Eye::Left }));
    assert_eq!((keeper.status().blinks_session, keeper.status().minute.blink_count), (0, 0));
    assert_eq!(keeper.counting.minutes.open_minutes().count(), 0, "no minute is opened for it");
}

#[test]
fn without_consent_nothing_opens_and_withdrawal_closes_before_it_returns() {
    let place = TempProfile::new();
    let mut keeper = place.keeper();
    assert_eq!((keeper.state(), place.control.is_open()), (State::NoConsent, false));
    assert_eq!(keeper.grant("0").unwrap_err().code, "consent_version");
    assert!(!place.control.is_open());
    keeper.grant(TRACKING_VERSION).unwrap();
    assert!(place.control.is_open());
    keeper.withdraw().unwrap();
    assert_eq!((keeper.state(), place.control.is_open()), (State::NoConsent, false));
    drop(keeper);
    let keeper = place.keeper();
    assert_eq!((keeper.state(), place.control.is_open()), (State::NoConsent, false));
}

#[test]
fn a_withdrawal_written_by_another_program_is_obeyed_at_the_next_tick() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    let record = serde_json::to_string(&ConsentRecord::withdrawn(t("10:00:00"))).unwrap();
    fs::write(place.paths().consent_file(), record).unwrap();
    keeper.tick();
    assert_eq!((keeper.state(), place.control.is_open()), (State::NoConsent, false));
}

#[test]
fn a_pause_closes_survives_a_restart_and_ends_by_itself() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    let past = PauseSpan { until: Some(t("09:59:59")) };
    assert_eq!(keeper.pause(past).unwrap_err().code, "pause_over");
    keeper.pause(PauseSpan { until: Some(t("10:00:30")) }).unwrap();
    assert_eq!((keeper.state(), place.control.is_open()), (State::Paused, false));
    drop(keeper);
    let mut keeper = place.keeper();
    assert_eq!((keeper.state(), place.control.is_open()), (State::Paused, false));
    place.idle(&mut keeper, 30);
    assert_ne!(keeper.state(), State::Paused);
    assert!(place.control.is_open());
    keeper.pause(PauseSpan::default()).unwrap();
    place.idle(&mut keeper, 10_000);
    assert_eq!(keeper.state(), State::Paused);
    keeper.resume().unwrap();
    assert!(place.control.is_open());
}

#[test]
fn a_clock_that_is_set_back_lengthens_no_pause() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    keeper.pause(PauseSpan { until: Some(t("10:10:00")) }).unwrap();
    place.clock.step(SignedDuration::from_hours(-24));
    place.idle(&mut keeper, 599);
    assert_eq!(keeper.state(), State::Paused);
    place.idle(&mut keeper, 1);
    assert_ne!(keeper.state(), State::Paused);
}

#[test]
fn a_minute_is_sealed_once_two_seconds_after_its_end() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 61, 4);
    assert_eq!(history(&place), []);
    let status = keeper.status();
    assert_eq!((status.blinks_session, status.today.blink_count, status.today.observed_ms), (15, 15, 61_000));
    assert_eq!((status.minute.blink_count, status.minute.observed_ms), (0, 1_000));
    assert_eq!(status.rate_per_minute, Some(14.8));
    place.idle(&mut keeper, 1);
    let lines = history(&place);
    assert_eq!(lines.len(), 1);
    let minute = &lines[0].minute;
    assert_eq!((minute.blink_count, minute.observed_ms, minute.user_id), (15, 60_000, None));
    assert_eq!((minute.from_timestamp, minute.to_timestamp), (t("10:00:00"), t("10:01:00")));
    assert_eq!(place.sealed.load(Ordering::SeqCst), 1);
    let status = keeper.status();
    assert_eq!((status.today.blink_count, status.today.observed_ms), (15, 61_000), "sealing changes no figure");
    place.idle(&mut keeper, 600);
    assert_eq!(history(&place).len(), 2);
    assert_eq!(keeper.status().queue.pending, 0, "nobody's minutes do not wait for a server");
}

#[test]
fn a_stop_seals_nothing_and_a_restart_goes_on_with_the_minute() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 20, 4);
    keeper.finish();
    drop(keeper);
    assert_eq!(history(&place), []);
    let mut keeper = place.keeper();
    let status = keeper.status();
    assert_eq!((status.minute.blink_count, status.minute.observed_ms), (5, 20_000));
    assert_eq!((status.blinks_session, status.today.blink_count), (0, 5));
    assert_eq!(status.rate_per_minute, Some(15.0), "the last five minutes are older than this process");
    place.watch(&mut keeper, 20, 4);
    place.idle(&mut keeper, 30);
    assert_eq!(history(&place).len(), 1);
    assert_eq!((history(&place)[0].minute.blink_count, history(&place)[0].minute.observed_ms), (10, 40_000));
}

#[test]
fn a_minute_left_open_by_a_stop_is_sealed_by_the_next_start() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 20, 4);
    drop(keeper);
    place.clock.advance(Duration::from_secs(3 * 86_400));
    let keeper = place.keeper();
    assert_eq!(history(&place)[0].minute.blink_count, 5);
    assert_eq!(keeper.status().today.blink_count, 0, "that was another day");
}

#[test]
fn at_most_the_last_second_is_lost_when_it_is_killed() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 31, 2);
    let saved = place.folder.path().join("data");
    let copy = place.folder.path().join("killed");
    copy_folder(&saved, &copy);
    drop(keeper);
    fs::remove_dir_all(&saved).unwrap();
    fs::rename(&copy, &saved).unwrap();
    assert_eq!(place.keeper().status().minute.blink_count, 15);
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn while_the_clock_is_behind_nothing_is_counted_and_it_says_so() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 63, 4);
    place.clock.step(SignedDuration::from_secs(-60));
    keeper.news(CaptureEvent::Opened);
    keeper.tick();
    let status = keeper.status();
    assert_eq!((status.state, status.last_error.unwrap().code), (State::Error, "clock_behind".to_owned()));
    let before = keeper.status().blinks_session;
    place.watch(&mut keeper, 20, 4);
    assert_eq!(keeper.status().blinks_session, before);
    // It is the same after a restart, from the history.
    drop(keeper);
    let mut keeper = place.keeper();
    keeper.news(CaptureEvent::Opened);
    assert_eq!(keeper.status().last_error.unwrap().code, "clock_behind");
    place.idle(&mut keeper, 40);
    place.watch(&mut keeper, 8, 4);
    assert_eq!((keeper.status().blinks_session, keeper.status().last_error), (2, None));
    place.idle(&mut keeper, 120);
    assert_eq!(history(&place).len(), 2);
}

#[test]
fn a_leap_forward_and_back_does_not_stop_counting() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 10, 4);
    place.clock.step(SignedDuration::from_hours(24 * 365));
    keeper.tick();
    place.watch(&mut keeper, 4, 4);
    place.clock.step(SignedDuration::from_hours(-24 * 365));
    let before = keeper.status().blinks_session;
    place.idle(&mut keeper, 60);
    place.watch(&mut keeper, 8, 4);
    assert_eq!(keeper.status().blinks_session, before + 2);
}

#[test]
fn the_first_account_adopts_what_was_nobodys_with_the_open_minute() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 150, 10);
    let signed_in = keeper.sign_in(account(1), true, false).unwrap();
    assert_eq!((signed_in.adopted, signed_in.consent), (2, true));
    assert_eq!(keeper.status().queue.pending, 2);
    place.idle(&mut keeper, 60);
    assert_eq!(keeper.status().queue.pending, 3);
    let batch = keeper.next_batch(10, &[]).unwrap().unwrap();
    assert!(batch.minutes.iter().all(|minute| minute.user_id == Some(account(1).user_id)));
    assert_eq!(batch.minutes.iter().map(|minute| minute.blink_count).sum::<u32>(), 15);
    // The history is unchanged since sealing.
    let owners: Vec<_> = history(&place).iter().map(|line| line.minute.user_id.is_some()).collect();
    assert_eq!(owners, [false, false, true]);
}

#[test]
fn others_minutes_are_held_and_never_sent_under_another_account() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 60, 10);
    place.idle(&mut keeper, 60);
    assert_eq!(keeper.sign_in(account(1), false, false).unwrap().adopted, 0, "declined");
    place.watch(&mut keeper, 60, 10);
    place.idle(&mut keeper, 60);
    keeper.sign_out().unwrap();
    assert_eq!(keeper.whoami().unwrap_err().code, "not_signed_in");
    place.watch(&mut keeper, 60, 10);
    place.idle(&mut keeper, 60);
    assert_eq!(keeper.sign_in(account(2), true, false).unwrap().adopted, 0, "not the first account");
    place.watch(&mut keeper, 60, 10);
    place.idle(&mut keeper, 60);
    assert_eq!(keeper.next_batch(10, &[]).unwrap().unwrap().minutes.len(), 1);
    drop(keeper);
    let mut keeper = place.keeper();
    assert_eq!(keeper.whoami().unwrap().user_id, account(2).user_id);
    let batch = keeper.next_batch(10, &[]).unwrap().unwrap();
    assert_eq!((batch.minutes.len(), batch.owner.user_id), (1, account(2).user_id));
    keeper.sign_in(account(1), true, false).unwrap();
    assert_eq!(keeper.status().queue.pending, 1, "the first account's own minute waited for it");
}

#[test]
fn nothing_is_sent_without_consent() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    keeper.sign_in(account(1), true, false).unwrap();
    place.watch(&mut keeper, 60, 10);
    place.idle(&mut keeper, 10);
    keeper.withdraw().unwrap();
    assert_eq!(keeper.next_batch(10, &[]).unwrap(), None);
    assert!(!keeper.consent_to_tell().unwrap().granted);
    keeper.grant(TRACKING_VERSION).unwrap();
    assert!(keeper.next_batch(10, &[]).unwrap().is_some());
}

#[test]
fn a_withdrawal_on_the_server_closes_and_deletes_what_was_begun_since() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    keeper.sign_in(account(1), true, false).unwrap();
    place.watch(&mut keeper, 200, 10);
    assert_eq!(keeper.status().queue.pending, 3);
    keeper.withdrawn_by_server(&account(2).owner(), Some(t("10:00:00")));
    assert_ne!(keeper.state(), State::NoConsent, "that was another account");
    keeper.withdrawn_by_server(&account(1).owner(), Some(t("10:01:30")));
    assert_eq!((keeper.state(), place.control.is_open()), (State::NoConsent, false));
    place.idle(&mut keeper, 120);
    let starts = |place: &TempProfile| history(place).iter().map(|line| line.minute.from_timestamp).collect::<Vec<_>>();
    assert_eq!(starts(&place), [t("10:00:00"), t("10:01:00")]);
    assert_eq!(keeper.status().queue.pending, 2);
    drop(keeper);
    let keeper = place.keeper();
    assert_eq!((keeper.state(), keeper.status().queue.pending), (State::NoConsent, 2));
    assert_eq!(keeper.status().last_error, None, "the store agrees with the history");
}

#[test]
fn what_a_disk_that_fails_keeps_of_a_withdrawal_is_deleted_later() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    keeper.sign_in(account(1), true, false).unwrap();
    place.watch(&mut keeper, 200, 10);
    let folder = place.paths().history();
    let away = folder.with_extension("away");
    fs::rename(&folder, &away).unwrap();
    fs::write(&folder, "in the way").unwrap();
    keeper.withdrawn_by_server(&account(1).owner(), Some(t("10:01:30")));
    assert!(keeper.withdrawal_undated(), "it is asked about again");
    fs::remove_file(&folder).unwrap();
    fs::rename(&away, &folder).unwrap();
    place.idle(&mut keeper, 90);
    keeper.withdrawal_dated(&account(1).owner(), Some(t("10:01:30")));
    assert!(!keeper.withdrawal_undated());
    assert_eq!(keeper.status().queue.pending, 2);
    assert_eq!(history(&place).len(), 2);
}

#[test]
fn what_the_server_took_leaves_and_what_it_rejected_is_set_aside() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    keeper.sign_in(account(1), true, false).unwrap();
    place.watch(&mut keeper, 200, 10);
    let batch = keeper.next_batch(2, &[]).unwrap().unwrap();
    let rejected = vec![Rejected { index: 1, code: "implausible".into(), detail: "too many".into() }];
    keeper.acknowledged(&batch, &SyncResponse { accepted: 1, rejected, ..SyncResponse::default() });
    let queue = keeper.status().queue;
    assert_eq!((queue.pending, queue.set_aside), (1, 1));
    assert_ne!(keeper.next_batch(2, &[]).unwrap().unwrap().minutes, batch.minutes);
}

#[test]
fn a_disk_that_fails_is_said_and_nothing_is_lost() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 30, 10);
    let folder = place.paths().history();
    let away = folder.with_extension("away");
    fs::rename(&folder, &away).unwrap();
    fs::write(&folder, "in the way").unwrap();
    place.watch(&mut keeper, 40, 10);
    let status = keeper.status();
    assert_eq!(status.last_error.unwrap().code, "store_failed");
    assert_eq!(status.today.blink_count, 7, "counting goes on");
    fs::remove_file(&folder).unwrap();
    fs::rename(&away, &folder).unwrap();
    place.idle(&mut keeper, 90);
    assert_eq!(keeper.status().last_error, None);
    assert_eq!(history(&place).iter().map(|line| line.minute.blink_count).sum::<u32>(), 7);
    assert_eq!(history(&place).len(), 2);
}

#[test]
fn a_damaged_store_is_said_and_rebuilt() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    keeper.sign_in(account(1), true, false).unwrap();
    place.watch(&mut keeper, 200, 10);
    keeper.finish();
    drop(keeper);
    let db = place.paths().data.join("store/db");
    fs::write(&db, vec![0xa5; 5_000]).unwrap();
    let keeper = place.keeper();
    let status = keeper.status();
    assert_eq!(status.last_error.unwrap().code, "store_rebuilt");
    assert_eq!((status.queue.pending, status.today.blink_count), (3, 18));
    let names = fs::read_dir(&place.paths().data).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with("store.damaged-")).count(), 1);
}

#[test]
fn a_damaged_account_file_signs_out_and_is_kept() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    keeper.sign_in(account(1), true, false).unwrap();
    drop(keeper);
    fs::write(place.paths().data.join("account.json"), "{\"current\": 3").unwrap();
    let keeper = place.keeper();
    assert_eq!(keeper.whoami().unwrap_err().code, "not_signed_in");
    assert!(place.paths().data.join("account.json.damaged").exists());
}
