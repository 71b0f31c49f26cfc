use super::*;

/// A picture with a bright square at (x, y).
fn picture(x: i32, y: i32) -> Mat {
    use opencv::core::{CV_8UC1, Rect, Scalar};
    let mut picture = Mat::new_size_with_default(Size::new(192, 144), CV_8UC1, Scalar::all(60.0)).unwrap();
    let square = Rect::new(x, y, 40, 40);
    imgproc::rectangle(&mut picture, square, Scalar::all(200.0), imgproc::FILLED, imgproc::LINE_8, 0).unwrap();
    picture
}

fn report(positions: impl IntoIterator<Item = (i32, i32)>) -> SceneReport {
    report_between_faces(positions.into_iter().map(|(x, y)| picture(x, y)).collect())
}

/// A face is seen in the first and the last of the pictures.
fn report_between_faces(pictures: Vec<Mat>) -> SceneReport {
    let last = pictures.len() - 1;
    let face = |i| (i == 0 || i == last).then(|| Similarity::from_box(Point::new(60.0, 40.0), 60.0));
    report_of(pictures.into_iter().enumerate().map(|(i, picture)| (picture, face(i))))
}

fn report_of(pictures: impl IntoIterator<Item = (Mat, Option<Similarity>)>) -> SceneReport {
    let mut scene = Scene::default();
    for (i, (picture, face)) in (0..).zip(pictures) {
        scene.push(i * 33, &picture, face).unwrap();
    }
    scene.finish()
}

/// A movement that does not come back.
fn path(i: i32) -> (i32, i32) {
    (10 + i, 20 + i / 2)
}

#[test]
fn a_steady_movement_is_none_of_it() {
    let pictures = (0..120).map(path).map(|(x, y)| (picture(x, y), None));
    assert_eq!(report_of(pictures), SceneReport::default());
}

#[test]
fn a_cut_is_found() {
    let found = report((0..40).chain(90..120).map(path));
    assert_eq!(found.cuts_ms, [40 * 33]);
}

/// Another picture, or a mixture of both sides.
#[test]
fn one_picture_between_hides_no_cut_and_is_none_alone() {
    let pictures = |range: std::ops::Range<i32>| range.map(path).map(|(x, y)| picture(x, y));
    let mut mixed = Mat::default();
    opencv::core::add_weighted_def(&picture(49, 39), 0.5, &picture(100, 65), 0.5, 0.0, &mut mixed).unwrap();
    for odd in [picture(140, 100), mixed] {
        let cut = pictures(0..40).chain([odd.clone()]).chain(pictures(90..120));
        assert!(report_between_faces(cut.collect()).cuts_ms.contains(&(41 * 33)));
    }
    let flicker = pictures(0..40).chain([picture(140, 100)]).chain(pictures(40..80));
    assert_eq!(report_between_faces(flicker.collect()).cuts_ms, [0; 0]);
}

#[test]
fn a_cut_without_a_face_on_one_side_joins_nothing() {
    let face = Some(Similarity::from_box(Point::new(60.0, 40.0), 60.0));
    let cuts = |before: i32, after: i32| {
        let pictures = (0..40).map(|i| (path(i), i < before)).chain((90..120).map(|i| (path(i), i < 90 + after)));
        report_of(pictures.map(|((x, y), seen)| (picture(x, y), face.filter(|_| seen)))).cuts_ms
    };
    assert_eq!(cuts(0, 30), [0; 0]);
    assert_eq!(cuts(40, 0), [0; 0]);
    assert_eq!(cuts(1, 1), [40 * 33]);
}

#[test]
fn a_face_that_was_lost_is_compared_with_where_it_was() {
    let face = |i: i32| Some(Similarity::from_box(Point::new(40.0 + i as f32 / 4.0, 30.0), 60.0));
    let report = |back: i32| {
        let faces = (0..40).map(face).chain([None; 5]).chain((back..back + 40).map(face));
        report_of((0..).map(path).map(|(x, y)| picture(x, y)).zip(faces)).cuts_ms
    };
    assert_eq!(report(45), [0; 0]);
    assert_eq!(report(80), [45 * 33]);
}
