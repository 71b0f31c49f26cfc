//! Tests with a profile that is used on several machines.

use blink_proto::DeviceId;

use super::*;

/// The next start of the profile, on this machine.
fn on(place: &mut TempProfile, machine: &str) -> Keeper {
    place.machine = Some(machine.to_owned());
    place.keeper()
}

/// The device and the blinks of each sealed minute.
fn sealed(place: &TempProfile) -> Vec<(DeviceId, u32)> {
    history(place).iter().map(|line| (line.minute.device_id, line.minute.blink_count)).collect()
}

#[test]
fn a_profile_on_another_machine_gets_a_new_device_and_sends_what_waited_as_the_old_one() {
    let mut place = TempProfile::new();
    let mut keeper = place.consenting();
    keeper.sign_in(account(1), true, false).unwrap();
    place.watch(&mut keeper, 90, 10);
    assert_eq!(keeper.status().queue.pending, 1);
    let before = history(&place)[0].minute.device_id;
    drop(keeper);
    let mut keeper = on(&mut place, "another machine");
    assert_eq!(keeper.status().queue.pending, 1, "what waited is not forgotten");
    place.idle(&mut keeper, 60);
    assert_eq!(sealed(&place), [(before, 6), (before, 3)], "the minute that was open there is over");
    place.watch(&mut keeper, 60, 10);
    place.idle(&mut keeper, 60);
    let old = keeper.next_batch(10, &[]).unwrap().unwrap();
    assert_eq!((old.device_id, old.minutes.len()), (before, 2), "under the id it was counted with");
    keeper.acknowledged(&old, &SyncResponse { accepted: 2, ..SyncResponse::default() });
    let batch = keeper.next_batch(10, &[]).unwrap().unwrap();
    assert!(batch.device_id != before && batch.minutes.iter().all(|minute| minute.device_id == batch.device_id));
    drop(keeper);
    let mut keeper = place.keeper();
    assert_eq!(keeper.next_batch(10, &[]).unwrap().unwrap(), batch, "what the server has is not sent again");
    // A minute of the other machine does not make the same minute here a sealed one.
    assert_eq!(keeper.status().last_error, None);
}

#[test]
fn there_and_back_within_a_minute_loses_nothing_of_either_machine() {
    let mut place = TempProfile::new();
    let mut keeper = on(&mut place, "a");
    keeper.grant(TRACKING_VERSION).unwrap();
    place.watch(&mut keeper, 20, 4);
    let a = keeper.device.id;
    keeper.finish();
    drop(keeper);
    let mut keeper = on(&mut place, "b");
    assert_eq!(keeper.status().today.blink_count, 5, "the day is the person's");
    place.watch(&mut keeper, 10, 5);
    let b = keeper.device.id;
    keeper.finish();
    drop(keeper);
    let mut keeper = on(&mut place, "a");
    assert_eq!((keeper.device.id, keeper.status().minute.blink_count), (a, 5));
    place.watch(&mut keeper, 20, 4);
    assert_eq!(keeper.status().today.blink_count, 12);
    place.idle(&mut keeper, 60);
    assert_eq!(sealed(&place), [(b, 2), (a, 10)]);
    assert_eq!((keeper.status().today.blink_count, keeper.status().last_error), (12, None));
}

#[test]
fn the_first_account_adopts_what_was_counted_on_this_machine_before_another() {
    let mut place = TempProfile::new();
    let mut keeper = on(&mut place, "a");
    keeper.grant(TRACKING_VERSION).unwrap();
    for machine in ["b", "a"] {
        place.watch(&mut keeper, 60, 10);
        place.idle(&mut keeper, 60);
        keeper.finish();
        drop(keeper);
        keeper = on(&mut place, machine);
    }
    assert_eq!(sealed(&place).len(), 2);
    let adopted = keeper.sign_in(account(1), true, false).unwrap().adopted;
    assert_eq!((adopted, keeper.held()), (1, 1), "but not what another machine counted for nobody");
}
