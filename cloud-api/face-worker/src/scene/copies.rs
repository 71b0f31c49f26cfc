//! Which pictures are copies of others but for noise and compression: those of a picture that is held, and those of a
//! recording that goes round, or forth and back.
//!
//! The place of the face is compared in small, where noise is averaged away. A living face is never quite still, so pictures a
//! quarter of a second apart differ by more than neighbours do, which a held picture's do not. And no picture of a living
//! face is more like one of long ago than like its neighbours: its camera's noise is new in each, and so is its movement,
//! where a copy has both.
//!
//! The limits are between what 61 recordings of living people show, some with noise of up to 8 grey levels added and
//! compressed anew, and copies with as much noise: living faces are still for at most 450 ms, and 2.8 % of their pictures
//! come back; held pictures are still for 2,000 ms and more, and 14 % and more of a loop's come back.

use blink_vision::geometry::{Point, Similarity};
use opencv::{
    core::{self, CV_32FC1, Mat, MatTraitConst as _, NORM_L2SQR, Rect, Size},
    imgproc,
};

use crate::still;

/// The size at which the face's place is compared.
const SIDE: i32 = 48;
/// The place's width, in faces.
const AROUND: f32 = 1.3;
/// A face that moves farther than this share of its size from its place has another one.
const LEAVES: f32 = 0.4;
/// A picture stands still when it differs from the one of so long ago by at most so many times what neighbours differ.
const STILL_OVER_MS: u32 = 250;
const STILL_TIMES: f32 = 1.1;
/// A picture is back when it differs from an earlier one by less than this share of what it differs from its neighbours,
/// the nearest of so many before and after it: a light that flickers makes every third picture alike.
const BACK_BELOW: f32 = 0.8;
const NEIGHBOURS: usize = 3;
/// Pictures nearer than this to each other are no return.
const BACK_FROM: usize = 10;

/// Where a face is looked at, and where its middle was when that began.
#[derive(Clone, Copy, Debug)]
struct Place {
    area: Rect,
    middle: Point,
}

/// The place of a face in small, without its brightness.
#[derive(Debug)]
struct Crop {
    place: usize,
    grey: Mat,
}

/// The pictures so far.
#[derive(Debug, Default)]
pub(super) struct Copies {
    places: Vec<Place>,
    now: Option<usize>,
    /// `None` before the first face.
    crops: Vec<Option<Crop>>,
    times_ms: Vec<u32>,
}

impl Copies {
    /// Takes the next picture, 8-bit grey, and the box of the face that is followed in it.
    pub(super) fn push(&mut self, at_ms: u32, grey: &Mat, face: Option<Similarity>) -> opencv::Result<()> {
        if let Some(face) = face {
            self.follow(grey, &face);
        }
        self.times_ms.push(at_ms);
        let crop = match self.now {
            Some(place) => Some(Crop { place, grey: small(grey, self.places[place].area)? }),
            None => None,
        };
        self.crops.push(crop);
        Ok(())
    }

    /// Keeps the place while the face is near it. A face that comes back to an earlier place is looked at there.
    fn follow(&mut self, grey: &Mat, face: &Similarity) {
        let middle = face.apply(Point::new(0.5, 0.5));
        let near = |place: &Place| (place.middle - middle).norm() <= LEAVES * face.scale();
        if self.now.is_some_and(|now| near(&self.places[now])) {
            return;
        }
        if let Some(earlier) = self.places.iter().position(near) {
            self.now = Some(earlier);
        } else if let Some(area) = still::around(grey, face, AROUND) {
            self.now = Some(self.places.len());
            self.places.push(Place { area, middle });
        }
    }

    /// For each picture: whether it stands still since a quarter of a second before.
    pub(super) fn still(&self) -> Vec<bool> {
        let is_still = |i: usize| {
            let before = (0..i).rfind(|j| self.times_ms[i] - self.times_ms[*j] >= STILL_OVER_MS)?;
            let step = |j: usize| self.apart(j, j.checked_sub(1)?);
            Some(self.apart(i, before)? <= STILL_TIMES * step(i)?.max(step(before)?))
        };
        (0..self.crops.len()).map(|i| is_still(i).unwrap_or(false)).collect()
    }

    /// The longest time for which the picture stood still.
    pub(super) fn longest_ms(&self, still: &[bool]) -> u32 {
        let (mut longest, mut since) = (0, None);
        for (still, at_ms) in still.iter().zip(&self.times_ms) {
            since = if *still { since.or_else(|| at_ms.checked_sub(STILL_OVER_MS)) } else { None };
            longest = longest.max(since.map_or(0, |since| at_ms - since));
        }
        longest
    }

    /// How many pictures come back.
    pub(super) fn returned(&self) -> usize {
        (0..self.crops.len()).filter(|i| self.is_back(*i)).count()
    }

    fn is_back(&self, i: usize) -> bool {
        let apart = |j: usize| self.apart(i, j);
        let least = |of: &mut dyn Iterator<Item = f32>| of.min_by(f32::total_cmp);
        let before = (i.saturating_sub(NEIGHBOURS)..i).filter_map(apart);
        let near = least(&mut before.chain((i + 1..=i + NEIGHBOURS).filter_map(apart)));
        let far = least(&mut (0..i.saturating_sub(BACK_FROM)).filter_map(apart));
        near.zip(far).is_some_and(|(near, far)| far < BACK_BELOW * near)
    }

    /// The square of the difference of two pictures, where they show the same place.
    fn apart(&self, i: usize, j: usize) -> Option<f32> {
        let (a, b) = (self.crops.get(i)?.as_ref()?, self.crops.get(j)?.as_ref()?);
        if a.place != b.place {
            return None;
        }
        // It fails for pictures of unlike sizes alone, and these are all of one.
        let sum = core::norm2(&a.grey, &b.grey, NORM_L2SQR, &core::no_array()).ok()?;
        Some(sum as f32)
    }
}

fn small(grey: &Mat, area: Rect) -> opencv::Result<Mat> {
    let (mut wide, mut small, mut centred) = (Mat::default(), Mat::default(), Mat::default());
    grey.roi(area)?.convert_to(&mut wide, CV_32FC1, 1.0, 0.0)?;
    imgproc::resize(&wide, &mut small, Size::new(SIDE, SIDE), 0.0, 0.0, imgproc::INTER_AREA)?;
    let mean = core::mean_def(&small)?;
    core::subtract_def(&small, &mean, &mut centred)?;
    Ok(centred)
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC1, CV_16SC1, Scalar};

    use super::*;

    /// How two round things lie: where, and how large the first one is.
    type Pose = [f64; 5];

    /// They, with noise of this spread.
    fn picture([x, y, radius, other_x, other_y]: Pose, noise: f64) -> Mat {
        let size = Size::new(192, 144);
        let mut drawn = Mat::new_size_with_default(size, CV_16SC1, Scalar::all(60.0)).unwrap();
        for (x, y, radius, grey) in [(x, y, radius, 200.0), (other_x, other_y, 8.0, 90.0)] {
            // In sixteenths of a pixel.
            let middle = opencv::core::Point::new((x * 16.0) as i32, (y * 16.0) as i32);
            let (colour, radius) = (Scalar::all(grey), (radius * 16.0) as i32);
            imgproc::circle(&mut drawn, middle, radius, colour, imgproc::FILLED, imgproc::LINE_8, 4).unwrap();
        }
        let mut noisy = Mat::new_size_with_default(size, CV_16SC1, Scalar::all(0.0)).unwrap();
        opencv::core::randn(&mut noisy, &Scalar::all(0.0), &Scalar::all(noise)).unwrap();
        let (mut sum, mut done) = (Mat::default(), Mat::default());
        opencv::core::add_def(&drawn, &noisy, &mut sum).unwrap();
        sum.convert_to(&mut done, CV_8UC1, 1.0, 0.0).unwrap();
        done
    }

    fn copies(poses: impl IntoIterator<Item = Pose>, noise: f64) -> Copies {
        let mut copies = Copies::default();
        for (i, pose) in (0..).zip(poses) {
            let face = Similarity::from_box(Point::new(56.0, 32.0), 80.0);
            copies.push(i * 66, &picture(pose, noise), Some(face)).unwrap();
        }
        copies
    }

    /// A head that sways by a few pixels, hardly ever the same way again.
    fn sway(i: i32) -> Pose {
        let t = f64::from(i) / 15.0;
        let wave = |pace: f64| (pace * t).sin();
        [
            96.0 + 2.0 * wave(1.7) + 1.5 * wave(0.61),
            72.0 + 1.5 * wave(1.1) + wave(2.3),
            25.0 + wave(1.3) + 0.7 * wave(0.47),
            90.0 + 3.0 * wave(0.83) + 2.0 * wave(1.9),
            70.0 + 3.0 * wave(1.47) + 2.0 * wave(0.71),
        ]
    }

    #[test]
    fn a_head_that_sways_is_neither_still_nor_back() {
        for noise in [1.0, 4.0] {
            let living = copies((0..300).map(sway), noise);
            assert!(living.longest_ms(&living.still()) < 500, "{}", living.longest_ms(&living.still()));
            assert!(living.returned() < 6, "{}", living.returned());
        }
    }

    #[test]
    fn a_picture_that_is_held_is_still_whatever_the_noise() {
        for noise in [0.0, 1.0, 4.0] {
            let held = copies((0..60).chain([60; 30]).chain(60..120).map(sway), noise);
            assert!((1_500..2_500).contains(&held.longest_ms(&held.still())), "{}", held.longest_ms(&held.still()));
        }
    }

    #[test]
    fn a_loop_comes_back_and_so_does_one_that_runs_backwards_whatever_the_noise() {
        for noise in [0.0, 1.0, 4.0] {
            for again in [(0..100).collect::<Vec<_>>(), (0..100).rev().collect()] {
                let around = copies((0..100).chain(again).map(sway), noise);
                assert!(around.returned() > 20, "{noise}: {}", around.returned());
            }
        }
    }

    #[test]
    fn a_face_that_comes_back_to_its_place_is_compared_with_itself() {
        let mut copies = Copies::default();
        for (i, x) in [0.0, 60.0, 0.0].into_iter().enumerate() {
            let face = Similarity::from_box(Point::new(16.0 + x, 32.0), 80.0);
            let pose = [56.0 + f64::from(x), 72.0, 25.0, 56.0, 72.0];
            copies.push(i as u32 * 66, &picture(pose, 0.0), Some(face)).unwrap();
        }
        assert_eq!((copies.apart(0, 1), copies.apart(0, 2)), (None, Some(0.0)));
    }
}
