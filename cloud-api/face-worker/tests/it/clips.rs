//! Recordings: the synthetic face, whose every blink is known, as frames and as videos.

use std::{path::Path, process::Command, time::Duration};

use blink_proto::faces::{ClipReport, FrameMark, PictureFault, Task};
use blink_vision::{native::SyntheticFace, schedule::Schedule, source::Synthetic};
use jiff::Timestamp;
use opencv::{
    core::{Mat, MatTrait as _, MatTraitConst as _, Rect, Scalar, Size},
    imgproc,
};
use rstest::rstest;

use crate::{
    footage,
    worker::{Worker, jpeg, recording, synthetic},
};

fn face() -> Synthetic {
    Synthetic { bpm: 20.0, seed: 7, sway: 4.0, ..Synthetic::default() }
}

/// The blinks of the schedule that a recording of `seconds` shows whole.
fn expected_ms(seconds: f64) -> Vec<f64> {
    let blinks = Schedule::new(20.0, 7).within(0.0, seconds - 0.3);
    blinks.iter().filter(|blink| blink.end_s < seconds - 0.3).map(|blink| 1_000.0 * blink.start_s).collect()
}

fn assert_blinks(report: &ClipReport, seconds: f64) {
    let expected = expected_ms(seconds);
    let found: Vec<u32> = report.blinks.iter().map(|blink| blink.start_ms).collect();
    assert_eq!(found.len(), expected.len(), "{found:?} {expected:?}");
    assert!(found.iter().zip(&expected).all(|(a, b)| (f64::from(*a) - b).abs() < 120.0), "{found:?} {expected:?}");
}

#[test]
fn the_blinks_of_frames_are_found_where_they_are() {
    let Some((mut worker, _)) = Worker::start() else { return };
    let (frames, bytes) = synthetic(12, &face());
    let report = worker.clip(Task::Frames { frames }, &bytes);
    println!("{report:?}");
    assert_eq!((report.frames, report.width, report.height), (360, 640, 480));
    assert_blinks(&report, 12.0);
    assert!(report.observed_ms > 11_000 && report.longest_gap_ms < 300, "{report:?}");
    assert!(report.cuts_ms.is_empty() && report.longest_repeat_ms < 500 && report.returned_frames < 12, "{report:?}");
    let first = &report.faces[0].encoding;
    assert!(report.faces.len() >= 8 && report.faces.iter().all(|face| face.encoding.distance(first) < 0.3));
}

/// A camera's noise is in it, but the head is the same picture throughout.
#[test]
fn a_face_that_moves_only_its_lids_stands_still() {
    let Some((mut worker, _)) = Worker::start() else { return };
    let (frames, bytes) = synthetic(8, &Synthetic { sway: 0.0, ..face() });
    let report = worker.clip(Task::Frames { frames }, &bytes);
    assert!(report.longest_repeat_ms > 1_500 && !report.blinks.is_empty(), "{report:?}");
}

/// Two jobs of one worker do not know of each other.
#[test]
fn a_worker_forgets_between_jobs() {
    let Some((mut worker, _)) = Worker::start() else { return };
    let (frames, bytes) = synthetic(4, &face());
    let first = worker.clip(Task::Frames { frames: frames.clone() }, &bytes);
    worker.fault(Task::Video, b"nothing");
    let mut second = worker.clip(Task::Frames { frames }, &bytes);
    second.faces.clone_from(&first.faces);
    assert_eq!(first, second);
}

#[rstest]
#[case::mp4("mp4", &["-c:v", "libx264", "-pix_fmt", "yuv420p"], false)]
#[case::mov("mov", &["-c:v", "libx264", "-pix_fmt", "yuv444p"], false)]
#[case::webm("webm", &["-c:v", "libvpx", "-b:v", "2M", "-deadline", "realtime", "-cpu-used", "8"], false)]
#[case::avi("avi", &["-c:v", "mjpeg", "-q:v", "3"], false)]
#[case::mp4_turned("mp4", &["-c:v", "libx264", "-pix_fmt", "yuv420p"], true)]
fn the_blinks_of_a_video_are_found_where_they_are(#[case] kind: &str, #[case] codec: &[&str], #[case] turned: bool) {
    let Some((mut worker, _)) = Worker::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let Some(video) = encoded(folder.path(), kind, codec, turned) else { return };
    let report = worker.clip(Task::Video, &video);
    assert_eq!([report.width, report.height], [640, 480]);
    assert_blinks(&report, 8.0);
}

/// The synthetic face as FFmpeg encodes it; with `turned` the pictures lie on their side, and the container says so.
pub(crate) fn encoded(folder: &Path, kind: &str, codec: &[&str], turned: bool) -> Option<Vec<u8>> {
    let (frames, bytes) = synthetic(8, &face());
    let (mut rest, pictures) = (&bytes[..], folder.join("pictures.mjpeg"));
    std::fs::write(&pictures, {
        let mut all = Vec::new();
        for frame in &frames {
            let (picture, after) = rest.split_at(frame.bytes as usize);
            all.extend_from_slice(picture);
            rest = after;
        }
        all
    })
    .unwrap();
    let ffmpeg = |args: &[&str]| {
        let ran = Command::new("ffmpeg").current_dir(folder).args(["-v", "error", "-y"]).args(args).status();
        ran.map(|status| assert!(status.success())).ok()
    };
    let out = format!("out.{kind}");
    let lying: &[&str] = if turned { &["-vf", "transpose=2"] } else { &[] };
    let input = ["-f", "mjpeg", "-r", "30", "-i", "pictures.mjpeg"];
    if ffmpeg(&[&input[..], lying, codec, &[&out]].concat()).is_none() {
        println!("skipped: there is no ffmpeg");
        return None;
    }
    if turned {
        // The display matrix of a quarter turn clockwise.
        ffmpeg(&["-i", "out.mp4", "-c", "copy", "-metadata:s:v:0", "rotate=270", "turned.mp4"]);
        return Some(std::fs::read(folder.join("turned.mp4")).unwrap());
    }
    Some(std::fs::read(folder.join(out)).unwrap())
}

#[test]
fn a_deliberate_blink_may_be_slow() {
    let Some(folder) = footage::folder("slow blinks") else { return };
    let Some((mut worker, _)) = Worker::start() else { return };
    let mut widest = 0;
    for name in ["01_000001M_FBN.mp4", "05_000002M_FBN.mp4"] {
        let report = worker.clip(Task::Video, &std::fs::read(folder.join("blinks/zju").join(name)).unwrap());
        widest = widest.max(report.blinks.iter().map(|blink| blink.width_ms).max().unwrap_or_default());
        assert!(report.blinks.len() >= 3 && report.cuts_ms.is_empty(), "{name}: {report:?}");
    }
    assert!(widest > 300);
}

/// The same recording at a third of its speed: blinks of 150 to 300 ms become 450 to 900 ms wide, and are still blinks
/// that somebody can make on purpose.
#[test]
fn blinks_at_a_third_of_their_speed_are_found() {
    let Some((mut worker, _)) = Worker::start() else { return };
    let (mut frames, bytes) = synthetic(8, &face());
    frames.iter_mut().for_each(|frame| frame.at_ms *= 2);
    let report = worker.clip(Task::Frames { frames }, &bytes);
    assert_eq!(report.blinks.len(), expected_ms(8.0).len(), "{report:?}");
}

/// A closure of `closed_ms` at half depth, as a person makes it on purpose, at 2 s.
fn closure(closed_ms: u32) -> (Vec<FrameMark>, Vec<u8>) {
    // The drawn blink is 165 ms wide; at its deepest the face's time stands still.
    let (deepest_ms, held_ms) = (2_100, closed_ms - 165);
    recording((0..150 + held_ms / 33).map(|i| i * 33), &face(), |at_ms| {
        at_ms.min(deepest_ms).max(at_ms.saturating_sub(held_ms))
    })
}

/// A second job of the same worker has the limits of the first.
#[test]
fn a_deliberate_blink_may_take_one_and_a_half_seconds_in_every_job() {
    let Some((mut worker, _)) = Worker::start() else { return };
    let (frames, bytes) = closure(1_480);
    for job in ["first", "second"] {
        let report = worker.clip(Task::Frames { frames: frames.clone() }, &bytes);
        let widths: Vec<u32> = report.blinks.iter().map(|blink| blink.width_ms).collect();
        println!("{job}: {widths:?}");
        assert!(widths.len() == 1 && (1_440..=1_517).contains(&widths[0]), "{job}: {widths:?}");
    }
    let (frames, bytes) = closure(1_700);
    assert_eq!(worker.clip(Task::Frames { frames }, &bytes).blinks, []);
}

/// Their face is two thirds of the followed one, and a tenth of the picture's width.
#[test]
fn somebody_who_comes_beside_is_seen() {
    let Some((mut worker, _)) = Worker::start() else { return };
    let mut drawn = SyntheticFace::new(&face(), Timestamp::UNIX_EPOCH).unwrap();
    let (mut marks, mut bytes) = (Vec::new(), Vec::new());
    for at_ms in (0..120).map(|i| i * 33) {
        let near = drawn.draw(Duration::from_millis(at_ms.into())).unwrap();
        let mut picture = Mat::new_size_with_default(Size::new(1_024, 480), near.typ(), Scalar::all(140.0)).unwrap();
        near.copy_to(&mut picture.roi_mut(Rect::new(0, 0, 640, 480)).unwrap()).unwrap();
        if at_ms > 900 {
            let mut beside = picture.roi_mut(Rect::new(640, 96, 384, 288)).unwrap();
            imgproc::resize(near, &mut beside, Size::new(384, 288), 0.0, 0.0, imgproc::INTER_AREA).unwrap();
        }
        let picture = jpeg(&picture);
        marks.push(FrameMark { bytes: u32::try_from(picture.len()).unwrap(), at_ms });
        bytes.extend(picture);
    }
    assert_eq!(worker.fault(Task::Frames { frames: marks }, &bytes), Some(PictureFault::SeveralFaces));
}

#[test]
fn several_faces_no_face_and_bad_times_are_told() {
    let Some((mut worker, _)) = Worker::start() else { return };
    let fault = |worker: &mut Worker, face: Synthetic| {
        let (frames, bytes) = synthetic(3, &face);
        worker.fault(Task::Frames { frames }, &bytes)
    };
    assert_eq!(fault(&mut worker, Synthetic { faces: 2, ..face() }), Some(PictureFault::SeveralFaces));
    assert_eq!(fault(&mut worker, Synthetic { faces: 0, ..face() }), Some(PictureFault::NoFace));
    let (frames, bytes) = synthetic(2, &face());
    let mut back = frames.clone();
    back[20].at_ms = back[19].at_ms;
    assert_eq!(worker.fault(Task::Frames { frames: back }, &bytes), Some(PictureFault::BadTimes));
    let slow = frames.iter().map(|frame| blink_proto::faces::FrameMark { at_ms: 3 * frame.at_ms, ..*frame }).collect();
    assert_eq!(worker.fault(Task::Frames { frames: slow }, &bytes), Some(PictureFault::TooFewFrames));
}
