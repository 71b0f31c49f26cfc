//! Erasure, also when it is interrupted at any step.

use std::fs;

use crate::{
    keeper::Keeper,
    store::{KeptBack, erase},
    testing::{TempProfile, account},
};

fn place() -> (TempProfile, Keeper) {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 130, 10);
    (place, keeper)
}

/// The names in a folder, sorted.
fn names(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn the_open_and_the_unsent_minutes_go_and_counting_goes_on() {
    let (place, mut keeper) = place();
    fs::create_dir(place.paths().data.join("store.damaged-1")).unwrap();
    fs::write(place.paths().data.join(".blink-Ab12Cd"), "half").unwrap();
    let erased = keeper.erase_minutes().unwrap();
    assert_eq!((erased.minutes, erased.unsent, erased.everything), (3, 3, false));
    let status = keeper.status();
    assert_eq!((status.today.blink_count, status.blinks_session, status.minute.blink_count), (0, 0, 0));
    assert!(status.consent && status.last_error.is_none());
    assert!(names(&place.paths().history()).is_empty());
    let left = names(&place.paths().data);
    assert!(!left.iter().any(|name| name.starts_with("store.damaged") || name.starts_with(".blink-")), "{left:?}");
    assert!(!left.contains(&"erasing.json".to_owned()));
    place.watch(&mut keeper, 120, 10);
    assert_eq!(keeper.erase_minutes().unwrap().minutes, 3, "what came since is new");
    drop(keeper);
    assert_eq!(place.keeper().status().today.blink_count, 0);
}

#[test]
fn everything_leaves_models_alone_and_writes_nothing_more() {
    let (place, mut keeper) = place();
    let paths = place.paths();
    keeper.sign_in(account(1), true, false).unwrap();
    for folder in [&paths.state, &paths.config, &paths.data.join("models")] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(paths.state.join("blinkd.2026-03-01.log"), "{}").unwrap();
    fs::write(paths.config_file(), "").unwrap();
    fs::write(paths.config.join("ca.pem"), "mine").unwrap();
    fs::write(paths.data.join("models/m.dat"), "model").unwrap();
    fs::write(paths.owner_file(), "{}").unwrap();
    let erased = keeper.erase_everything().unwrap();
    assert_eq!((erased.minutes, erased.everything), (3, true));
    keeper.tick();
    keeper.finish();
    drop(keeper);
    assert!(erase::is_everything(&paths), "the note stays until nothing writes any more");
    assert!(erase::finish(&paths).unwrap());
    assert_eq!(names(&paths.data), ["models"]);
    assert_eq!(names(&paths.config), ["ca.pem"]);
    assert!(!paths.state.exists());
    assert!(!erase::finish(&paths).unwrap());
}

#[test]
fn an_erasure_that_was_cut_off_anywhere_is_finished_before_anything_is_read() {
    for stage in 0..3 {
        let (place, mut keeper) = place();
        let paths = place.paths();
        keeper.finish();
        drop(keeper);
        fs::write(paths.data.join("erasing.json"), "{\"everything\":false}").unwrap();
        match stage {
            1 => fs::remove_dir_all(paths.data.join("store")).unwrap(),
            2 => fs::remove_dir_all(paths.history()).unwrap(),
            _ => {}
        }
        crate::app::finish_erasing(&paths).unwrap();
        let keeper = place.keeper();
        assert_eq!((keeper.status().today.blink_count, keeper.status().last_error), (0, None), "stage {stage}");
        assert!(keeper.consented(), "an erasure of minutes is one of minutes");
        assert!(!paths.data.join("erasing.json").exists());
    }
}

#[test]
fn an_erasure_that_cannot_be_noted_erases_nothing_and_all_goes_on() {
    let (place, mut keeper) = place();
    // The folder in the note's place makes writing the note fail, as a full disk would.
    let note = place.paths().data.join("erasing.json");
    fs::create_dir(&note).unwrap();
    for erase in [Keeper::erase_minutes, Keeper::erase_everything] {
        let refused = erase(&mut keeper).unwrap_err();
        assert_eq!(refused.code, "nothing_erased");
        assert!(refused.message.starts_with("Nothing was erased"), "{refused}");
    }
    assert!(place.control.is_open());
    place.watch(&mut keeper, 20, 10);
    assert_eq!(keeper.status().today.blink_count, 15);
    drop(keeper);
    fs::remove_dir(&note).unwrap();
    crate::app::finish_erasing(&place.paths()).unwrap();
    let status = place.keeper().status();
    assert_eq!((status.today.blink_count, status.minute.blink_count), (15, 3), "what the open minute had, too");
}

#[test]
fn a_damaged_note_erases_the_minutes_and_no_more() {
    let (place, mut keeper) = place();
    keeper.finish();
    drop(keeper);
    fs::write(place.paths().data.join("erasing.json"), "{").unwrap();
    crate::app::finish_erasing(&place.paths()).unwrap();
    let keeper = place.keeper();
    assert!(keeper.consented() && keeper.status().today.blink_count == 0);
}

#[test]
fn an_account_that_is_no_more_leaves_nothing_waiting_for_it() {
    let (place, mut keeper) = place();
    keeper.sign_in(account(1), true, false).unwrap();
    assert_eq!(keeper.pending(), 2);
    let owner = keeper.owner().unwrap();
    keeper.account_erased(&owner).unwrap();
    assert!(keeper.account().is_none());
    assert_eq!(keeper.kept_back(), Some(KeptBack::default()));
    assert_eq!(names(&place.paths().history()).len(), 1, "the local history is the person's");
    // Neither sealing the minute that was open, nor a restart, nor a rebuild from the history queues minutes again.
    place.idle(&mut keeper, 60);
    assert_eq!((keeper.kept_back(), keeper.status().today.blink_count), (Some(KeptBack::default()), 13));
    keeper.finish();
    drop(keeper);
    let mut keeper = place.keeper();
    assert_eq!((keeper.kept_back(), keeper.status().today.blink_count), (Some(KeptBack::default()), 13));
    keeper.finish();
    drop(keeper);
    fs::remove_dir_all(place.paths().data.join("store")).unwrap();
    let mut keeper = place.keeper();
    assert_eq!(keeper.status().last_error.map(|error| error.code).as_deref(), Some("store_rebuilt"));
    assert_eq!(keeper.kept_back(), Some(KeptBack::default()));
    // Registering again makes another account, whose minutes are queued as any other's.
    keeper.sign_in(account(2), true, false).unwrap();
    place.watch(&mut keeper, 60, 10);
    place.idle(&mut keeper, 62);
    assert!(keeper.pending() >= 1);
}

#[test]
fn an_erased_account_whose_minutes_could_not_be_dropped_loses_them_at_the_next_start() {
    let (place, mut keeper) = place();
    keeper.sign_in(account(1), true, false).unwrap();
    let owner = keeper.owner().unwrap();
    crate::store::database::drop_quietly(keeper.records.store.take());
    keeper.account_erased(&owner).unwrap();
    keeper.finish();
    drop(keeper);
    assert_eq!(place.keeper().kept_back(), Some(KeptBack::default()));
}
