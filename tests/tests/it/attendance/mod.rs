//! The attendance desk with the real programs: a drawn face is enrolled, answers a challenge with its blinks, is marked,
//! listed and counted, and is gone after it is erased.

mod demo;
#[cfg(target_os = "linux")]
mod disk;
mod speed;

use std::{
    fs::File,
    process::Command,
    time::{Duration, Instant},
};

use blink_vision::container::riff::{MotionJpeg, Next};
use serde_json::{Value, json};
use waw_tests::{Ended, Profile, Server, clip, profile::PASSWORD, server::command, skipped, until};

const MANAGER: &str = "desk@example.org";
/// Pictures of a recording, for each second.
const FPS: u64 = 15;

struct Desk {
    server: Server,
    token: String,
}

impl Desk {
    /// Starts a desk by `command` once its faces can be read; `None` where a model is missing.
    fn start(profile: &Profile, command: &mut Command) -> Option<Self> {
        if profile.blinkd(&["models"]).code != Some(0) {
            skipped("the attendance desk: a model is missing, `blinkd models --fetch` gets it");
            return None;
        }
        let server = Server::run(command, profile);
        let mut create = profile.command("cloud-api");
        create.args(["admin", "create", MANAGER, "--role", "manager", "--password-stdin"]);
        Ended::of(&mut create, &format!("{PASSWORD}\n")).success();
        let token = server.sign_in(MANAGER);
        let desk = Self { server, token };
        let ready = || (desk.get("/healthz")["attendance"] == "ok").then_some(());
        until("the desk to be ready", Duration::from_secs(90), ready);
        Some(desk)
    }

    /// Enrols Ada.
    fn enrol(&self, picture: &[u8]) {
        let version = self.get("/api/consents")["biometric"]["version"].as_str().unwrap().to_owned();
        let enrolment = [
            ("name", text("Ada")),
            ("consent", text("true")),
            ("consent_version", text(&version)),
            ("image", picture.to_vec()),
        ];
        let (status, ada) = self.send("POST", "/api/attendance/register-user", &enrolment);
        assert_eq!((status, &ada["id"], &ada["embedding_dim"]), (201, &json!("ada"), &json!(128)), "{ada}");
    }

    /// The answer's status and body.
    fn send(&self, method: &str, path: &str, parts: &[(&str, Vec<u8>)]) -> (u16, Value) {
        let mut body = Vec::new();
        for (name, bytes) in parts {
            body.extend(format!("--waw\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n").into_bytes());
            body.extend(bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"--waw--\r\n");
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server.url()))
            .header("authorization", format!("Bearer {}", self.token));
        if !parts.is_empty() {
            request = request.header("content-type", "multipart/form-data; boundary=waw");
        }
        let body = if parts.is_empty() { Vec::new() } else { body };
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent.run(request.body(body).unwrap()).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json().unwrap_or_default())
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, &[]);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }
}

fn text(value: &str) -> Vec<u8> {
    value.as_bytes().to_vec()
}

/// The times of pictures of a recording, as a field of its form.
fn times(pictures: usize) -> Vec<u8> {
    let times: Vec<u64> = (0..).map(|i| i * 1_000 / FPS).take(pictures).collect();
    text(&serde_json::to_string(&times).unwrap())
}

/// The pictures of a clip, as they are in it.
fn pictures(clip: &clip::Clip) -> Vec<Vec<u8>> {
    let mut movie = MotionJpeg::open(File::open(&clip.path).unwrap()).unwrap().unwrap();
    let (mut pictures, mut bytes) = (Vec::new(), Vec::new());
    loop {
        match movie.next(&mut bytes).unwrap() {
            Next::Frame(_) => pictures.push(bytes.clone()),
            Next::Other => {}
            Next::End => return pictures,
        }
    }
}

/// The clip's pictures played faster and slower, so that one of its blinks follows each cue by half a second. A blink itself
/// is as fast as it was.
fn answer(clip: &clip::Clip, cues_ms: &[u64], seconds: u64) -> Vec<usize> {
    let frame = |number: u64| usize::try_from(number).unwrap();
    let (mut shown, mut at) = (Vec::new(), 0);
    let play = |shown: &mut Vec<usize>, from: usize, to: usize, until: usize| {
        let count = until.saturating_sub(shown.len());
        shown.extend((0..count).map(|i| from + i * (to - from) / count));
    };
    for (cue, (from, to)) in cues_ms.iter().zip(&clip.blinks) {
        let (from, to) = (frame(*from) - 4, frame(*to) + 4);
        play(&mut shown, at, from, frame((cue + 500) * FPS / 1_000) - 2);
        // The clip has twice as many pictures a second.
        shown.extend((from..=to).step_by(2));
        at = to + 1;
    }
    let next = frame(clip.blinks[cues_ms.len()].0) - 4;
    play(&mut shown, at, next, frame(seconds * FPS) - 1);
    shown
}

#[test]
fn a_face_is_enrolled_marked_listed_and_erased_to_nothing() {
    let profile = Profile::new();
    let clip = clip::alive(&profile, 40, 20, 3);
    let pictures = pictures(&clip);
    let Some(desk) = Desk::start(&profile, &mut command(&profile, "127.0.0.1:0")) else { return };
    desk.enrol(&pictures[3]);

    let asked = Instant::now();
    let (_, challenge) = desk.send("POST", "/api/attendance/challenge", &[("none", Vec::new())]);
    let cues: Vec<u64> = challenge["cues_ms"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    let seconds = challenge["seconds"].as_u64().unwrap();
    let shown = answer(&clip, &cues, seconds);
    let mut mark: Vec<(&str, Vec<u8>)> = shown.iter().map(|i| ("frames[]", pictures[*i].clone())).collect();
    mark.push(("timestamps_ms", times(shown.len())));
    mark.push(("challenge_id", text(challenge["challenge_id"].as_str().unwrap())));
    // A recording cannot be longer than the time since its challenge.
    let recorded = || (asked.elapsed() >= Duration::from_secs(seconds)).then_some(());
    until("the recording's time to pass", Duration::from_secs(seconds + 1), recorded);
    let (status, marked) = desk.send("POST", "/api/attendance/mark-attendance", &mark);
    assert_eq!((status, &marked["id"], &marked["liveness_verified"]), (200, &json!("ada"), &json!(true)), "{marked}");
    assert!(["present", "late"].iter().any(|status| marked["status"] == *status), "{marked}");

    // A picture alone proves nothing.
    let (_, still) = desk.send("POST", "/api/attendance/mark-attendance", &[("image", pictures[3].clone())]);
    assert_eq!(still["liveness_verified"], false, "{still}");

    let listed = desk.get("/api/attendance/get-attendance?user=ada");
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
    let analytics = desk.get("/api/attendance/get-analytics");
    let counted =
        |of: &str| analytics["daily"].as_array().unwrap().iter().filter_map(|day| day[of].as_u64()).sum::<u64>();
    assert_eq!(counted("present") + counted("late"), 1, "{analytics}");

    let (status, removed) = desk.send("DELETE", "/api/attendance/people/ada", &[]);
    assert!((200..300).contains(&status), "{status} {removed}");
    assert_eq!(desk.get("/api/attendance/people")["items"], json!([]));
    assert_eq!(desk.get("/api/attendance/get-attendance")["items"], json!([]));
}
