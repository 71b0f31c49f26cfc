//! Reads dlib's serialised `shape_predictor`.
//!
//! The format: an integer is a length byte (the low 4 bits are the number of bytes, 0x80 is set for a negative one) and
//! that many bytes, little-endian; a float is its mantissa and its binary exponent as integers; a vector is its length
//! and its items. The file holds a version, the mean shape, the forests (a level's trees; a tree's splits and leaves),
//! each level's anchors, and each level's deltas.

use std::io::{self, Read};

use super::{COORDINATES, FEATURES, FeaturePixel, LEAVES, Level, Predictor, SPLITS, Split, TREES};
use crate::geometry::{LANDMARKS, Landmarks, Point};

/// Why a file is not the 68-point model.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It could not be read, or ends too early.
    #[error("the file cannot be read to its end")]
    Read(#[from] io::Error),
    /// It is another file, or damaged.
    #[error("the file is not dlib's 68-point landmark model: {0}")]
    Format(&'static str),
}

impl Predictor {
    /// Reads the model that dlib calls `shape_predictor_68_face_landmarks.dat`.
    ///
    /// # Errors
    /// [`LoadError`] when the bytes end too early or are anything else, such as the 5-point model.
    pub fn load(reader: impl Read) -> Result<Self, LoadError> {
        let mut file = Reader::new(reader);
        if file.int()? != 1 {
            return Err(LoadError::Format("unknown version"));
        }
        let mean = points(&file.matrix::<COORDINATES>()?);
        let level_count = file.count(1..=64, "the number of levels")?;
        let mut levels = Vec::with_capacity(level_count);
        for _ in 0..level_count {
            levels.push(file.level()?);
        }
        file.expect_count(level_count, "the number of anchor lists")?;
        for level in &mut levels {
            file.expect_count(FEATURES, "the number of anchors")?;
            level.pixels = vec![FeaturePixel::default(); FEATURES];
            for pixel in &mut level.pixels {
                let anchor = file.int()?;
                pixel.anchor = u8::try_from(anchor)
                    .ok()
                    .filter(|&anchor| usize::from(anchor) < LANDMARKS)
                    .ok_or(LoadError::Format("an anchor outside the shape"))?;
            }
        }
        file.expect_count(level_count, "the number of delta lists")?;
        for level in &mut levels {
            file.expect_count(FEATURES, "the number of deltas")?;
            for pixel in &mut level.pixels {
                pixel.delta = Point::new(file.float()?, file.float()?);
            }
        }
        Ok(Self { mean, levels })
    }
}

fn points(values: &[f32; COORDINATES]) -> Landmarks {
    std::array::from_fn(|i| Point::new(values[2 * i], values[2 * i + 1]))
}

/// The most bytes of one number: a length byte and eight more.
const LONGEST: usize = 9;

/// Reads numbers from a buffer of its own. There are 33 million of them, and a daemon that was killed must observe
/// again within two seconds.
struct Reader<R> {
    inner: R,
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
}

impl<R: Read> Reader<R> {
    fn new(inner: R) -> Self {
        Self { inner, buffer: vec![0; 1 << 18].into(), at: 0, end: 0 }
    }

    /// Reads until a whole number is in the buffer, or to the end of the file.
    #[cold]
    fn refill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.at..self.end, 0);
        (self.at, self.end) = (0, self.end - self.at);
        while self.end < LONGEST {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(n) => self.end += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // The bytes after the end are zeroed, so that they are not taken for a number.
        let blank = (self.end + LONGEST).min(self.buffer.len());
        self.buffer[self.end..blank].fill(0);
        Ok(())
    }

    #[inline]
    fn int(&mut self) -> Result<i64, LoadError> {
        if self.end - self.at < LONGEST {
            self.refill()?;
        }
        let mut number = [0; LONGEST];
        number.copy_from_slice(&self.buffer[self.at..self.at + LONGEST]);
        let [head, bytes @ ..] = number;
        let (size, negative) = (usize::from(head & 0x0f), head & 0x80 != 0);
        if self.at + size >= self.end {
            return Err(LoadError::Read(io::ErrorKind::UnexpectedEof.into()));
        }
        if size > 8 || head & 0x70 != 0 {
            return Err(LoadError::Format("a number's length is impossible"));
        }
        self.at += 1 + size;
        let unused_bits = 64 - 8 * u32::try_from(size).unwrap_or(8);
        let value = u64::from_le_bytes(bytes).checked_shl(unused_bits).map_or(0, |high| high >> unused_bits);
        let value = value.cast_signed();
        Ok(if negative { value.wrapping_neg() } else { value })
    }

    #[inline]
    fn float(&mut self) -> Result<f32, LoadError> {
        let (mantissa, exponent) = (self.int()?, self.int()?);
        let exponent = i32::try_from(exponent).map_err(|_| LoadError::Format("a float's exponent is impossible"))?;
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "a 24-bit mantissa made by a float"
        )]
        let value = (mantissa as f64 * power_of_two(exponent)) as f32;
        if value.is_finite() && exponent < 32_000 {
            Ok(value)
        } else {
            Err(LoadError::Format("a number is not finite"))
        }
    }

    fn count(&mut self, range: std::ops::RangeInclusive<usize>, what: &'static str) -> Result<usize, LoadError> {
        let count = usize::try_from(self.int()?).ok().filter(|count| range.contains(count));
        count.ok_or(LoadError::Format(what))
    }

    fn expect_count(&mut self, expected: usize, what: &'static str) -> Result<(), LoadError> {
        self.count(expected..=expected, what).map(drop)
    }

    /// A column of N numbers. dlib negates the two sizes in newer files.
    fn matrix<const N: usize>(&mut self) -> Result<[f32; N], LoadError> {
        let (rows, columns) = (self.int()?, self.int()?);
        if rows.unsigned_abs() != N as u64 || columns.unsigned_abs() != 1 {
            return Err(LoadError::Format("the shape has another number of points"));
        }
        let mut values = [0.0; N];
        for value in &mut values {
            *value = self.float()?;
        }
        Ok(values)
    }

    fn level(&mut self) -> Result<Level, LoadError> {
        self.expect_count(TREES, "the number of trees")?;
        let mut level = Level {
            pixels: Vec::new(),
            splits: Vec::with_capacity(TREES),
            rows: Vec::with_capacity(TREES * LEAVES),
            scales: Vec::with_capacity(TREES * LEAVES),
        };
        for _ in 0..TREES {
            self.expect_count(SPLITS, "the number of splits")?;
            let mut splits = [Split::default(); SPLITS];
            for split in &mut splits {
                *split = Split { first: self.feature()?, second: self.feature()?, threshold: self.float()? };
            }
            level.splits.push(splits);
            self.expect_count(LEAVES, "the number of leaves")?;
            for _ in 0..LEAVES {
                let (row, scale) = quantise(&self.matrix::<COORDINATES>()?);
                level.rows.push(row);
                level.scales.push(scale);
            }
        }
        Ok(level)
    }

    fn feature(&mut self) -> Result<u16, LoadError> {
        let index = u16::try_from(self.int()?).ok().filter(|&index| usize::from(index) < FEATURES);
        index.ok_or(LoadError::Format("a split compares a pixel that is not there"))
    }
}

/// 2 to the power of `exponent`; a normal number is assembled from its bits (IEEE 754, binary64).
#[inline]
fn power_of_two(exponent: i32) -> f64 {
    match u64::try_from(i64::from(exponent) + 1023) {
        Ok(biased @ 1..2047) => f64::from_bits(biased << 52),
        _ => f64::from(exponent).exp2(),
    }
}

/// A row as 16-bit integers with the scale that restores them, exact to 1/65,534 of the row's largest number.
fn quantise(row: &[f32; COORDINATES]) -> ([i16; COORDINATES], f32) {
    let largest = row.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    if largest == 0.0 {
        return ([0; COORDINATES], 0.0);
    }
    let scale = largest / f32::from(i16::MAX);
    #[expect(clippy::cast_possible_truncation, reason = "within the range by the choice of the scale")]
    (row.map(|value| (value / scale).round() as i16), scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_as_dlib_writes_them() {
        let mut file = Reader::new(&b"\x02\x01\x02\x81\x05\x01\x03\x81\x01"[..]);
        assert_eq!(file.int().unwrap(), 0x0201);
        assert_eq!(file.int().unwrap(), -5);
        assert_eq!(file.float().unwrap(), 1.5);
        assert!(matches!(file.int(), Err(LoadError::Read(_))), "the file is at its end");
        for cut in [&b"\x02\x01"[..], b"\x08\x01\x02\x03\x04\x05\x06\x07", b""] {
            assert!(matches!(Reader::new(cut).int(), Err(LoadError::Read(_))), "{cut:?}");
        }
        assert_eq!(Reader::new(&b"\x08\x01\0\0\0\0\0\0\x40"[..]).int().unwrap(), (1 << 62) + 1);
        assert_eq!(Reader::new(&b"\0"[..]).int().unwrap(), 0);
        assert!(matches!(Reader::new(&b"\x0f"[..]).int(), Err(LoadError::Read(_))));
        assert!(matches!(Reader::new(&[0x0f; 32][..]).int(), Err(LoadError::Format(_))));
    }

    #[test]
    fn powers_of_two_are_exact() {
        for exponent in [-2000, -1075, -1074, -1023, -1022, -24, 0, 1, 1023, 1024, i32::MAX, i32::MIN] {
            assert_eq!(power_of_two(exponent), f64::from(exponent).exp2(), "{exponent}");
        }
    }

    #[test]
    fn a_row_survives_its_quantisation() {
        let row: [f32; COORDINATES] = std::array::from_fn(|i| (i as f32 - 60.0) * 1e-4);
        let (small, scale) = quantise(&row);
        for (&value, &small) in row.iter().zip(&small) {
            assert!((value - f32::from(small) * scale).abs() <= scale * 0.51);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_error_not_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert!(Predictor::load(&bytes[..]).is_err());
        }
    }
}
