//! Tests of imports: which minutes are accepted, refused and uploaded.

use blink_proto::{DeviceId, Minute, MinuteStart, UserId, example};
use rstest::rstest;

use crate::{
    keeper::Keeper,
    store::{History, history::day_of},
    testing::{TempProfile, account, t},
};

/// A profile with three sealed minutes that belong to nobody, the clock just after them.
fn place() -> (TempProfile, Keeper) {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    place.watch(&mut keeper, 180, 10);
    place.idle(&mut keeper, 5);
    (place, keeper)
}

fn history(place: &TempProfile) -> Vec<Minute> {
    let history = History::open(&place.paths().history()).unwrap();
    let days = history.days().unwrap().into_keys();
    let mut minutes: Vec<_> = days.flat_map(|day| history.read(day, 0).unwrap()).map(|line| line.minute).collect();
    minutes.sort_by_key(|minute| minute.from_timestamp);
    minutes
}

/// A minute of another device, as somebody else's export would hold it.
fn of_before(from: &str, user_id: Option<UserId>) -> Minute {
    let number = MinuteStart::containing(t(from)).number();
    let device_id = DeviceId(uuid::Uuid::from_u128(99));
    Minute { user_id, device_id, incomplete_share: None, ..example::minute(number) }
}

#[test]
fn what_was_exported_comes_back_byte_for_byte_after_an_erasure() {
    let (place, mut keeper) = place();
    let before = history(&place);
    let text = serde_json::to_string(&before).unwrap();
    let today = keeper.status().today;
    let erased = keeper.erase_minutes().unwrap();
    assert_eq!((erased.minutes, erased.unsent), (3, 3));
    assert_eq!((history(&place).len(), keeper.status().today.blink_count), (0, 0));
    let done = keeper.import(serde_json::from_str(&text).unwrap(), false).unwrap();
    assert_eq!((done.imported, done.queued, done.rejected.len()), (3, 0, 0));
    assert_eq!(serde_json::to_string(&history(&place)).unwrap(), text);
    assert_eq!(keeper.status().today, today);
    let again = keeper.import(before, false).unwrap();
    assert_eq!((again.imported, again.duplicates), (0, 3));
    // A clock set back into an imported minute counts nothing twice.
    assert!(keeper.counting.minutes.clock_behind(t("10:01:30")));
    drop(keeper);
    let keeper = place.keeper();
    assert_eq!(keeper.status().today.blink_count, today.blink_count);
    assert_eq!(keeper.status().last_error, None, "the store knows of the lines");
}

#[rstest]
#[case(|m: &mut Minute| m.to_timestamp = m.from_timestamp, "invalid")]
#[case(|m: &mut Minute| m.blink_count = 601, "invalid")]
#[case(|m: &mut Minute| { m.from_timestamp = t("10:03:00"); m.to_timestamp = t("10:04:00") }, "not_over")]
#[case(|m: &mut Minute| { m.from_timestamp = t("18:00:00"); m.to_timestamp = t("18:01:00") }, "not_over")]
#[case(|m: &mut Minute| { m.from_timestamp = "2025-11-30T23:59:00Z".parse().unwrap(); m.to_timestamp = "2025-12-01T00:00:00Z".parse().unwrap() }, "too_old")]
fn what_cannot_be_kept_is_refused_with_its_reason(#[case] change: fn(&mut Minute), #[case] code: &str) {
    let (place, mut keeper) = place();
    let mut wrong = of_before("09:00:00", None);
    change(&mut wrong);
    let done = keeper.import(vec![of_before("08:00:00", None), wrong, of_before("08:01:00", None)], false).unwrap();
    assert_eq!((done.imported, done.rejected.len()), (2, 1));
    assert_eq!((done.rejected[0].index, done.rejected[0].code.as_str()), (1, code));
    if code == "too_old" {
        assert!(done.rejected[0].detail.contains("90 days of history.retention_days"), "{}", done.rejected[0].detail);
    }
    assert_eq!(history(&place).len(), 5);
}

#[test]
fn the_oldest_day_that_is_kept_is_taken_and_stays() {
    let (place, mut keeper) = place();
    let first = keeper.first_kept_day(place.clock_now()).unwrap();
    let mut minute = of_before("09:00:00", None);
    minute.from_timestamp = first.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    minute.to_timestamp = minute.from_timestamp + std::time::Duration::from_secs(60);
    assert_eq!(keeper.import(vec![minute.clone()], false).unwrap().imported, 1);
    place.idle(&mut keeper, 5);
    assert!(history(&place).contains(&minute));
    assert_eq!(day_of(MinuteStart::containing(minute.from_timestamp)), first);
}

#[test]
fn another_record_of_a_minute_that_is_there_is_a_conflict() {
    let (place, mut keeper) = place();
    let there = history(&place);
    let mut other = there[1].clone();
    other.blink_count += 1;
    let mut anothers = there[2].clone();
    anothers.user_id = Some(UserId::new());
    let twice = of_before("08:00:00", None);
    let differs = Minute { blink_count: 1, ..twice.clone() };
    let minutes = vec![other, anothers, twice.clone(), twice, differs];
    let done = keeper.import(minutes, false).unwrap();
    assert_eq!((done.imported, done.duplicates), (1, 1));
    let codes: Vec<_> = done.rejected.iter().map(|r| (r.index, r.code.as_str())).collect();
    assert_eq!(codes, [(0, "conflict"), (1, "conflict"), (4, "conflict")]);
}

#[test]
fn only_ones_own_are_queued_and_only_when_told() {
    let (place, mut keeper) = place();
    assert_eq!(keeper.import(vec![of_before("08:00:00", None)], true).unwrap_err().code, "not_signed_in");
    let mine = account(1);
    keeper.sign_in(mine.clone(), true, false).unwrap();
    let pending = keeper.pending();
    let (me, other) = (Some(mine.user_id), Some(account(2).user_id));
    let kept = keeper.import(vec![of_before("08:00:00", me)], false).unwrap();
    assert_eq!((kept.imported, kept.queued, keeper.pending()), (1, 0, pending));
    let minutes = vec![of_before("08:01:00", me), of_before("08:02:00", other), of_before("08:03:00", None)];
    let told = keeper.import(minutes, true).unwrap();
    assert_eq!((told.imported, told.queued, keeper.pending()), (3, 2, pending + 2));
    // Minutes of nobody from after the first account never belong to anybody.
    place.idle(&mut keeper, 300);
    let late = keeper.import(vec![of_before("10:05:00", None)], true).unwrap();
    assert_eq!((late.imported, late.queued), (1, 0));
    // Neither a restart nor a lost store changes that.
    drop(keeper);
    let keeper = place.keeper();
    assert_eq!((keeper.pending(), keeper.status().last_error), (pending + 2, None));
    drop(keeper);
    std::fs::remove_dir_all(place.paths().data.join("store")).unwrap();
    let mut keeper = place.keeper();
    assert_eq!(keeper.pending(), pending + 2);
    let batch = keeper.next_batch(1_000, &[]).unwrap().unwrap();
    assert_eq!((batch.minutes.len(), batch.device_id), (2, DeviceId(uuid::Uuid::from_u128(99))));
    assert!(batch.minutes.iter().all(|minute| minute.user_id == me), "each goes out under its own machine");
}

#[test]
fn an_import_that_a_kill_cut_off_after_its_lines_is_finished_and_is_no_damage() {
    let (place, mut keeper) = place();
    let mine = account(1);
    keeper.sign_in(mine.clone(), true, false).unwrap();
    let pending = keeper.pending();
    keeper.finish();
    drop(keeper);
    let history = History::open(&place.paths().history()).unwrap();
    let line = |from: &str, import, server: Option<&str>| crate::store::Line {
        minute: of_before(from, Some(mine.user_id)),
        server: server.map(str::to_owned),
        import: Some(import),
    };
    let lines = [
        line("08:00:00", crate::store::Import::Kept, None),
        line("08:01:00", crate::store::Import::Queued, Some(&mine.server)),
    ];
    history.append_all(&lines).unwrap();
    let keeper = place.keeper();
    assert_eq!((keeper.pending(), keeper.status().last_error), (pending + 1, None));
}

#[test]
fn too_many_at_once_are_refused_before_anything_is_taken() {
    let (place, mut keeper) = place();
    let many = vec![of_before("08:00:00", None); 1_001];
    assert_eq!(keeper.import(many, false).unwrap_err().code, "too_many");
    assert_eq!(history(&place).len(), 3);
}
