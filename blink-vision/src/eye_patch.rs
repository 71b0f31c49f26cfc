//! The image of an eye, cut out where the whole face says it is, with the nose to the left.
//!
//! Rims, lashes and glare attract the eye's own landmarks, but move with the face: what changes in the patch is the lid.

use crate::{
    geometry::{Eye, Landmarks, Point, Similarity},
    predictor::GreyImage,
};

/// Columns of a patch.
pub const PATCH_WIDTH: usize = 32;
/// Rows of a patch.
pub const PATCH_HEIGHT: usize = 24;
/// A patch spans this many eye widths horizontally and vertically.
const SPAN: (f32, f32) = (1.7, 1.275);
/// From this many pixels of the image between two samples on, each sample is the mean of four.
const COARSE_FROM: f32 = 2.0;

/// The grey levels of one eye's patch, row by row.
pub type Patch = [f32; PATCH_WIDTH * PATCH_HEIGHT];

/// Samples the patch of `eye` at the place that `face`, the transform from the mean shape to the image, gives it.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
pub fn sample(image: &GreyImage<'_>, mean_shape: &Landmarks, face: &Similarity, eye: Eye) -> Patch {
    let corners = eye.points(mean_shape);
    let centre = face.apply((corners[0] + corners[3]) * 0.5);
    let width = (corners[3] - corners[0]).norm();
    // The nose is to the right of the right eye, so that one is mirrored.
    let direction = if eye == Eye::Right { -1.0 } else { 1.0 };
    let across = face.apply_vector(Point::new(direction * width * SPAN.0 / PATCH_WIDTH as f32, 0.0));
    let down = face.apply_vector(Point::new(0.0, width * SPAN.1 / PATCH_HEIGHT as f32));
    let corner = centre - across * (PATCH_WIDTH as f32 * 0.5 - 0.5) - down * (PATCH_HEIGHT as f32 * 0.5 - 0.5);
    if across.norm() < COARSE_FROM {
        fill(corner, across, down, |p| image.bilinear(p))
    } else {
        let (a, b) = ((across + down) * 0.25, (across - down) * 0.25);
        fill(corner, across, down, |p| {
            0.25 * [p + a, p - a, p + b, p - b].map(|p| image.bilinear(p)).iter().sum::<f32>()
        })
    }
}

/// The correlation of two patches: 1 where they differ in brightness and contrast alone.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a small whole number")]
pub fn likeness(a: &Patch, b: &Patch) -> f32 {
    let mean = |patch: &Patch| patch.iter().sum::<f32>() / patch.len() as f32;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut both, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().map(|a| a - mean_a).zip(b.iter().map(|b| b - mean_b)) {
        both += a * b;
        of_a += a * a;
        of_b += b * b;
    }
    both / (of_a * of_b).sqrt().max(1.0)
}

#[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
fn fill(corner: Point, across: Point, down: Point, value: impl Fn(Point) -> f32) -> Patch {
    let mut patch = [0.0; PATCH_WIDTH * PATCH_HEIGHT];
    for (y, row) in patch.chunks_exact_mut(PATCH_WIDTH).enumerate() {
        let start = corner + down * y as f32;
        for (x, pixel) in row.iter_mut().enumerate() {
            *pixel = value(start + across * x as f32);
        }
    }
    patch
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::geometry::LANDMARKS;

    /// A mean shape whose eyes are a tenth wide, at a quarter and at three quarters of the box.
    fn mean_shape() -> Landmarks {
        let mut landmarks = [Point::default(); LANDMARKS];
        for (first, x) in [(36, 0.25), (42, 0.75)] {
            (landmarks[first], landmarks[first + 3]) = (Point::new(x - 0.05, 0.5), Point::new(x + 0.05, 0.5));
        }
        landmarks
    }

    /// The patches of a face of `size` pixels in an image that becomes brighter to the right by 200 grey levels.
    fn patches(size: usize) -> [Patch; 2] {
        let data: Vec<u8> = (0..size * size).map(|i| (i % size * 200 / size) as u8).collect();
        let image = GreyImage::new(&data, size, size, size).unwrap();
        let face = Similarity::from_box(Point::default(), size as f32);
        Eye::BOTH.map(|eye| sample(&image, &mean_shape(), &face, eye))
    }

    #[test]
    fn light_and_contrast_leave_a_patch_alike_and_other_content_does_not() {
        let patch: Patch = std::array::from_fn(|i| (i % PATCH_WIDTH * 7 % 23) as f32);
        assert!(likeness(&patch, &patch.map(|value| 2.0 * value + 30.0)) > 0.999);
        assert!(likeness(&patch, &patch.map(|value| 50.0 - value)) < -0.999);
        assert!(likeness(&patch, &[7.0; PATCH_WIDTH * PATCH_HEIGHT]).abs() < 0.001);
    }

    #[rstest]
    #[case::small(200)]
    #[case::large(1_600)]
    fn the_nose_is_to_the_left_and_the_eye_in_the_middle(#[case] size: usize) {
        let [right, left] = patches(size);
        let column = |patch: &Patch, x: usize| patch[12 * PATCH_WIDTH + x];
        // The right eye's nose side is to its right, where the image is brighter.
        assert!(column(&right, 0) > column(&right, 31) && column(&left, 0) < column(&left, 31));
        let middle = |patch: &Patch| (column(patch, 15) + column(patch, 16)) / 2.0;
        assert!((middle(&right) - 50.0).abs() < 1.5 && (middle(&left) - 150.0).abs() < 1.5);
        // 1.7 eye widths are 0.17 of the box, and so of 200 grey levels.
        assert!((column(&left, 31) - column(&left, 0) - 0.17 * 200.0 * 31.0 / 32.0).abs() < 1.5);
    }
}
