//! Tests of what a person asks for: signing in through the browser, listing and erasing the account, set-aside minutes.

use super::*;

fn begin(stage: &mut Stage) -> DeviceCode {
    stage.uploader.device_begin(None, true).unwrap()
}

fn wait(stage: &mut Stage) -> oneshot::Receiver<Result<SignedIn, Problem>> {
    let (tell, told) = oneshot::channel();
    stage.uploader.device_wait(tell);
    told
}

fn answers(stage: &Stage, words: &[Result<&'static str, NetError>]) {
    stage.server.state(|w| w.device_answers = words.iter().cloned().collect());
}

#[test]
fn a_code_that_is_approved_signs_in_and_adopts() {
    let mut stage = Stage::new();
    let code = begin(&mut stage);
    assert_eq!(code.user_code, "BCDF-GHJK");
    assert_eq!(code.expires_at, stage.place.clock.now() + Duration::from_secs(600));
    answers(&stage, &[Ok("pending"), Ok("pending"), Ok("granted")]);
    let mut told = wait(&mut stage);
    stage.live(14);
    assert!(told.try_recv().is_err(), "every five seconds, and not yet");
    assert_eq!(stage.server.state(|w| w.device_asked), 2);
    stage.live(2);
    let signed_in = told.try_recv().unwrap().unwrap();
    assert_eq!((signed_in.email.as_str(), signed_in.adopted), (EMAIL, 3));
    stage.live(2);
    assert_eq!(stage.on_server(), (3, 18));
}

#[rstest]
#[case("denied", "access_denied")]
#[case("expired", "device_code_expired")]
fn a_refused_or_void_code_ends_the_wait(#[case] word: &'static str, #[case] code: &str) {
    let mut stage = Stage::new();
    begin(&mut stage);
    answers(&stage, &[Ok(word)]);
    let mut told = wait(&mut stage);
    stage.live(6);
    assert_eq!(told.try_recv().unwrap().unwrap_err().code, code);
    let mut again = wait(&mut stage);
    assert_eq!(again.try_recv().unwrap().unwrap_err().code, "no_device_code");
}

#[test]
fn a_second_sign_in_tells_who_waits_for_the_first() {
    let mut stage = Stage::new();
    begin(&mut stage);
    let mut first = wait(&mut stage);
    begin(&mut stage);
    assert_eq!(first.try_recv().unwrap().unwrap_err().code, "device_code_replaced");
    answers(&stage, &[Ok("granted")]);
    let mut second = wait(&mut stage);
    stage.live(6);
    assert!(second.try_recv().unwrap().is_ok());
}

#[test]
fn a_server_that_is_asked_too_often_is_asked_less_often() {
    let mut stage = Stage::new();
    begin(&mut stage);
    answers(&stage, &[Ok("slow_down"), Ok("slow_down")]);
    let _told = wait(&mut stage);
    // Polls come after 5 s, then every 10 s, then every 15 s.
    stage.live(5 + 10 + 15 + 15);
    assert_eq!(stage.server.state(|w| w.device_asked), 4);
    stage.live(14);
    assert_eq!(stage.server.state(|w| w.device_asked), 4);
}

#[test]
fn a_lost_network_ends_nothing_but_the_codes_time_does() {
    let mut stage = Stage::new();
    begin(&mut stage);
    let gone = || Err(NetError::Unreachable("gone".into()));
    answers(&stage, &[gone(), Err(NetError::TimedOut), Err(status(503, "busy")), Ok("granted")]);
    let mut told = wait(&mut stage);
    stage.live(300);
    assert!(told.try_recv().unwrap().is_ok());

    let mut stage = Stage::new();
    begin(&mut stage);
    stage.server.state(|w| w.away = true);
    let mut told = wait(&mut stage);
    stage.live(599);
    assert!(told.try_recv().is_err());
    stage.live(2);
    assert_eq!(told.try_recv().unwrap().unwrap_err().code, "device_code_expired");
}

#[rstest]
#[case("https://blinks.example/device", "WDJB-MJHT", true)]
#[case("file:///etc/passwd", "WDJB-MJHT", false)]
#[case("javascript:alert(1)", "WDJB-MJHT", false)]
#[case("https://blinks.example/\u{1b}[2J", "WDJB-MJHT", false)]
#[case("https://blinks.example/device", "\u{1b}]0;x\u{7}", false)]
fn only_an_address_and_a_code_are_taken_for_them(#[case] uri: &str, #[case] code: &str, #[case] taken: bool) {
    let mut stage = Stage::new();
    stage.server.state(|w| w.device_shown = Some((uri.to_owned(), code.to_owned())));
    let begun = stage.uploader.device_begin(None, true);
    assert_eq!(begun.is_ok(), taken, "{begun:?}");
}

#[test]
fn nobody_is_signed_in_who_went_away() {
    let mut stage = Stage::new();
    begin(&mut stage);
    answers(&stage, &[Ok("granted")]);
    drop(wait(&mut stage));
    stage.live(60);
    assert_eq!(stage.server.state(|w| w.device_asked), 0);
    assert!(stage.status().account.is_none());
    let mut told = wait(&mut stage);
    stage.live(6);
    assert!(told.try_recv().unwrap().is_ok(), "who comes back in time is let in");
}

#[test]
fn what_was_set_aside_is_shown_tried_again_and_given_up() {
    let mut stage = Stage::new();
    assert_eq!(stage.keep(Keeper::set_aside).unwrap_err().code, "not_signed_in");
    stage.open(None).unwrap();
    stage.server.state(|w| w.rejects = Some(t("10:01:00")));
    outcome(stage.uploader.sync()).unwrap();
    let shown = stage.keep(Keeper::set_aside).unwrap();
    assert_eq!((shown.len(), shown[0].code.as_str(), shown[0].minute.blink_count), (1, "implausible", 6));
    assert_eq!(stage.keep(Keeper::retry_set_aside).unwrap().minutes, 1);
    outcome(stage.uploader.sync()).unwrap();
    assert_eq!(stage.status().queue.set_aside, 1, "the server has not changed its mind");
    stage.keep(Keeper::retry_set_aside).unwrap();
    stage.server.state(|w| w.rejects = None);
    outcome(stage.uploader.sync()).unwrap();
    assert_eq!((stage.on_server(), stage.status().queue.set_aside), ((3, 18), 0));
    stage.keep(Keeper::finish);
    let again = stage.place.keeper();
    assert_eq!(again.status().last_error, None, "the counts were kept right");
}

#[test]
fn what_was_given_up_is_sent_no_more_and_stays_in_the_history() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.rejects = Some(t("10:01:00")));
    outcome(stage.uploader.sync()).unwrap();
    assert_eq!(stage.keep(Keeper::drop_set_aside).unwrap().minutes, 1);
    assert_eq!(stage.keep(Keeper::drop_set_aside).unwrap().minutes, 0);
    stage.server.state(|w| w.rejects = None);
    stage.live(300);
    assert_eq!(stage.on_server().0, 2);
    assert_eq!(stage.status().today.blink_count, 18);
}

#[test]
fn the_accounts_minutes_are_shown_page_by_page() {
    let mut stage = Stage::new();
    assert_eq!(outcome(stage.uploader.remote_page(&PageOf::default())).unwrap_err().code, "not_signed_in");
    stage.open(None).unwrap();
    stage.live(2);
    let of = PageOf { cursor: Some("next".into()), ..PageOf::default() };
    let page = outcome(stage.uploader.remote_page(&of)).unwrap();
    assert_eq!((page.items.len(), page.next_cursor.as_deref()), (3, Some("next")));
}

#[test]
fn an_account_is_erased_with_its_password_and_then_nobody_is_signed_in() {
    let mut stage = Stage::signed_in();
    let erase = |stage: &mut Stage, password: &str| outcome(stage.uploader.erase_account(Some(&Secret::new(password))));
    let refused = erase(&mut stage, "wrong").unwrap_err();
    assert_eq!(refused.code, "wrong_password");
    assert!(refused.fix.contains("nothing was erased"));
    assert!(stage.status().account.is_some());
    assert_eq!(erase(&mut stage, PASSWORD).unwrap()["removed"], true);
    let status = stage.status();
    assert_eq!((status.account, status.queue.pending, status.today.blink_count), (None, 0, 18));
    assert!(!stage.place.paths().data.join("tokens.json").exists());
    assert_eq!(erase(&mut stage, PASSWORD).unwrap_err().code, "not_signed_in");
}

#[rstest]
#[case(Some(PASSWORD), "account_gone")]
#[case(None, "not_signed_in")]
fn an_erasure_whose_answer_was_lost_is_told_apart_from_a_wrong_password(
    #[case] password: Option<&str>,
    #[case] code: &str,
) {
    let mut stage = Stage::signed_in();
    let password = password.map(Secret::new);
    stage.server.state(|w| w.answers_lost = 1);
    assert_eq!(outcome(stage.uploader.erase_account(password.as_ref())).unwrap_err().code, "server_timeout");
    let refused = outcome(stage.uploader.erase_account(password.as_ref())).unwrap_err();
    assert_eq!(refused.code, code);
    assert!(refused.message.contains("erased") && refused.fix.contains("blinkctl logout"), "{refused}");
    assert_eq!(outcome(stage.uploader.close()), Ok(()));
    assert!(stage.status().account.is_none());
}

#[test]
fn a_session_that_has_ended_does_not_keep_an_account_from_being_erased() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.access = "another".into());
    stage.server.state(|w| w.refresh = "another".into());
    let erased = outcome(stage.uploader.erase_account(Some(&Secret::new(PASSWORD))));
    assert!(erased.is_ok(), "{erased:?}");
    assert!(stage.status().account.is_none());
}

#[test]
fn a_proxy_that_refuses_the_sign_in_is_no_account_that_is_gone() {
    let mut stage = Stage::signed_in();
    stage.server.state(|w| w.sessions_dead = true);
    assert!(outcome(stage.uploader.sync()).is_err());
    stage.server.state(|w| w.proxied = true);
    let refused = outcome(stage.uploader.erase_account(Some(&Secret::new(PASSWORD)))).unwrap_err();
    assert_eq!(refused.code, "http_401");
}
