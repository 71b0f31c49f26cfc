//! Conversion of OpenCV images to dlib's.

use dlib_face_recognition::ImageMatrix;
use opencv::{
    core::{Mat, MatTraitConst, MatTraitConstManual},
    imgproc,
};

/// Copies an 8-bit image, grey or RGB.
///
/// # Errors
/// When the image has neither one nor three channels, or OpenCV has no memory.
pub fn dlib_image(picture: &Mat) -> opencv::Result<ImageMatrix> {
    let mut rgb = Mat::default();
    if picture.channels() == 1 {
        imgproc::cvt_color_def(picture, &mut rgb, imgproc::COLOR_GRAY2RGB)?;
    } else {
        // A region of a larger image has gaps between its rows; a copy has none.
        picture.copy_to(&mut rgb)?;
    }
    let (width, height) = (usize::try_from(rgb.cols()), usize::try_from(rgb.rows()));
    let (width, height) = (width.unwrap_or_default(), height.unwrap_or_default());
    let bytes = rgb.data_bytes()?;
    if bytes.len() != 3 * width * height {
        let message = format!("a picture of {} channels is no picture for dlib", picture.channels());
        return Err(opencv::Error::new(opencv::core::StsUnsupportedFormat, message));
    }
    #[expect(unsafe_code, reason = "dlib copies from a pointer")]
    // SAFETY: `bytes` holds 3 * width * height bytes in rows without gaps, as checked above, and dlib copies them.
    Ok(unsafe { ImageMatrix::new(width, height, bytes.as_ptr()) })
}

#[cfg(test)]
mod tests {
    use opencv::core::{CV_8UC1, CV_8UC2, CV_8UC3, CV_16UC1, Rect, Scalar, Size};

    use super::*;

    #[test]
    fn grey_and_rgb_are_taken_and_nothing_else() {
        let picture = |kind| Mat::new_size_with_default(Size::new(20, 10), kind, Scalar::all(7.0)).unwrap();
        assert!(dlib_image(&picture(CV_8UC1)).is_ok());
        assert!(dlib_image(&picture(CV_8UC3)).is_ok());
        assert!(dlib_image(&picture(CV_8UC2)).is_err());
        assert!(dlib_image(&picture(CV_16UC1)).is_err());
        // A region of an image has gaps between its rows.
        let part = picture(CV_8UC3).roi(Rect::new(3, 3, 9, 5)).unwrap().try_clone().unwrap();
        assert!(dlib_image(&part).is_ok());
    }
}
