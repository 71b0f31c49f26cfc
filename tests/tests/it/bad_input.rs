//! Wrong input: one line, the right exit code or state, no backtrace, no output of a library.

use std::{
    fs,
    net::TcpListener,
    time::{Duration, Instant},
};

use blink_proto::status::State;
use rstest::rstest;
use serde_json::Value;
use waw_tests::{
    Daemon, Ended, Profile, clip,
    program::{assert_one_plain_line, cpu_time},
    server, until,
};

#[rstest]
#[case::text("notes.avi", b"These are notes, not a video.\n")]
#[case::empty("empty.mp4", b"")]
#[case::playlist("list.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nsecret.ts\n#EXT-X-ENDLIST\n")]
fn what_is_no_video_is_not_analyzed(#[case] name: &str, #[case] bytes: &[u8]) {
    let profile = Profile::new();
    let path = profile.path().join(name);
    fs::write(&path, bytes).unwrap();
    let line = profile.blinkd(&["analyze", path.to_str().unwrap()]).failure(1);
    assert!(line.contains(name), "it names the file: {line}");
    let json = profile.blinkd(&["analyze", path.to_str().unwrap(), "--json"]).failure(1);
    let json: Value = serde_json::from_str(&json).unwrap();
    for field in ["code", "message", "fix"] {
        assert!(!json["error"][field].as_str().unwrap().is_empty(), "{json}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let line = Profile::new().blinkd(&["analyze", "nowhere.mp4"]).failure(1);
    assert!(line.contains("nowhere.mp4"), "{line}");
}

#[test]
fn the_daemon_stays_up_with_a_text_file_for_a_video() {
    let profile = Profile::new();
    let path = profile.path().join("notes.avi");
    fs::write(&path, "These are notes, not a video.\n").unwrap();
    let code = stays_up_without_frames(&profile, &format!("file:{}", path.display()), State::Error);
    assert_eq!(code, "not_video");
}

#[test]
fn the_daemon_stays_up_without_a_camera() {
    let code = stays_up_without_frames(&Profile::new(), "camera:63", State::NoCamera);
    assert_eq!(code, "no_camera");
}

/// Starts the daemon with a source that gives no frames; returns the code of its `last_error`.
fn stays_up_without_frames(profile: &Profile, source: &str, state: State) -> String {
    let mut daemon = Daemon::start(profile, source);
    let _ = profile.ctl(&["consent", "grant"]).success();
    let status = profile.status_when("the reason", Duration::from_secs(20), |status| status.last_error.is_some());
    assert_eq!(status.state, state);
    let problem = status.last_error.unwrap();
    assert!(!problem.message.is_empty() && !problem.fix.is_empty(), "{problem:?}");
    assert!(profile.ctl(&["status"]).success().contains(&problem.message), "people see it too");
    // Starting costs CPU time; retrying must not.
    let mut since = (Instant::now(), cpu_time(daemon.program().pid()));
    until("two seconds that cost little", Duration::from_secs(60), || {
        let wall = since.0.elapsed();
        if wall < Duration::from_secs(2) {
            return None;
        }
        let (now, cpu) = (Instant::now(), cpu_time(daemon.program().pid()));
        let used = cpu.saturating_sub(since.1);
        since = (now, cpu);
        (used < wall / 10).then_some(())
    });
    assert!(daemon.program().stop().success());
    quiet(&daemon.program().stderr());
    problem.code
}

/// Checks that stderr has only lines of our own, such as the one that names the address.
#[track_caller]
fn quiet(stderr: &str) {
    for line in stderr.lines() {
        assert_one_plain_line(line);
    }
}

#[test]
fn an_unknown_key_in_the_settings_is_named_with_its_line() {
    let profile = Profile::new();
    fs::create_dir_all(profile.paths().config).unwrap();
    fs::write(profile.paths().config_file(), "# mine\nblikn = 1\n").unwrap();
    let line = profile.blinkd(&["run", "--headless", "--source", "synthetic"]).failure(2);
    assert!(line.contains("blikn") && line.contains("config.toml") && line.contains('2'), "{line}");
}

#[rstest]
#[case::not_toml("not toml [\n")]
#[case::not_text("\u{0}\u{1}\u{2}")]
fn damaged_settings_are_named(#[case] text: &str) {
    let profile = Profile::new();
    fs::create_dir_all(profile.paths().config).unwrap();
    fs::write(profile.paths().config_file(), text).unwrap();
    let line = profile.blinkd(&["run", "--headless", "--source", "synthetic"]).failure(2);
    assert!(line.contains("config.toml"), "{line}");
}

#[test]
fn settings_that_cannot_be_read_are_named() {
    let profile = Profile::new();
    // Root can read any file, but nobody can read a folder as a file.
    fs::create_dir_all(profile.paths().config_file()).unwrap();
    let line = profile.blinkd(&["run", "--headless", "--source", "synthetic"]).failure(2);
    assert!(line.contains("config.toml"), "{line}");
    let line = profile.blinkd(&["run", "--headless", "--config", "nowhere.toml"]).failure(2);
    assert!(line.contains("nowhere.toml"), "{line}");
}

#[rstest]
#[case("nonsense")]
#[case("camera:x")]
#[case("synthetic:bpm=fast")]
#[case("file:")]
#[case("gst:videotestsrc ! filesink location=out.avi")]
fn a_source_that_makes_no_sense_is_wrong_usage(#[case] source: &str) {
    Profile::new().blinkd(&["run", "--headless", "--source", source]).failure(2);
}

#[test]
fn a_second_daemon_of_a_profile_names_the_first() {
    let profile = Profile::new();
    let mut first = Daemon::start(&profile, "synthetic");
    let line = profile.blinkd(&["run", "--headless", "--source", "synthetic"]).failure(5);
    assert!(line.contains(&first.program().pid().to_string()), "{line}");
    assert_eq!(profile.status().pid, first.program().pid(), "the first is not disturbed");
}

#[test]
fn a_port_in_use_has_its_own_exit_code() {
    let profile = Profile::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = Ended::of(&mut server::command(&profile, &address), "");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(5), ""), "{ended:#?}");
    let line = ended.stderr.lines().last().unwrap();
    assert_one_plain_line(line);
    assert!(line.contains(&taken.local_addr().unwrap().port().to_string()), "{line}");
}

/// The image decoder prints a lot about these bytes, which people should not see.
#[test]
fn damaged_pictures_inside_a_clip_are_passed_over_in_silence() {
    let profile = Profile::new();
    let whole = clip::synthesize(&profile, 6, 20, 2);
    let mut bytes = fs::read(&whole.path).unwrap();
    let length = bytes.len();
    for at in (length / 4..3 * length / 4).step_by(4_999) {
        bytes[at] ^= 0xff;
    }
    let damaged = profile.path().join("damaged.avi");
    fs::write(&damaged, bytes).unwrap();
    let ended = profile.blinkd(&["analyze", damaged.to_str().unwrap(), "--json"]);
    assert_eq!(ended.stderr, "");
    let seen: serde_json::Value = serde_json::from_str(&ended.success()).unwrap();
    assert!(seen["frames"].as_u64().unwrap() >= 60, "{seen}");
}

#[test]
fn a_truncated_clip_plays_to_its_end() {
    let profile = Profile::new();
    let whole = clip::synthesize(&profile, 6, 40, 2);
    let bytes = fs::read(&whole.path).unwrap();
    let cut = profile.path().join("cut.avi");
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    let mut daemon = Daemon::start(&profile, &format!("file:{}", cut.display()));
    let _ = profile.ctl(&["consent", "grant"]).success();
    let status = profile.status_when("the end", Duration::from_secs(60), |status| status.last_error.is_some());
    assert_eq!((status.state, status.last_error.unwrap().code.as_str()), (State::NoCamera, "end_of_file"));
    assert!(daemon.program().stop().success());
    quiet(&daemon.program().stderr());
}
