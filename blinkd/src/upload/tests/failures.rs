//! Tests of each way in which sending fails: what `status` shows, and how it goes on.

use super::*;

fn refused(status: u16, code: &str, seconds: Option<u64>) -> NetError {
    let detail = ErrorDetail { code: code.into(), message: "No.".into(), fields: None, request_id: "1".into() };
    NetError::Status { status, detail: Some(Box::new(detail)), retry_after: seconds.map(Duration::from_secs) }
}

fn bare(status: u16) -> NetError {
    NetError::Status { status, detail: None, retry_after: None }
}

/// The problem that `status` shows, and within how many seconds after the cause ends the minutes are sent.
#[rstest]
#[case(NetError::Unreachable("nothing listens there".into()), "server_unreachable", "nothing listens there", 40)]
#[case(NetError::Unreachable("its name is not known".into()), "server_unreachable", "its name is not known", 40)]
#[case(NetError::TimedOut, "server_timeout", "in time", 40)]
#[case(NetError::Tls("its certificate has expired".into()), "tls_failed", "has expired", 40)]
#[case(NetError::WebPage, "web_page", "A web page", 40)]
#[case(NetError::Redirected("http://portal.example/".into()), "redirected", "portal.example", 40)]
#[case(NetError::Protocol("expected value".into()), "wrong_server", "cannot be read", 40)]
#[case(refused(403, "forbidden", None), "forbidden", "No.", 40)]
#[case(refused(422, "invalid", None), "invalid", "No.", 40)]
#[case(refused(429, "rate_limited", Some(120)), "rate_limited", "No.", 125)]
#[case(refused(500, "internal", None), "internal", "No.", 40)]
#[case(refused(503, "database", Some(60)), "database", "No.", 65)]
#[case(bare(502), "http_502", "502", 40)]
#[case(bare(404), "http_404", "404", 40)]
fn a_failure_is_told_and_nothing_is_lost(
    #[case] error: NetError,
    #[case] code: &str,
    #[case] says: &str,
    #[case] within_s: u64,
) {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.sync_fails.push_back(error));
    stage.live(1);
    let queue = stage.status().queue;
    let problem = queue.last_error.expect("a failure");
    assert_eq!((problem.code.as_str(), queue.pending, queue.set_aside), (code, 3, 0));
    assert!(problem.message.contains(says) && !problem.fix.is_empty(), "{problem}");
    assert!(queue.next_retry.is_some());
    stage.live(within_s);
    assert_eq!(stage.on_server(), (3, 18));
    let queue = stage.status().queue;
    assert_eq!((queue.pending, queue.last_error, queue.next_retry), (0, None, None));
}

/// A profile that moved, with three minutes of its first machine and two of its second.
fn moved() -> Stage {
    let mut stage = Stage::signed_in();
    stage.keep(Keeper::finish);
    stage.place.machine = Some("another machine".to_owned());
    let mut keeper = stage.place.keeper();
    stage.place.watch(&mut keeper, 60, 10);
    stage.place.idle(&mut keeper, 65);
    let (keeper, _) = keeper.start(|| {}).unwrap();
    let uploader = Stage::uploader(&stage.place, &keeper, &stage.server);
    Stage { keeper, uploader, ..stage }
}

#[test]
fn a_device_too_many_is_told_and_holds_up_no_other_devices_minutes() {
    let mut stage = moved();
    let too_many = || refused(422, "too_many_devices", None);
    stage.server.state(|w| w.sync_fails.push_back(too_many()));
    stage.live(100);
    let queue = stage.status().queue;
    let problem = queue.last_error.expect("a refusal");
    assert_eq!((problem.code.as_str(), queue.pending, stage.on_server().0), ("too_many_devices", 3, 2));
    assert!(problem.message == "No." && problem.fix.contains("machines that you no longer use"), "{problem}");
    // It is tried again after an hour, not with every minute.
    stage.server.state(|w| w.sync_fails.push_back(too_many()));
    for (waits, batches) in [(0, 2), (3_600, 3)] {
        stage.live(waits);
        stage.uploader.answer(Ask::Queued).unwrap();
        stage.live(11);
        assert_eq!(stage.server.state(|w| w.batches.len()), batches);
    }
    assert_eq!(outcome(stage.uploader.sync()).map(|done| done.uploaded), Ok(3), "whoever asks is not held up");
    assert_eq!((stage.on_server().0, stage.status().queue.last_error), (5, None));
}

#[test]
fn a_long_wait_that_the_server_asks_for_is_kept_and_an_absurd_one_is_not() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.sync_fails.push_back(refused(429, "rate_limited", Some(3_600))));
    stage.live(3_590);
    assert_eq!(stage.on_server().0, 0);
    stage.live(20);
    assert_eq!(stage.on_server().0, 3);

    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.sync_fails.push_back(refused(429, "rate_limited", Some(u64::MAX))));
    stage.live(1);
    let next = stage.status().queue.next_retry.unwrap();
    assert!(next.duration_since(stage.place.clock.now()) <= SignedDuration::from_hours(24));
    assert_eq!(
        outcome(stage.uploader.sync()),
        Ok(SyncDone { uploaded: 3, set_aside: 0, held: 0 }),
        "whoever asks is not held up"
    );
}

#[test]
fn of_a_batch_what_was_taken_leaves_the_queue_and_the_rest_says_why_it_does_not() {
    let mut stage = Stage::with_minutes(5);
    stage.open(None).unwrap();
    stage.server.state(|w| w.rejects = Some(t("10:02:00")));
    stage.live(2);
    let queue = stage.status().queue;
    assert_eq!((queue.pending, queue.set_aside, queue.last_error), (0, 1, None));
    assert_eq!(stage.on_server().0, 4);
}

#[test]
fn what_keeps_a_server_from_being_tried_may_pass() {
    let stage = Stage::signed_in();
    stage.server.state(|w| w.untried = Some(Problem::new("bad_ca_file", "It is not there.", "Put it there.")));
    let uploader = Stage::uploader(&stage.place, &stage.keeper, &stage.server);
    let mut stage = Stage { uploader, ..stage };
    stage.live(100);
    assert_eq!(stage.status().queue.last_error.unwrap().code, "bad_ca_file");
    stage.server.state(|w| w.untried = None);
    stage.live(31);
    assert_eq!(stage.on_server(), (3, 18));
    assert_eq!(stage.status().queue.last_error, None);
}

#[test]
fn a_proxy_that_refuses_even_one_minute_loses_none() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.most = Some(0));
    let problem = outcome(stage.uploader.sync()).unwrap_err();
    assert!(problem.code == "too_large" && problem.fix.contains("operator"), "{problem}");
    let queue = stage.status().queue;
    assert_eq!((queue.pending, queue.set_aside, queue.last_error), (3, 0, Some(problem)));
    stage.server.state(|w| w.most = None);
    assert_eq!(outcome(stage.uploader.sync()), Ok(SyncDone { uploaded: 3, set_aside: 0, held: 0 }));
}

#[test]
fn what_is_held_is_told_by_a_sync() {
    let mut stage = Stage::new();
    stage.open_as("grace.hopper@example.org", PASSWORD, None).unwrap();
    outcome(stage.uploader.close()).unwrap();
    stage.place.clock.advance(Duration::from_secs(60));
    stage.open(None).unwrap();
    assert_eq!(outcome(stage.uploader.sync()), Ok(SyncDone { uploaded: 0, set_aside: 0, held: 3 }));
}

#[rstest]
#[case(u64::MAX, 4)]
#[case(4, u64::MAX)]
#[case(u64::MAX, u64::MAX)]
fn counts_that_overflow_acknowledge_nothing(#[case] accepted: u64, #[case] duplicates: u64) {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.answer = Some(SyncResponse { accepted, duplicates, ..SyncResponse::default() }));
    assert_eq!(outcome(stage.uploader.sync()).unwrap_err().code, "wrong_server");
    assert_eq!(stage.status().queue.pending, 3);
}

#[test]
fn an_answer_that_does_not_account_for_every_minute_acknowledges_none() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.lies = true);
    assert_eq!(outcome(stage.uploader.sync()).unwrap_err().code, "wrong_server");
    let queue = stage.status().queue;
    assert_eq!((queue.pending, queue.set_aside), (3, 0));
}

#[test]
fn too_much_at_once_is_halved_until_it_fits() {
    let mut stage = Stage::with_minutes(20);
    stage.open(None).unwrap();
    stage.server.state(|w| w.most = Some(3));
    assert_eq!(outcome(stage.uploader.sync()), Ok(SyncDone { uploaded: 20, set_aside: 0, held: 0 }));
    let batches = stage.server.state(|w| w.batches.clone());
    assert_eq!(batches[..4], [20, 10, 5, 2]);
    assert_eq!(stage.on_server().0, 20);
}
