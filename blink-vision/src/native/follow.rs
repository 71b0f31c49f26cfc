//! Follows one face. The detector runs rarely; between its runs the face's own landmarks give its position.
//!
//! In each frame the face is compared with its appearance when the detector last confirmed it. If it looks different or
//! its landmarks jump, the detector is run at once. So a loss is noticed in the same frame or the next.

use std::{path::PathBuf, time::Duration};

use opencv::core::{Mat, MatTraitConst, Rect};

use super::{Detector, Encoder, FaceBox};
use crate::{
    geometry::{Landmarks, Point, Similarity},
    owner::Owner,
    predictor::{GreyImage, Predictor},
};

/// How often the detector confirms a followed face.
const CONFIRM_EVERY: Duration = Duration::from_secs(3);
/// How often it does while the face is in doubt, and after how many refusals the face is lost.
const DOUBT_EVERY: Duration = Duration::from_millis(300);
const MOST_REFUSALS: u32 = 3;
/// How often the detector searches while no face is followed.
const SEARCH_EVERY: Duration = Duration::from_millis(150);
/// How often the owner is looked for among several faces.
const COMPARE_EVERY: Duration = Duration::from_secs(2);
/// Width of the image in the quick search; the thorough search uses twice as much.
const SEARCH_WIDTH: f64 = 320.0;
/// Width of the face when the detector confirms it; the detector's window is 80.
const CONFIRM_WIDTH: f64 = 120.0;
/// Side length of the thumbnail in pixels.
const SIDE: usize = 16;
/// Below the first likeness a face is in doubt; below the second it is lost unless the detector finds it.
const DOUBT_BELOW: f32 = 0.75;
const GONE_BELOW: f32 = 0.45;
/// The most that a face grows or moves from one frame to the next, relative to its size.
const MOST_GROWTH: f32 = 1.25;
const MOST_SHIFT: f32 = 0.5;

type Thumbnail = [f32; SIDE * SIDE];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nobody,
    Several,
    One,
}

/// A frame, and the model of the landmarks in it.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) predictor: &'a Predictor,
    pub(super) grey: &'a Mat,
    /// The same picture as `grey`.
    pub(super) image: &'a GreyImage<'a>,
    pub(super) t: Duration,
}

#[derive(Debug)]
struct Followed {
    landmarks: Landmarks,
    thumbnail: Thumbnail,
    confirmed: Duration,
    asked: Duration,
    refusals: u32,
}

#[derive(Default)]
pub(super) struct Follower {
    owner: Option<Owner>,
    /// Where to look for the encoder's models.
    model_folders: Vec<PathBuf>,
    /// When the owner was last looked for among several faces.
    compared: Option<Duration>,
    detector: Detector,
    followed: Option<Followed>,
    searched: Option<(Duration, Found)>,
    thorough: bool,
}

impl Follower {
    /// The landmarks of the followed face, after [`Self::step`] found one.
    pub(super) fn landmarks(&self) -> Option<&Landmarks> {
        self.followed.as_ref().map(|followed| &followed.landmarks)
    }

    /// Sets whom to follow when several people are in the image.
    pub(super) fn set_owner(&mut self, owner: Option<Owner>, model_folders: &[PathBuf]) {
        self.owner = owner;
        model_folders.clone_into(&mut self.model_folders);
        self.compared = None;
    }

    pub(super) fn face(&self, predictor: &Predictor) -> Option<FaceBox> {
        self.followed.as_ref().map(|followed| predictor.box_of(&followed.landmarks))
    }

    pub(super) fn reset(&mut self) {
        self.followed = None;
        self.searched = None;
        self.compared = None;
    }

    /// Processes the next frame.
    pub(super) fn step(&mut self, view: View<'_>) -> opencv::Result<Found> {
        if let Some(mut followed) = self.followed.take()
            && self.go_on(&mut followed, view)?
        {
            self.followed = Some(followed);
            return Ok(Found::One);
        }
        self.search(view)
    }

    /// Whether the followed face is still there; if so, its landmarks are updated.
    fn go_on(&mut self, face: &mut Followed, View { predictor, grey, image, t }: View<'_>) -> opencv::Result<bool> {
        let before = predictor.box_of(&face.landmarks);
        let landmarks = predictor.predict(image, &before);
        let now = predictor.box_of(&landmarks);
        let thumbnail = thumbnail(image, &now);
        let likeness = likeness(&thumbnail, &face.thumbnail);
        let steady = is_steady(&before, &now) && is_inside(&now, image);
        if steady && likeness >= GONE_BELOW {
            face.landmarks = landmarks;
        }
        let doubted = !steady || likeness < DOUBT_BELOW || face.refusals > 0;
        let gone = !steady || likeness < GONE_BELOW;
        let every = if doubted { DOUBT_EVERY } else { CONFIRM_EVERY };
        if !gone && t.saturating_sub(face.asked) < every {
            return Ok(true);
        }
        face.asked = t;
        if let Some(found) = self.confirm(grey, &predictor.box_of(&face.landmarks))? {
            if gone || overlap(&found, &now) < 0.5 {
                face.landmarks = settle(predictor, image, &found);
            }
            face.thumbnail = self::thumbnail(image, &predictor.box_of(&face.landmarks));
            face.confirmed = t;
            face.refusals = 0;
            return Ok(true);
        }
        face.refusals += 1;
        // The detector refuses a turned or half hidden face, but if it still looks the same its landmarks are trusted
        // for a while.
        Ok(!gone
            && (face.refusals < MOST_REFUSALS
                || likeness >= DOUBT_BELOW && t.saturating_sub(face.confirmed) < 4 * CONFIRM_EVERY))
    }

    /// Runs the detector on the surroundings of `at`.
    fn confirm(&mut self, grey: &Mat, at: &FaceBox) -> opencv::Result<Option<FaceBox>> {
        let size = f64::from(at.scale());
        let centre = at.apply(Point::new(0.5, 0.5));
        let region = clip(grey, f64::from(centre.x) - size, f64::from(centre.y) - size, 2.0 * size);
        if region.width < 16 || region.height < 16 {
            return Ok(None);
        }
        let found = self.detector.detect(grey, region, CONFIRM_WIDTH / size)?;
        Ok(found
            .into_iter()
            .map(|face| (overlap(&face, at), face))
            .filter(|(share, _)| *share > 0.2)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, face)| face))
    }

    fn search(&mut self, View { predictor, grey, image, t }: View<'_>) -> opencv::Result<Found> {
        if let Some((at, found)) = self.searched
            && t.saturating_sub(at) < SEARCH_EVERY
        {
            return Ok(found);
        }
        let first = self.searched.is_none();
        let whole = Rect::new(0, 0, grey.cols(), grey.rows());
        let scale = SEARCH_WIDTH / f64::from(grey.cols());
        let mut faces = Vec::new();
        if first || !self.thorough {
            faces = self.detector.detect(grey, whole, scale)?;
        }
        // A single face is checked at twice the scale, because a smaller face beside it would make it several.
        if faces.len() == 1 || faces.is_empty() && (first || self.thorough) {
            let more = self.detector.detect(grey, whole, 2.0 * scale)?;
            let apart = |face: &FaceBox| faces.iter().all(|known| overlap(known, face) < 0.2);
            let others: Vec<FaceBox> = more.into_iter().filter(apart).collect();
            faces.extend(others);
        }
        self.thorough = !self.thorough;
        let person = match faces.as_slice() {
            [face] => Some(*face),
            several => self.owner_among(grey, several, t)?,
        };
        let found = match person {
            Some(face) => {
                let landmarks = settle(predictor, image, &face);
                let thumbnail = thumbnail(image, &predictor.box_of(&landmarks));
                self.followed = Some(Followed { landmarks, thumbnail, confirmed: t, asked: t, refusals: 0 });
                Found::One
            }
            None if faces.is_empty() => Found::Nobody,
            None => Found::Several,
        };
        self.searched = (found != Found::One).then_some((t, found));
        Ok(found)
    }
}

impl Follower {
    /// The owner's face among several; `None` where nobody is enrolled. The encoder is large and slow, so it is loaded
    /// only for the comparison, at most every [`COMPARE_EVERY`].
    fn owner_among(&mut self, grey: &Mat, faces: &[FaceBox], t: Duration) -> opencv::Result<Option<FaceBox>> {
        let Some(owner) = self.owner.as_ref().filter(|_| faces.len() > 1) else { return Ok(None) };
        if self.compared.is_some_and(|last| t.saturating_sub(last) < COMPARE_EVERY) {
            return Ok(None);
        }
        self.compared = Some(t);
        let Ok(encoder) = Encoder::load(&self.model_folders) else {
            tracing::warn!("the owner cannot be told among several faces: the encoder's models are missing");
            return Ok(None);
        };
        let mut encodings = Vec::new();
        let mut encoded = Vec::new();
        for face in faces {
            if let Some(encoding) = encoder.encode(grey, std::slice::from_ref(face))?.pop() {
                encodings.push(encoding);
                encoded.push(*face);
            }
        }
        Ok(owner.among(&encodings).map(|i| encoded[i]))
    }
}

/// The landmarks of a newly detected face. They are predicted twice, so that they do not depend on the box's position.
fn settle(predictor: &Predictor, image: &GreyImage<'_>, face: &FaceBox) -> Landmarks {
    let first = predictor.predict(image, face);
    predictor.predict(image, &predictor.box_of(&first))
}

fn is_steady(before: &FaceBox, now: &FaceBox) -> bool {
    let growth = now.scale() / before.scale().max(1.0);
    let shift = (now.apply(Point::new(0.5, 0.5)) - before.apply(Point::new(0.5, 0.5))).norm();
    (1.0 / MOST_GROWTH..=MOST_GROWTH).contains(&growth) && shift < MOST_SHIFT * before.scale()
}

/// Whether the face's centre is inside the image.
#[expect(clippy::cast_precision_loss, reason = "pixels")]
fn is_inside(face: &FaceBox, image: &GreyImage<'_>) -> bool {
    let centre = face.apply(Point::new(0.5, 0.5));
    (0.0..image.width() as f32).contains(&centre.x) && (0.0..image.height() as f32).contains(&centre.y)
}

/// A small sample of the face with mean 0 and energy 1.
#[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
fn thumbnail(image: &GreyImage<'_>, face: &FaceBox) -> Thumbnail {
    let mut thumbnail = [0.0; SIDE * SIDE];
    let step = 1.0 / SIDE as f32;
    for (y, row) in thumbnail.chunks_exact_mut(SIDE).enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            *value = image.bilinear(face.apply(Point::new((x as f32 + 0.5) * step, (y as f32 + 0.5) * step)));
        }
    }
    let mean = thumbnail.iter().sum::<f32>() / (SIDE * SIDE) as f32;
    thumbnail.iter_mut().for_each(|value| *value -= mean);
    let energy = thumbnail.iter().map(|value| value * value).sum::<f32>().sqrt().max(1.0);
    thumbnail.iter_mut().for_each(|value| *value /= energy);
    thumbnail
}

fn likeness(a: &Thumbnail, b: &Thumbnail) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Intersection over union of two boxes, ignoring their rotation.
fn overlap(a: &Similarity, b: &Similarity) -> f32 {
    let side = |s: &Similarity| (s.apply(Point::new(0.5, 0.5)), s.scale());
    let ((ca, sa), (cb, sb)) = (side(a), side(b));
    let along = |a: f32, b: f32| ((a + sa / 2.0).min(b + sb / 2.0) - (a - sa / 2.0).max(b - sb / 2.0)).max(0.0);
    let both = along(ca.x, cb.x) * along(ca.y, cb.y);
    both / (sa * sa + sb * sb - both).max(1.0)
}

/// The part of a square of `side` at (left, top) that is inside the image.
#[expect(clippy::cast_possible_truncation, reason = "pixel coordinates")]
fn clip(grey: &Mat, left: f64, top: f64, side: f64) -> Rect {
    let (x, y) = ((left as i32).max(0), (top as i32).max(0));
    let (right, bottom) = (((left + side) as i32).min(grey.cols()), ((top + side) as i32).min(grey.rows()));
    Rect::new(x, y, (right - x).max(0), (bottom - y).max(0))
}
