//! What becomes of pulled minutes: retention, erasure, accounts.

use blink_profile::pulled::{folders, readable};
use blink_proto::{Minute, MinuteStart, UserId, example};

use super::*;
use crate::testing::{TempProfile, account, t};

/// A minute of another machine of account 1 that began `before` minutes before the test.
fn theirs(before: i64) -> Minute {
    let number = MinuteStart::containing(t("10:00:00")).number() - before;
    Minute { user_id: Some(UserId(uuid::Uuid::from_u128(1))), ..example::minute(number) }
}

fn answer(items: Vec<Minute>) -> OwnMinutes {
    OwnMinutes { items, next_cursor: None, as_of: t("10:00:00") }
}

fn bring(keeper: &mut Keeper, items: Vec<Minute>) -> Brought {
    let page = keeper.next_pull(None).unwrap();
    keeper.take_pulled(page, answer(items)).unwrap()
}

fn signed_in() -> (TempProfile, Keeper) {
    let place = TempProfile::new();
    let mut keeper = place.consenting();
    keeper.sign_in(account(1), true, false).unwrap();
    (place, keeper)
}

fn number(brought: &Brought) -> u64 {
    brought.machines.iter().map(|machine| machine.minutes).sum()
}

#[test]
fn they_are_no_part_of_today_and_of_the_queue() {
    let (place, mut keeper) = signed_in();
    let brought = bring(&mut keeper, vec![theirs(2), theirs(1)]);
    assert_eq!((number(&brought), brought.left_out, brought.done), (2, 0, true));
    let status = keeper.status();
    assert_eq!((status.today.blink_count, status.queue.pending, status.rate_per_minute), (0, 0, None));
    drop(keeper);
    let keeper = place.keeper();
    assert_eq!((keeper.status().today.blink_count, keeper.pending()), (0, 0), "nor after a restart");
}

#[test]
fn what_cannot_be_true_is_another_persons_or_was_counted_here_is_left_out() {
    let (_place, mut keeper) = signed_in();
    let here = Minute { device_id: keeper.device.id, ..theirs(2) };
    let items = vec![
        Minute { user_id: None, ..theirs(1) },
        Minute { user_id: account(2).user_id.into(), ..theirs(1) },
        Minute { observed_ms: 70_000, ..theirs(1) },
        here,
        theirs(3),
    ];
    let brought = bring(&mut keeper, items);
    assert_eq!((number(&brought), brought.left_out), (1, 4));
}

#[test]
fn an_answer_that_comes_after_an_erasure_is_dropped() {
    let (place, mut keeper) = signed_in();
    bring(&mut keeper, vec![theirs(9)]);
    let page = keeper.next_pull(None).unwrap();
    assert_eq!(keeper.erase_minutes().unwrap().minutes, 1, "pulled minutes count as erased");
    let late = keeper.take_pulled(page, answer(vec![theirs(2)])).unwrap();
    assert_eq!((number(&late), late.done), (0, false));
    assert!(folders(&place.paths()).unwrap().is_empty());
    assert_eq!(keeper.next_pull(None).unwrap().step.received_from, None, "the next begins anew");
}

#[test]
fn nobody_else_sees_them_and_their_owner_does_again() {
    let (place, mut keeper) = signed_in();
    bring(&mut keeper, vec![theirs(2)]);
    let page = keeper.next_pull(None).unwrap();
    let owners = readable(&place.paths()).unwrap();
    keeper.sign_in(account(2), true, false).unwrap();
    assert_ne!(readable(&place.paths()).unwrap(), owners);
    let late = keeper.take_pulled(page, answer(vec![theirs(1)])).unwrap();
    assert_eq!(number(&late), 0, "what was on its way is nobody's");
    keeper.sign_out().unwrap();
    assert_eq!(readable(&place.paths()), None);
    assert_eq!(keeper.next_pull(None).unwrap_err().code, "not_signed_in");
    keeper.sign_in(account(1), true, false).unwrap();
    assert_eq!(readable(&place.paths()), Some(owners));
    assert!(keeper.next_pull(None).unwrap().step.received_from.is_some(), "nothing comes again");
}

#[test]
fn they_go_with_their_account() {
    let (place, mut keeper) = signed_in();
    bring(&mut keeper, vec![theirs(2)]);
    let folder = readable(&place.paths()).unwrap();
    keeper.account_erased(&account(1).owner()).unwrap();
    assert!(folders(&place.paths()).unwrap().is_empty());
    drop(keeper);
    // A kill in the middle of the erasure leaves them.
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("2026-03-01.ndjson"), "").unwrap();
    place.keeper();
    assert!(!folder.exists());
}

#[test]
fn retention_asks_for_no_more_than_it_keeps_and_removes_the_rest() {
    let (place, mut keeper) = signed_in();
    let page = keeper.next_pull(Some(t("10:00:00").checked_sub(jiff::SignedDuration::from_hours(24 * 365)).unwrap()));
    let page = page.unwrap();
    assert_eq!(page.step.from, "2025-12-01T00:00:00Z".parse().unwrap());
    let old = theirs(60 * 24 * 89);
    let older = theirs(60 * 24 * 91);
    let brought = keeper.take_pulled(page, answer(vec![older, old, theirs(1)])).unwrap();
    assert_eq!((number(&brought), brought.from), (2, "2025-12-01T00:00:00Z".parse().unwrap()));
    keeper.prune_pulled("2026-02-01".parse().unwrap());
    let days = blink_profile::day_files::days(&readable(&place.paths()).unwrap()).unwrap();
    assert_eq!(days.into_keys().collect::<Vec<_>>(), ["2026-03-01".parse::<Date>().unwrap()]);
    assert_eq!(keeper.next_pull(None).unwrap().step.received_from, None, "the rest would be asked for again");
}
