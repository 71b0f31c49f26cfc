//! Each cause of trouble is found and reported with its fix, and is not reported where it is absent.

use std::{fs, path::PathBuf};

use blink_proto::{UserId, doctor::Level, status::State};
use blink_vision::native::{
    Holder,
    camera::{Camera, CameraState},
};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;

use super::*;
use crate::{
    minutes::Owner,
    profile::{FirstAccount, RingState, SignedInAccount, vault::RingError},
    store::KeptBack,
};

fn asked(root: &std::path::Path) -> Asked {
    let paths = Paths::under(root);
    Asked {
        config: Ok(Config { source: "synthetic".parse().unwrap(), ..Config::default() }),
        now: Timestamp::now(),
        vault: Vault::open(&paths, false),
        session: Bus::None,
        consented: true,
        account: AccountFile::default(),
        kept_back: None,
        status: None,
        reminders: None,
        daemon: Some(7),
        elsewhere: None,
        paths,
    }
}

fn check(asked: &Asked, id: &str) -> Option<Check> {
    examine(asked).into_iter().find(|check| check.id == id)
}

fn level(asked: &Asked, id: &str) -> Option<Level> {
    check(asked, id).map(|check| check.level)
}

#[test]
fn every_check_that_finds_something_says_what_to_do_and_none_is_made_twice() {
    let root = tempfile::tempdir().unwrap();
    let mut asked = asked(root.path());
    asked.daemon = None;
    asked.consented = false;
    asked.config = Err(Problem::new("config_invalid", "Line 3 is wrong.", "Correct it."));
    let checks = examine(&asked);
    for check in &checks {
        assert_eq!(check.fix.is_some(), check.level != Level::Ok, "{check:?}");
        assert!(!check.message.contains('\n') && check.message.ends_with('.'), "{check:?}");
    }
    let mut ids: Vec<_> = checks.iter().map(|check| check.id.as_str()).collect();
    for id in ["daemon", "config", "consent"] {
        assert!(checks.iter().any(|check| check.id == id && check.level == Level::Problem), "{id}");
    }
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn a_daemon_that_clients_cannot_reach_from_here() {
    let root = tempfile::tempdir().unwrap();
    let mut asked = asked(root.path());
    assert_eq!(level(&asked, "daemon"), Some(Level::Ok));
    asked.elsewhere = Some("Set XDG_RUNTIME_DIR=/run/user/7.".to_owned());
    let found = check(&asked, "daemon").unwrap();
    assert_eq!((found.level, found.fix.as_deref()), (Level::Problem, asked.elsewhere.as_deref()));
}

#[rstest]
#[case(Some(0), Level::Problem)]
#[case(Some(50 << 20), Level::Warning)]
#[case(Some(1 << 30), Level::Ok)]
#[case(None, Level::Ok)]
fn the_disk(#[case] free: Option<u64>, #[case] want: Level) {
    assert_eq!(machine::room(free).level, want);
}

#[test]
fn a_data_folder_in_whose_place_a_file_stands() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(level(&asked(root.path()), "data_folder"), Some(Level::Ok));
    fs::write(root.path().join("data"), "in the way").unwrap();
    let asked = asked(root.path());
    let found = check(&asked, "data_folder").unwrap();
    assert_eq!(found.level, Level::Problem);
    assert!(found.message.contains(asked.paths.data.to_str().unwrap()), "{}", found.message);
    assert!(!asked.paths.data.exists());
}

#[rstest]
#[case(0, CameraState::Free, None, Level::Ok, "can be used")]
#[case(0, CameraState::Busy, Some((42, "zoom")), Level::Problem, "zoom (process 42)")]
#[case(0, CameraState::Busy, Some((7, "blinkd")), Level::Ok, "can be used")]
#[case(0, CameraState::Busy, None, Level::Problem, "another program")]
#[case(0, CameraState::NoPermission, None, Level::Problem, "may not open /dev/video0")]
#[case(3, CameraState::Free, None, Level::Problem, "no camera 3")]
fn the_camera(
    #[case] number: u32,
    #[case] state: CameraState,
    #[case] holder: Option<(u32, &str)>,
    #[case] want: Level,
    #[case] says: &str,
) {
    let camera = Camera {
        number: 0,
        name: "Integrated".into(),
        path: PathBuf::from("/dev/video0"),
        state,
        used_by: holder.map(|(pid, name)| Holder { pid, name: name.to_owned() }),
    };
    let found = machine::the_camera(number, &[camera], Some(7));
    assert_eq!(found.level, want);
    assert!(found.message.contains(says), "{}", found.message);
    assert_eq!(machine::the_camera(0, &[], None).level, Level::Problem);
}

#[test]
fn a_file_that_is_not_there_and_a_stream_whose_password_is_not_told() {
    let root = tempfile::tempdir().unwrap();
    let mut asked = asked(root.path());
    let with = |asked: &mut Asked, source: &str| {
        asked.config = Ok(Config { source: source.parse().unwrap(), ..Config::default() });
        check(asked, "camera").unwrap()
    };
    assert_eq!(with(&mut asked, "file:/nowhere/clip.avi").level, Level::Problem);
    let stream = with(&mut asked, "rtsp://ada:secret@camera.example/1");
    assert!(stream.level == Level::Ok && !format!("{stream:?}").contains("secret"));
}

#[rstest]
#[case(0, Level::Ok, "agree")]
#[case(119, Level::Ok, "agree")]
#[case(600, Level::Problem, "10 minutes ahead of")]
#[case(-600, Level::Problem, "10 minutes behind")]
fn the_clock(#[case] ahead_s: i64, #[case] want: Level, #[case] says: &str) {
    let theirs: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
    let found = server::clock(Some(theirs), theirs + SignedDuration::from_secs(ahead_s));
    assert_eq!(found.level, want);
    assert!(found.message.contains(says), "{}", found.message);
    assert_eq!(server::clock(None, theirs).level, Level::Ok);
}

#[test]
fn a_server_that_is_not_there_is_a_problem_only_while_somebody_is_signed_in() {
    let root = tempfile::tempdir().unwrap();
    let mut asked = asked(root.path());
    assert_eq!((level(&asked, "server"), level(&asked, "account")), (None, Some(Level::Ok)));
    let nobody_listens = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let user_id = UserId(uuid::Uuid::nil());
    let owner = Owner { server: nobody_listens.clone(), user_id };
    asked.account.first = Some(FirstAccount { owner, adopted: true, at: Timestamp::UNIX_EPOCH });
    assert_eq!(level(&asked, "account"), Some(Level::Warning));
    asked.account.current = Some(SignedInAccount {
        server: nobody_listens,
        user_id,
        email: "ada@example.org".to_owned(),
        session_ended: false,
    });
    assert_eq!((level(&asked, "server"), level(&asked, "account")), (Some(Level::Problem), Some(Level::Ok)));
    assert!(!format!("{:?}", examine(&asked)).contains("ada@"), "who it is belongs in no report");
}

#[test]
fn a_session_that_ended_is_no_account_that_is_well() {
    let root = tempfile::tempdir().unwrap();
    let mut asked = asked(root.path());
    asked.account.current = Some(SignedInAccount {
        server: "http://127.0.0.1:9".into(),
        user_id: UserId(uuid::Uuid::nil()),
        email: "ada@example.org".into(),
        session_ended: true,
    });
    let mut status = blink_proto::example::status(State::Tracking);
    status.queue.last_error = Some(crate::upload::NetError::SessionEnded.problem());
    asked.status = Some(status);
    assert_eq!((level(&asked, "account"), level(&asked, "upload")), (Some(Level::Problem), None), "it is said once");
}

#[test]
fn what_is_held_back_is_told_once_there_was_an_account() {
    let root = tempfile::tempdir().unwrap();
    let mut asked = asked(root.path());
    asked.kept_back = Some(KeptBack { held: 5, set_aside: 1 });
    assert_eq!((level(&asked, "held"), level(&asked, "set_aside")), (None, Some(Level::Warning)));
    let owner = Owner { server: "https://blinks.example".into(), user_id: UserId(uuid::Uuid::nil()) };
    asked.account.first = Some(FirstAccount { owner, adopted: false, at: Timestamp::UNIX_EPOCH });
    assert!(check(&asked, "held").unwrap().message.starts_with("5 minutes"));
    asked.kept_back = Some(KeptBack::default());
    assert_eq!((level(&asked, "held"), level(&asked, "set_aside")), (None, None));
}

#[test]
fn the_desktop_is_never_more_than_a_warning() {
    for desktop in [desktop::Desktop::NoBus, desktop::Desktop::NoTray, desktop::Desktop::Tray] {
        let found = desktop::told(desktop);
        let worst = found.iter().map(|check| check.level).max().unwrap();
        assert_eq!(worst, if desktop == desktop::Desktop::Tray { Level::Ok } else { Level::Warning });
    }
    for state in [RingState::Works, RingState::Off, RingState::Failed(RingError::Silent)] {
        assert!(desktop::ring(&state).level < Level::Problem);
    }
    let hangs = Bus::At("unix:path=/nowhere/at/all".to_owned());
    assert_eq!(desktop::bus_and_tray(&hangs)[0].level, Level::Warning);
}
