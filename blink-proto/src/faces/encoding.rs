//! A face as a vector.

use serde::{Deserialize, Serialize};

/// Length of an encoding of dlib's face recognition model.
pub const ENCODING_LENGTH: usize = 128;
/// Length of [`Encoding::to_bytes`].
pub const ENCODING_BYTES: usize = 4 * ENCODING_LENGTH;

/// A face encoding of dlib's model: a vector in which faces of one person are near each other. It belongs in no body of
/// the HTTP API: it has no schema, and nothing of it is printed.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Encoding(Vec<f32>);

/// An encoding is biometric data, so nothing of it is printed.
impl std::fmt::Debug for Encoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Encoding(..)")
    }
}

impl Encoding {
    /// The encoding of these values; `None` unless they are [`ENCODING_LENGTH`] finite numbers.
    #[must_use]
    pub fn new(values: Vec<f32>) -> Option<Self> {
        let encoding = Self(values);
        encoding.is_sound().then_some(encoding)
    }

    /// Whether it was read back whole: a damaged one is near to nobody.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.0.len() == ENCODING_LENGTH && self.0.iter().all(|value| value.is_finite())
    }

    /// The values; [`ENCODING_LENGTH`] of them unless it was damaged in storage.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.0
    }

    /// The Euclidean distance to another encoding; infinite where either was damaged in storage.
    #[must_use]
    pub fn distance(&self, other: &Self) -> f32 {
        if self.0.len() != ENCODING_LENGTH || other.0.len() != ENCODING_LENGTH {
            return f32::INFINITY;
        }
        self.0.iter().zip(&other.0).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
    }

    /// The mean of `encodings`; `None` without a sound one.
    #[must_use]
    pub fn mean<'a>(encodings: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let (mut sum, mut count) = (vec![0.0; ENCODING_LENGTH], 0.0);
        for encoding in encodings.into_iter().filter(|encoding| encoding.is_sound()) {
            sum.iter_mut().zip(&encoding.0).for_each(|(sum, value)| *sum += value);
            count += 1.0;
        }
        (count > 0.0).then(|| Self(sum.into_iter().map(|sum| sum / count).collect()))
    }

    /// The values as little-endian bytes, for sealing.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// The encoding of [`Self::to_bytes`]; `None` unless it is a sound one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (values, rest) = bytes.as_chunks();
        rest.is_empty().then(|| values.iter().map(|value| f32::from_le_bytes(*value)).collect()).and_then(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(first: f32) -> Encoding {
        let mut values = vec![0.25; ENCODING_LENGTH];
        values[0] = first;
        Encoding::new(values).unwrap()
    }

    #[test]
    fn bytes_come_back_and_damaged_ones_do_not() {
        let bytes = encoding(-1.5).to_bytes();
        assert_eq!(bytes.len(), ENCODING_BYTES);
        assert_eq!(Encoding::from_bytes(&bytes), Some(encoding(-1.5)));
        assert_eq!(Encoding::from_bytes(&bytes[1..]), None);
        assert_eq!(Encoding::from_bytes(&f32::NAN.to_le_bytes().repeat(ENCODING_LENGTH)), None);
    }

    #[test]
    fn what_is_damaged_is_nobody() {
        assert!(Encoding::new(vec![0.0; 5]).is_none());
        assert!(Encoding::new(vec![f32::NAN; ENCODING_LENGTH]).is_none());
        let damaged: Encoding = serde_json::from_str("[1.0]").unwrap();
        assert!(encoding(0.0).distance(&damaged).is_infinite());
        assert!(!damaged.is_sound());
        assert_eq!(Encoding::mean([&damaged]), None);
    }

    #[test]
    fn the_mean_is_between_and_json_is_exact() {
        assert_eq!(Encoding::mean([&encoding(1.0), &encoding(0.0)]), Some(encoding(0.5)));
        let odd = encoding(0.1 + 0.2);
        assert_eq!(serde_json::from_str::<Encoding>(&serde_json::to_string(&odd).unwrap()).unwrap(), odd);
        assert_eq!(format!("{odd:?}"), "Encoding(..)");
    }
}
