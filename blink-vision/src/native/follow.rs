//! Follows one face. The detector runs rarely; between its runs the face's own landmarks give its position.
//!
//! In each frame the face is compared with its appearance when the detector last confirmed it. If it looks different or
//! its landmarks jump, the detector is run at once. So a loss is noticed in the same frame or the next.

use std::{path::PathBuf, time::Duration};

use opencv::core::{Mat, MatTraitConst, Rect};

use super::{
    Detector, Encoder, FaceBox,
    detector::{SAME_FACE_FROM, Search, is_inside, overlap},
};
use crate::{
    geometry::{Landmarks, Point},
    models,
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
/// The share of the picture's width that near faces have, and the width of the picture in the search for tilted ones.
const NEAR_FACE: f64 = 0.25;
const TILTED_WIDTH: f64 = 320.0;
/// Width of the smallest face that is looked for.
const LEAST_FACE: f64 = 58.0;
/// How often the thorough detector may be asked.
const THOROUGH_EVERY: Duration = Duration::from_secs(2);
/// Side length of the thumbnail in pixels.
const SIDE: usize = 16;
/// Below the first likeness a face is in doubt; below the second it is lost unless the detector finds it.
const DOUBT_BELOW: f32 = 0.75;
const GONE_BELOW: f32 = 0.45;
/// While the band of the eyes looks this much like it did when the landmarks were last predicted, they are kept, but for
/// no longer than this.
const SAME_FROM: f32 = 0.985;
const KEEP_FOR: Duration = Duration::from_millis(90);
/// The band of the eyes in the face's box, from brows to nose, and the number of points at which it is sampled.
const BAND: (f32, f32) = (0.05, 0.5);
const BAND_POINTS: (usize, usize) = (32, 10);
/// The most that a face grows or moves from one frame to the next, relative to its size.
const MOST_GROWTH: f32 = 1.25;
const MOST_SHIFT: f32 = 0.5;

type Thumbnail = [f32; SIDE * SIDE];
type Band = [f32; BAND_POINTS.0 * BAND_POINTS.1];

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

/// A way of looking for faces in a picture where nobody is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// Faces at least a quarter as wide as the picture.
    Near,
    /// Faces of 60 pixels and more, in larger pictures of a thirteenth of their width.
    Far,
    /// Faces that fill the picture or reach beyond it.
    Beyond,
    /// Tilted heads.
    Tilted,
}

/// The order in which a picture is looked through.
const LOOKS: [Look; 4] = [Look::Near, Look::Beyond, Look::Far, Look::Tilted];

#[derive(Debug)]
struct Followed {
    landmarks: Landmarks,
    thumbnail: Thumbnail,
    /// The band of the eyes when the landmarks were predicted, and when that was.
    band: Band,
    predicted: Duration,
    confirmed: Duration,
    asked: Duration,
    refusals: u32,
}

#[derive(Default)]
pub(super) struct Follower {
    owner: Option<Owner>,
    /// Where to look for the models of the encoder and of the thorough detector.
    model_folders: Vec<PathBuf>,
    /// When the owner was last looked for among several faces.
    compared: Option<Duration>,
    detector: Detector,
    followed: Option<Followed>,
    searched: Option<(Duration, Found)>,
    /// The next way of looking.
    look: usize,
    /// When the thorough detector was last asked.
    asked_thoroughly: Option<Duration>,
    /// Whether the thorough detector's model was looked for.
    sought_thorough: bool,
}

impl Follower {
    /// The landmarks of the followed face, after [`Self::step`] found one.
    pub(super) fn landmarks(&self) -> Option<&Landmarks> {
        self.followed.as_ref().map(|followed| &followed.landmarks)
    }

    /// Sets whom to follow when several people are in the image.
    pub(super) fn set_owner(&mut self, owner: Option<Owner>) {
        self.owner = owner;
        self.compared = None;
    }

    pub(super) fn set_model_folders(&mut self, folders: &[PathBuf]) {
        folders.clone_into(&mut self.model_folders);
    }

    pub(super) fn face(&self, predictor: &Predictor) -> Option<FaceBox> {
        self.followed.as_ref().map(|followed| predictor.box_of(&followed.landmarks))
    }

    pub(super) fn reset(&mut self) {
        self.followed = None;
        self.searched = None;
        self.compared = None;
        self.asked_thoroughly = None;
        self.look = 0;
        self.detector.forget();
    }

    /// Processes the next frame.
    pub(super) fn step(&mut self, view: View<'_>) -> opencv::Result<Found> {
        if let Some(mut followed) = self.followed.take()
            && self.go_on(&mut followed, view)?
        {
            if followed.predicted == view.t {
                followed.band = band(view.image, &view.predictor.box_of(&followed.landmarks));
            }
            self.followed = Some(followed);
            return Ok(Found::One);
        }
        self.search(view)
    }

    /// Whether the followed face is still there; if so, its landmarks are updated.
    #[expect(clippy::cast_precision_loss, reason = "pixels")]
    fn go_on(&mut self, face: &mut Followed, View { predictor, grey, image, t }: View<'_>) -> opencv::Result<bool> {
        let before = predictor.box_of(&face.landmarks);
        let kept = t.saturating_sub(face.predicted) < KEEP_FOR && face.refusals == 0;
        if kept && likeness(&band(image, &before), &face.band) >= SAME_FROM {
            return Ok(true);
        }
        let landmarks = predictor.predict(image, &before);
        let now = predictor.box_of(&landmarks);
        let thumbnail = thumbnail(image, &now);
        let likeness = likeness(&thumbnail, &face.thumbnail);
        let steady = is_steady(&before, &now) && is_inside(&now, image.width() as f32, image.height() as f32);
        if steady && likeness >= GONE_BELOW {
            face.landmarks = landmarks;
        }
        face.predicted = t;
        let doubted = !steady || likeness < DOUBT_BELOW || face.refusals > 0;
        let gone = !steady || likeness < GONE_BELOW;
        let every = if doubted { DOUBT_EVERY } else { CONFIRM_EVERY };
        if !gone && t.saturating_sub(face.asked) < every {
            return Ok(true);
        }
        face.asked = t;
        if let Some(found) = self.confirm(grey, &predictor.box_of(&face.landmarks), t)? {
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

    /// Whether a detector finds the face at `at`: the quick one, and if it does not, now and then the thorough one.
    fn confirm(&mut self, grey: &Mat, at: &FaceBox, t: Duration) -> opencv::Result<Option<FaceBox>> {
        let found = self.detector.confirm(grey, at, Search::Quick)?;
        if found.is_some() || self.asked_thoroughly.is_some_and(|last| t.saturating_sub(last) < THOROUGH_EVERY) {
            return Ok(found);
        }
        self.asked_thoroughly = Some(t);
        self.load_thorough();
        self.detector.confirm(grey, at, Search::Thorough)
    }

    /// Loads the thorough detector when it is first needed; it is optional.
    pub(super) fn load_thorough(&mut self) {
        if !std::mem::replace(&mut self.sought_thorough, true) {
            let loaded = models::FACE_DETECTOR
                .find(&self.model_folders)
                .map_err(|error| error.to_string())
                .and_then(|path| self.detector.load_thorough(&path));
            if let Err(why) = loaded {
                tracing::debug!("turned and tilted faces are found less often: {why}");
            }
        }
    }

    fn search(&mut self, view: View<'_>) -> opencv::Result<Found> {
        let View { grey, t, .. } = view;
        let first = self.searched.is_none();
        if let Some((at, found)) = self.searched
            && t.saturating_sub(at) < SEARCH_EVERY
        {
            return Ok(found);
        }
        let mut found = Found::Nobody;
        // Looking for the first time, all ways are tried at once.
        for _ in 0..if first { LOOKS.len() } else { 1 } {
            let faces = self.look(LOOKS[self.look], grey)?;
            found = self.choose(&faces, view)?;
            match found {
                Found::Nobody => self.look = (self.look + 1) % LOOKS.len(),
                // Another way of looking may see only one of them.
                Found::Several => break,
                Found::One => {
                    self.look = 0;
                    break;
                }
            }
        }
        self.searched = (found != Found::One).then_some((t, found));
        Ok(found)
    }

    /// The faces that one way of looking finds.
    fn look(&mut self, look: Look, grey: &Mat) -> opencv::Result<Vec<FaceBox>> {
        let whole = Rect::new(0, 0, grey.cols(), grey.rows());
        let far = Detector::scale_for(grey, LEAST_FACE);
        match look {
            Look::Near => {
                let near = Detector::scale_for(grey, NEAR_FACE * f64::from(grey.cols()));
                let mut faces = self.detector.detect(grey, whole, near)?;
                // A smaller face beside a single one would make it several.
                if faces.len() == 1 {
                    faces.extend(self.detector.detect(grey, whole, far)?);
                }
                Ok(apart(faces))
            }
            Look::Far => self.detector.detect(grey, whole, far),
            Look::Beyond => Ok(apart(self.detector.detect_beyond(grey)?)),
            Look::Tilted => Ok(apart(self.detector.detect_tilted(grey, TILTED_WIDTH)?)),
        }
    }

    /// Follows the person among `faces`, if there is one.
    fn choose(&mut self, faces: &[FaceBox], view: View<'_>) -> opencv::Result<Found> {
        let View { predictor, grey, image, t } = view;
        let person = match faces {
            [] => return Ok(Found::Nobody),
            [face] => Some(*face),
            several => self.owner_among(grey, several, t)?,
        };
        let Some(face) = person else { return Ok(Found::Several) };
        let landmarks = settle(predictor, image, &face);
        let at = predictor.box_of(&landmarks);
        let (thumbnail, band) = (thumbnail(image, &at), band(image, &at));
        let (predicted, confirmed, asked) = (t, t, t);
        self.followed = Some(Followed { landmarks, thumbnail, band, predicted, confirmed, asked, refusals: 0 });
        Ok(Found::One)
    }
}

/// The faces that are not the same as an earlier one: a turned picture shows one face several times.
fn apart(faces: Vec<FaceBox>) -> Vec<FaceBox> {
    let mut kept: Vec<FaceBox> = Vec::new();
    for face in faces {
        if kept.iter().all(|known| overlap(known, &face) < SAME_FACE_FROM) {
            kept.push(face);
        }
    }
    kept
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
#[must_use]
pub fn settle(predictor: &Predictor, image: &GreyImage<'_>, face: &FaceBox) -> Landmarks {
    let first = predictor.predict(image, face);
    predictor.predict(image, &predictor.box_of(&first))
}

fn is_steady(before: &FaceBox, now: &FaceBox) -> bool {
    let growth = now.scale() / before.scale().max(1.0);
    let shift = (now.apply(Point::new(0.5, 0.5)) - before.apply(Point::new(0.5, 0.5))).norm();
    (1.0 / MOST_GROWTH..=MOST_GROWTH).contains(&growth) && shift < MOST_SHIFT * before.scale()
}

/// A small sample of the face.
#[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
fn thumbnail(image: &GreyImage<'_>, face: &FaceBox) -> Thumbnail {
    let step = 1.0 / SIDE as f32;
    sampled(image, |i| face.apply(Point::new(((i % SIDE) as f32 + 0.5) * step, ((i / SIDE) as f32 + 0.5) * step)))
}

/// A small sample of the eyes and what is around them.
#[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
fn band(image: &GreyImage<'_>, face: &FaceBox) -> Band {
    let (columns, rows) = BAND_POINTS;
    sampled(image, |i| {
        let (x, y) = ((i % columns) as f32 / columns as f32, (i / columns) as f32 / rows as f32);
        face.apply(Point::new(x, BAND.0 + (BAND.1 - BAND.0) * y))
    })
}

/// The image at `N` points, with mean 0 and energy 1.
#[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
fn sampled<const N: usize>(image: &GreyImage<'_>, point: impl Fn(usize) -> Point) -> [f32; N] {
    let mut values: [f32; N] = std::array::from_fn(|i| image.bilinear(point(i)));
    let mean = values.iter().sum::<f32>() / N as f32;
    values.iter_mut().for_each(|value| *value -= mean);
    let energy = values.iter().map(|value| value * value).sum::<f32>().sqrt().max(1.0);
    values.iter_mut().for_each(|value| *value /= energy);
    values
}

fn likeness(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
