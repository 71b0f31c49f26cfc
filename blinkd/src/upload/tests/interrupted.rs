//! Tests of what interrupts uploading: expired sessions, an unreachable server, withdrawn consent.

use super::*;

#[test]
fn access_that_ended_is_renewed_and_the_new_tokens_survive_a_restart() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.access = "another".into());
    assert!(outcome(stage.uploader.sync()).is_ok());
    assert_eq!(stage.server.state(|w| w.refreshed), 2);
    let mut again = Stage::uploader(&stage.place, &stage.keeper, &stage.server);
    again.step().unwrap();
    assert_eq!(stage.server.state(|w| w.refreshed), 2, "the kept tokens are good");
    // The clock shows that access expired before the server says so.
    stage.place.clock.advance(Duration::from_secs(880));
    stage.uploader.schedule.consent_now(Duration::ZERO);
    stage.uploader.step().unwrap();
    assert_eq!(stage.server.state(|w| w.refreshed), 3);
}

#[test]
fn an_ended_session_keeps_the_minutes_and_asks_for_a_sign_in() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.sessions_dead = true);
    assert_eq!(outcome(stage.uploader.sync()).unwrap_err().code, "not_signed_in");
    assert!(!stage.place.paths().data.join("tokens.json").exists());
    let queue = stage.status().queue;
    assert_eq!((queue.pending, queue.last_error.unwrap().code.as_str()), (3, "not_signed_in"));
    stage.server.state(|w| w.sessions_dead = false);
    assert_eq!(stage.open(None).unwrap().adopted, 0);
    stage.live(1);
    assert_eq!(stage.on_server(), (3, 18));
}

#[test]
fn a_proxy_that_refuses_access_ends_no_session() {
    // The second time the access token has expired, so that the proxy refuses to renew it.
    for seconds in [0, 880] {
        let mut stage = Stage::signed_in();
        stage.server.state(|w| w.proxied = true);
        stage.place.clock.advance(Duration::from_secs(seconds));
        let problem = outcome(stage.uploader.sync()).unwrap_err();
        assert!(problem.code == "http_401" && problem.fix.contains("proxy"), "{problem}");
        assert!(stage.place.paths().tokens_file().exists());
        stage.server.state(|w| w.proxied = false);
        assert_eq!(outcome(stage.uploader.sync()).map(|done| done.uploaded), Ok(3));
    }
}

#[test]
fn while_the_server_is_away_it_is_looked_for_and_found_within_forty_seconds() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.away = true);
    stage.live(1);
    let queue = stage.status().queue;
    assert_eq!(queue.last_error.unwrap().code, "server_unreachable");
    assert!(queue.next_retry.is_some());
    stage.live(3_600);
    let asked = stage.server.state(|w| w.health_asked);
    assert!((100..=130).contains(&asked), "{asked} in an hour");
    stage.server.state(|w| w.away = false);
    stage.live(40);
    assert_eq!(stage.on_server(), (3, 18));
    assert_eq!(stage.status().queue.last_error, None);
}

#[test]
fn sync_does_not_wait_for_the_next_try() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.away = true);
    stage.live(400);
    stage.server.state(|w| w.away = false);
    assert_eq!(outcome(stage.uploader.sync()), Ok(SyncDone { uploaded: 3, set_aside: 0, held: 0 }));
}

#[test]
fn after_a_sleep_it_is_tried_at_once() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.sync_fails = vec![status(503, "busy"); 60].into());
    stage.live(700);
    let before = stage.server.state(|w| w.batches.len());
    stage.place.clock.step(SignedDuration::from_hours(8));
    stage.live(1);
    assert_eq!(stage.server.state(|w| w.batches.len()), before + 1);
}

#[test]
fn the_server_may_say_when_to_come_again() {
    let mut stage = Stage::signed_in();
    let limited = NetError::Status { status: 429, detail: None, retry_after: Some(Duration::from_secs(120)) };
    stage.server.state(|w| w.sync_fails.push_back(limited));
    stage.live(119);
    assert_eq!(stage.on_server().0, 0);
    stage.live(3);
    assert_eq!(stage.on_server().0, 3);
}

#[test]
fn a_withdrawal_on_the_server_closes_the_source_within_a_minute() {
    let mut stage = Stage::signed_in();
    stage.live(5);
    assert!(stage.place.control.is_open());
    let at = Some(stage.place.clock.now());
    stage.server.state(|w| w.consent = Some(ServerConsent { granted: false, at }));
    stage.live(60);
    assert_eq!((stage.status().state, stage.place.control.is_open()), (State::NoConsent, false));
    assert_eq!(outcome(stage.uploader.sync()).unwrap_err().code, "no_consent");
}

#[test]
fn a_refused_upload_for_want_of_consent_closes_the_source_too() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.sync_fails.push_back(status(403, "consent_withdrawn")));
    assert_eq!(outcome(stage.uploader.sync()).unwrap_err().code, "consent_withdrawn");
    assert_eq!((stage.status().state, stage.status().queue.pending), (State::NoConsent, 3), "nobody knows since when");
    // The server is away for a while, the daemon restarts, and then the time of the withdrawal is known.
    stage.server.state(|w| (w.away, w.consent) = (true, withdrawn("10:01:00")));
    stage.live(100);
    let uploader = Stage::uploader(&stage.place, &stage.keeper, &stage.server);
    let mut stage = Stage { uploader, ..stage };
    stage.live(100);
    assert_eq!(stage.status().queue.pending, 3);
    stage.server.state(|w| w.away = false);
    stage.live(61);
    assert_eq!(stage.status().queue.pending, 1, "those begun since are deleted");
    consent_again(&mut stage);
    assert_eq!(stage.on_server(), (1, 6));
}

fn withdrawn(at: &str) -> Option<ServerConsent> {
    Some(ServerConsent { granted: false, at: Some(t(at)) })
}

fn consent_again(stage: &mut Stage) {
    stage.keep(|keeper| keeper.grant(TRACKING_VERSION)).unwrap();
    stage.uploader.answer(Ask::Consent).unwrap();
    stage.live(15);
}

#[test]
fn consent_given_anew_before_the_withdrawal_is_dated_sends_nothing_that_was_begun_since() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.sync_fails.push_back(status(403, "consent_withdrawn")));
    outcome(stage.uploader.sync()).unwrap_err();
    stage.server.state(|w| (w.away, w.consent) = (true, withdrawn("10:01:00")));
    consent_again(&mut stage);
    assert_eq!(outcome(stage.uploader.sync()).unwrap_err().code, "withdrawal_undated");
    assert_eq!(stage.server.state(|w| w.put.len()), 0, "the new word would hide the old one's time");
    stage.server.state(|w| w.away = false);
    stage.live(120);
    assert_eq!(stage.on_server(), (1, 6));
    assert_eq!(stage.server.state(|w| w.put.clone()), [(true, TRACKING_VERSION.to_owned())]);
    assert!(stage.keep(|keeper| keeper.consented()));
}

#[test]
fn a_server_that_never_says_when_is_believed_when_consent_is_given_anew() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.sync_fails.push_back(status(403, "consent_withdrawn")));
    outcome(stage.uploader.sync()).unwrap_err();
    stage.live(120);
    assert_eq!(stage.status().queue.pending, 3);
    consent_again(&mut stage);
    assert_eq!(stage.on_server(), (3, 18));
}

#[test]
fn a_withdrawal_here_is_told_to_the_server_even_if_it_is_away_at_first() {
    let mut stage = Stage::signed_in();
    stage.live(5);
    stage.server.state(|w| w.away = true);
    stage.keep(|keeper| keeper.withdraw()).unwrap();
    stage.uploader.answer(Ask::Consent).unwrap();
    stage.live(100);
    stage.server.state(|w| w.away = false);
    stage.live(60);
    stage.live(60);
    assert_eq!(stage.server.state(|w| w.put.clone()), [(false, TRACKING_VERSION.to_owned())]);
}

#[test]
fn a_server_that_has_not_heard_of_a_new_consent_does_not_end_it() {
    let mut stage = Stage::signed_in();
    stage.keep(|keeper| keeper.withdraw()).unwrap();
    stage.uploader.answer(Ask::Consent).unwrap();
    stage.live(5);
    stage.server.state(|w| w.away = true);
    stage.keep(|keeper| keeper.grant(TRACKING_VERSION)).unwrap();
    stage.uploader.answer(Ask::Consent).unwrap();
    stage.live(5);
    stage.server.state(|w| {
        w.away = false;
        w.sync_fails.push_back(status(403, "consent_withdrawn"));
    });
    assert_eq!(outcome(stage.uploader.sync()).unwrap_err().code, "consent_withdrawn");
    assert!(stage.keep(|keeper| keeper.consented()), "the person has said so since");
    stage.live(2);
    assert_eq!(stage.server.state(|w| w.put.last().cloned()), Some((true, TRACKING_VERSION.to_owned())));
    assert_eq!(stage.status().queue.pending, 0, "and all is sent at once");
}

#[test]
fn a_withdrawal_on_the_server_is_newer_than_a_consent_that_never_got_there() {
    let mut stage = Stage::signed_in();
    stage.live(5);
    stage.server.state(|w| w.away = true);
    stage.keep(|keeper| keeper.withdraw()).unwrap();
    stage.keep(|keeper| keeper.grant(TRACKING_VERSION)).unwrap();
    stage.uploader.answer(Ask::Consent).unwrap();
    stage.live(10);
    let at = Some(stage.place.clock.now());
    stage.live(10);
    stage.server.state(|w| (w.away, w.consent) = (false, Some(ServerConsent { granted: false, at })));
    stage.live(61);
    assert_eq!(stage.status().state, State::NoConsent);
    assert_eq!(stage.server.state(|w| w.put.len()), 0);
}

#[test]
fn signing_out_forgets_the_tokens_and_holds_the_minutes() {
    let mut stage = Stage::signed_in();
    assert_eq!(outcome(stage.uploader.close()), Ok(()));
    assert!(!stage.place.paths().data.join("tokens.json").exists());
    stage.live(300);
    assert_eq!(stage.on_server(), (0, 0));
    assert_eq!(outcome(stage.uploader.close()).unwrap_err().code, "not_signed_in");
    stage.open(None).unwrap();
    stage.live(1);
    assert_eq!(stage.on_server(), (3, 18));
}

#[test]
fn minutes_are_sent_soon_after_they_are_sealed() {
    let mut stage = Stage::signed_in();
    stage.live(5);
    let from = stage.place.clock.now();
    stage.keep(move |keeper| {
        keeper.news(crate::capture::CaptureEvent::Opened);
        let seen =
            crate::minutes::Observation::Observed { from, to: from + Duration::from_secs(20), closed: Duration::ZERO };
        keeper.news(crate::capture::CaptureEvent::Seen(vec![], vec![seen]));
        keeper.news(crate::capture::CaptureEvent::Closed);
    });
    stage.live(60);
    stage.uploader.answer(Ask::Queued).unwrap();
    stage.live(11);
    assert_eq!(stage.on_server().0, 4);
}

#[test]
fn a_lost_answer_is_no_lost_minute_and_no_double_one() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.answers_lost = 2);
    assert_eq!(outcome(stage.uploader.sync()).unwrap_err().code, "server_timeout");
    assert_eq!(stage.status().queue.pending, 3);
    outcome(stage.uploader.sync()).unwrap_err();
    assert_eq!(outcome(stage.uploader.sync()), Ok(SyncDone { uploaded: 3, set_aside: 0, held: 0 }));
    assert_eq!((stage.on_server(), stage.status().queue.pending), ((3, 18), 0));
}
