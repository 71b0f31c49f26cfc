//! The 68-point landmark model: an ensemble of regression trees (Kazemi and Sullivan 2014) as dlib trains and stores
//! it, evaluated by our own code.
//!
//! It is the same model as dlib's `shape_predictor`, but the points are not rounded to whole pixels, and it takes a
//! third of the memory and about a tenth of the time. In each level of the cascade the leaves of all trees are found
//! first while their rows are prefetched, and only then are the rows added: the trees of a level are independent, and
//! the rows are scattered over more memory than a cache holds.

mod kernel;
mod load;

use std::fmt;

pub use load::LoadError;

use crate::geometry::{LANDMARKS, Landmarks, Point, Similarity};

/// Number of trees in a level.
const TREES: usize = 500;
/// Number of splits of a tree, in breadth-first order.
const SPLITS: usize = 15;
/// Number of leaves of a tree.
const LEAVES: usize = 16;
/// Number of pixels that a level's splits compare.
const FEATURES: usize = 500;
/// Length of a shape: x and y of each landmark.
const COORDINATES: usize = 2 * LANDMARKS;

/// An 8-bit grey image, row by row.
#[derive(Clone, Copy)]
pub struct GreyImage<'a> {
    data: &'a [u8],
    width: usize,
    height: usize,
    stride: usize,
}

/// The longest side of an image in pixels, so that positions fit 16 bits.
pub const MAX_SIDE: usize = 32_767;

impl<'a> GreyImage<'a> {
    /// An image of `width` x `height` pixels whose rows begin every `stride` bytes of `data`; `None` where `data` is
    /// too short, or a side is 0 or over [`MAX_SIDE`].
    #[must_use]
    pub fn new(data: &'a [u8], width: usize, height: usize, stride: usize) -> Option<Self> {
        let fits = (1..=MAX_SIDE).contains(&width)
            && (1..=MAX_SIDE).contains(&height)
            && stride >= width
            && data.len() >= stride * (height - 1) + width;
        fits.then_some(Self { data, width, height, stride })
    }

    /// The number of pixels in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number of rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// The pixels of row `y`, which must be less than the height.
    #[must_use]
    pub fn row(&self, y: usize) -> &'a [u8] {
        &self.data[y * self.stride..][..self.width]
    }

    /// The pixel nearest to `p`; 0 outside of the image.
    #[inline]
    #[must_use]
    pub fn nearest(&self, p: Point) -> u8 {
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and what it saturates to is outside")]
        let (x, y) = ((p.x + 0.5).floor() as i32, (p.y + 0.5).floor() as i32);
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return 0 };
        if x < self.width && y < self.height { self.data[y * self.stride + x] } else { 0 }
    }

    /// The brightness at a point, interpolated between four pixels; the border's pixels are repeated outside.
    #[inline]
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "coordinates are clamped to the picture"
    )]
    pub fn bilinear(&self, p: Point) -> f32 {
        let x = p.x.clamp(0.0, (self.width - 1) as f32);
        let y = p.y.clamp(0.0, (self.height - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let (fx, fy) = (x - left as f32, y - top as f32);
        let at = |x: usize, y: usize| f32::from(self.data[y * self.stride + x]);
        let upper = at(left, top) * (1.0 - fx) + at(right, top) * fx;
        let lower = at(left, bottom) * (1.0 - fx) + at(right, bottom) * fx;
        upper * (1.0 - fy) + lower * fy
    }
}

impl fmt::Debug for GreyImage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GreyImage({}x{})", self.width, self.height)
    }
}

/// A node of a tree: left if the first pixel is brighter than the second by more than `threshold`.
#[derive(Clone, Copy, Debug, Default)]
struct Split {
    first: u16,
    second: u16,
    threshold: f32,
}

/// The position of a feature pixel: a landmark of the mean shape, and the offset from it in units of the face box.
#[derive(Clone, Copy, Debug, Default)]
struct FeaturePixel {
    anchor: u8,
    delta: Point,
}

/// One level of the cascade. Leaves are stored as 16-bit integers with a scale for each row, which moves no landmark by
/// more than a hundredth of a pixel on a face of 100 pixels.
struct Level {
    pixels: Vec<FeaturePixel>,
    splits: Vec<[Split; SPLITS]>,
    rows: Vec<[i16; COORDINATES]>,
    scales: Vec<f32>,
}

/// The landmark model. It is immutable and can be shared between threads.
pub struct Predictor {
    mean: Landmarks,
    levels: Vec<Level>,
}

impl fmt::Debug for Predictor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Predictor({} levels)", self.levels.len())
    }
}

impl Predictor {
    /// The mean shape, in units of the face box.
    #[must_use]
    pub fn mean_shape(&self) -> &Landmarks {
        &self.mean
    }

    /// The landmarks of the face in `face_box`, the transform from the unit square to the image. The box must be as
    /// dlib's frontal detector gives it, from brow to chin.
    #[must_use]
    pub fn predict(&self, image: &GreyImage<'_>, face_box: &Similarity) -> Landmarks {
        let mut shape = [0.0f32; COORDINATES];
        for (pair, p) in shape.chunks_exact_mut(2).zip(&self.mean) {
            (pair[0], pair[1]) = (p.x, p.y);
        }
        let mut pixels = [0i16; FEATURES];
        for level in &self.levels {
            let points = to_points(&shape);
            let turn = Similarity::between(&self.mean, &points);
            let to_image = Similarity { origin: Point::default(), ..face_box.after(&turn) };
            let anchors: Landmarks = std::array::from_fn(|i| face_box.apply(points[i]));
            for (value, pixel) in pixels.iter_mut().zip(&level.pixels) {
                *value =
                    i16::from(image.nearest(to_image.apply_vector(pixel.delta) + anchors[usize::from(pixel.anchor)]));
            }
            kernel::add_level(level, &pixels, &mut shape);
        }
        to_points(&shape).map(|p| face_box.apply(p))
    }

    /// The box in which the mean shape fits `landmarks` best, which is where to look for the face in the next frame.
    #[must_use]
    pub fn box_of(&self, landmarks: &Landmarks) -> Similarity {
        Similarity::between(&self.mean, landmarks)
    }
}

fn to_points(shape: &[f32; COORDINATES]) -> Landmarks {
    std::array::from_fn(|i| Point::new(shape[2 * i], shape[2 * i + 1]))
}
