//! Recognition of the owner: face encodings, compared by distance.

pub use blink_proto::faces::{ENCODING_LENGTH, Encoding};
use serde::{Deserialize, Serialize};

/// Two encodings nearer than this are of the same person. dlib's model is trained for 0.6; this is stricter, because
/// another person's blinks must not be counted as the owner's.
pub const SAME_PERSON_BELOW: f32 = 0.5;

/// The enrolled person, whose blinks are counted when others are in the image too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Owner {
    encodings: Vec<Encoding>,
}

impl Owner {
    /// The person of these encodings, taken at several moments of an enrolment; `None` without any, or where they are
    /// not all of one person.
    #[must_use]
    pub fn new(encodings: Vec<Encoding>) -> Option<Self> {
        let owner = Self { encodings };
        let one = !owner.encodings.is_empty()
            && owner.encodings.iter().all(|encoding| owner.distance(encoding) < SAME_PERSON_BELOW);
        one.then_some(owner)
    }

    /// The mean distance to the enrolled encodings.
    #[must_use]
    pub fn distance(&self, encoding: &Encoding) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        let count = self.encodings.len().max(1) as f32;
        self.encodings.iter().map(|enrolled| enrolled.distance(encoding)).sum::<f32>() / count
    }

    /// The index of the owner among `faces`: the nearest face, if it is near enough.
    #[must_use]
    pub fn among(&self, faces: &[Encoding]) -> Option<usize> {
        let distances = faces.iter().map(|face| self.distance(face)).enumerate();
        distances
            .filter(|(_, distance)| *distance < SAME_PERSON_BELOW)
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(i, _)| i)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(at: f32) -> Encoding {
        let mut values = vec![0.0; ENCODING_LENGTH];
        values[0] = at;
        Encoding::new(values).unwrap()
    }

    #[test]
    fn the_nearest_face_is_the_owner_if_near_enough() {
        let owner = Owner::new(vec![encoding(0.0), encoding(0.1)]).unwrap();
        assert_eq!(owner.among(&[encoding(0.9), encoding(0.2), encoding(0.3)]), Some(1));
        assert_eq!(owner.among(&[encoding(0.9)]), None);
        assert_eq!(owner.among(&[]), None);
    }

    #[test]
    fn an_enrolment_of_two_people_is_refused() {
        assert_eq!(Owner::new(vec![encoding(0.0), encoding(1.5)]), None);
        assert_eq!(Owner::new(Vec::new()), None);
    }
}
