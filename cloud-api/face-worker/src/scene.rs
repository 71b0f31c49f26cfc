//! What the pictures of a recording say about each other: where it was cut, which pictures are repeated at once, and
//! which come back later, as in a loop or when it runs forth and back.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use blink_vision::{
    geometry::{Point, Similarity},
    predictor::GreyImage,
};
use opencv::{
    core::{Mat, MatTraitConstManual, Size},
    imgproc,
};

/// The size at which pictures are compared.
const SMALL: (usize, usize) = (48, 36);
/// Every so many rows are compared exactly.
const COMPARED_EVERY: usize = 8;
/// A picture's spread of grey levels is not taken for less, so that noise in the dark is not made large.
const LEAST_SPREAD: f32 = 8.0;
/// A picture has changed by a cut when it differs from the one before by this much, and by so many times the greatest
/// change near it; likewise a face that moved by this share of its size.
const CUT_CHANGE: f32 = 0.12;
const CUT_SHIFT: f32 = 0.06;
const CUT_TIMES: f32 = 3.5;
/// How many pictures before and after are near.
const NEAR: usize = 4;
/// A picture is back when it is this many times more like an earlier one than like those three pictures away from it,
/// which must differ by at least so much: where nothing moves, nothing can be said.
const BACK_TIMES: f32 = 3.0;
const BACK_APART: usize = 3;
const LEAST_MOTION: f32 = 0.03;
/// How many pictures in a row must come back, so that it is no chance.
const BACK_RUN: usize = 5;
/// Pictures nearer than this to each other are no return.
const BACK_FROM: usize = 10;

type Small = Vec<f32>;

/// The pictures so far.
#[derive(Debug, Default)]
pub struct Scene {
    smalls: Vec<Small>,
    times_ms: Vec<u32>,
    /// For each picture: whether it is the same as the one before, and how much it differs from it.
    same: Vec<bool>,
    change: Vec<f32>,
    /// How far the face moved since the picture before, over its size; 0 where it is not followed in both.
    shift: Vec<f32>,
    /// For each picture: whether it is one that was shown before, to the bit, and not just before.
    shown_before: Vec<bool>,
    shown: HashMap<u64, usize>,
    face: Option<Similarity>,
    rows: Vec<u8>,
}

/// What the pictures say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SceneReport {
    /// When the recording was cut, or the face jumped.
    pub cuts_ms: Vec<u32>,
    /// How many pictures are the same as the one before.
    pub repeated_frames: u32,
    /// The longest time for which the picture was the same.
    pub longest_repeat_ms: u32,
    /// How many pictures come back.
    pub returned_frames: u32,
}

impl Scene {
    /// Takes the next picture, 8-bit grey, and the box of the face that is followed in it.
    ///
    /// # Errors
    /// When OpenCV has no memory.
    pub fn push(
        &mut self,
        at_ms: u32,
        grey: &Mat,
        image: &GreyImage<'_>,
        face: Option<Similarity>,
    ) -> opencv::Result<()> {
        let small = small(grey)?;
        let rows: Vec<u8> = (0..image.height()).step_by(COMPARED_EVERY).flat_map(|y| image.row(y)).copied().collect();
        let same = !self.rows.is_empty() && self.rows == rows;
        self.same.push(same);
        // A camera's noise makes no two pictures alike, however still the scene is.
        let mut hash = DefaultHasher::new();
        rows.hash(&mut hash);
        let number = self.same.len();
        let before = self.shown.insert(hash.finish(), number);
        self.shown_before.push(!same && before.is_some_and(|before| before + BACK_FROM <= number));
        self.rows = rows;
        self.change.push(self.smalls.last().map_or(0.0, |last| difference(last, &small)));
        let shift = self.face.zip(face).map(|(before, now)| shift(&before, &now));
        self.shift.push(shift.unwrap_or_default());
        self.face = face;
        self.smalls.push(small);
        self.times_ms.push(at_ms);
        Ok(())
    }

    /// What the pictures say.
    #[must_use]
    pub fn finish(&self) -> SceneReport {
        let cut = |i: &usize| {
            let stands_out = |of: &[f32], least: f32| of[*i] > least && of[*i] > CUT_TIMES * near(of, *i);
            stands_out(&self.change, CUT_CHANGE) || stands_out(&self.shift, CUT_SHIFT)
        };
        SceneReport {
            cuts_ms: (1..self.change.len()).filter(cut).map(|i| self.times_ms[i]).collect(),
            repeated_frames: count(self.same.iter().filter(|same| **same).count()),
            longest_repeat_ms: self.longest_repeat_ms(),
            returned_frames: count(self.returned()),
        }
    }

    fn longest_repeat_ms(&self) -> u32 {
        let (mut longest, mut since) = (0, None);
        for (i, same) in self.same.iter().enumerate() {
            since = if *same { since.or(i.checked_sub(1).map(|before| self.times_ms[before])) } else { None };
            longest = longest.max(since.map_or(0, |since| self.times_ms[i].saturating_sub(since)));
        }
        longest
    }

    /// How many pictures are in runs that come back, forwards or backwards.
    fn returned(&self) -> usize {
        let moving: Vec<f32> = (0..self.smalls.len()).map(|i| self.motion_at(i)).collect();
        let back: Vec<Option<usize>> = (0..self.smalls.len()).map(|i| self.earlier_same(i, moving[i])).collect();
        // A run is of pictures whose earlier ones follow each other too, in either direction.
        let mut returned = vec![false; back.len()];
        for direction in [1, -1] {
            let mut run = 0;
            for i in 0..back.len() {
                let follows = i.checked_sub(1).and_then(|before| back[before]).zip(back[i]);
                let goes_on = follows.is_some_and(|(before, now)| {
                    let step = now.cast_signed() - before.cast_signed();
                    (0..=2).contains(&(step * direction))
                });
                run = if goes_on { run + 1 } else { 0 };
                if run + 1 >= BACK_RUN {
                    returned[i - run..=i].fill(true);
                }
            }
        }
        returned.iter().zip(&self.shown_before).filter(|(returned, shown)| **returned || **shown).count()
    }

    /// How much the picture differs from those [`BACK_APART`] away, the lesser of the two.
    fn motion_at(&self, i: usize) -> f32 {
        let other =
            |j: Option<usize>| j.and_then(|j| self.smalls.get(j)).map(|other| difference(other, &self.smalls[i]));
        match (other(i.checked_sub(BACK_APART)), other(Some(i + BACK_APART))) {
            (Some(before), Some(after)) => before.min(after),
            (before, after) => before.or(after).unwrap_or_default(),
        }
    }

    /// The earlier picture that is the same as this one, if there is one.
    fn earlier_same(&self, i: usize, motion: f32) -> Option<usize> {
        if motion < LEAST_MOTION {
            return None;
        }
        let earlier = (0..i.saturating_sub(BACK_FROM)).map(|j| (j, difference(&self.smalls[j], &self.smalls[i])));
        let (nearest, difference) = earlier.min_by(|a, b| a.1.total_cmp(&b.1))?;
        (BACK_TIMES * difference < motion).then_some(nearest)
    }
}

fn count(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

/// The greatest value near the i-th, itself left out.
fn near(of: &[f32], i: usize) -> f32 {
    let (from, to) = (i.saturating_sub(NEAR).max(1), (i + NEAR + 1).min(of.len()));
    (from..to).filter(|j| *j != i).map(|j| of[j]).fold(0.0, f32::max)
}

/// The picture in small, without its brightness and contrast.
fn small(grey: &Mat) -> opencv::Result<Small> {
    let mut small = Mat::default();
    let (columns, rows) = SMALL;
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "two small numbers")]
    let size = Size::new(columns as i32, rows as i32);
    imgproc::resize(grey, &mut small, size, 0.0, 0.0, imgproc::INTER_AREA)?;
    let values: Vec<f32> = small.data_bytes()?.iter().map(|value| f32::from(*value)).collect();
    let count = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / count;
    let spread = (values.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt().max(LEAST_SPREAD);
    Ok(values.iter().map(|value| (value - mean) / spread).collect())
}

/// Root mean square of the difference.
fn difference(a: &Small, b: &Small) -> f32 {
    (a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>() / a.len().max(1) as f32).sqrt()
}

fn shift(before: &Similarity, now: &Similarity) -> f32 {
    let centre = |face: &Similarity| face.apply(Point::new(0.5, 0.5));
    let growth = (now.scale() - before.scale()).abs() / 2.0;
    ((centre(now) - centre(before)).norm() + growth) / before.scale().max(1.0)
}

#[cfg(test)]
mod tests {
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
        let mut scene = Scene::default();
        for (i, (x, y)) in (0..).zip(positions) {
            let picture = picture(x, y);
            let image = GreyImage::new(picture.data_bytes().unwrap(), 192, 144, 192).unwrap();
            scene.push(i * 33, &picture, &image, None).unwrap();
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
}
