//! Tests that the owner is recognised on photographs, and followed among several people.

use std::{path::Path, time::Duration};

use blink_vision::{
    FaceSight,
    native::{Detector, Encoder, FaceBox, Frame, Pipeline},
    owner::{Encoding, Owner},
};
use opencv::{
    core::{self, Mat, MatTraitConst, Rect, Size},
    imgcodecs, imgproc,
};

use crate::footage;

/// A photograph as a webcam would show it: grey, 480 rows.
fn photograph(path: &Path) -> Mat {
    let read = imgcodecs::imread(path, imgcodecs::IMREAD_GRAYSCALE).unwrap();
    let scale = 480.0 / f64::from(read.rows());
    let mut photograph = Mat::default();
    imgproc::resize(&read, &mut photograph, Size::default(), scale, scale, imgproc::INTER_AREA).unwrap();
    photograph
}

fn faces(detector: &mut Detector, picture: &Mat) -> Vec<FaceBox> {
    detector.detect(picture, Rect::new(0, 0, picture.cols(), picture.rows()), 1.0).unwrap()
}

fn encoding(detector: &mut Detector, encoder: &Encoder, picture: &Mat) -> Option<Encoding> {
    let faces = faces(detector, picture);
    encoder.encode(picture, faces.get(..1)?).unwrap().pop()
}

fn encoder() -> Option<Encoder> {
    let loaded = Encoder::load(&footage::model_folders());
    if let Err(error) = &loaded {
        println!("skipped: telling people apart: {error}");
    }
    loaded.ok()
}

#[test]
fn the_owner_is_told_from_others() {
    let (Some(folder), Some(encoder)) = (footage::folder("telling people apart"), encoder()) else { return };
    let mut detector = Detector::default();
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().split('-').next().unwrap().to_owned();
    let enrolled: Vec<_> = footage::files(&folder.join("faces/enrol"), &["jpg"])
        .iter()
        .filter_map(|path| Some((name(path), Owner::new(vec![encoding(&mut detector, &encoder, &photograph(path))?])?)))
        .collect();
    assert!(enrolled.len() >= 4);
    let (mut same, mut others) = (0, 0);
    for path in footage::files(&folder.join("faces/probe"), &["jpg", "png"]) {
        let Some(probe) = encoding(&mut detector, &encoder, &photograph(&path)) else { continue };
        for (who, owner) in &enrolled {
            let taken = owner.among(std::slice::from_ref(&probe)).is_some();
            println!("{} against {who}: {:.3}", path.file_stem().unwrap().to_string_lossy(), owner.distance(&probe));
            if *who == name(&path) {
                same += usize::from(taken);
            } else {
                assert!(!taken, "{} was taken for {who}", path.display());
                others += 1;
            }
        }
    }
    assert!(same >= 5 && others >= 20, "{same} of the same person, {others} of others");
}

#[test]
fn the_owner_is_followed_among_two_people() {
    let (Some(folder), Some(encoder)) = (footage::folder("following the owner"), encoder()) else { return };
    let mut detector = Detector::default();
    let (left, right) =
        (photograph(&folder.join("faces/enrol/obama-1.jpg")), photograph(&folder.join("faces/enrol/biden-1.jpg")));
    let mut both = Mat::default();
    core::hconcat2(&left, &right, &mut both).unwrap();
    assert!(faces(&mut detector, &both).len() >= 2);
    let watch = |owner: Option<Owner>| {
        let mut pipeline = Pipeline::new(footage::model()).with_models_in(&footage::model_folders());
        pipeline.set_owner(owner);
        let timestamp = Duration::ZERO;
        let sight = pipeline.process(&Frame { index: 0, timestamp, grey: &both }).unwrap().sight;
        (sight, pipeline.followed_face().map(|face| face.origin.x < left.cols() as f32))
    };
    assert_eq!(watch(None), (FaceSight::Several, None));
    for (picture, is_left) in [(&left, true), (&right, false)] {
        let owner = Owner::new(vec![encoding(&mut detector, &encoder, picture).unwrap()]);
        assert_eq!(watch(owner), (FaceSight::Measurable, Some(is_left)));
    }
    // With a stranger enrolled, nobody is followed.
    let mut flipped = Mat::default();
    core::flip(&photograph(&folder.join("faces/enrol/harington-1.jpg")), &mut flipped, 1).unwrap();
    let stranger = Owner::new(vec![encoding(&mut detector, &encoder, &flipped).unwrap()]);
    assert_eq!(watch(stranger), (FaceSight::Several, None));
}
