//! Golden messages: a worker and a server that disagree about one of these do not understand each other.

use super::*;

fn encoding() -> Encoding {
    let mut values = vec![0.0; ENCODING_LENGTH];
    values[0] = 0.5;
    Encoding::new(values).unwrap()
}

fn still() -> StillReport {
    StillReport {
        width: 640,
        height: 480,
        face_px: 180.5,
        lightness: 121.0,
        sharpness: 8.5,
        yaw: -3.5,
        encoding: encoding(),
    }
}

fn clip() -> ClipReport {
    ClipReport {
        width: 640,
        height: 480,
        frames: 120,
        first_ms: 0,
        duration_ms: 3_967,
        fps: 30.0,
        observed_ms: 3_967,
        longest_gap_ms: 34,
        blinks: vec![ClipBlink { start_ms: 1_000, end_ms: 1_300, width_ms: 180, depth: 0.875 }],
        faces: vec![ClipFace { at_ms: 0, yaw: 1.5, pitch: -2.0, face_px: 180.5, encoding: encoding() }],
        cuts_ms: vec![2_000],
        repeated_frames: 1,
        longest_repeat_ms: 66,
        returned_frames: 0,
        solidity: Some(Solidity { frames: 20, motion: 0.25, residual: 0.0625 }),
    }
}

fn jobs() -> Vec<Job> {
    let frames = vec![FrameMark { bytes: 5, at_ms: 0 }, FrameMark { bytes: 6, at_ms: 33 }];
    let tasks = [
        Task::Still { purpose: Purpose::Enrolment },
        Task::Still { purpose: Purpose::Recognition },
        Task::Frames { frames },
        Task::Video,
    ];
    (1..).zip(tasks).map(|(id, task)| Job { id, task }).collect()
}

fn messages() -> Vec<FromWorker> {
    let ready = Ready {
        protocol: PROTOCOL,
        version: "0.1.0".into(),
        load_ms: 900,
        lockdown: vec!["rlimits".into(), "landlock".into(), "seccomp".into()],
    };
    let outcomes = [
        Outcome::Still(still()),
        Outcome::Clip(Box::new(clip())),
        Outcome::Fault { fault: PictureFault::TooDark },
        Outcome::Failed { message: "m".into() },
    ];
    let answers = (1..).zip(outcomes).map(|(id, outcome)| Answer { id, took_ms: 12, outcome });
    let first = [FromWorker::Ready(ready), FromWorker::Unable { code: "model_missing".into(), message: "m".into() }];
    first.into_iter().chain(answers.map(|answer| FromWorker::Answer(Box::new(answer)))).collect()
}

/// A message a line. The zeros of an encoding are left out of the golden file.
fn lines(messages: &[impl Serialize]) -> String {
    let zeros = ",0.0".repeat(ENCODING_LENGTH - 1);
    let line = |message| serde_json::to_string(message).unwrap().replace(&zeros, ",..");
    messages.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_jobs_look_like_this() {
    insta::assert_snapshot!(lines(&jobs()));
}

#[test]
fn the_messages_of_the_worker_look_like_this() {
    insta::assert_snapshot!(lines(&messages()));
}

#[test]
fn every_message_comes_back() {
    for job in jobs() {
        assert_eq!(serde_json::from_str::<Job>(&serde_json::to_string(&job).unwrap()).unwrap(), job);
    }
    for message in messages() {
        assert_eq!(serde_json::from_str::<FromWorker>(&serde_json::to_string(&message).unwrap()).unwrap(), message);
    }
}

#[test]
fn a_fault_has_one_code_everywhere_and_an_advice() {
    for fault in PictureFault::ALL {
        assert_eq!(serde_json::to_string(&fault).unwrap(), format!("\"{}\"", fault.code()));
        assert!(fault.advice().ends_with('.'));
    }
}

/// The longest report fits a header with room: see `frame::MAX_HEADER_BYTES`.
#[test]
fn the_longest_messages_fit_a_header() {
    let values: Vec<f32> = (0..128u8).map(|i| -0.123_456_78 - f32::from(i) / 1_000.0).collect();
    let face = ClipFace { encoding: Encoding::new(values).unwrap(), ..clip().faces.remove(0) };
    let long = ClipReport {
        faces: vec![face; ClipReport::MAX_FACES],
        blinks: vec![clip().blinks[0]; 400],
        cuts_ms: vec![39_999; MAX_FRAMES],
        ..clip()
    };
    let frames = vec![FrameMark { bytes: 20_000_000, at_ms: 39_999 }; MAX_FRAMES];
    for length in
        [serde_json::to_vec(&long).unwrap().len(), serde_json::to_vec(&Task::Frames { frames }).unwrap().len()]
    {
        assert!(length < frame::MAX_HEADER_BYTES / 2, "{length}");
    }
}
