//! A reader of faces that does what a picture says: pictures and recordings of these tests are the first bytes of their
//! kind and a script in JSON.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use blink_proto::faces::{
    ClipBlink, ClipFace, ClipReport, ENCODING_LENGTH, Encoding, PictureFault, Purpose, Solidity, StillReport,
};
use bytes::Bytes;
use cloud_api::faces::{Availability, FaceReader, ReadError, Recording, Still};
use futures_util::{FutureExt as _, future::BoxFuture};
use serde_json::{Value, json};

use crate::harness::*;

/// The photo of every enrolment.
pub(super) const PHOTO: &[u8] = b"\xff\xd8\xffa photo that must stay sealed";

#[derive(Default)]
pub(crate) struct Script {
    pub(super) read: AtomicUsize,
}

fn encoding(x: &Value) -> Encoding {
    let mut values = vec![0.0; ENCODING_LENGTH];
    #[expect(clippy::cast_possible_truncation, reason = "a test's number")]
    {
        values[0] = x.as_f64().unwrap() as f32;
    }
    Encoding::new(values).unwrap()
}

/// The script in a picture or recording, or the error that it asks for.
fn script(bytes: &[u8]) -> Result<Value, ReadError> {
    let start = bytes.iter().position(|byte| *byte == b'{').ok_or(ReadError::Fault(PictureFault::Unreadable))?;
    let first = serde_json::Deserializer::from_slice(&bytes[start..]).into_iter::<Value>().next();
    let script = first.unwrap().unwrap();
    if let Some(code) = script["fault"].as_str() {
        return Err(ReadError::Fault(*PictureFault::ALL.iter().find(|fault| fault.code() == code).unwrap()));
    }
    match script["error"].as_str() {
        Some("busy") => Err(ReadError::Busy),
        Some("failed") => Err(ReadError::Failed("face-worker ended".to_owned())),
        Some("unavailable") => Err(ReadError::Unavailable("there is no face-worker".to_owned())),
        _ => Ok(script),
    }
}

impl FaceReader for Script {
    fn still(&self, picture: Bytes, purpose: Purpose) -> BoxFuture<'_, Result<Still, ReadError>> {
        self.read.fetch_add(1, Ordering::SeqCst);
        let still = script(&picture).map(|script| Still {
            report: StillReport {
                width: 640,
                height: 480,
                face_px: 180.0,
                lightness: 120.0,
                sharpness: 9.0,
                yaw: 0.0,
                encoding: encoding(&script["face"]),
            },
            photo: if purpose == Purpose::Enrolment { PHOTO.into() } else { Bytes::new() },
        });
        std::future::ready(still).boxed()
    }

    fn clip(&self, recording: Recording) -> BoxFuture<'_, Result<ClipReport, ReadError>> {
        self.read.fetch_add(1, Ordering::SeqCst);
        let (bytes, duration_ms) = match recording {
            Recording::Frames(bytes, marks) => (bytes, marks.last().unwrap().at_ms),
            Recording::Video(bytes) => (bytes, 21_000),
        };
        std::future::ready(script(&bytes).map(|script| clip(&script, duration_ms))).boxed()
    }

    fn availability(&self) -> Availability {
        Availability::Available
    }
}

fn clip(script: &Value, duration_ms: u32) -> ClipReport {
    let number = |name: &str, usual: u32| script[name].as_u64().map_or(usual, |n| u32::try_from(n).unwrap());
    let starts = script["blinks"].as_array().cloned().unwrap_or_default();
    let blink = |start: &Value| {
        let start_ms = u32::try_from(start.as_u64().unwrap()).unwrap();
        ClipBlink { start_ms, end_ms: start_ms + 250, width_ms: 150, depth: 0.9 }
    };
    let face = |at_ms, x: &Value| ClipFace { at_ms, yaw: 0.0, pitch: 0.0, face_px: 180.0, encoding: encoding(x) };
    let last = if script["last_face"].is_null() { &script["face"] } else { &script["last_face"] };
    let flat = script["flat"] == true;
    ClipReport {
        width: 640,
        height: 480,
        frames: 600,
        first_ms: 0,
        duration_ms,
        fps: if script["slow"] == true { 10.0 } else { 30.0 },
        observed_ms: duration_ms,
        longest_gap_ms: 34,
        blinks: starts.iter().map(blink).collect(),
        faces: vec![face(0, &script["face"]), face(duration_ms, last)],
        cuts_ms: if script["cut"] == true { vec![1_000] } else { Vec::new() },
        repeated_frames: 0,
        longest_repeat_ms: number("longest_repeat_ms", 66),
        returned_frames: number("returned_frames", 0),
        solidity: Some(Solidity { frames: 40, motion: 0.2, residual: if flat { 0.01 } else { 0.06 } }),
    }
}

/// A desk that opens at 9 in Berlin.
pub(super) fn start(backend: Backend) -> TestApp {
    TestApp::start_with(backend, |app| {
        app.reader = Some(Arc::new(Script::default()));
        std::sync::Arc::make_mut(&mut app.attendance.calendar).zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    })
}

pub(super) fn jpeg(script: &Value) -> Vec<u8> {
    [b"\xff\xd8\xff\xe0".as_slice(), script.to_string().as_bytes()].concat()
}

pub(super) fn mp4(script: &Value) -> Vec<u8> {
    [b"\0\0\0\x18ftypmp42".as_slice(), script.to_string().as_bytes()].concat()
}

pub(crate) type Part<'a> = (&'a str, Vec<u8>);

pub(super) fn text<'a>(name: &'a str, value: &str) -> Part<'a> {
    (name, value.as_bytes().to_vec())
}

pub(crate) fn form(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, bytes) in parts {
        body.extend_from_slice(format!("--waw\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--waw--\r\n");
    body
}

pub(crate) const MULTIPART: (&str, &str) = ("content-type", "multipart/form-data; boundary=waw");

pub(super) fn send(who: &Client, path: &str, parts: &[Part<'_>]) -> Answer {
    who.send("POST", path, &[MULTIPART], Some(&form(parts)))
}

/// Somebody with this role.
pub(super) fn with_role(app: &TestApp, role: &str) -> Client {
    let who = app.user();
    app.set_role(&who, role);
    app.again(&who)
}

/// The fields of an enrolment with consent, with a picture of each of these faces.
pub(crate) fn enrolment(name: &str, faces: &[f64]) -> Vec<Part<'static>> {
    let mut parts = vec![text("name", name), text("consent", "true"), text("consent_version", "1")];
    parts.extend(faces.iter().map(|face| ("image", jpeg(&json!({"face": face})))));
    parts
}

pub(super) fn enrol(manager: &Client, name: &str, faces: &[f64]) -> Answer {
    send(manager, "/api/attendance/register-user", &enrolment(name, faces))
}

/// A kiosk, a manager, and Alice with the face 1.
pub(super) fn with_alice(app: &TestApp) -> (Client, Client) {
    let (kiosk, manager) = (with_role(app, "kiosk"), with_role(app, "manager"));
    enrol(&manager, "Alice", &[1.0, 1.1, 0.9]).expect(201);
    (kiosk, manager)
}

pub(super) struct Challenge {
    pub(super) id: String,
    pub(super) cues: Vec<u64>,
}

/// Asks for a challenge, and lets the time of its recording pass.
pub(super) fn challenge(app: &TestApp, who: &Client) -> Challenge {
    let answer = who.send("POST", "/api/attendance/challenge", &[], None).expect(200).json;
    let cues: Vec<u64> = answer["cues_ms"].as_array().unwrap().iter().map(|cue| cue.as_u64().unwrap()).collect();
    assert_eq!((answer["blinks"].as_u64().unwrap(), answer["seconds"].as_i64()), (cues.len() as u64, Some(21)));
    pass(app, 21_000);
    Challenge { id: answer["challenge_id"].as_str().unwrap().to_owned(), cues }
}

pub(super) fn pass(app: &TestApp, ms: i64) {
    app.clock.set(app.clock.now().plus(ms));
}

impl Challenge {
    /// Blinks that answer it.
    pub(super) fn blinks(&self) -> Vec<u64> {
        self.cues.iter().map(|cue| cue + 400).collect()
    }

    /// The fields of a mark with a recording that does what the script says.
    pub(super) fn answered(&self, script: &Value) -> Vec<Part<'static>> {
        let mut parts = recording(script);
        parts.push(text("challenge_id", &self.id));
        parts
    }
}

pub(crate) fn recording(script: &Value) -> Vec<Part<'static>> {
    vec![
        ("frames[]", jpeg(script)),
        ("frames[]", jpeg(&json!({}))),
        ("frames[]", jpeg(&json!({}))),
        text("timestamps_ms", "[0, 10000, 20900]"),
    ]
}

pub(super) const MARK: &str = "/api/attendance/mark-attendance";

/// Marks a face with the right blinks.
pub(super) fn mark(app: &TestApp, who: &Client, face: f64) -> Answer {
    let challenge = challenge(app, who);
    send(who, MARK, &challenge.answered(&json!({"face": face, "blinks": challenge.blinks()})))
}

/// Status and reason of a decision.
pub(super) fn decision(answer: &Answer) -> (&str, Option<&str>) {
    assert_eq!(answer.status, 200, "{answer:?}");
    (answer.json["status"].as_str().unwrap(), answer.json["reason"].as_str())
}
