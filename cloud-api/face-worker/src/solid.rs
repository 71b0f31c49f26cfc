//! What tells a head from a flat picture of one.
//!
//! Two views of a flat thing are related by a homography (Hartley and Zisserman 2004, 13): however a photograph is
//! moved, turned or zoomed, one fits all of its points. A head's nose stands out, its jaw's outline slides over the
//! skin, and its lids and lips move. So for pairs of moments a homography is fitted to the landmarks, and what it leaves is
//! measured.

use blink_proto::faces::Solidity;
use blink_vision::geometry::{LANDMARKS, Landmarks, Point, Similarity};
use opencv::core::{self, DECOMP_LU, Mat, MatTraitConstManual as _};

/// Landmarks are averaged over this much time, which takes most of their noise away.
const AVERAGED_MS: u32 = 200;
/// With fewer moments nothing is said.
const LEAST_MOMENTS: usize = 8;
/// The share of all pairs that leave more than the figure that is told.
const TOP_SHARE: f32 = 0.05;
/// The least movement with which something is said: how far the face's points moved against each other, in faces. A
/// head that turns by 10 degrees moves that much; with less, head and photograph both leave no more than the landmarks' own
/// noise (measured: docs/liveness.md).
const LEAST_MOTION: f32 = 0.05;

/// The landmarks of a recording.
#[derive(Debug, Default)]
pub struct Solid {
    moments: Vec<Moment>,
    open: Option<Moment>,
}

#[derive(Clone, Debug)]
struct Moment {
    from_ms: u32,
    sum: Landmarks,
    count: f32,
}

impl Solid {
    /// Takes the landmarks of the next picture in which they are sure.
    pub fn push(&mut self, at_ms: u32, landmarks: &Landmarks) {
        if self.open.as_ref().is_some_and(|open| at_ms.saturating_sub(open.from_ms) >= AVERAGED_MS) {
            self.moments.extend(self.open.take());
        }
        let open = self.open.get_or_insert(Moment { from_ms: at_ms, sum: [Point::default(); LANDMARKS], count: 0.0 });
        open.sum.iter_mut().zip(landmarks).for_each(|(sum, p)| *sum = *sum + *p);
        open.count += 1.0;
    }

    /// What the landmarks say; `None` where there are too few, or they moved too little.
    #[must_use]
    pub fn finish(&self) -> Option<Solidity> {
        let shapes: Vec<Landmarks> =
            self.moments.iter().map(|moment| moment.sum.map(|sum| sum * (1.0 / moment.count))).collect();
        if shapes.len() < LEAST_MOMENTS {
            return None;
        }
        let shapes: Vec<Landmarks> = shapes.iter().map(normal).collect();
        let (mut residuals, mut motion) = (Vec::new(), 0.0f32);
        for (i, a) in shapes.iter().enumerate() {
            for b in &shapes[i + 1..] {
                motion = motion.max(moved(a, b));
                residuals.extend(residual(a, b));
            }
        }
        residuals.sort_by(f32::total_cmp);
        let top = ((1.0 - TOP_SHARE) * residuals.len() as f32) as usize;
        let residual = *residuals.get(top.min(residuals.len().checked_sub(1)?))?;
        let frames = u32::try_from(shapes.len()).unwrap_or(u32::MAX);
        (motion >= LEAST_MOTION).then_some(Solidity { frames, motion, residual })
    }
}

/// The distance of the outer corners of the eyes, times 2: about the width of the face.
fn size(shape: &Landmarks) -> f32 {
    (2.0 * (shape[45] - shape[36]).norm()).max(1.0)
}

/// The shape around its own centre, in units of the face.
fn normal(shape: &Landmarks) -> Landmarks {
    let centre = shape.iter().fold(Point::default(), |sum, p| sum + *p) * (1.0 / LANDMARKS as f32);
    let unit = 1.0 / size(shape);
    shape.map(|p| (p - centre) * unit)
}

/// How far the points moved, on the average, against the best similarity: by a turn, or a deformation.
fn moved(a: &Landmarks, b: &Landmarks) -> f32 {
    let fit = Similarity::between(a, b);
    let left = a.iter().zip(b).map(|(p, q)| (fit.apply(*p) - *q).norm().powi(2)).sum::<f32>();
    (left / LANDMARKS as f32).sqrt()
}

/// The root mean square of what the best homography from `a` to `b` leaves; `None` where there is none.
fn residual(a: &Landmarks, b: &Landmarks) -> Option<f32> {
    let h = homography(a, b)?;
    let left = a.iter().zip(b).map(|(p, q)| (apply(&h, *p) - *q).norm().powi(2)).sum::<f32>();
    Some((left / LANDMARKS as f32).sqrt())
}

fn apply(h: &[f64; 8], p: Point) -> Point {
    let (x, y) = (f64::from(p.x), f64::from(p.y));
    let w = h[6] * x + h[7] * y + 1.0;
    Point::new(((h[0] * x + h[1] * y + h[2]) / w) as f32, ((h[3] * x + h[4] * y + h[5]) / w) as f32)
}

/// The homography from `a` to `b`, which are centred and of one size, by linear least squares (the direct linear
/// transform).
fn homography(a: &Landmarks, b: &Landmarks) -> Option<[f64; 8]> {
    let (mut left, mut right) = ([[0.0f64; 8]; 8], [[0.0f64]; 8]);
    for (p, q) in a.iter().zip(b) {
        let [x, y, u, v] = [p.x, p.y, q.x, q.y].map(f64::from);
        let rows = [([x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y], u), ([0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y], v)];
        for (row, value) in rows {
            for i in 0..8 {
                (0..8).for_each(|j| left[i][j] += row[i] * row[j]);
                right[i][0] += row[i] * value;
            }
        }
    }
    let (left, right) = (Mat::from_slice_2d(&left).ok()?, Mat::from_slice_2d(&right).ok()?);
    let mut solution = Mat::default();
    let solved = core::solve(&left, &right, &mut solution, DECOMP_LU).ok()?;
    solution.data_typed().ok().filter(|_| solved)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A head of the landmarks' number of points, on a plane or with a depth, turned by `yaw` and moved by `x`.
    fn seen(depth: f32, yaw: f32, x: f32) -> Landmarks {
        let (sin, cos) = yaw.sin_cos();
        let mut shape = [Point::default(); LANDMARKS];
        for (i, p) in shape.iter_mut().enumerate() {
            let (column, row) = ((i % 9) as f32 - 4.0, (i / 9) as f32 - 3.5);
            // As deep as a face's nose and cheeks: a quarter of its width.
            let z = depth * 25.0 * (column * 0.6).cos() * (row * 0.5).cos();
            let (px, py) = (column * 12.0, row * 14.0);
            let far = 1.0 + (px * sin - z * cos) / 600.0;
            *p = Point::new(200.0 + x + (px * cos + z * sin) / far, 200.0 + py / far);
        }
        shape
    }

    fn solidity(depth: f32, turn: f32) -> Option<Solidity> {
        let mut solid = Solid::default();
        for i in 0..90u32 {
            let wave = (i as f32 / 15.0).sin();
            solid.push(i * 33, &seen(depth, turn * wave, 10.0 * wave));
        }
        solid.finish()
    }

    #[test]
    fn a_head_that_turns_is_solid_and_a_picture_that_turns_is_flat() {
        let (head, picture) = (solidity(1.0, 0.3).unwrap(), solidity(0.0, 0.5).unwrap());
        assert!(!head.is_flat() && picture.is_flat(), "{head:?} {picture:?}");
    }

    #[test]
    fn nothing_is_said_of_what_hardly_moves_or_is_short() {
        assert_eq!(solidity(1.0, 0.01), None);
        let mut short = Solid::default();
        (0..20).for_each(|i| short.push(i * 33, &seen(1.0, i as f32 * 0.05, 0.0)));
        assert_eq!(short.finish(), None);
    }
}
