//! Points, the 68 landmarks, and similarity transforms between shapes.

use std::ops::{Add, Mul, Sub};

/// A point or vector in pixels (or in units of a box, where said), x to the right and y down.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// The coordinate to the right.
    pub x: f32,
    /// The coordinate downwards.
    pub y: f32,
}

impl Point {
    /// The point (x, y).
    #[must_use]
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// The distance from the origin.
    #[must_use]
    pub fn norm(self) -> f32 {
        self.x.hypot(self.y)
    }
}

impl Add for Point {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(self.x + other.x, self.y + other.y)
    }
}

impl Sub for Point {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }
}

impl Mul<f32> for Point {
    type Output = Self;
    fn mul(self, k: f32) -> Self {
        Self::new(self.x * k, self.y * k)
    }
}

/// The number of landmarks of the iBUG 300-W scheme.
pub const LANDMARKS: usize = 68;

/// A face's landmarks in the order of the iBUG 300-W scheme (Sagonas et al. 2013), in pixels: jaw 0 to 16, brows 17 to
/// 26, nose 27 to 35, the person's right eye 36 to 41, left eye 42 to 47, mouth 48 to 67.
pub type Landmarks = [Point; LANDMARKS];

/// One of a person's eyes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eye {
    /// The person's right eye, on the left of an unmirrored image.
    Right,
    /// The person's left eye.
    Left,
}

impl Eye {
    /// Both eyes, in the order in which pairs of figures are given.
    pub const BOTH: [Self; 2] = [Self::Right, Self::Left];

    /// The six landmarks of this eye: one corner, two of the upper lid, the other corner, two of the lower lid.
    #[must_use]
    pub fn points(self, landmarks: &Landmarks) -> [Point; 6] {
        let first = match self {
            Self::Right => 36,
            Self::Left => 42,
        };
        std::array::from_fn(|i| landmarks[first + i])
    }
}

/// The eye aspect ratio: the mean height of the opening over the width between the corners (Soukupova and Cech 2016,
/// eq. 1). It does not depend on scale, position or rotation. It is 0 where the corners coincide.
#[must_use]
pub fn eye_aspect_ratio(eye: &[Point; 6]) -> f32 {
    let width = (eye[0] - eye[3]).norm();
    let height = (eye[1] - eye[5]).norm() + (eye[2] - eye[4]).norm();
    if width > f32::EPSILON { height / (2.0 * width) } else { 0.0 }
}

/// A similarity transform of the plane: p -> (a x - b y + tx, b x + a y + ty).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    /// Scale times the cosine of the rotation.
    pub a: f32,
    /// Scale times the sine of the rotation.
    pub b: f32,
    /// The image of the origin.
    pub origin: Point,
}

impl Similarity {
    /// The transform of a box without rotation: it maps the unit square's (0, 0) to `corner`, and (1, 1) to `corner +
    /// size`.
    #[must_use]
    pub const fn from_box(corner: Point, size: f32) -> Self {
        Self { a: size, b: 0.0, origin: corner }
    }

    /// The least-squares similarity that maps `from` to `to` (Umeyama 1991, without reflection).
    #[must_use]
    pub fn between(from: &[Point], to: &[Point]) -> Self {
        let count = from.len().min(to.len()).max(1);
        #[expect(clippy::cast_precision_loss, reason = "a handful of points")]
        let inverse = 1.0 / count as f32;
        let mean = |points: &[Point]| points.iter().fold(Point::default(), |sum, &p| sum + p) * inverse;
        let (from_mean, to_mean) = (mean(from), mean(to));
        let (mut along, mut across, mut spread) = (0.0, 0.0, 0.0);
        for (&p, &q) in from.iter().zip(to) {
            let (p, q) = (p - from_mean, q - to_mean);
            along += p.x * q.x + p.y * q.y;
            across += p.x * q.y - p.y * q.x;
            spread += p.x * p.x + p.y * p.y;
        }
        let (a, b) = if spread > 0.0 { (along / spread, across / spread) } else { (1.0, 0.0) };
        let turned = Point::new(a * from_mean.x - b * from_mean.y, b * from_mean.x + a * from_mean.y);
        Self { a, b, origin: to_mean - turned }
    }

    /// The image of the point `p`.
    #[must_use]
    pub fn apply(&self, p: Point) -> Point {
        self.apply_vector(p) + self.origin
    }

    /// The image of the vector `v`, that is [`Self::apply`] without the translation.
    #[must_use]
    pub fn apply_vector(&self, v: Point) -> Point {
        Point::new(self.a * v.x - self.b * v.y, self.b * v.x + self.a * v.y)
    }

    /// The composition that applies `first`, then this transform.
    #[must_use]
    pub fn after(&self, first: &Self) -> Self {
        let Point { x: a, y: b } = self.apply_vector(Point::new(first.a, first.b));
        Self { a, b, origin: self.apply(first.origin) }
    }

    /// The scale factor.
    #[must_use]
    pub fn scale(&self) -> f32 {
        self.a.hypot(self.b)
    }

    /// Its rotation in radians, clockwise as seen in an image whose y points down.
    #[must_use]
    pub fn angle(&self) -> f32 {
        self.b.atan2(self.a)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn eye(open: f32) -> [Point; 6] {
        [(0.0, 0.0), (1.0, -open), (2.0, -open), (3.0, 0.0), (2.0, open), (1.0, open)].map(|(x, y)| Point::new(x, y))
    }

    #[test]
    fn ear_is_height_over_width() {
        assert!((eye_aspect_ratio(&eye(0.45)) - 0.3).abs() < 1e-6);
        assert_eq!(eye_aspect_ratio(&[Point::default(); 6]), 0.0);
    }

    proptest! {
        #[test]
        fn ear_ignores_scale_place_and_rotation(
            open in 0.01f32..1.0, scale in 0.1f32..500.0, turn in -3.1f32..3.1, x in -1e3f32..1e3, y in -1e3f32..1e3,
        ) {
            let moved = Similarity { a: scale * turn.cos(), b: scale * turn.sin(), origin: Point::new(x, y) };
            let before = eye_aspect_ratio(&eye(open));
            let after = eye_aspect_ratio(&eye(open).map(|p| moved.apply(p)));
            prop_assert!((before - after).abs() < 2e-3 * (1.0 + 1.0 / scale), "{} {}", before, after);
        }

        #[test]
        fn the_similarity_between_a_shape_and_its_image_is_found(
            scale in 0.5f32..300.0, turn in -3.0f32..3.0, x in -300f32..300.0, y in -300f32..300.0,
        ) {
            let made = Similarity { a: scale * turn.cos(), b: scale * turn.sin(), origin: Point::new(x, y) };
            let from = eye(0.4);
            let found = Similarity::between(&from, &from.map(|p| made.apply(p)));
            prop_assert!((found.a - made.a).abs() < 1e-2 * scale && (found.b - made.b).abs() < 1e-2 * scale);
            prop_assert!((found.scale() - scale).abs() < 1e-2 * scale);
        }
    }
}
