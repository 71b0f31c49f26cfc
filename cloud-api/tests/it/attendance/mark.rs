//! Marks by face.

use std::thread;

use rstest::rstest;
use serde_json::{Value, json};

use super::kit::{self, *};
use crate::harness::*;

contract! {
    on kit::start;

    fn a_living_face_is_marked_once_a_day(app) {
        let (kiosk, _) = with_alice(app);
        app.set_time("2026-03-10T08:14:30Z");
        let first = mark(app, &kiosk, 1.02);
        assert_eq!(decision(&first), ("present", None));
        assert_eq!(first.json["message"], "Alice 9:14 AM, Confidence 99%, Liveness OK");
        assert_eq!((&first.json["date"], &first.json["time"]), (&json!("2026-03-10"), &json!("09:14:51")));
        assert_eq!((&first.json["id"], &first.json["liveness_verified"]), (&json!("alice"), &json!(true)));
        assert_eq!(first.json["alternatives"], json!([]));
        let again = mark(app, &kiosk, 1.02);
        assert_eq!(decision(&again), ("already_marked", None));
        assert_eq!((&again.json["time"], &again.json["message"]), (&json!("09:14:51"), &json!("Alice is marked since 9:14 AM")));
        // The next day in Berlin begins at 23:00 UTC.
        app.set_time("2026-03-10T22:59:30Z");
        let kiosk = app.again(&kiosk);
        assert_eq!(decision(&mark(app, &kiosk, 1.02)), ("already_marked", None));
        app.set_time("2026-03-10T23:00:00Z");
        let next = mark(app, &kiosk, 1.02);
        assert_eq!((decision(&next), &next.json["date"]), (("present", None), &json!("2026-03-11")));
    }

    fn who_comes_after_the_grace_is_late(app) {
        let (kiosk, manager) = with_alice(app);
        enrol(&manager, "Bob", &[5.0]).expect(201);
        app.set_time("2026-03-10T08:14:38Z");
        assert_eq!(decision(&mark(app, &kiosk, 1.0)), ("present", None));
        app.set_time("2026-03-10T08:15:00Z");
        assert_eq!(decision(&mark(app, &kiosk, 5.0)), ("late", None));
    }

    fn strangers_and_people_between_two_are_nobody(app) {
        let (kiosk, manager) = with_alice(app);
        enrol(&manager, "Carol", &[1.8]).expect(201);
        let stranger = mark(app, &kiosk, 9.0);
        assert_eq!(decision(&stranger), ("unknown", Some("not_recognized")));
        assert_eq!(stranger.json["message"], "Not recognized");
        assert_eq!(stranger.json["alternatives"], json!(["pin", "qr", "manager"]));
        assert_eq!(app.count("attendance_refusals"), 0);
        let between = mark(app, &kiosk, 1.4);
        assert_eq!(decision(&between), ("unknown", Some("ambiguous")));
        // One of the two was there, so neither is absent.
        assert_eq!(app.count("attendance_refusals"), 2);
        for nobody in [stranger, between] {
            assert_eq!((&nobody.json["name"], &nobody.json["id"], &nobody.json["confidence"]), (&Value::Null, &Value::Null, &Value::Null));
        }
    }

    fn a_picture_proves_nothing_and_does_not_say_whose_it_is(app) {
        let (kiosk, manager) = with_alice(app);
        for name in ["image", "frame"] {
            let still = send(&kiosk, "/mark-attendance", &[(name, jpeg(&json!({"face": 1.0})))]);
            assert_eq!(decision(&still), ("liveness_failed", Some("still_picture")));
            assert_eq!((&still.json["message"], &still.json["name"], &still.json["id"]), (&json!("Liveness failed"), &Value::Null, &Value::Null));
        }
        // A manager may know.
        let still = send(&manager, MARK, &[("image", jpeg(&json!({"face": 1.0})))]);
        assert_eq!((decision(&still), &still.json["name"]), (("liveness_failed", Some("still_picture")), &json!("Alice")));
    }

    fn a_challenge_is_for_one_mark_by_its_session(app) {
        let (kiosk, _) = with_alice(app);
        let script = |challenge: &Challenge| json!({"face": 1.0, "blinks": challenge.blinks()});
        let reason = |who: &Client, parts: &[Part<'_>]| decision(&send(who, MARK, parts)).1.map(str::to_owned);
        // Without one, with one that is not there, with another session's.
        assert_eq!(reason(&kiosk, &recording(&json!({"face": 1.0}))).as_deref(), Some("challenge_expired"));
        let nobodys = Challenge { id: uuid::Uuid::new_v4().to_string(), cues: vec![2_000] };
        assert_eq!(reason(&kiosk, &nobodys.answered(&script(&nobodys))).as_deref(), Some("challenge_expired"));
        let ours = challenge(app, &kiosk);
        assert_eq!(reason(&with_role(app, "kiosk"), &ours.answered(&script(&ours))).as_deref(), Some("challenge_expired"));
        // It is used up by whatever was tried with it.
        let wrong = json!({"face": 1.0, "blinks": [2_000]});
        assert_eq!(reason(&kiosk, &ours.answered(&wrong)).as_deref(), Some("wrong_blinks"));
        assert_eq!(reason(&kiosk, &ours.answered(&script(&ours))).as_deref(), Some("challenge_used"));
        // It ends.
        let late = challenge(app, &kiosk);
        pass(app, 60_000);
        let answered = late.answered(&script(&late));
        assert_eq!(reason(&kiosk, &answered), None);
        let later = challenge(app, &kiosk);
        pass(app, 60_001);
        assert_eq!(reason(&kiosk, &later.answered(&script(&later))).as_deref(), Some("challenge_expired"));
        // A recording that is longer than the time since the challenge was made before it.
        let early = challenge(app, &kiosk);
        pass(app, -2_000);
        assert_eq!(reason(&kiosk, &early.answered(&script(&early))).as_deref(), Some("challenge_expired"));
    }

    fn a_challenge_used_twice_at_once_counts_once(app) {
        let (kiosk, _) = with_alice(app);
        let challenge = challenge(app, &kiosk);
        let parts = challenge.answered(&json!({"face": 1.0, "blinks": challenge.blinks()}));
        let answers: Vec<Answer> = thread::scope(|scope| {
            let sent: Vec<_> = (0..8).map(|_| scope.spawn(|| send(&kiosk, MARK, &parts))).collect();
            sent.into_iter().map(|answer| answer.join().unwrap()).collect()
        });
        let count = |wanted| answers.iter().filter(|answer| decision(answer) == wanted).count();
        assert_eq!((count(("late", None)), count(("liveness_failed", Some("challenge_used")))), (1, 7));
    }

    fn a_member_marks_only_themself(app) {
        let (_, manager) = with_alice(app);
        let bob = app.user();
        assert_eq!(decision(&mark(app, &bob, 1.0)), ("unknown", Some("not_recognized")));
        let mut parts = enrolment("Bob", &[5.0]);
        parts.push(text("email", &bob.email));
        send(&manager, "/api/attendance/register-user", &parts).expect(201);
        let not_his = mark(app, &bob, 1.0);
        assert_eq!(decision(&not_his), ("unknown", Some("not_recognized")));
        assert_eq!(not_his.json["alternatives"], json!(["qr", "manager"]));
        let still = send(&bob, MARK, &[("image", jpeg(&json!({"face": 5.0})))]);
        assert_eq!((decision(&still).0, &still.json["name"]), ("liveness_failed", &json!("Bob")));
        assert_eq!(decision(&mark(app, &bob, 5.1)), ("late", None));
        // Alice's face on his account has not touched her day; his own tries are in his.
        let export = bob.get("/api/user/me/export").expect(200).json;
        assert_eq!(export["attendance"]["refusals"][0]["tries"], 2);
        assert_eq!(export["attendance"]["records"].as_array().unwrap().len(), 1);
    }

    fn a_face_that_cannot_be_read_now_leaves_the_other_ways(app) {
        let (kiosk, _) = with_alice(app);
        for (error, code) in [("busy", "busy"), ("failed", "face_reading_failed"), ("unavailable", "attendance_unavailable")] {
            let challenge = challenge(app, &kiosk);
            let refused = send(&kiosk, MARK, &challenge.answered(&json!({"error": error}))).expect(503);
            assert_eq!(refused.code(), code);
            assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0);
            // Nobody knows whose try it was: the day is nobody's absence. Whoever only has to wait tries again.
            assert_eq!(app.count("attendance_outages"), i64::from(error != "busy"), "{error}");
            // The challenge is as good as before.
            let again = send(&kiosk, MARK, &challenge.answered(&json!({"face": 9.0, "blinks": challenge.blinks()})));
            assert_eq!(decision(&again), ("unknown", Some("not_recognized")));
        }
    }

    fn marks_are_limited_to_thirty_a_minute(app) {
        let (kiosk, _) = with_alice(app);
        let picture = [("image", jpeg(&json!({"face": 9.0})))];
        for _ in 0..30 {
            send(&kiosk, MARK, &picture).expect(200);
        }
        let refused = send(&kiosk, MARK, &picture).expect(429);
        assert!(refused.header("retry-after").parse::<u32>().unwrap() <= 3);
        send(&with_role(app, "kiosk"), MARK, &picture).expect(200);
    }

    fn daylight_saving_moves_neither_day_nor_start(app) {
        let (kiosk, manager) = with_alice(app);
        enrol(&manager, "Bob", &[5.0]).expect(201);
        // On 29 March 2026 the clocks of Berlin go from 02:00 to 03:00; on the 30th 9 o'clock is 07:00 UTC.
        app.set_time("2026-03-30T07:14:39Z");
        let (kiosk, kiosk2) = (app.again(&kiosk), with_role(app, "kiosk"));
        let alice = mark(app, &kiosk, 1.0);
        assert_eq!((decision(&alice).0, &alice.json["time"]), ("present", &json!("09:15:00")));
        assert_eq!(decision(&mark(app, &kiosk2, 5.0)).0, "late");
        app.set_time("2026-03-30T22:00:00Z");
        let (kiosk, _) = (app.again(&kiosk), ());
        assert_eq!(mark(app, &kiosk, 1.0).json["date"], "2026-03-31");
    }
}

#[rstest]
#[case(json!({"blinks": []}), "no_blink")]
#[case(json!({"blinks": [1_000]}), "wrong_blinks")]
#[case(json!({"flat": true}), "flat")]
#[case(json!({"cut": true}), "cut")]
#[case(json!({"longest_repeat_ms": 800}), "cut")]
#[case(json!({"returned_frames": 300}), "cut")]
#[case(json!({"last_face": 1.5}), "face_changed")]
#[case(json!({"slow": true}), "too_few_frames")]
#[case(json!({"fault": "no_face"}), "no_face")]
#[case(json!({"fault": "several_faces"}), "several_faces")]
#[case(json!({"fault": "too_dark"}), "too_dark")]
#[case(json!({"fault": "too_few_frames"}), "too_few_frames")]
fn each_reason_is_told(#[case] script: Value, #[case] reason: &str) {
    let app = kit::start(Backend::Sqlite);
    let (kiosk, _) = with_alice(&app);
    let challenge = challenge(&app, &kiosk);
    let mut whole = json!({"face": 1.0, "blinks": challenge.blinks()});
    whole.as_object_mut().unwrap().extend(script.as_object().unwrap().clone());
    let answer = send(&kiosk, MARK, &challenge.answered(&whole));
    assert_eq!(decision(&answer).1, Some(reason), "{answer:?}");
    assert_eq!(answer.json["alternatives"], json!(["pin", "qr", "manager"]));
    assert_eq!(decision(&mark(&app, &kiosk, 1.0)), ("late", None), "it costs nobody a day");
}

#[rstest]
#[case("unreadable")]
#[case("unsupported")]
#[case("bad_shape")]
#[case("bad_times")]
#[case("sizes_differ")]
fn a_file_that_cannot_be_read_is_no_decision(#[case] fault: &str) {
    let app = kit::start(Backend::Sqlite);
    let (kiosk, _) = with_alice(&app);
    let video = send(&kiosk, MARK, &[("video", mp4(&json!({"fault": fault})))]).expect(422);
    assert_eq!(video.code(), fault);
}

#[test]
fn blinks_at_other_instants_are_off_cue() {
    let app = kit::start(Backend::Sqlite);
    let (kiosk, _) = with_alice(&app);
    let challenge = challenge(&app, &kiosk);
    let mut blinks = challenge.blinks();
    // 50 ms after the cue is no reaction to it.
    blinks[0] = challenge.cues[0] + 50;
    blinks[1] = challenge.cues[1] + 1_501;
    let answer = send(&kiosk, MARK, &challenge.answered(&json!({"face": 1.0, "blinks": blinks})));
    assert_eq!(decision(&answer), ("liveness_failed", Some("off_cue")));
}

#[rstest]
#[case("blink", "late", "wrong_blinks")]
#[case("off", "late", "still_picture")]
fn other_modes_ask_for_less(#[case] mode: &str, #[case] status: &str, #[case] _refused_by_default: &str) {
    use cloud_api::attendance::liveness::Mode;
    let app = TestApp::start_with(Backend::Sqlite, |app| {
        app.reader = Some(std::sync::Arc::new(Script::default()));
        app.attendance.liveness = Mode::parse(mode).unwrap();
    });
    let (kiosk, _) = with_alice(&app);
    let picture = [("image", jpeg(&json!({"face": 1.0})))];
    if mode == "blink" {
        assert_eq!(decision(&send(&kiosk, MARK, &picture)), ("liveness_failed", Some("still_picture")));
        let none = recording(&json!({"face": 1.0, "blinks": []}));
        assert_eq!(decision(&send(&kiosk, MARK, &none)), ("liveness_failed", Some("no_blink")));
        let answer = send(&kiosk, MARK, &recording(&json!({"face": 1.0, "blinks": [3_000]})));
        assert_eq!((decision(&answer).0, &answer.json["liveness_verified"]), (status, &json!(true)));
    } else {
        let answer = send(&kiosk, MARK, &picture);
        assert_eq!((decision(&answer).0, &answer.json["liveness_verified"]), (status, &json!(false)));
        assert!(answer.json["message"].as_str().unwrap().ends_with("Liveness off"), "{answer:?}");
    }
}
