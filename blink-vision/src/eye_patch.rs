//! The image of an eye, aligned by the face, compared with the same eye's open template.
//!
//! Rims, lashes and glare attract landmarks, but move with the face: what changes in the aligned patch is the lid. The
//! likeness is the normalised cross-correlation, which ignores brightness and contrast, at the best of a few small
//! shifts, which compensate the remaining error of the alignment.

use crate::{
    geometry::{Eye, Landmarks, Point, Similarity},
    predictor::GreyImage,
};

/// Columns of a patch.
pub const PATCH_WIDTH: usize = 24;
/// Rows of a patch.
pub const PATCH_HEIGHT: usize = 16;
/// The largest shift in each direction, in patch pixels.
const SHIFT: usize = 2;
const INNER_WIDTH: usize = PATCH_WIDTH - 2 * SHIFT;
const INNER_HEIGHT: usize = PATCH_HEIGHT - 2 * SHIFT;
/// A patch spans this many eye widths horizontally and vertically.
const SPAN: (f32, f32) = (1.8, 1.2);

/// The grey levels of one eye's patch, row by row.
pub type Patch = [f32; PATCH_WIDTH * PATCH_HEIGHT];

/// Samples the patch of `eye` at the place that `face`, the transform from the mean shape to the image, gives it.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
pub fn sample(image: &GreyImage<'_>, mean_shape: &Landmarks, face: &Similarity, eye: Eye) -> Patch {
    let corners = eye.points(mean_shape);
    let centre = face.apply((corners[0] + corners[3]) * 0.5);
    let width = (corners[3] - corners[0]).norm();
    let across = face.apply_vector(Point::new(width * SPAN.0 / PATCH_WIDTH as f32, 0.0));
    let down = face.apply_vector(Point::new(0.0, width * SPAN.1 / PATCH_HEIGHT as f32));
    let corner = centre - across * (PATCH_WIDTH as f32 * 0.5 - 0.5) - down * (PATCH_HEIGHT as f32 * 0.5 - 0.5);
    let mut patch = [0.0; PATCH_WIDTH * PATCH_HEIGHT];
    for (y, row) in patch.chunks_exact_mut(PATCH_WIDTH).enumerate() {
        let start = corner + down * y as f32;
        for (x, value) in row.iter_mut().enumerate() {
            *value = image.bilinear(start + across * x as f32);
        }
    }
    patch
}

/// The unlikeness of `patch` to `template`: one minus the best normalised cross-correlation over the shifts, 0 to 2.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
pub fn unlikeness(patch: &Patch, template: &Patch) -> f32 {
    const COUNT: f32 = (INNER_WIDTH * INNER_HEIGHT) as f32;
    let mut inner = [0.0f32; INNER_WIDTH * INNER_HEIGHT];
    for (y, row) in inner.chunks_exact_mut(INNER_WIDTH).enumerate() {
        let start = (y + SHIFT) * PATCH_WIDTH + SHIFT;
        row.copy_from_slice(&template[start..start + INNER_WIDTH]);
    }
    let mean = inner.iter().sum::<f32>() / COUNT;
    inner.iter_mut().for_each(|value| *value -= mean);
    let template_energy = inner.iter().map(|value| value * value).sum::<f32>();
    let mut best = -1.0f32;
    for dy in 0..=2 * SHIFT {
        for dx in 0..=2 * SHIFT {
            let (mut sum, mut squares, mut product) = (0.0f32, 0.0f32, 0.0f32);
            for (y, row) in inner.chunks_exact(INNER_WIDTH).enumerate() {
                let start = (y + dy) * PATCH_WIDTH + dx;
                let mut lanes = [[0.0f32; 4]; 3];
                for (pixels, template) in patch[start..start + INNER_WIDTH].chunks_exact(4).zip(row.chunks_exact(4)) {
                    for i in 0..4 {
                        lanes[0][i] += pixels[i];
                        lanes[1][i] += pixels[i] * pixels[i];
                        lanes[2][i] += pixels[i] * template[i];
                    }
                }
                sum += lanes[0].iter().sum::<f32>();
                squares += lanes[1].iter().sum::<f32>();
                product += lanes[2].iter().sum::<f32>();
            }
            let energy = (squares - sum * sum / COUNT) * template_energy;
            if energy > 1.0 {
                best = best.max(product / energy.sqrt());
            }
        }
    }
    1.0 - best
}

/// Moves `template` towards `patch` by `share`, 0 to 1.
pub fn blend(template: &mut Patch, patch: &Patch, share: f32) {
    for (old, &new) in template.iter_mut().zip(patch) {
        *old += (new - *old) * share;
    }
}
