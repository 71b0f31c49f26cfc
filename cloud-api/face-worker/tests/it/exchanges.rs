//! The face is lost, and another one is in its place when it is back.

use std::time::Duration;

use blink_proto::faces::{ClipReport, FrameMark, Task};
use blink_vision::{native::SyntheticFace, source::Synthetic};
use jiff::Timestamp;
use opencv::core::{self, Mat, Scalar, Size};

use crate::worker::{Worker, jpeg};

/// From one picture to the next. A face that was lost is looked for again in the third picture after it.
const STEP_MS: u32 = 66;
const BACK_AFTER: u32 = 3;

/// A face that is lost `losses` times, once in every four pictures, and then seen for two seconds with glasses; and when it
/// is seen for the first time after the last loss.
fn often_lost(losses: u32) -> (Vec<FrameMark>, Vec<u8>, u32) {
    let face = |glasses| SyntheticFace::new(&Synthetic { glasses, ..Synthetic::default() }, Timestamp::UNIX_EPOCH);
    let (mut first, mut other) = (face(false).unwrap(), face(true).unwrap());
    let nobody = Mat::new_size_with_default(Size::new(640, 480), core::CV_8UC3, Scalar::all(255.0)).unwrap();
    let last_loss = 4 * losses;
    let (mut frames, mut bytes) = (Vec::new(), Vec::new());
    for i in 0..=last_loss + 30 {
        let at_ms = i * STEP_MS;
        let picture = match i {
            _ if i > last_loss => other.draw(Duration::from_millis(at_ms.into())).unwrap(),
            _ if i > 0 && i % 4 == 0 => &nobody,
            _ => first.draw(Duration::from_millis(at_ms.into())).unwrap(),
        };
        let picture = jpeg(picture);
        frames.push(FrameMark { bytes: u32::try_from(picture.len()).unwrap(), at_ms });
        bytes.extend(picture);
    }
    (frames, bytes, (last_loss + BACK_AFTER) * STEP_MS)
}

fn is_encoded(report: &ClipReport, at_ms: u32) -> bool {
    report.faces.iter().any(|face| face.at_ms == at_ms)
}

#[test]
fn the_face_after_many_losses_is_encoded_or_the_recording_is_cut() {
    let Some((mut worker, _)) = Worker::start() else { return };
    let (frames, bytes, back_ms) = often_lost(40);
    let report = worker.clip(Task::Frames { frames }, &bytes);
    assert!(report.faces.len() > 40 && is_encoded(&report, back_ms), "{report:?}");
    let (frames, bytes, back_ms) = often_lost(60);
    let report = worker.clip(Task::Frames { frames }, &bytes);
    assert_eq!(report.faces.len(), ClipReport::MAX_FACES);
    assert!(!is_encoded(&report, back_ms) && report.cuts_ms.contains(&back_ms), "{report:?}");
    assert!(report.cuts_ms.is_sorted());
}
