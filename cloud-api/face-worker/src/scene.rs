//! What the pictures of a recording say about each other: where it was cut, and which are [`copies`] of others.

mod copies;

use blink_vision::geometry::{Point, Similarity};
use opencv::{
    core::{Mat, MatTraitConstManual, Size},
    imgproc,
};

use copies::Copies;

/// The size at which pictures are compared.
const SMALL: (usize, usize) = (48, 36);
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

type Small = Vec<f32>;

/// The pictures so far.
#[derive(Debug, Default)]
pub struct Scene {
    smalls: Vec<Small>,
    times_ms: Vec<u32>,
    /// For each picture: the box of the face, where one is followed.
    faces: Vec<Option<Similarity>>,
    copies: Copies,
}

/// What the pictures say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SceneReport {
    /// When the recording was cut, or the face jumped.
    pub cuts_ms: Vec<u32>,
    /// How many pictures stand still, but for noise.
    pub repeated_frames: u32,
    /// The longest time for which they did.
    pub longest_repeat_ms: u32,
    /// How many pictures come back, but for noise.
    pub returned_frames: u32,
}

impl Scene {
    /// Takes the next picture, 8-bit grey, and the box of the face that is followed in it.
    ///
    /// # Errors
    /// When OpenCV has no memory.
    pub fn push(&mut self, at_ms: u32, grey: &Mat, face: Option<Similarity>) -> opencv::Result<()> {
        self.smalls.push(small(grey)?);
        self.copies.push(at_ms, grey, face)?;
        self.faces.push(face);
        self.times_ms.push(at_ms);
        Ok(())
    }

    /// What the pictures say.
    #[must_use]
    pub fn finish(&self) -> SceneReport {
        let still = self.copies.still();
        let cut: Vec<bool> = (0..self.smalls.len()).map(|i| self.is_cut(i)).collect();
        // A cut shows in the next picture too, which is compared across it.
        let is_first = |i: &usize| cut[*i] && !cut[i - 1];
        // It joins nothing unless both sides show a face. One picture is enough: its encoding counts.
        let shows_a_face = |pictures: &[Option<Similarity>]| pictures.iter().any(Option::is_some);
        let joins = |i: &usize| shows_a_face(&self.faces[..*i]) && shows_a_face(&self.faces[*i..]);
        SceneReport {
            cuts_ms: (1..cut.len()).filter(is_first).filter(joins).map(|i| self.times_ms[i]).collect(),
            repeated_frames: count(still.iter().filter(|still| **still).count()),
            longest_repeat_ms: self.copies.longest_ms(&still),
            returned_frames: count(self.copies.returned()),
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
