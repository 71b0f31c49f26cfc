//! Tests of the messages' JSON.

use super::*;
use crate::http::{DeviceMinutes, HistoryItem};

fn json(message: &impl Serialize) -> String {
    serde_json::to_string(message).unwrap()
}

#[test]
fn hello_finds_the_newest_common_protocol() {
    let us = Hello { protocol: 3, oldest: 2, program: String::new(), version: String::new() };
    let common = |protocol, oldest| us.common(&Hello { protocol, oldest, ..us.clone() });
    assert_eq!(common(2, 1), Some(2));
    assert_eq!(common(5, 3), Some(3));
    assert_eq!(common(1, 1), None);
    assert_eq!(common(5, 4), None);
}

#[test]
fn the_messages_look_like_this() {
    let lines = [
        json(&ToDaemon::Hello(Hello { protocol: 1, oldest: 1, program: "blinkctl".into(), version: "0.1.0".into() })),
        json(&ToDaemon::Call(Call { id: 1, request: Request::Status })),
        json(&ToDaemon::Call(Call {
            id: 2,
            request: Request::Pause(PauseSpan { until: Some(Timestamp::UNIX_EPOCH) }),
        })),
        json(&ToDaemon::Call(Call {
            id: 3,
            request: Request::Login {
                server: None,
                email: "ada@example.org".into(),
                password: Secret::new("twelve letters"),
                adopt: true,
            },
        })),
        json(&FromDaemon::Answer(Answer { id: 1, outcome: Outcome::Ok(Box::new(Reply::Done)) })),
        json(&FromDaemon::Answer(Answer { id: 2, outcome: Outcome::Error(Problem::new("a", "b", "c")) })),
        json(&FromDaemon::Event(Event::Blink { at: Timestamp::UNIX_EPOCH, duration_ms: 180.0 })),
        json(&FromDaemon::Event(Event::Wink { at: Timestamp::UNIX_EPOCH, eye: Eye::Left })),
        json(&FromDaemon::Event(Event::AtScreen { at: Timestamp::UNIX_EPOCH, at_screen: true })),
        json(&FromDaemon::Event(Event::Live(LivePoint {
            at: Timestamp::UNIX_EPOCH,
            ear: Some(0.25),
            baseline: None,
            sight: Some(Sight::Measurable),
            hint: Some(Hint::TooFar),
        }))),
        json(&FromDaemon::Refused(Problem::new("protocol", "m", "f"))),
    ];
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn the_messages_about_minutes_and_settings_look_like_this() {
    use crate::{example, ipc::ImportRejection};
    let minute = Minute { incomplete_share: None, ..example::minute(0) };
    let requests = [
        Request::Yield,
        Request::LoginDevice { server: Some("https://blinks.example".into()), adopt: false },
        Request::LoginDeviceWait,
        Request::SetAsideList,
        Request::SetAsideRetry,
        Request::SetAsideDrop,
        Request::Import { minutes: vec![minute.clone()], upload: true },
        Request::RemotePage { from: Some(Timestamp::UNIX_EPOCH), to: None, cursor: Some("c".into()) },
        Request::Elsewhere { from: None },
        Request::Pull { from: Some(Timestamp::UNIX_EPOCH) },
        Request::Delete { what: Erase::Local, password: None },
        Request::Delete { what: Erase::Remote, password: Some(Secret::new("twelve letters")) },
        Request::Delete { what: Erase::Everything, password: None },
        Request::Doctor,
        Request::Reload,
    ];
    let shown = HistoryItem {
        from_timestamp: Timestamp::UNIX_EPOCH,
        to_timestamp: Timestamp::UNIX_EPOCH,
        blink_count: 1,
        observed_ms: 60_000,
        blinks_per_minute: Some(1.0),
        coverage: 1.0,
        quality: crate::Quality::Good,
    };
    let aside = SetAside { minute, code: "too_old".into(), detail: "d".into(), at: Some(Timestamp::UNIX_EPOCH) };
    let rejected = vec![ImportRejection { index: 3, code: "conflict".into(), detail: "d".into() }];
    let erased = crate::receipt::LocalErasure { minutes: 3, unsent: 1, everything: false };
    let replies = [
        Reply::DeviceCode(DeviceCode {
            user_code: "WDJB-MJHT".into(),
            verification_uri: "https://blinks.example/device".into(),
            verification_uri_complete: None,
            expires_at: Timestamp::UNIX_EPOCH,
        }),
        Reply::SetAside { items: vec![aside] },
        Reply::SetAsideCount(SetAsideCount { minutes: 2 }),
        Reply::Imported(Imported { imported: 1, duplicates: 2, queued: 1, rejected }),
        Reply::RemotePage(RemotePage { items: vec![shown], next_cursor: None }),
        Reply::Elsewhere(Elsewhere { minutes: 1_440, machines: 2 }),
        Reply::Pulled(Pulled {
            machines: vec![DeviceMinutes { device_id: uuid::Uuid::nil().into(), minutes: 9 }],
            left_out: 0,
            from: Timestamp::UNIX_EPOCH,
            done: true,
        }),
        Reply::Receipt(Receipt {
            at: Timestamp::UNIX_EPOCH,
            local: Some(erased),
            remote: None,
            left: vec![],
            kept: vec![],
        }),
        Reply::Doctor { checks: vec![Check::ok("disk", "There is room."), Check::ok("clock", "It is right.")] },
        Reply::RestartNeeded { keys: vec!["account.keyring".into()] },
    ];
    let lines: Vec<_> = requests.iter().map(json).chain(replies.iter().map(json)).collect();
    insta::assert_snapshot!(lines.join("\n"));
    for line in &lines[..requests.len()] {
        assert_eq!(&json(&serde_json::from_str::<Request>(line).unwrap()), line);
    }
    for line in &lines[requests.len()..] {
        assert_eq!(&json(&serde_json::from_str::<Reply>(line).unwrap()), line);
    }
}

#[test]
fn what_a_newer_side_says_is_not_an_error() {
    let call: ToDaemon = serde_json::from_str(r#"{"call":{"id":9,"request":{"type":"dance","speed":3}}}"#).unwrap();
    assert_eq!(call, ToDaemon::Call(Call { id: 9, request: Request::Unknown }));
    let pause: Request = serde_json::from_str(r#"{"type":"pause","until":null,"why":"tea"}"#).unwrap();
    assert_eq!(pause, Request::Pause(PauseSpan { until: None }));
}

#[test]
fn what_an_older_daemon_does_not_say_is_unknown() {
    let status = crate::example::status(crate::status::State::Tracking);
    assert!(status.at_screen && status.since.is_some());
    let mut older = serde_json::to_value(&status).unwrap();
    for field in ["at_screen", "since"] {
        older.as_object_mut().unwrap().remove(field);
    }
    let older: Status = serde_json::from_value(older).unwrap();
    assert_eq!(older, Status { at_screen: false, since: None, ..status });
}
