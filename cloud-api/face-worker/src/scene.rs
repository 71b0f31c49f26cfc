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
/// A picture has changed by a cut when it differs from an earlier one by this much, and by so many times the greatest
/// change over as many pictures near them; likewise a face that moved by this share of its size.
const CUT_CHANGE: f32 = 0.12;
const CUT_SHIFT: f32 = 0.06;
const CUT_TIMES: f32 = 3.5;
/// The earlier picture is the one before, or the one before that: what is shown for one picture hides no cut.
const CUT_ACROSS: usize = 2;
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
    /// For each picture: whether it is the same as the one before.
    same: Vec<bool>,
    /// For each picture: the box of the face, where one is followed.
    faces: Vec<Option<Similarity>>,
    /// For each picture: whether it is one that was shown before, to the bit, and not just before.
    shown_before: Vec<bool>,
    shown: HashMap<u64, usize>,
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
        self.faces.push(face);
        self.smalls.push(small);
        self.times_ms.push(at_ms);
        Ok(())
    }

    /// What the pictures say.
    #[must_use]
    pub fn finish(&self) -> SceneReport {
        let cut: Vec<bool> = (0..self.smalls.len()).map(|i| self.is_cut(i)).collect();
        SceneReport {
            // A cut shows in the next picture too, which is compared across it.
            cuts_ms: (1..cut.len()).filter(|i| cut[*i] && !cut[i - 1]).map(|i| self.times_ms[i]).collect(),
            repeated_frames: count(self.same.iter().filter(|same| **same).count()),
            longest_repeat_ms: self.longest_repeat_ms(),
            returned_frames: count(self.returned()),
        }
    }

    /// Whether the recording was cut just before the i-th picture, or shortly before, or the face jumped.
    fn is_cut(&self, i: usize) -> bool {
        let stands_out = |now: f32, least: f32, near: f32| now > least && now > CUT_TIMES * near;
        let changed = (1..=CUT_ACROSS).any(|across| {
            let change = |j: usize| Some(difference(&self.smalls[j.checked_sub(across)?], &self.smalls[j]));
            change(i).is_some_and(|now| stands_out(now, CUT_CHANGE, self.near(i, across, across, change)))
        });
        // A face that was lost is compared with where it was last.
        let shift = |from: usize, to: usize| Some(shift(&self.faces[from]?, &self.faces[to]?));
        let last = self.faces[..i].iter().rposition(Option::is_some);
        let jumped = last.and_then(|last| Some((last, shift(last, i)?))).is_some_and(|(last, now)| {
            let step = |j: usize| shift(j.checked_sub(1)?, j);
            stands_out(now, CUT_SHIFT, self.near(i, i - last, 1, step))
        });
        changed || jumped
    }

    /// The greatest of the values just before the pictures from `i - across` to `i`, and just after them. A value is that
    /// of `step` pictures, of which its index is the last.
    fn near(&self, i: usize, across: usize, step: usize, value: impl Fn(usize) -> Option<f32>) -> f32 {
        let before = (0..=i.saturating_sub(across)).rev().take(NEAR);
        let after = (i + step..self.smalls.len()).take(NEAR);
        before.chain(after).filter_map(value).fold(0.0, f32::max)
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
mod tests;
