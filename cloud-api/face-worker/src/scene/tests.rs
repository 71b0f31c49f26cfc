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
    report_of(positions.into_iter().map(|(x, y)| (picture(x, y), None)))
}

fn report_of(pictures: impl IntoIterator<Item = (Mat, Option<Similarity>)>) -> SceneReport {
    let mut scene = Scene::default();
    for (i, (picture, face)) in (0..).zip(pictures) {
        let image = GreyImage::new(picture.data_bytes().unwrap(), 192, 144, 192).unwrap();
        scene.push(i * 33, &picture, &image, face).unwrap();
    }
    scene.finish()
}

/// A movement that does not come back.
fn path(i: i32) -> (i32, i32) {
    (10 + i, 20 + i / 2)
}

#[test]
fn a_steady_movement_is_none_of_it() {
    assert_eq!(report((0..120).map(path)), SceneReport::default());
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
        assert!(report_of(cut.map(|picture| (picture, None))).cuts_ms.contains(&(41 * 33)));
    }
    let flicker = pictures(0..40).chain([picture(140, 100)]).chain(pictures(40..80));
    assert_eq!(report_of(flicker.map(|picture| (picture, None))).cuts_ms, [0; 0]);
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

#[test]
fn repeated_pictures_are_counted_and_timed() {
    let found = report((0..30).chain([29; 10]).chain(30..60).map(path));
    assert_eq!((found.repeated_frames, found.longest_repeat_ms), (10, 330));
}

#[test]
fn a_loop_comes_back_and_so_does_one_that_runs_backwards() {
    for again in [(0..60).collect::<Vec<_>>(), (0..60).rev().collect()] {
        let found = report((0..60).chain(again).map(path));
        assert!(found.returned_frames >= 40, "{found:?}");
    }
}

/// Too little moves to see a loop by it, but the pictures are the very same.
#[test]
fn pictures_that_are_shown_again_to_the_bit_come_back() {
    let positions = [(50, 50), (50, 51), (51, 50), (51, 51), (50, 52), (52, 50), (52, 52), (51, 52), (52, 51)];
    let around = positions.iter().chain(&[(53, 53), (53, 52), (53, 51)]).copied().cycle().take(60);
    assert!(report(around).returned_frames >= 40);
}

#[test]
fn a_picture_without_movement_is_no_return() {
    assert_eq!(report([(50, 50); 100]).returned_frames, 0);
}
