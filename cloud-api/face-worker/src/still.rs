//! One picture: its one face, or why it cannot be used.

use blink_proto::faces::{PictureFault, Purpose, StillReport};
use blink_vision::{
    geometry::Point,
    native::{Detector, FaceBox, settle},
    predictor::GreyImage,
};
use opencv::{
    core::{Mat, MatTraitConst, MatTraitConstManual, Rect, Size, Vector},
    imgcodecs, imgproc,
};

use crate::{Refusal, models::Models, picture, quality, quality::Quality};

/// The longer side at which faces are searched.
const SIDE: i32 = 1_000;
/// A second face of this share of the first one's width makes several.
pub(crate) const SECOND_FACE_FROM: f32 = 0.5;
/// The searches, when the plain one finds nothing: small faces are enlarged this much; widths of the other searches.
const ENLARGED: f64 = 1.4;
const TILTED_WIDTH: f64 = 480.0;
const THOROUGH_WIDTH: f64 = 360.0;
/// Faces whose centres are nearer than this share of a face's width are one.
const APART_FROM: f32 = 0.5;
/// The photo: this many faces wide and high, at most this many pixels, at this JPEG quality.
const PHOTO_FACES: f32 = 2.0;
const PHOTO_SIDE: i32 = 480;
const PHOTO_QUALITY: i32 = 88;

/// Reads a picture. For an enrolment, the photo that is kept is returned too.
///
/// # Errors
/// A fault of the picture, or OpenCV's.
pub fn read(models: &mut Models, bytes: &[u8], purpose: Purpose) -> Result<(StillReport, Vec<u8>), Refusal> {
    let sent = picture::decode(bytes, picture::STILL_PIXELS)?;
    let (width, height) = (sent.cols(), sent.rows());
    let picture = picture::at_most(sent, SIDE)?;
    let scale = picture.cols() as f32 / width as f32;
    let grey = picture::grey(&picture)?;
    let faces = find(&mut models.detector, &grey)?;
    let face = match largest(&faces) {
        None => return Err(quality::no_face(&grey)?.into()),
        Some(face) => face,
    };
    if faces.iter().filter(|other| other.scale() >= SECOND_FACE_FROM * face.scale()).count() > 1 {
        return Err(PictureFault::SeveralFaces.into());
    }
    let (columns, rows) = (grey.cols().unsigned_abs() as usize, grey.rows().unsigned_abs() as usize);
    let image = GreyImage::new(grey.data_bytes()?, columns, rows, columns).ok_or(PictureFault::Unreadable)?;
    let landmarks = settle(&models.predictor, &image, &face);
    let settled = models.predictor.box_of(&landmarks);
    let quality = Quality::of(&grey, &landmarks, &settled, scale)?;
    let fault = match purpose {
        Purpose::Enrolment => quality.enrolment_fault(),
        Purpose::Recognition => quality.is_dark().then_some(PictureFault::TooDark),
    };
    if let Some(fault) = fault {
        return Err(fault.into());
    }
    let mut rgb = Mat::default();
    imgproc::cvt_color_def(&picture, &mut rgb, imgproc::COLOR_BGR2RGB)?;
    let encoding = models.encoder.encode(&rgb, &[face])?.pop().ok_or(PictureFault::NoFace)?;
    let photo = match purpose {
        Purpose::Enrolment => photo(&picture, &settled)?,
        Purpose::Recognition => Vec::new(),
    };
    let report = StillReport {
        width: width.cast_unsigned(),
        height: height.cast_unsigned(),
        face_px: quality.face_px,
        lightness: quality.lightness,
        sharpness: quality.sharpness,
        yaw: quality.yaw,
        encoding,
    };
    Ok((report, photo))
}

fn largest(faces: &[FaceBox]) -> Option<FaceBox> {
    faces.iter().copied().max_by(|a, b| a.scale().total_cmp(&b.scale()))
}

/// The faces of a picture in grey, by the first search that finds any.
///
/// # Errors
/// When OpenCV has no memory.
pub fn find(detector: &mut Detector, grey: &Mat) -> opencv::Result<Vec<FaceBox>> {
    let whole = Rect::new(0, 0, grey.cols(), grey.rows());
    let mut faces = detector.detect(grey, whole, 1.0)?;
    if faces.is_empty() {
        faces = detector.detect_beyond(grey)?;
    }
    if faces.is_empty() {
        faces = detector.detect(grey, whole, ENLARGED)?;
    }
    if faces.is_empty() {
        faces = detector.detect_tilted(grey, TILTED_WIDTH)?;
    }
    if faces.is_empty() {
        faces = detector.detect_thorough(grey, THOROUGH_WIDTH)?;
    }
    Ok(apart(faces))
}

/// Each face once: a turned picture shows one several times.
fn apart(faces: Vec<FaceBox>) -> Vec<FaceBox> {
    let centre = |face: &FaceBox| face.apply(Point::new(0.5, 0.5));
    let mut kept: Vec<FaceBox> = Vec::new();
    for face in faces {
        let near =
            |known: &FaceBox| (centre(known) - centre(&face)).norm() < APART_FROM * known.scale().max(face.scale());
        if !kept.iter().any(near) {
            kept.push(face);
        }
    }
    kept
}

/// The part of `picture` around a face: `faces` times its width and height, as far as it is inside.
#[expect(clippy::cast_possible_truncation, reason = "pixels")]
#[must_use]
pub fn around(picture: &Mat, face: &FaceBox, faces: f32) -> Option<Rect> {
    let centre = face.apply(Point::new(0.5, 0.5));
    let half = face.scale() * faces / 2.0;
    let (left, top) = ((centre.x - half).max(0.0) as i32, (centre.y - half).max(0.0) as i32);
    let (right, bottom) =
        (((centre.x + half) as i32).min(picture.cols()), ((centre.y + half) as i32).min(picture.rows()));
    (right > left && bottom > top).then(|| Rect::new(left, top, right - left, bottom - top))
}

fn photo(picture: &Mat, face: &FaceBox) -> opencv::Result<Vec<u8>> {
    let Some(area) = around(picture, face, PHOTO_FACES) else { return Ok(Vec::new()) };
    let part = picture.roi(area)?;
    let scale = (f64::from(PHOTO_SIDE) / f64::from(area.width.max(area.height))).min(1.0);
    let mut small = Mat::default();
    imgproc::resize(&part, &mut small, Size::default(), scale, scale, imgproc::INTER_AREA)?;
    let mut bytes = Vector::<u8>::new();
    let settings = Vector::from_slice(&[imgcodecs::IMWRITE_JPEG_QUALITY, PHOTO_QUALITY]);
    imgcodecs::imencode(".jpg", &small, &mut bytes, &settings)?;
    Ok(bytes.iter().collect())
}
