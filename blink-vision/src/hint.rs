//! What the person can do so that their eyes are seen better.
//!
//! A condition becomes a hint when it has held for a second, and the hint goes when the condition has been absent for a
//! second, so that a passing movement is no hint and a flickering one does not flicker. Of several hints the most
//! useful is given: what hides everything else comes first.

use std::time::Duration;

use crate::{
    blinks::MAX_GAP,
    event::Reading,
    geometry::{Landmarks, Point, Similarity},
    predictor::GreyImage,
};

/// How long a condition must hold before it is a hint, and be absent before it is none.
const PATIENCE: Duration = Duration::from_secs(1);
/// Below this width in pixels an eye is under 13 pixels wide and 4 high, and an incomplete blink is lost in the noise of
/// its landmarks.
const TOO_FAR_BELOW: f32 = 60.0;
/// A face that fills this much of the picture's height may be cut by the picture's edge; where it is, its eyes are too
/// close to the edge within this share of its width.
const CUT_FROM: f32 = 0.5;
const EYES_AT_EDGE: f32 = 0.08;
/// Below these mean brightnesses (of 255) a webcam's noise hides blinks. A face in a dark picture is brighter than what
/// surrounds it.
const DARK_FACE: f32 = 40.0;
const DARK_PICTURE: f32 = 30.0;
/// The time constant of the usual yaw, and how long a face is followed before it counts.
const USUAL_TIME: Duration = Duration::from_secs(20);
const USUAL_AFTER: Duration = Duration::from_secs(10);
/// From here on a usual yaw leaves little of a turn before the far eye is hidden ([`crate::blinks::MAX_YAW_DEG`]).
const TO_THE_SIDE_DEG: f32 = 20.0;
/// Side length of the grid of pixels that a mean brightness is taken from.
const GRID: u16 = 16;

/// Advice to the person, the most useful first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// The picture is repeated bit for bit: the camera or its driver hangs.
    PictureFrozen,
    /// The face, or the whole picture where no face is followed, is too dark.
    TooDark,
    /// The face is too small.
    TooFar,
    /// The face is larger than the picture, or cut by its edge at the eyes.
    TooNear,
    /// The face is usually seen from the side.
    CameraTooFarToTheSide,
    /// The head is turned, raised or lowered too far at the moment.
    TurnedAway,
}

impl Hint {
    const ALL: [Self; 6] = [
        Self::PictureFrozen,
        Self::TooDark,
        Self::TooFar,
        Self::TooNear,
        Self::CameraTooFarToTheSide,
        Self::TurnedAway,
    ];

    /// The hint's name in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PictureFrozen => "picture_frozen",
            Self::TooDark => "too_dark",
            Self::TooFar => "too_far",
            Self::TooNear => "too_near",
            Self::CameraTooFarToTheSide => "camera_too_far_to_the_side",
            Self::TurnedAway => "turned_away",
        }
    }

    /// How long its condition must hold: a frozen picture is known only after a second of it.
    fn patience(self) -> Duration {
        if self == Self::PictureFrozen { Duration::ZERO } else { PATIENCE }
    }
}

/// What is known about one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scene {
    /// A picture that has been repeated for too long.
    Frozen,
    /// A picture in which no face is followed.
    Nobody {
        /// Its mean brightness, 0 to 255.
        luma: f32,
    },
    /// A followed face.
    Face(FaceView),
}

/// How a followed face is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaceView {
    /// The width of its box in pixels.
    pub width: f32,
    /// The height of its box over the picture's height.
    pub share: f32,
    /// The least distance of an eye's corner from the picture's edge over the width of the box; negative outside.
    pub margin: f32,
    /// The mean brightness of its box, 0 to 255.
    pub luma: f32,
    /// The yaw of the head in degrees.
    pub yaw: f32,
    /// Whether the head is turned too far for the eyes to be measured.
    pub turned: bool,
}

impl Scene {
    /// The scene of a picture, with the box and the landmarks of the followed face if there is one.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "pixels")]
    pub fn of(image: &GreyImage<'_>, face: Option<(&Similarity, &Landmarks)>, reading: &Reading) -> Self {
        let (width, height) = (image.width() as f32, image.height() as f32);
        let Some((area, landmarks)) = face else {
            return Self::Nobody { luma: mean_luma(image, Point::default(), Point::new(width, height)) };
        };
        let side = area.scale();
        let corner = area.apply(Point::new(0.5, 0.5)) - Point::new(0.5, 0.5) * side;
        let from_edge = |at: Point| at.x.min(at.y).min(width - at.x).min(height - at.y);
        let margin = [36, 39, 42, 45].map(|i: usize| from_edge(landmarks[i])).into_iter().fold(f32::INFINITY, f32::min);
        Self::Face(FaceView {
            width: side,
            share: side / height,
            margin: margin / side.max(1.0),
            luma: mean_luma(image, corner, Point::new(side, side)),
            yaw: reading.pose.map_or(0.0, |pose| pose.yaw),
            turned: reading.turned,
        })
    }
}

/// The mean brightness of the part of a rectangle that is inside the image.
fn mean_luma(image: &GreyImage<'_>, corner: Point, size: Point) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "pixels")]
    let (right, bottom) = ((image.width() - 1) as f32, (image.height() - 1) as f32);
    let (mut sum, mut count) = (0.0, 0.0);
    for row in 0..GRID {
        for column in 0..GRID {
            let along = |i: u16| (f32::from(i) + 0.5) / f32::from(GRID);
            let at = Point::new(corner.x + size.x * along(column), corner.y + size.y * along(row));
            if (0.0..=right).contains(&at.x) && (0.0..=bottom).contains(&at.y) {
                sum += f32::from(image.nearest(at));
                count += 1.0;
            }
        }
    }
    sum / f32::max(count, 1.0)
}

/// Decides the hint of each frame of a stream.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    conditions: [Condition; Hint::ALL.len()],
    usual: UsualYaw,
}

impl Hints {
    /// Takes the next frame's time and scene; returns the hint to give.
    pub fn push(&mut self, t: Duration, scene: &Scene) -> Option<Hint> {
        let to_the_side = match scene {
            Scene::Face(face) => self.usual.push(t, face.yaw).is_some_and(|yaw| yaw.abs() >= TO_THE_SIDE_DEG),
            Scene::Frozen | Scene::Nobody { .. } => false,
        };
        for (hint, condition) in Hint::ALL.into_iter().zip(&mut self.conditions) {
            condition.push(t, holds(hint, scene, to_the_side), hint.patience());
        }
        Hint::ALL.into_iter().zip(&self.conditions).find(|(_, condition)| condition.given).map(|(hint, _)| hint)
    }
}

fn holds(hint: Hint, scene: &Scene, to_the_side: bool) -> bool {
    match (hint, scene) {
        (Hint::PictureFrozen, _) => *scene == Scene::Frozen,
        (Hint::TooDark, Scene::Nobody { luma }) => *luma < DARK_PICTURE,
        (_, Scene::Frozen | Scene::Nobody { .. }) => false,
        (Hint::TooDark, Scene::Face(face)) => face.luma < DARK_FACE,
        (Hint::TooFar, Scene::Face(face)) => face.width < TOO_FAR_BELOW,
        (Hint::TooNear, Scene::Face(face)) => face.share > 1.0 || face.share > CUT_FROM && face.margin < EYES_AT_EDGE,
        (Hint::CameraTooFarToTheSide, Scene::Face(_)) => to_the_side,
        (Hint::TurnedAway, Scene::Face(face)) => face.turned,
    }
}

/// One condition over time.
#[derive(Clone, Copy, Debug, Default)]
struct Condition {
    /// Since when it has held without a break.
    since: Option<Duration>,
    /// When it last held.
    last: Duration,
    given: bool,
}

impl Condition {
    fn push(&mut self, t: Duration, holds: bool, patience: Duration) {
        if holds {
            self.last = t;
            let since = *self.since.get_or_insert(t);
            self.given |= t.saturating_sub(since) >= patience;
        } else {
            self.since = None;
            self.given &= t.saturating_sub(self.last) < PATIENCE;
        }
    }
}

/// The yaw at which the person usually sits: a mean over all followed frames at first, and later one that forgets.
#[derive(Clone, Copy, Debug, Default)]
struct UsualYaw {
    mean: f32,
    followed: Duration,
    last: Option<Duration>,
}

impl UsualYaw {
    /// Takes a followed frame; returns the usual yaw once enough was seen.
    fn push(&mut self, t: Duration, yaw: f32) -> Option<f32> {
        let dt = self.last.map_or(Duration::ZERO, |last| t.saturating_sub(last)).min(MAX_GAP);
        self.last = Some(t);
        self.followed = (self.followed + dt).min(USUAL_TIME);
        if !self.followed.is_zero() {
            self.mean += (yaw - self.mean) * dt.div_duration_f32(self.followed).min(1.0);
        }
        (self.followed >= USUAL_AFTER).then_some(self.mean)
    }
}

#[cfg(test)]
mod tests;
