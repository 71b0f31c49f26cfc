//! The bytes of a picture become pixels: only of kinds that are known by their first bytes, and of no more pixels than
//! their own header says and is allowed.

use blink_proto::faces::PictureFault;
use blink_vision::container::riff;
use opencv::{
    core::{Mat, MatTraitConst, Size},
    imgcodecs, imgproc,
};

use crate::Refusal;

/// The most pixels of a still picture; phones take up to 50 million, which a JPEG of 10 MB can hold.
pub const STILL_PIXELS: u64 = 52_000_000;
/// The most pixels of a frame, those of 1920 x 1200.
pub const FRAME_PIXELS: u64 = 2_304_000;
/// No camera's picture is narrower, and no face's smaller: a detector's window is as wide. A panorama is not longer.
const LEAST_SIDE: u32 = 80;
const MOST_RATIO: u32 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Jpeg,
    Png,
    WebP,
}

impl Kind {
    fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            _ => None,
        }
    }

    /// Width and height as the header states them.
    fn size(self, bytes: &[u8]) -> Option<[u32; 2]> {
        match self {
            Self::Jpeg => riff::jpeg_size(bytes),
            Self::Png => {
                let ihdr = bytes.get(12..24).filter(|chunk| chunk.starts_with(b"IHDR"))?;
                Some([big_endian(&ihdr[4..8]), big_endian(&ihdr[8..12])])
            }
            Self::WebP => webp_size(bytes),
        }
    }
}

fn big_endian(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte))
}

/// The size of the canvas, by the first chunk (RFC 9649).
fn webp_size(bytes: &[u8]) -> Option<[u32; 2]> {
    let little = |at: usize, count: usize| -> Option<u32> {
        Some(bytes.get(at..at + count)?.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte)))
    };
    match bytes.get(12..16)? {
        b"VP8X" => Some([little(24, 3)? + 1, little(27, 3)? + 1]),
        b"VP8L" => {
            let packed = little(21, 4)?;
            Some([(packed & 0x3fff) + 1, (packed >> 14 & 0x3fff) + 1])
        }
        b"VP8 " => Some([little(26, 2)? & 0x3fff, little(28, 2)? & 0x3fff]),
        _ => None,
    }
}

/// Decodes a picture of at most `most_pixels` as 8-bit BGR, upright by its EXIF orientation. Transparency is dropped.
///
/// # Errors
/// `unsupported`, `unreadable`, `too_large` or `bad_shape`.
pub fn decode(bytes: &[u8], most_pixels: u64) -> Result<Mat, Refusal> {
    let kind = Kind::of(bytes).ok_or(PictureFault::Unsupported)?;
    let [width, height] = kind.size(bytes).ok_or(PictureFault::Unreadable)?;
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 {
        return Err(PictureFault::Unreadable.into());
    }
    if pixels > most_pixels {
        return Err(PictureFault::TooLarge.into());
    }
    check_shape([width, height])?;
    match imgcodecs::imdecode(&Mat::from_slice(bytes)?, imgcodecs::IMREAD_COLOR) {
        Ok(picture) if !picture.empty() => Ok(picture),
        _ => Err(PictureFault::Unreadable.into()),
    }
}

/// Refuses strips, in which a search for a face would only cost time.
///
/// # Errors
/// `bad_shape`.
pub fn check_shape(sides: [u32; 2]) -> Result<(), PictureFault> {
    let [shorter, longer] = [sides[0].min(sides[1]), sides[0].max(sides[1])];
    let fits = shorter >= LEAST_SIDE && longer <= MOST_RATIO.saturating_mul(shorter);
    if fits { Ok(()) } else { Err(PictureFault::BadShape) }
}

/// The picture, made smaller where its longer side is longer than `side`.
///
/// # Errors
/// When OpenCV has no memory.
pub fn at_most(picture: Mat, side: i32) -> opencv::Result<Mat> {
    let longer = picture.cols().max(picture.rows());
    if longer <= side {
        return Ok(picture);
    }
    let scale = f64::from(side) / f64::from(longer);
    let mut smaller = Mat::default();
    imgproc::resize(&picture, &mut smaller, Size::default(), scale, scale, imgproc::INTER_AREA)?;
    Ok(smaller)
}

/// The picture in grey.
///
/// # Errors
/// When OpenCV has no memory.
pub fn grey(picture: &Mat) -> opencv::Result<Mat> {
    let mut grey = Mat::default();
    imgproc::cvt_color_def(picture, &mut grey, imgproc::COLOR_BGR2GRAY)?;
    Ok(grey)
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC3, CV_8UC4, CV_16UC3, Scalar, Vector};
    use rstest::rstest;

    use super::*;

    fn encoded(kind: &str, type_: i32) -> Vec<u8> {
        let picture = Mat::new_size_with_default(Size::new(160, 120), type_, Scalar::all(90.0)).unwrap();
        let mut bytes = Vector::<u8>::new();
        imgcodecs::imencode_def(kind, &picture, &mut bytes).unwrap();
        bytes.iter().collect()
    }

    #[rstest]
    #[case(".jpg", CV_8UC3)]
    #[case(".png", CV_8UC3)]
    #[case(".png", CV_8UC4)]
    #[case(".png", CV_16UC3)]
    #[case(".webp", CV_8UC3)]
    #[case(".webp", CV_8UC4)]
    fn every_kind_becomes_three_channels_of_eight_bits(#[case] kind: &str, #[case] type_: i32) {
        let bytes = encoded(kind, type_);
        let picture = decode(&bytes, 19_200).unwrap();
        assert_eq!((picture.cols(), picture.rows(), picture.typ()), (160, 120, CV_8UC3));
        assert!(matches!(decode(&bytes, 19_199), Err(Refusal::Fault(PictureFault::TooLarge))));
    }

    #[rstest]
    #[case::empty(b"", PictureFault::Unsupported)]
    #[case::gif(b"GIF89a\x01\0\x01\0", PictureFault::Unsupported)]
    #[case::svg(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", PictureFault::Unsupported)]
    #[case::only_the_mark(b"\xff\xd8\xff", PictureFault::Unreadable)]
    #[case::png_without_a_header(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIDAT\0\0\0\x01\0\0\0\x01", PictureFault::Unreadable)]
    #[case::no_pixels(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\0\0\0\0\x01", PictureFault::Unreadable)]
    #[case::vast(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x75\x30\0\0\x75\x30", PictureFault::TooLarge)]
    #[case::webp_of_another_kind(b"RIFF\0\0\0\0WEBPABCD\0\0\0\0\0\0\0\0\0\0\0\0\0\0", PictureFault::Unreadable)]
    fn what_is_no_picture_is_told(#[case] bytes: &[u8], #[case] fault: PictureFault) {
        assert!(matches!(decode(bytes, STILL_PIXELS), Err(Refusal::Fault(found)) if found == fault));
    }

    #[rstest]
    #[case([79, 640], Some(PictureFault::BadShape))]
    #[case([80, 640], None)]
    #[case([641, 80], Some(PictureFault::BadShape))]
    #[case([1, 30_000], Some(PictureFault::BadShape))]
    #[case([640, 480], None)]
    fn strips_are_refused(#[case] sides: [u32; 2], #[case] fault: Option<PictureFault>) {
        assert_eq!(check_shape(sides).err(), fault);
    }

    #[test]
    fn a_picture_that_is_cut_off_is_no_crash() {
        for kind in [".jpg", ".png", ".webp"] {
            let bytes = encoded(kind, CV_8UC3);
            for length in 0..bytes.len() {
                drop(decode(&bytes[..length], STILL_PIXELS));
            }
        }
    }

    /// The EXIF orientation 6 is a quarter turn clockwise.
    #[test]
    fn a_picture_is_turned_upright() {
        let jpeg = encoded(".jpg", CV_8UC3);
        let exif = b"\xff\xe1\0\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let turned = [&jpeg[..2], exif, &jpeg[2..]].concat();
        let picture = decode(&turned, STILL_PIXELS).unwrap();
        assert_eq!((picture.cols(), picture.rows()), (120, 160));
    }
}
