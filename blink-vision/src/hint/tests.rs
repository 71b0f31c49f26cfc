//! Tests of the hints, with scenes 40 ms apart.

use rstest::rstest;

use super::*;
use crate::geometry::LANDMARKS;

const FRAME: Duration = Duration::from_millis(40);
/// Somebody who sits as they should.
const WELL: FaceView = FaceView { width: 160.0, share: 0.33, margin: 0.8, luma: 110.0, yaw: 4.0, turned: false };

fn face(change: impl FnOnce(&mut FaceView)) -> Scene {
    let mut face = WELL;
    change(&mut face);
    Scene::Face(face)
}

/// The hint after `seconds` of each scene in turn.
fn after(scenes: &[(Scene, f64)]) -> Option<Hint> {
    let (mut hints, mut t, mut hint) = (Hints::default(), Duration::ZERO, None);
    for (scene, seconds) in scenes {
        for _ in 0..(seconds / FRAME.as_secs_f64()) as u32 {
            hint = hints.push(t, scene);
            t += FRAME;
        }
    }
    hint
}

#[rstest]
#[case::well(Scene::Face(WELL), None)]
#[case::an_empty_room(Scene::Nobody { luma: 90.0 }, None)]
#[case::a_dark_room(Scene::Nobody { luma: 29.0 }, Some(Hint::TooDark))]
#[case::a_dim_room(Scene::Nobody { luma: 31.0 }, None)]
#[case::a_dark_face(face(|face| face.luma = 39.0), Some(Hint::TooDark))]
#[case::a_dim_face(face(|face| face.luma = 41.0), None)]
#[case::far(face(|face| face.width = 59.0), Some(Hint::TooFar))]
#[case::not_that_far(face(|face| face.width = 61.0), None)]
#[case::larger_than_the_picture(face(|face| face.share = 1.05), Some(Hint::TooNear))]
#[case::cut_at_the_eyes(face(|face| (face.share, face.margin) = (0.6, 0.02)), Some(Hint::TooNear))]
#[case::small_at_the_edge(face(|face| (face.share, face.margin) = (0.3, 0.02)), None)]
#[case::turned(face(|face| (face.yaw, face.turned) = (38.0, true)), Some(Hint::TurnedAway))]
#[case::looking_down(face(|face| face.turned = true), Some(Hint::TurnedAway))]
#[case::frozen(Scene::Frozen, Some(Hint::PictureFrozen))]
fn a_condition_that_lasts_is_a_hint(#[case] scene: Scene, #[case] hint: Option<Hint>) {
    assert_eq!(after(&[(scene, 3.0)]), hint);
}

#[rstest]
#[case::to_the_right(24.0, Some(Hint::CameraTooFarToTheSide))]
#[case::to_the_left(-24.0, Some(Hint::CameraTooFarToTheSide))]
#[case::not_that_far(18.0, None)]
fn whoever_usually_looks_past_the_camera_is_told(#[case] yaw: f32, #[case] hint: Option<Hint>) {
    let scene = face(|face| face.yaw = yaw);
    assert_eq!(after(&[(scene, 9.0)]), None, "that may be a glance");
    assert_eq!(after(&[(scene, 15.0)]), hint);
}

#[test]
fn the_usual_direction_is_learnt_anew() {
    let aside = face(|face| face.yaw = 28.0);
    assert_eq!(after(&[(aside, 15.0), (Scene::Face(WELL), 30.0)]), None);
    assert_eq!(after(&[(Scene::Face(WELL), 30.0), (aside, 10.0)]), None);
    assert_eq!(after(&[(Scene::Face(WELL), 30.0), (aside, 30.0)]), Some(Hint::CameraTooFarToTheSide));
}

#[test]
fn a_condition_must_hold_for_a_second_and_be_absent_for_one() {
    let dark = face(|face| face.luma = 20.0);
    assert_eq!(after(&[(dark, 0.9)]), None);
    assert_eq!(after(&[(dark, 1.2)]), Some(Hint::TooDark));
    assert_eq!(after(&[(dark, 2.0), (Scene::Face(WELL), 0.8)]), Some(Hint::TooDark));
    assert_eq!(after(&[(dark, 2.0), (Scene::Face(WELL), 1.2)]), None);
    let flicker = [(dark, 0.6), (Scene::Face(WELL), 0.04)].repeat(10);
    assert_eq!(after(&flicker), None);
    assert_eq!(after(&[&[(dark, 2.0)], &flicker[..]].concat()), Some(Hint::TooDark));
}

#[test]
fn a_frozen_picture_is_told_at_once_because_it_took_a_second_to_know() {
    assert_eq!(after(&[(Scene::Face(WELL), 2.0), (Scene::Frozen, 0.04)]), Some(Hint::PictureFrozen));
}

#[rstest]
#[case::dark_and_far(face(|face| (face.luma, face.width) = (20.0, 40.0)), Hint::TooDark)]
#[case::far_and_turned(face(|face| (face.width, face.turned) = (40.0, true)), Hint::TooFar)]
#[case::usually_turned(face(|face| (face.yaw, face.turned) = (40.0, true)), Hint::CameraTooFarToTheSide)]
fn of_several_hints_the_most_useful_is_given(#[case] scene: Scene, #[case] hint: Hint) {
    assert_eq!(after(&[(scene, 15.0)]), Some(hint));
}

#[test]
fn a_scene_is_measured_in_the_picture() {
    // A picture of 100 x 80, dark but for a bright square of 40 at (50, 30) that reaches over neither edge.
    let pixel = |i: usize| if (50..90).contains(&(i % 100)) && (30..70).contains(&(i / 100)) { 200 } else { 10 };
    let data: Vec<u8> = (0..8_000).map(pixel).collect();
    let image = GreyImage::new(&data, 100, 80, 100).unwrap();
    let Scene::Nobody { luma } = Scene::of(&image, None, &Reading::default()) else { panic!("nobody") };
    assert!((luma - (10.0 + 190.0 * 1_600.0 / 8_000.0)).abs() < 8.0, "{luma}");
    let mut landmarks = [Point::new(70.0, 40.0); LANDMARKS];
    landmarks[45] = Point::new(98.0, 40.0);
    let area = Similarity::from_box(Point::new(50.0, 30.0), 40.0);
    let reading = Reading { turned: true, ..Reading::default() };
    let Scene::Face(seen) = Scene::of(&image, Some((&area, &landmarks)), &reading) else { panic!("a face") };
    assert_eq!((seen.width, seen.share, seen.turned), (40.0, 0.5, true));
    assert!((seen.luma - 200.0).abs() < 1.0 && (seen.margin - 0.05).abs() < 1e-3, "{seen:?}");
    // Only the part inside of the picture is looked at.
    let area = Similarity::from_box(Point::new(80.0, 30.0), 40.0);
    let Scene::Face(seen) = Scene::of(&image, Some((&area, &landmarks)), &reading) else { panic!("a face") };
    assert!((90.0..140.0).contains(&seen.luma), "{seen:?}");
}
