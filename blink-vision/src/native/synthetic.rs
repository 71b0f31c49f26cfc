//! A drawn face that blinks by a [`Schedule`]: a source whose every blink is known.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use opencv::{
    core::{self, CV_8UC1, CV_8UC3, Mat, MatTrait, MatTraitConst, Point, Point2f, Rect, Scalar, Size, Vector},
    imgproc::{self, FILLED, LINE_AA},
};

use super::{Frame, SourceError};
use crate::{schedule::Schedule, source::Synthetic};

/// Width and height of the image in pixels.
pub(super) const SIZE: (i32, i32) = (640, 480);
/// The closure is drawn in this many steps, each drawn once and kept.
const STEPS: u16 = 64;
/// The noise image is this many pixels wider and higher than a frame; each frame gets another part of it.
const NOISE_MARGIN: i32 = 64;
/// The step from one part to the next; it is odd, so that all parts are used.
const NOISE_STEP: i32 = 1_789;
/// First row and number of the rows that contain the eyes, at any size of the face: only these change with the closure.
const EYES: (i32, i32) = (192, 64);
/// Coordinates are passed to OpenCV in units of 1/16 pixel, as a shift in bits.
const SHIFT: i32 = 4;

/// Draws the synthetic face.
#[derive(Debug)]
pub struct SyntheticFace {
    schedule: Schedule,
    glasses: bool,
    faces: u32,
    absent_s: f64,
    sway: f64,
    /// Added to the stream's time to get the schedule's, in seconds.
    offset_s: f64,
    /// The empty room, and the room with open eyes.
    room: Mat,
    open: Mat,
    /// The eyes' rows at each step.
    eyes: BTreeMap<u16, Mat>,
    noise: Mat,
    /// The part of the noise that the last image got.
    place: i32,
    picture: Mat,
}

impl SyntheticFace {
    /// The face that `spec` describes, on a stream opened at `opened_at`.
    ///
    /// # Errors
    /// When OpenCV has no memory.
    pub fn new(spec: &Synthetic, opened_at: Timestamp) -> opencv::Result<Self> {
        let offset = spec.epoch.map_or(0.0, |epoch| opened_at.duration_since(epoch).as_secs_f64());
        Ok(Self {
            schedule: Schedule::new(spec.bpm, spec.seed),
            glasses: spec.glasses,
            faces: spec.faces,
            absent_s: spec.absent_s,
            sway: spec.sway,
            offset_s: offset,
            room: draw(None, spec.faces, spec.glasses)?,
            open: draw(Some(0.0), spec.faces, spec.glasses)?,
            eyes: BTreeMap::new(),
            noise: noise()?,
            place: 0,
            picture: Mat::default(),
        })
    }

    /// The image at `t` since opening, 8-bit BGR, 640x480.
    ///
    /// # Errors
    /// When OpenCV has no memory.
    pub fn draw(&mut self, t: Duration) -> opencv::Result<&Mat> {
        let t_s = t.as_secs_f64();
        let closure = self.schedule.closure(t_s + self.offset_s);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to STEPS")]
        let step = (t_s >= self.absent_s).then(|| (closure * f64::from(STEPS)).round() as u16);
        // The noise repeats only after 4,096 frames: a picture that is repeated at once would not be observed.
        self.place = (self.place + NOISE_STEP) % (NOISE_MARGIN * NOISE_MARGIN);
        let part = Rect::new(self.place % NOISE_MARGIN, self.place / NOISE_MARGIN, SIZE.0, SIZE.1);
        let noise = self.noise.roi(part)?;
        let Some(step) = step else {
            core::add_def(&self.room, &noise, &mut self.picture)?;
            return Ok(&self.picture);
        };
        let rows = Rect::new(0, EYES.0, SIZE.0, EYES.1);
        if !self.eyes.contains_key(&step) {
            let picture = draw(Some(f64::from(step) / f64::from(STEPS)), self.faces, self.glasses)?;
            self.eyes.insert(step, picture.roi(rows)?.try_clone()?);
        }
        if self.sway > 0.0 {
            let mut still = self.open.try_clone()?;
            self.eyes[&step].copy_to(&mut still.roi_mut(rows)?)?;
            let moved = moved(&still, &pose(t_s + self.offset_s, self.sway))?;
            core::add_def(&moved, &noise, &mut self.picture)?;
            return Ok(&self.picture);
        }
        core::add_def(&self.open, &noise, &mut self.picture)?;
        core::add_def(&self.eyes[&step], &noise.roi(rows)?, &mut self.picture.roi_mut(rows)?)?;
        Ok(&self.picture)
    }
}

/// How a head is held that moves by up to `sway` pixels, sideways and up, in roll (at the picture's edge) and nearness
/// (likewise): each by two movements whose periods have no common multiple, so that it is hardly ever held the same way
/// twice.
fn pose(t_s: f64, sway: f64) -> [f64; 4] {
    const PERIODS_S: [[f64; 2]; 4] = [[3.1, 7.3], [4.7, 11.9], [5.3, 8.9], [6.1, 13.7]];
    let wave = |period: f64| (std::f64::consts::TAU * t_s / period).sin();
    PERIODS_S.map(|[short, long]| sway * (0.5 * wave(short) + 0.5 * wave(long)))
}

/// The picture as a head that is held so shows it.
fn moved(still: &Mat, [x, y, roll, nearness]: &[f64; 4]) -> opencv::Result<Mat> {
    let half = f64::from(SIZE.0) / 2.0;
    #[expect(clippy::cast_possible_truncation, reason = "a pixel's place")]
    let middle = Point2f::new(half as f32, SIZE.1 as f32 / 2.0);
    let mut matrix = imgproc::get_rotation_matrix_2d(middle, (roll / half).to_degrees(), 1.0 + nearness / half)?;
    *matrix.at_2d_mut::<f64>(0, 2)? += x;
    *matrix.at_2d_mut::<f64>(1, 2)? += y;
    let mut moved = Mat::default();
    let (size, border) = (Size::new(SIZE.0, SIZE.1), core::BORDER_REPLICATE);
    imgproc::warp_affine(still, &mut moved, &matrix, size, imgproc::INTER_LINEAR, border, Scalar::default())?;
    Ok(moved)
}

/// The synthetic source: the synthetic face, paced by the clock.
#[derive(Debug)]
pub struct SyntheticSource {
    face: SyntheticFace,
    fps: f64,
    opened: Instant,
    index: u64,
    /// The number of the next frame on the clock's grid; missed frames are skipped.
    slot: u64,
    grey: Mat,
}

impl SyntheticSource {
    pub(super) fn open(spec: &Synthetic, opened_at: Timestamp) -> Result<Self, SourceError> {
        let face = SyntheticFace::new(spec, opened_at)?;
        Ok(Self { face, fps: spec.fps, opened: Instant::now(), index: 0, slot: 0, grey: Mat::default() })
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "frame numbers"
    )]
    pub(super) fn read(&mut self) -> Result<Frame<'_>, SourceError> {
        let late = self.opened.elapsed().as_secs_f64() * self.fps - self.slot as f64;
        if late > self.fps / 2.0 {
            self.slot += late as u64;
        }
        let timestamp = Duration::from_secs_f64(self.slot as f64 / self.fps);
        let due = (self.opened + timestamp).saturating_duration_since(Instant::now());
        if due > super::frame::TIMEOUT {
            thread::sleep(super::frame::TIMEOUT);
            return Err(SourceError::TimedOut);
        }
        thread::sleep(due);
        let picture = self.face.draw(timestamp)?;
        imgproc::cvt_color_def(picture, &mut self.grey, imgproc::COLOR_BGR2GRAY)?;
        let index = self.index;
        self.index += 1;
        self.slot += 1;
        Ok(Frame { index, timestamp, grey: &self.grey })
    }
}

/// Faint noise, 0 to about 8 grey levels.
fn noise() -> opencv::Result<Mat> {
    let size = Size::new(SIZE.0 + NOISE_MARGIN, SIZE.1 + NOISE_MARGIN);
    let mut noise = Mat::new_size_with_default(size, CV_8UC1, Scalar::all(0.0))?;
    core::randn(&mut noise, &Scalar::all(4.0), &Scalar::all(1.5))?;
    let mut coloured = Mat::default();
    imgproc::cvt_color_def(&noise, &mut coloured, imgproc::COLOR_GRAY2BGR)?;
    Ok(coloured)
}

/// Draws `faces` faces with lids at `closure`, or the empty room.
fn draw(closure: Option<f64>, faces: u32, glasses: bool) -> opencv::Result<Mat> {
    let mut room =
        Mat::new_size_with_default(Size::new(SIZE.0, SIZE.1), CV_8UC3, Scalar::new(150.0, 145.0, 140.0, 0.0))?;
    light(&mut room)?;
    if let Some(closure) = closure {
        let size = if faces > 1 { 0.78 } else { 1.0 };
        for i in 0..faces {
            let x = f64::from(SIZE.0) * (f64::from(i) + 0.5) / f64::from(faces);
            Pen { picture: &mut room, centre: (x, 240.0), size }.face(closure, glasses)?;
        }
    }
    let mut soft = Mat::default();
    imgproc::gaussian_blur_def(&room, &mut soft, Size::new(5, 5), 1.0)?;
    Ok(soft)
}

/// Shades the room, which is lighter at the left as from a window.
fn light(room: &mut Mat) -> opencv::Result<()> {
    for x in (0..SIZE.0).step_by(8) {
        let grey = 165.0 - 50.0 * f64::from(x) / f64::from(SIZE.0);
        let corner = Rect::new(x, 0, 8, SIZE.1);
        imgproc::rectangle(room, corner, Scalar::new(grey, grey - 3.0, grey - 6.0, 0.0), FILLED, LINE_AA, 0)?;
    }
    Ok(())
}

struct Pen<'a> {
    picture: &'a mut Mat,
    centre: (f64, f64),
    size: f64,
}

const SKIN: [f64; 3] = [120.0, 155.0, 205.0];
const SHADE: [f64; 3] = [98.0, 130.0, 178.0];
const HAIR: [f64; 3] = [28.0, 38.0, 52.0];
const WHITE: [f64; 3] = [225.0, 230.0, 232.0];
const IRIS: [f64; 3] = [70.0, 62.0, 50.0];
const BLACK: [f64; 3] = [18.0, 16.0, 16.0];
const LIPS: [f64; 3] = [92.0, 90.0, 165.0];

fn colour(bgr: [f64; 3]) -> Scalar {
    Scalar::new(bgr[0], bgr[1], bgr[2], 0.0)
}

impl Pen<'_> {
    #[expect(clippy::cast_possible_truncation, reason = "pixel coordinates")]
    fn point(&self, x: f64, y: f64) -> Point {
        let fixed = f64::from(1 << SHIFT);
        let at = |centre: f64, offset: f64| ((centre + offset * self.size) * fixed).round() as i32;
        Point::new(at(self.centre.0, x), at(self.centre.1, y))
    }

    #[expect(clippy::cast_possible_truncation, reason = "pixel sizes")]
    fn ellipse(
        &mut self,
        at: (f64, f64),
        axes: (f64, f64),
        arc: (f64, f64),
        bgr: [f64; 3],
        thickness: i32,
    ) -> opencv::Result<()> {
        let fixed = f64::from(1 << SHIFT) * self.size;
        let axes = Size::new((axes.0 * fixed).round() as i32, (axes.1 * fixed).round() as i32);
        let centre = self.point(at.0, at.1);
        imgproc::ellipse(self.picture, centre, axes, 0.0, arc.0, arc.1, colour(bgr), thickness, LINE_AA, SHIFT)
    }

    fn fill(&mut self, at: (f64, f64), axes: (f64, f64), bgr: [f64; 3]) -> opencv::Result<()> {
        self.ellipse(at, axes, (0.0, 360.0), bgr, FILLED)
    }

    fn face(&mut self, closure: f64, glasses: bool) -> opencv::Result<()> {
        self.fill((0.0, -22.0), (104.0, 138.0), HAIR)?;
        self.fill((0.0, 185.0), (52.0, 90.0), SHADE)?;
        self.fill((0.0, 8.0), (90.0, 120.0), SKIN)?;
        for side in [-1.0, 1.0] {
            self.fill((side * 38.0, -24.0), (27.0, 17.0), SHADE)?;
            self.eye(side * 38.0, -20.0, closure)?;
            self.ellipse((side * 38.0, -40.0), (26.0, 9.0), (200.0, 340.0), HAIR, 5)?;
        }
        self.ellipse((0.0, 14.0), (9.0, 34.0), (20.0, 100.0), SHADE, 3)?;
        self.ellipse((0.0, 30.0), (17.0, 11.0), (15.0, 165.0), SHADE, 5)?;
        for side in [-1.0, 1.0] {
            self.fill((side * 8.0, 36.0), (4.0, 2.6), [60.0, 75.0, 110.0])?;
        }
        self.fill((0.0, 70.0), (32.0, 9.0), LIPS)?;
        self.ellipse((0.0, 69.0), (31.0, 2.0), (0.0, 180.0), [50.0, 45.0, 90.0], 2)?;
        self.ellipse((0.0, 92.0), (20.0, 5.0), (20.0, 160.0), SHADE, 2)?;
        if glasses {
            for side in [-1.0, 1.0] {
                self.ellipse((side * 38.0, -18.0), (32.0, 25.0), (0.0, 360.0), BLACK, 4)?;
            }
            self.ellipse((0.0, -20.0), (8.0, 6.0), (200.0, 340.0), BLACK, 4)?;
        }
        Ok(())
    }

    /// Draws an almond of white with an iris, cut by the edge of the lid, which comes down from above.
    fn eye(&mut self, x: f64, y: f64, closure: f64) -> opencv::Result<()> {
        let (half_width, up, down) = (21.0, 10.5, 7.0);
        let lower = |u: f64| y + down * (1.0 - u * u);
        let upper = |u: f64| y - up * (1.0 - u * u) + closure * (up + down - 1.0) * (1.0 - u * u);
        let sides: Vec<f64> = (-12..=12).map(|i| f64::from(i) / 12.0).collect();
        let edge: Vec<Point> = sides.iter().map(|&u| self.point(x + u * half_width, upper(u))).collect();
        let base = sides.iter().rev().map(|&u| self.point(x + u * half_width, lower(u)));
        let almond: Vector<Point> = edge.iter().copied().chain(base).collect();
        let mut mask = Mat::new_size_with_default(self.picture.size()?, CV_8UC1, Scalar::all(0.0))?;
        imgproc::fill_poly(&mut mask, &almond, Scalar::all(255.0), LINE_AA, SHIFT, Point::default())?;
        let mut open = self.picture.try_clone()?;
        let mut inner = Pen { picture: &mut open, centre: self.centre, size: self.size };
        inner.fill((x, y), (half_width + 2.0, up + down), WHITE)?;
        inner.fill((x, y - 1.0), (10.0, 10.0), IRIS)?;
        inner.fill((x, y - 1.0), (4.5, 4.5), BLACK)?;
        inner.fill((x - 3.0, y - 4.0), (1.6, 1.6), [250.0; 3])?;
        open.copy_to_masked(self.picture, &mask)?;
        let lashes: Vector<Point> = edge.into_iter().collect();
        imgproc::polylines(self.picture, &lashes, false, colour(BLACK), 3, LINE_AA, SHIFT)
    }
}

#[cfg(test)]
mod tests {
    use opencv::core::MatTraitConstManual;

    use super::*;

    /// A blink redraws only the eyes' rows, so nothing outside of them may differ.
    #[test]
    fn a_blink_changes_the_eyes_rows_alone() {
        for (faces, glasses) in [(1, false), (1, true), (2, false), (3, true)] {
            let [open, half, closed] = [0.0, 0.5, 1.0].map(|closure| draw(Some(closure), faces, glasses).unwrap());
            for picture in [half, closed] {
                let row = 3 * SIZE.0 as usize;
                let differs = open.data_bytes().unwrap().chunks(row).zip(picture.data_bytes().unwrap().chunks(row));
                let rows: Vec<i32> = differs.enumerate().filter(|(_, (a, b))| a != b).map(|(y, _)| y as i32).collect();
                assert!(!rows.is_empty());
                assert!(rows.iter().all(|y| (EYES.0..EYES.0 + EYES.1).contains(y)), "{rows:?}");
            }
        }
    }
}
