//! Tests with a disk that is full while minutes are sealed, and settings that change while minutes are counted.

use std::{fs, sync::atomic::Ordering};

use crate::{config::Config, store::History, testing::TempProfile};

/// The blink counts of the sealed minutes in all day files.
fn blinks(place: &TempProfile) -> Vec<u32> {
    let history = History::open(&place.paths().history()).unwrap();
    let days = history.days().unwrap().into_keys();
    days.flat_map(|day| history.read(day, 0).unwrap()).map(|line| line.minute.blink_count).collect()
}

#[test]
fn on_a_full_disk_counting_goes_on_and_every_minute_is_written_once_when_there_is_room() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    keeper.records.history.full.store(true, Ordering::SeqCst);
    place.watch(&mut keeper, 200, 10);
    let status = keeper.status();
    assert_eq!(status.last_error.as_ref().unwrap().code, "disk_full");
    assert_eq!((status.today.blink_count, status.blinks_session), (20, 20));
    keeper.records.history.full.store(false, Ordering::SeqCst);
    place.idle(&mut keeper, 10);
    assert_eq!(keeper.status().last_error, None);
    assert_eq!(blinks(&place), [6, 6, 6]);
    place.idle(&mut keeper, 60);
    assert_eq!(blinks(&place), [6, 6, 6, 2]);
    drop(keeper);
    let keeper = place.keeper();
    assert_eq!((keeper.status().today.blink_count, keeper.status().last_error), (20, None));
    assert_eq!(keeper.kept_back().map(|kept| kept.held), Some(4), "each waits once");
}

/// Puts a file where the store is; returns what undoes it.
fn store_replaced_by_a_file(place: &TempProfile) -> impl FnOnce() + use<> {
    let (store, away) = (place.paths().store(), place.paths().data.join("away"));
    fs::rename(&store, &away).unwrap();
    fs::write(&store, "in the way").unwrap();
    move || {
        fs::remove_file(&store).unwrap();
        fs::rename(&away, &store).unwrap();
    }
}

#[test]
fn while_only_the_store_fails_minutes_are_written_to_the_history_all_the_same() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 70, 10);
    keeper.records.close();
    let mend = store_replaced_by_a_file(&place);
    place.watch(&mut keeper, 120, 10);
    assert_eq!(keeper.status().last_error.unwrap().code, "store_failed");
    assert_eq!(blinks(&place), [6, 6, 6]);
    mend();
    place.idle(&mut keeper, 10);
    assert_eq!((keeper.status().last_error, keeper.kept_back().map(|kept| kept.held)), (None, Some(3)));
    keeper.finish();
    drop(keeper);
    let keeper = place.keeper();
    assert_eq!((keeper.status().last_error, keeper.status().today.blink_count), (None, 19));
}

#[test]
fn the_minute_of_the_start_waits_for_the_store_which_may_hold_its_first_half() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 20, 10);
    keeper.finish();
    drop(keeper);
    let mend = store_replaced_by_a_file(&place);
    let mut keeper = place.keeper();
    place.watch(&mut keeper, 130, 5);
    assert_eq!(blinks(&place), [12], "the minute after it");
    mend();
    place.idle(&mut keeper, 10);
    assert_eq!(blinks(&place), [12, 10], "2 of the first process and 8 of the second");
    assert_eq!((keeper.status().last_error, keeper.status().today.blink_count), (None, 28));
    assert_eq!(keeper.kept_back().map(|kept| kept.held), Some(2));
}

#[test]
fn a_shorter_retention_holds_at_once_and_a_longer_one_lets_older_minutes_in() {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 70, 10);
    place.idle(&mut keeper, 60);
    let minutes = History::open(&place.paths().history()).unwrap();
    let day = *minutes.days().unwrap().keys().next().unwrap();
    let old = day.checked_sub(jiff::SignedDuration::from_hours(24 * 50)).unwrap();
    let from = place.paths().history().join(format!("{day}.ndjson"));
    fs::copy(&from, place.paths().history().join(format!("{old}.ndjson"))).unwrap();
    keeper.take_settings(&Config { retention_days: 60, ..Config::default() });
    assert_eq!(minutes.days().unwrap().len(), 2);
    keeper.take_settings(&Config { retention_days: 40, ..Config::default() });
    assert_eq!(minutes.days().unwrap().into_keys().collect::<Vec<_>>(), [day]);
    assert_eq!(keeper.first_kept_day(place.clock_now()), day.checked_sub(jiff::SignedDuration::from_hours(960)).ok());
}
