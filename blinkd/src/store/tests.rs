//! Tests of the store: restarts, kills, damage and adoption.

use std::{collections::BTreeSet, fs, path::PathBuf};

use blink_proto::{UserId, example};
use rstest::rstest;
use tempfile::TempDir;

use super::{open::Opening, ownership::MinuteOwnership, *};
use crate::profile::FirstAccount;

struct TempProfile {
    folder: TempDir,
    history: History,
    device_id: DeviceId,
    first: Option<FirstAccount>,
}

impl TempProfile {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&folder.path().join("history")).unwrap();
        Self { folder, history, device_id: DeviceId::new(), first: None }
    }

    fn store_folder(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn open(&self) -> (Store, Opening) {
        let ownership = MinuteOwnership { device_id: self.device_id, first: self.first.as_ref(), erased: &[] };
        Store::open(&self.store_folder(), &self.history, ownership, &BTreeSet::new(), Timestamp::now()).unwrap()
    }

    fn seal(&self, store: &mut Store, number: i64, owner: Option<&Owner>) -> Minute {
        let user_id = owner.map(|owner| owner.user_id);
        let minute = Minute { user_id, device_id: self.device_id, ..example::minute(number) };
        let server = owner.map(|owner| owner.server.clone());
        let at = self.history.append(&Line::sealed(minute.clone(), server)).unwrap();
        store.sealed(&Queued::sealed(minute.clone(), owner.cloned()), at).unwrap();
        minute
    }
}

fn owner(n: u128) -> Owner {
    Owner { server: "https://blinks.example".into(), user_id: UserId(uuid::Uuid::from_u128(n)) }
}

fn note() -> DayNote {
    DayNote { date: jiff::civil::date(2026, 3, 1), unpaused_ms: 5 }
}

const N: i64 = 29_000_000;

#[test]
fn the_queue_survives_in_order_and_shrinks_only_by_acknowledgement() {
    let place = TempProfile::new();
    let (mut store, opening) = place.open();
    assert_eq!(opening, Opening::Fresh);
    let sealed: Vec<_> = [5, 3, 4].map(|n| place.seal(&mut store, N + n, Some(&owner(1)))).into();
    place.seal(&mut store, N + 9, Some(&owner(2)));
    drop(store);
    let (mut store, opening) = place.open();
    assert_eq!(opening, Opening::Clean);
    let batch = store.batch(&owner(1), 2, &[]).unwrap();
    assert_eq!(batch, [sealed[1].clone(), sealed[2].clone()]);
    let rejected = BTreeMap::from([(1, ("implausible".to_owned(), "too many".to_owned()))]);
    store.acknowledge(&owner(1), &batch, &rejected, Timestamp::now()).unwrap();
    // A repeated acknowledgement changes nothing.
    store.acknowledge(&owner(1), &batch, &rejected, Timestamp::now()).unwrap();
    drop(store);
    let (store, opening) = place.open();
    assert_eq!(opening, Opening::Clean);
    assert_eq!((store.pending(Some(&owner(1))), store.set_aside_count(Some(&owner(1)))), (1, 1));
    assert_eq!(store.held(Some(&owner(1))), 1);
    assert_eq!(store.batch(&owner(1), 10, &[]).unwrap(), [sealed[0].clone()]);
}

#[test]
fn open_minutes_and_the_days_note_survive() {
    let place = TempProfile::new();
    let (mut store, _) = place.open();
    let open = OpenMinute::new(MinuteStart::from_number(N).unwrap(), None, place.device_id);
    store.save_open([&open].into_iter(), note()).unwrap();
    drop(store);
    let (mut store, _) = place.open();
    assert_eq!(store.open_minutes().unwrap(), std::slice::from_ref(&open));
    assert_eq!(store.day_note().unwrap(), Some(note()));
    store.forget_open(&open).unwrap();
    assert_eq!(store.open_minutes().unwrap(), []);
}

#[test]
fn of_each_machine_a_minute_of_the_same_start_may_be_open() {
    let place = TempProfile::new();
    let (store, _) = place.open();
    let from = MinuteStart::from_number(N).unwrap();
    let [here, there] = [place.device_id, DeviceId::new()].map(|device| OpenMinute::new(from, None, device));
    // An earlier version saved one of them.
    store.db.insert(keys::open_before(from), json(&here).unwrap()).unwrap();
    drop(store);
    let (mut store, opening) = place.open();
    assert_eq!((opening, store.open_minutes().unwrap()), (Opening::Clean, vec![here.clone()]));
    store.save_open([&here, &there].into_iter(), note()).unwrap();
    drop(store);
    let (mut store, opening) = place.open();
    assert_eq!((opening, store.open_minutes().unwrap().len()), (Opening::Clean, 2));
    store.forget_open(&here).unwrap();
    assert_eq!(store.open_minutes().unwrap(), [there]);
}

#[test]
fn a_device_that_is_refused_holds_up_no_other() {
    let mut place = TempProfile::new();
    let (mut store, _) = place.open();
    let there: Vec<_> = (0..3).map(|n| place.seal(&mut store, N + n, Some(&owner(1)))).collect();
    place.device_id = DeviceId::new();
    let here = place.seal(&mut store, N + 3, Some(&owner(1)));
    assert_eq!(store.batch(&owner(1), 2, &[]).unwrap(), there[..2]);
    assert_eq!(store.batch(&owner(1), 2, &[there[0].device_id]).unwrap(), std::slice::from_ref(&here));
    assert_eq!(store.batch(&owner(1), 2, &[there[0].device_id, here.device_id]).unwrap(), []);
}

#[rstest]
#[case::before_the_store_knew_its_line(false)]
#[case::when_the_store_knew_all_lines(true)]
fn a_seal_that_was_cut_off_is_finished(#[case] known: bool) {
    let place = TempProfile::new();
    let (mut store, _) = place.open();
    place.seal(&mut store, N, Some(&owner(1)));
    let open = OpenMinute::new(MinuteStart::from_number(N + 1).unwrap(), Some(owner(1)), place.device_id);
    store.save_open([&open].into_iter(), note()).unwrap();
    let record = Minute { user_id: Some(owner(1).user_id), device_id: place.device_id, ..example::minute(N + 1) };
    let (day, length) = place.history.append(&Line::sealed(record.clone(), Some(owner(1).server))).unwrap();
    if known {
        store.meta.days.insert(day, length);
        store.commit(sled::Batch::default()).unwrap();
    }
    drop(store);
    let (store, opening) = place.open();
    assert_eq!(opening, Opening::Clean);
    assert_eq!(store.open_minutes().unwrap(), []);
    assert_eq!(store.batch(&owner(1), 10, &[]).unwrap()[1], record);
    drop(store);
    assert_eq!(place.open().1, Opening::Clean);
}

#[test]
fn nobodys_minutes_are_adopted_once_and_anothers_never() {
    let place = TempProfile::new();
    let (mut store, _) = place.open();
    let numbers: Vec<_> = (0..2_500).collect();
    for n in &numbers {
        place.seal(&mut store, N + n, None);
    }
    place.seal(&mut store, N + 9_000, Some(&owner(2)));
    let before = MinuteStart::from_number(N + 2_000).unwrap().start();
    assert_eq!(store.adopt(&owner(1), before, &[]).unwrap(), 2_000);
    assert_eq!(store.adopt(&owner(1), before, &[]).unwrap(), 0);
    assert_eq!(store.pending(Some(&owner(1))), 2_000);
    assert_eq!((store.pending(None), store.pending(Some(&owner(2)))), (500, 1));
    drop(store);
    assert_eq!(place.open().1, Opening::Clean);
}

#[test]
fn nobodys_minutes_of_another_machine_are_held_and_not_adopted() {
    let place = TempProfile::new();
    let (mut store, _) = place.open();
    place.seal(&mut store, N, None);
    let before = MinuteStart::from_number(N + 9).unwrap().start();
    assert_eq!(store.adopt(&owner(1), before, &[place.device_id]).unwrap(), 0);
    assert_eq!((store.pending(Some(&owner(1))), store.held(Some(&owner(1)))), (0, 1));
}

#[test]
fn a_rebuilt_store_knows_what_waited_on_another_machine() {
    let mut place = TempProfile::new();
    let (mut store, _) = place.open();
    place.seal(&mut store, N, Some(&owner(1)));
    place.seal(&mut store, N + 1, None);
    store.db.insert("y", "what no version writes").unwrap();
    drop(store);
    place.device_id = DeviceId::new();
    let (store, opening) = place.open();
    assert!(matches!(opening, Opening::Rebuilt { queued: 2, .. }), "{opening:?}");
    assert_eq!([Some(&owner(1)), None].map(|owner| store.pending(owner)), [1, 1]);
    drop(store);
    fs::remove_dir_all(place.store_folder()).unwrap();
    let (store, _) = place.open();
    assert_eq!([Some(&owner(1)), None].map(|owner| store.pending(owner)), [1, 0], "nobody's is not known to wait");
}

#[test]
fn a_store_that_is_gone_is_rebuilt_with_owners_and_adoption() {
    let mut place = TempProfile::new();
    let (mut store, _) = place.open();
    for n in 0..3 {
        place.seal(&mut store, N + n, None);
        place.seal(&mut store, N + 10 + n, Some(&owner(2)));
    }
    place.seal(&mut store, N + 20, None);
    drop(store);
    place.history.append(&Line::sealed(example::minute(N + 30), None)).unwrap();
    fs::remove_dir_all(place.store_folder()).unwrap();
    let at = MinuteStart::from_number(N + 15).unwrap().start();
    place.first = Some(FirstAccount { owner: owner(1), adopted: true, at });
    let (store, opening) = place.open();
    assert!(matches!(opening, Opening::Rebuilt { queued: 7, .. }), "{opening:?}");
    assert_eq!([Some(&owner(1)), Some(&owner(2)), None].map(|owner| store.pending(owner)), [3, 3, 1]);
}

#[test]
fn a_store_older_than_the_history_is_rebuilt() {
    let place = TempProfile::new();
    let (mut store, _) = place.open();
    place.seal(&mut store, N, Some(&owner(1)));
    drop(store);
    let copy = place.folder.path().join("copy");
    copy_folder(&place.store_folder(), &copy);
    let (mut store, _) = place.open();
    place.seal(&mut store, N + 1, Some(&owner(1)));
    drop(store);
    fs::remove_dir_all(place.store_folder()).unwrap();
    fs::rename(copy, place.store_folder()).unwrap();
    let (store, opening) = place.open();
    assert!(matches!(opening, Opening::Rebuilt { queued: 2, .. }), "{opening:?}");
    assert_eq!(store.pending(Some(&owner(1))), 2);
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// However a file of the store is damaged, every sealed minute is queued afterwards.
#[rstest]
fn no_damage_loses_a_sealed_minute(
    #[values("db", "conf", "snap")] file: &str,
    #[values("truncated", "flipped", "emptied", "garbage")] damage: &str,
) {
    let place = TempProfile::new();
    let (mut store, _) = place.open();
    for n in 0..300 {
        place.seal(&mut store, N + n, Some(&owner(1)));
    }
    drop(store);
    let mut names = fs::read_dir(place.store_folder()).unwrap().map(|entry| entry.unwrap().path());
    let Some(path) = names.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(file)) else { return };
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    match damage {
        "truncated" => bytes.truncate(middle),
        "flipped" => bytes.iter_mut().skip(middle).step_by(997).for_each(|byte| *byte ^= 0x10),
        "emptied" => bytes.clear(),
        _ => bytes.fill(0xa5),
    }
    fs::write(&path, bytes).unwrap();
    fs::write(place.store_folder().join("snap.0000.generating"), "half").unwrap();
    let (store, opening) = place.open();
    assert_eq!(store.batch(&owner(1), 1_000, &[]).unwrap().len(), 300, "{opening:?}");
    drop(store);
    assert_eq!(place.open().1, Opening::Clean);
}
