//! Stills: the synthetic face, and the photographs where they are.

use blink_proto::faces::{Outcome, PictureFault, StillReport};
use blink_vision::source::Synthetic;
use opencv::{
    core::{self, Mat, MatTraitConst, Rect, Scalar, Size},
    imgproc,
};

use crate::{
    footage,
    worker::{ENROL, RECOGNISE, Worker, jpeg},
};

fn drawn(faces: u32) -> Mat {
    let mut face = blink_vision::native::SyntheticFace::new(
        &Synthetic { faces, ..Synthetic::default() },
        jiff::Timestamp::UNIX_EPOCH,
    )
    .unwrap();
    face.draw(std::time::Duration::ZERO).unwrap().try_clone().unwrap()
}

fn darker(picture: &Mat, by: f64) -> Mat {
    let mut dark = Mat::default();
    picture.convert_to(&mut dark, -1, by, 0.0).unwrap();
    dark
}

fn still(outcome: Outcome) -> StillReport {
    match outcome {
        Outcome::Still(report) => report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_face_is_encoded_and_its_photo_returned_for_an_enrolment_alone() {
    let Some((mut worker, _)) = Worker::start() else { return };
    let picture = jpeg(&drawn(1));
    let (outcome, photo) = worker.ask(ENROL, &picture);
    let report = still(outcome);
    assert_eq!((report.width, report.height), (640, 480));
    assert!((130.0..260.0).contains(&report.face_px) && report.yaw.abs() < 10.0, "{report:?}");
    assert!(photo.starts_with(&[0xff, 0xd8, 0xff]));
    let (again, no_photo) = worker.ask(RECOGNISE, &picture);
    assert!(no_photo.is_empty());
    assert!(still(again).encoding.distance(&report.encoding) < 1e-3);
}

#[test]
fn each_fault_of_a_drawn_face_has_its_code() {
    let Some((mut worker, _)) = Worker::start() else { return };
    let picture = drawn(1);
    let part = |area| picture.roi(area).unwrap().try_clone().unwrap();
    let mut small = Mat::default();
    imgproc::resize(&picture, &mut small, Size::default(), 0.5, 0.5, imgproc::INTER_AREA).unwrap();
    let mut blurred = Mat::default();
    imgproc::gaussian_blur_def(&picture, &mut blurred, Size::new(0, 0), 12.0).unwrap();
    let empty = Mat::new_size_with_default(Size::new(640, 480), core::CV_8UC3, Scalar::all(140.0)).unwrap();
    let cases = [
        (drawn(2), Some(PictureFault::SeveralFaces)),
        (drawn(0), Some(PictureFault::NoFace)),
        (empty, Some(PictureFault::NoFace)),
        (darker(&picture, 0.15), Some(PictureFault::TooDark)),
        (small, Some(PictureFault::TooSmall)),
        (blurred, Some(PictureFault::TooBlurred)),
        (part(Rect::new(270, 0, 370, 480)), Some(PictureFault::PartialFace)),
        (picture.try_clone().unwrap(), None),
    ];
    for (i, (picture, fault)) in cases.into_iter().enumerate() {
        assert_eq!(worker.fault(ENROL, &jpeg(&picture)), fault, "case {i}");
    }
}

/// Each bad picture of the test footage with its own code.
#[test]
fn bad_photographs_are_refused_each_with_its_code() {
    let Some(folder) = footage::folder("bad photographs") else { return };
    let Some((mut worker, _)) = Worker::start() else { return };
    let cases = [
        ("no-face.jpg", Some(PictureFault::NoFace)),
        ("partial-face-1.jpg", Some(PictureFault::PartialFace)),
        ("partial-face-2.jpg", Some(PictureFault::PartialFace)),
        ("small.jpg", Some(PictureFault::TooSmall)),
        ("two-people.jpg", Some(PictureFault::SeveralFaces)),
        ("rgba-32bit.png", None),
    ];
    for (name, fault) in cases {
        let found = worker.fault(ENROL, &std::fs::read(folder.join("faces/bad").join(name)).unwrap());
        println!("{name}: {found:?}");
        assert_eq!(found, fault, "{name}");
    }
}

#[test]
fn people_are_told_apart() {
    let Some(folder) = footage::folder("telling people apart") else { return };
    let Some((mut worker, _)) = Worker::start() else { return };
    let mut encoding =
        |name: &str| still(worker.ask(RECOGNISE, &std::fs::read(folder.join("faces").join(name)).unwrap()).0).encoding;
    let (obama, biden) = (encoding("enrol/obama-1.jpg"), encoding("enrol/biden-1.jpg"));
    let again = encoding("probe/obama-2.jpg");
    println!("{:.3} {:.3}", again.distance(&obama), again.distance(&biden));
    assert!(again.distance(&obama) < 0.5 && again.distance(&biden) > 0.6);
}
