//! Tests of when reminders come due, and when they must not be shown.

mod hour;

use std::{fs, path::PathBuf, time::Duration};

use blink_proto::{
    Problem, example,
    status::{State, Status, Today},
};
use jiff::{Timestamp, civil::time};
use rstest::rstest;
use serde_json::json;

use super::{
    Settings, notice_of,
    probe::{CallProbe, UNKNOWN, is_within, records},
    rules::{Kind, Rules},
};
use crate::{keeper::LEFT_AFTER, upload::NetError};

fn settings() -> Settings {
    Settings::default()
}

fn status(state: State) -> Status {
    Status { today: Today::default(), rate_per_minute: Some(5.4), ..example::status(state) }
}

/// Simulates a person at a desk, second by second.
struct Desk {
    rules: Rules,
    usual: Option<f64>,
    now: u64,
    /// Seconds that only the wall clock counted.
    asleep: i64,
    status: Status,
}

impl Desk {
    fn with(settings: Settings) -> Self {
        let status = status(State::Tracking);
        Self { rules: Rules::new(settings, None), usual: Some(15.0), now: 0, asleep: 0, status }
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_second(1_770_000_000 + self.now.cast_signed() + self.asleep).unwrap()
    }

    /// Passes `seconds` at this blink rate; returns what came due, and when. Each due reminder counts as shown.
    fn pass(&mut self, seconds: u64, blinks_a_minute: u64) -> Vec<(u64, Kind)> {
        let mut due = Vec::new();
        for _ in 0..seconds {
            self.now += 1;
            if self.status.state == State::Tracking {
                self.status.today.observed_ms += 1000;
                self.status.today.blink_count +=
                    u64::from(self.now * blinks_a_minute / 60 > (self.now - 1) * blinks_a_minute / 60);
            }
            let now = Duration::from_secs(self.now);
            if let Some(kind) = self.rules.look(now, self.wall(), &self.status, self.usual) {
                self.rules.done(kind, now, self.wall());
                due.push((self.now, kind));
            }
        }
        due
    }

    /// Nobody is seen for `seconds`, which the keeper tells once they count as an absence. Nothing comes due meanwhile.
    fn leave(&mut self, seconds: u64) {
        let unnoticed = seconds.min(LEFT_AFTER.as_secs());
        self.status.state = State::NoFace;
        assert_eq!(self.pass(unnoticed, 0), []);
        self.status.at_screen = seconds == unnoticed;
        assert_eq!(self.pass(seconds - unnoticed, 0), []);
        (self.status.state, self.status.at_screen) = (State::Tracking, true);
    }
}

#[test]
fn a_low_rate_is_told_once_and_again_after_the_cool_down() {
    let mut desk = Desk::with(Settings { breaks: false, ..settings() });
    assert_eq!(desk.pass(3600, 14), [], "14 of 15 is as usual");
    let due = desk.pass(5400, 6);
    let [(first, Kind::LowRate), (second, Kind::LowRate)] = due[..] else { panic!("{due:?}") };
    assert!((300..=700).contains(&(first - 3600)), "a ten-minute mean sinks below 9 within ten minutes: {first}");
    assert!((3600..=3610).contains(&(second - first)), "{}", second - first);
    assert_eq!(desk.pass(4800, 15), [], "nothing is saved up");
}

#[test]
fn nobody_is_reminded_by_what_was_not_observed() {
    let mut desk = Desk::with(Settings { breaks: false, ..settings() });
    desk.pass(200, 15);
    desk.status.state = State::NoFace;
    assert_eq!(desk.pass(3000, 0), []);
    desk.status.state = State::Tracking;
    assert_eq!(desk.pass(290, 0), [], "less than half of ten minutes was seen");
    assert_eq!(
        Rules::new(settings(), None).look(Duration::from_secs(9999), desk.wall(), &desk.status, None),
        None,
        "nothing is usual yet"
    );
}

#[test]
fn midnight_is_not_a_rate() {
    let mut desk = Desk::with(Settings { breaks: false, ..settings() });
    desk.pass(900, 15);
    desk.status.today = Today::default();
    assert_eq!(desk.pass(900, 15), []);
}

#[test]
fn a_break_comes_after_twenty_minutes_and_not_to_somebody_who_took_one() {
    let mut desk = Desk::with(Settings { low_rate: false, ..settings() });
    assert_eq!(desk.pass(2500, 15), [(1201, Kind::Break), (2401, Kind::Break)]);
    desk.pass(1000, 15);
    desk.leave(60);
    assert_eq!(desk.pass(1190, 15), [], "being away was the break");
    let late = desk.pass(30, 15);
    assert_eq!(late.len(), 1, "{late:?}");
    desk.rules.snooze(Kind::Break, Duration::from_secs(desk.now), Duration::from_secs(600));
    let again = desk.pass(700, 15);
    assert_eq!(again.len(), 1, "{again:?}");
}

#[rstest]
#[case::somebody_turned_around(9)]
#[case::somebody_left_for_less_than_a_minute(59)]
fn a_short_absence_is_no_break(#[case] seconds: u64) {
    let mut desk = Desk::with(Settings { low_rate: false, ..settings() });
    desk.pass(600, 15);
    desk.leave(seconds);
    let due = desk.pass(600, 15);
    assert!(matches!(due[..], [(_, Kind::Break)]), "{due:?}");
}

#[test]
fn reading_is_time_at_the_screen() {
    let mut desk = Desk::with(Settings { low_rate: false, ..settings() });
    // The eyes are on the paper, so that nothing is observed, but the face is followed.
    desk.status.state = State::NoFace;
    assert_eq!(desk.pass(1300, 0), [(1201, Kind::Break)]);
}

#[rstest]
#[case::its_monotonic_clock_stands_still(0, 8 * 3600)]
#[case::its_monotonic_clock_goes_on(8 * 3600, 0)]
#[case::the_clock_was_put_back(0, -3600)]
fn a_night_asleep_is_no_time_at_the_screen(#[case] passed: u64, #[case] by_wall_alone: i64) {
    let mut desk = Desk::with(settings());
    assert_eq!(desk.pass(1190, 15), []);
    (desk.now, desk.asleep) = (desk.now + passed, by_wall_alone);
    assert_eq!(desk.pass(600, 15), []);
}

#[rstest]
#[case(State::CameraBusy, None, Kind::Camera)]
#[case(State::Tracking, Some(NetError::SessionEnded), Kind::SignIn)]
fn trouble_is_told_once_it_lasts(#[case] state: State, #[case] error: Option<NetError>, #[case] kind: Kind) {
    let mut desk = Desk::with(Settings { breaks: false, low_rate: false, ..settings() });
    desk.pass(60, 15);
    desk.status.state = state;
    desk.status.queue.last_error = error.map(|error| error.problem());
    let due = desk.pass(3600, 15);
    assert_eq!(due, [(361, kind)]);
}

#[test]
fn minutes_that_wait_a_day_are_told() {
    let mut desk = Desk::with(Settings { breaks: false, low_rate: false, ..settings() });
    desk.status.queue.pending = 7;
    desk.status.queue.last_error = Some(Problem::new("server_away", "The server is away.", "Wait."));
    assert_eq!(desk.pass(86_000, 15), []);
    assert_eq!(desk.pass(1000, 15), [(86_401, Kind::Upload)]);
    let said = notice_of(Kind::Upload, &desk.status);
    assert_eq!(said.text, "7 minutes wait for the server. The server is away. Wait.");
}

#[test]
fn what_is_switched_off_stays_off() {
    let off = Settings { low_rate: false, breaks: false, camera: false, sign_in: false, upload: false, ..settings() };
    let mut desk = Desk::with(off);
    assert_eq!(desk.pass(3000, 1), []);
    desk.status.queue.last_error = Some(NetError::SessionEnded.problem());
    desk.status.queue.pending = 7;
    assert_eq!(desk.pass(100_000, 1), []);
    desk.status.state = State::NoCamera;
    assert_eq!(desk.pass(3000, 1), []);
}

#[test]
fn no_word_is_a_diagnosis() {
    for kind in [Kind::LowRate, Kind::Break, Kind::Camera, Kind::SignIn, Kind::Upload] {
        let said = notice_of(kind, &status(State::Tracking));
        let text = format!("{} {}", said.title, said.text).to_lowercase();
        for word in ["dry", "disease", "syndrome", "tired", "fatigue", "health", "strain", "unhealthy"] {
            assert!(!text.contains(word), "{text}");
        }
    }
}

#[rstest]
#[case((22, 7), 23, true)]
#[case((22, 7), 6, true)]
#[case((22, 7), 7, false)]
#[case((12, 13), 12, true)]
#[case((12, 13), 13, false)]
fn quiet_hours_may_pass_midnight(#[case] hours: (i8, i8), #[case] now: i8, #[case] quiet: bool) {
    assert_eq!(is_within((time(hours.0, 0, 0, 0), time(hours.1, 0, 0, 0)), time(now, 0, 0, 0)), quiet);
}

fn probe_of(devices: PathBuf, sound_cards: PathBuf) -> CallProbe {
    CallProbe::new(devices, sound_cards, Duration::from_millis(200))
}

#[tokio::test]
async fn what_hangs_disturbs_nobody_and_no_second_check_begins() {
    let folder = tempfile::tempdir().unwrap();
    let sub = folder.path().join("card0/pcm0c/sub0");
    fs::create_dir_all(&sub).unwrap();
    let status = sub.join("status");
    // Whoever reads a FIFO waits for somebody who writes to it.
    assert!(std::process::Command::new("mkfifo").arg(&status).status().unwrap().success());
    let probe = probe_of(folder.path().join("none"), folder.path().to_owned());
    assert_eq!(probe.devices_in_time().await, Some(UNKNOWN));
    // A second check would find this file.
    fs::rename(&status, folder.path().join("fifo")).unwrap();
    fs::write(&status, "state: RUNNING\n").unwrap();
    assert_eq!(probe.devices_in_time().await, Some(UNKNOWN));
    fs::write(folder.path().join("fifo"), "closed\n").unwrap();
    assert_eq!(probe.devices_in_time().await, Some("the microphone is in use"));
}

#[test]
fn a_microphone_that_records_is_a_call() {
    let folder = tempfile::tempdir().unwrap();
    let sub = folder.path().join("asound/card0/pcm0c/sub0");
    let played = folder.path().join("asound/card0/pcm0p/sub0");
    for stream in [&sub, &played] {
        fs::create_dir_all(stream).unwrap();
    }
    fs::create_dir(folder.path().join("dev")).unwrap();
    fs::write(played.join("status"), "state: RUNNING\nowner_pid   : 12\n").unwrap();
    fs::write(sub.join("status"), "closed\n").unwrap();
    let probe = probe_of(folder.path().join("dev"), folder.path().join("asound"));
    assert_eq!(probe.devices_in_use(), None, "music is no call");
    fs::write(sub.join("status"), "state: RUNNING\nowner_pid   : 12\n").unwrap();
    assert_eq!(probe.devices_in_use(), Some("the microphone is in use"));
}

#[test]
fn a_camera_that_another_program_has_open_is_a_call() {
    let folder = tempfile::tempdir().unwrap();
    let camera = folder.path().join("video0");
    fs::write(&camera, "").unwrap();
    let probe = probe_of(folder.path().to_owned(), folder.path().join("none"));
    assert_eq!(probe.devices_in_use(), None);
    let held = fs::File::open(&camera).unwrap();
    assert_eq!(probe.devices_in_use(), None, "we hold it ourselves");
    let mut other = std::process::Command::new("sleep").arg("60").stdin(held).spawn().unwrap();
    let seen = probe.devices_in_use();
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(seen, Some("another program uses the camera"));
}

#[test]
fn a_media_server_that_has_the_camera_open_is_no_call() {
    let folder = tempfile::tempdir().unwrap();
    let camera = folder.path().join("video0");
    fs::write(&camera, "").unwrap();
    let probe = probe_of(folder.path().to_owned(), folder.path().join("none"));
    let held = fs::File::open(&camera).unwrap();
    let mut server = std::process::Command::new("sh");
    let mut server = server.args(["-c", "printf wireplumber > /proc/self/comm && read line"]);
    server = server.stdin(std::process::Stdio::piped()).stdout(held);
    let mut server = server.spawn().unwrap();
    let named = || fs::read_to_string(format!("/proc/{}/comm", server.id())).is_ok_and(|name| name == "wireplumber\n");
    while !named() {
        std::thread::yield_now();
    }
    let seen = probe.devices_in_use();
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(seen, None);
}

#[test]
fn pipewire_tells_of_streams_that_record() {
    // As pw-dump 0.3.65 prints it: only the client has the process id.
    let dump = |class: &str, state: &str| {
        json!([
            {"id": 40, "info": {"props": {"application.process.id": 7}}},
            {"id": 41, "info": {"state": state, "props": {"media.class": class, "client.id": 40}}},
        ])
    };
    assert!(records(&dump("Stream/Input/Audio", "running"), 1));
    assert!(records(&dump("Stream/Input/Video", "running"), 1));
    assert!(!records(&dump("Stream/Input/Video", "running"), 7), "that is us");
    assert!(!records(&dump("Stream/Input/Audio", "suspended"), 1));
    assert!(!records(&dump("Stream/Output/Audio", "running"), 1));
    let mut meter = dump("Stream/Input/Audio", "running");
    meter[1]["info"]["props"]["stream.monitor"] = json!(true);
    assert!(!records(&meter, 1), "a mixer's meter");
    let mut nobodys = dump("Stream/Input/Audio", "running");
    nobodys[1]["info"]["props"]["client.id"] = json!(null);
    assert!(records(&nobodys, 1));
    assert!(!records(&json!({"not": "a list"}), 1));
}

#[rstest]
#[case(State::NoConsent)]
#[case(State::Paused)]
#[case(State::Locked)]
#[case(State::Yielded)]
#[tokio::test]
async fn nothing_is_shown_to_somebody_who_is_not_followed(#[case] state: State) {
    let nowhere = probe_of("/nonexistent".into(), "/nonexistent".into());
    assert_eq!(nowhere.forbids(&status(state), None).await, Some("not tracking"));
}
